/** A source and stages for planner tests: no pixels, no workers. */

import type { SourceInfo } from '../contracts/media.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { ParamTable, Stage, StageMeta } from '../contracts/stage.ts';
import type { MatteInput, PlanRequest } from '../contracts/workers.ts';
import { add, mul, rational } from '../core/rational.ts';
import { shotsFromBoundaries } from '../core/shots.ts';
import type { Timeline, TimelineFrame } from '../core/timeline.ts';
import { makePlan, type PlanDeps } from './plan.ts';
import type { Plan } from './plan-types.ts';

/** A source of `count` frames at 24 a second. */
export function sourceOf(count: number): SourceInfo {
	const frame = rational(1, 24);
	return {
		name: 'film.mov',
		kind: 'file',
		container: 'mov',
		codec: 'ffv1',
		bytes: 1000,
		size: { width: 64, height: 48 },
		rotation: 0,
		sampleAspect: rational(1),
		format: { chroma: '444', depth: 8, sample: 'u8', alpha: false },
		color: {
			primaries: 'bt709',
			transfer: 'bt709',
			matrix: 'bt709',
			range: 'limited',
			chromaLocation: 'unspecified',
		},
		fields: 'progressive',
		timebase: frame,
		rate: rational(24),
		constantRate: true,
		frames: Array.from({ length: count }, (_, i) => ({
			pts: mul(frame, rational(i)),
			duration: frame,
			keyframe: i === 0,
		})),
		audio: [],
		fingerprint: 'fingerprint',
		notices: [],
		engine: 'ffmpeg',
		engineReason: 'test',
	};
}

/** A request over two shots that meet at `cut`. */
export function requestOf(
	count: number,
	cut: number | undefined,
	stages: readonly RecipeStage[],
	rest: Partial<PlanRequest> = {},
): PlanRequest {
	const boundaries = cut === undefined ? [] : [{ transition: 'cut' as const, frame: cut }];
	return {
		source: 'source-1',
		info: sourceOf(count),
		shots: shotsFromBoundaries(count, boundaries, 'edited'),
		recipe: { version: 1, stages },
		...rest,
	};
}

/** A matte of the film's size with so many frames. */
export function matteOf(id: string, frames: number, rest: Partial<MatteInput> = {}): MatteInput {
	const { size, rotation } = sourceOf(1);
	return { id, source: `source-${id}`, frames, size, rotation, fingerprint: `fingerprint-${id}`, ...rest };
}

/** A recipe entry. */
export function entryOf(stage: string, rest: Partial<RecipeStage> = {}): RecipeStage {
	return { stage, id: stage, enabled: true, scope: 'all', region: 'all', params: {}, ...rest };
}

/** A stage's metadata. */
export function metaOf(id: string, rest: Partial<StageMeta> = {}): StageMeta {
	return {
		id,
		version: 1,
		label: id,
		doc: id,
		order: 10,
		params: {},
		models: [],
		changesTimeline: false,
		changesSize: false,
		provenance: 'repaired',
		views: [],
		...rest,
	};
}

/** A stage that reads one frame and is never rendered in these tests. */
export function stageOf(id: string, rest: Partial<Stage> = {}): Stage<ParamTable> {
	return {
		meta: metaOf(id),
		touches: () => true,
		needs: (frame) => ({ inputs: [...frame.needs] }),
		render: () => Promise.reject(new Error('planner tests render nothing')),
		...rest,
	};
}

/** Doubles the rate within each shot, as an interpolator does; the last frame of a shot is repeated. */
export function doubled(input: Timeline): Timeline {
	const half = (frame: TimelineFrame) => mul(frame.duration, rational(1, 2));
	const frames = input.frames.flatMap((frame): Omit<TimelineFrame, 'index'>[] => {
		const next = input.frames[frame.index + 1];
		const duration = half(frame);
		const first = { pts: frame.pts, duration, origin: 'original' as const, needs: [frame.index], shot: frame.shot };
		const pts = add(frame.pts, duration);
		if (next?.shot !== frame.shot) return [first, { ...first, pts, origin: 'repeated' }];
		const needs = [frame.index, next.index];
		return [first, { pts, duration, origin: 'created', needs, timestep: rational(1, 2), shot: frame.shot }];
	});
	return { frames: frames.map((frame, index) => ({ ...frame, index })), timebase: mul(input.timebase, rational(1, 2)) };
}

/** Plans with these stages. */
export function planWith(request: PlanRequest, stages: readonly Stage[], deps: Partial<PlanDeps> = {}): Promise<Plan> {
	return makePlan(request, {
		load: (id) => {
			const stage = stages.find((s) => s.meta.id === id);
			return stage ? Promise.resolve(stage) : Promise.reject(new Error(`no stage ${id}`));
		},
		survey: () => Promise.resolve(new Map()),
		...deps,
	});
}
