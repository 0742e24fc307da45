/** Chunk bounds and the identity of an export: both follow from the plan alone, so that an interrupted one can go on. */

import type { FrameRange } from '../contracts/frames.ts';
import type { EncodeConfig } from '../contracts/media.ts';
import type { ExportRequest } from '../contracts/workers.ts';
import { frameBytes } from '../core/color.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { formatRational } from '../core/rational.ts';
import type { Hashes, KeyPart } from '../store/keys.ts';
import { paramsOf, type Plan } from './plan-types.ts';

/** Frames a chunk when frames are cheap: a fresh encoder costs about half a second. */
const MOST = 480;
/** Frames a chunk when a stage runs a model: a lost chunk must not cost an hour. */
const MOST_HEAVY = 48;
/** Raw bytes a chunk at most. */
const MOST_BYTES = 128 * 2 ** 20;
const LEAST = 8;
/** A frame that costs more than this many GFLOP is heavy. */
const HEAVY_GFLOP = 2;
/** Raised when the same plan would give other bytes. */
const EXPORT_VERSION = 2;

function isHeavy(plan: Plan): boolean {
	return plan.levels.some((level, k) => {
		if (!level.step) return false;
		const { stage, entry } = level.step;
		const hint = stage.costHint?.(paramsOf(entry), plan.levels[k - 1]!.size);
		return hint ? hint.gflopPerFrame > HEAVY_GFLOP : stage.meta.models.length > 0;
	});
}

/** Frames a chunk for a plan and an encoder; `wish` is the request's own bound. */
export function chunkFrames(plan: Plan, config: EncodeConfig, wish?: number): number {
	if (wish !== undefined && !(Number.isInteger(wish) && wish > 0)) {
		throw new EmulsionError(
			'usage',
			phrase('expected', { path: 'chunkFrames', expected: phrase('kind-whole-from', { min: 1 }), got: wish }),
			{
				path: 'chunkFrames',
			},
		);
	}
	const bytes = frameBytes(config.format, config.size);
	if (wish !== undefined) return wish;
	const most = isHeavy(plan) ? MOST_HEAVY : MOST;
	return Math.min(most, Math.max(LEAST, Math.floor(MOST_BYTES / bytes)));
}

/** Ranges of `size` frames that tile `[0, frames)`; the last may be shorter. */
export function chunkBounds(frames: number, size: number): FrameRange[] {
	return Array.from({ length: Math.ceil(frames / size) }, (_, i) => ({
		start: i * size,
		end: Math.min(frames, (i + 1) * size),
	}));
}

const rationalParts = (config: EncodeConfig): KeyPart => ({
	...config,
	format: { ...config.format },
	size: { ...config.size },
	color: { ...config.color },
	sampleAspect: formatRational(config.sampleAspect),
	timebase: formatRational(config.timebase),
	rate: formatRational(config.rate),
});

/** All that a resumed export has to find unchanged, as plain JSON; its hash is the job's id. */
export function exportIdentity(
	request: ExportRequest,
	plan: Plan,
	config: EncodeConfig,
	chunkSize: number,
	backend: string,
	models: readonly string[],
	hashes: Hashes,
): { readonly id: string; readonly parts: KeyPart } {
	const parts: KeyPart = {
		export: EXPORT_VERSION,
		source: request.info.fingerprint,
		color: { ...request.info.color },
		engine: request.info.engine,
		shots: request.shots.map(({ start, end }) => [start, end]),
		range: request.range && [request.range.start, request.range.end],
		recipe: JSON.stringify(request.recipe),
		mattes: (request.mattes ?? []).map(({ id, fingerprint }) => [id, fingerprint]),
		stages: plan.levels.flatMap(({ step }) => (step ? [[step.stage.meta.id, step.stage.meta.version]] : [])),
		frames: plan.timeline.frames.length,
		size: { ...plan.size },
		backend,
		models,
		config: rationalParts(config),
		chunkSize,
		name: request.name,
	};
	return { id: hashes.key(parts).slice(0, 32), parts };
}
