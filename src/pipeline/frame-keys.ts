/** Cache keys of everything the executor and the surveyor make (design §2). Pure: given the graph and how to get an artifact. */

import type { FrameRange } from '../contracts/frames.ts';
import type { SourceInfo } from '../contracts/media.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { FlowRequest, FrameNeeds, GuideRequest, Stage } from '../contracts/stage.ts';
import type { MatteInput } from '../contracts/workers.ts';
import { EmulsionError } from '../core/errors.ts';
import { formatRational } from '../core/rational.ts';
import { parseRegion } from '../core/regions.ts';
import type { Hashes, KeyPart } from '../store/keys.ts';
import { matteKey, wholeMatteKey } from './mattes.ts';
import { paramsOf, type PlanLevel } from './plan-types.ts';

/** Bound on remembered keys; a key is cheap to make again. */
const REMEMBERED = 50_000;
/** Raised when conversion or the executor itself would give other pixels. */
const PIPELINE_VERSION = 1;

/** What keys depend on besides the graph. */
export interface KeyContext {
	readonly levels: readonly PlanLevel[];
	readonly info: SourceInfo;
	readonly mattes: readonly MatteInput[];
	readonly hashes: Hashes;
	readonly models: ModelRuntime;
	/** `BackendInfo.key`. */
	readonly backend: string;
	/** Names the method and the models of flows and guides. */
	readonly flow: string;
	artifact(inputLevel: number, entry: RecipeStage, stage: Stage, shot: number): Promise<unknown>;
}

/** Models a stage may use, with what changes their numbers: file and tile geometry. */
function modelParts(models: ModelRuntime, stage: Stage): KeyPart {
	return stage.meta.models.map((id) => {
		const { sha256, tile, halo, align } = models.spec(id);
		return { id, sha256, tile, halo, align };
	});
}

/** Runs of equal marks in a range: mark and length. */
function runsOf(marks: Uint8Array, { start, end }: FrameRange): [number, number][] {
	const runs: [number, number][] = [];
	for (let i = start; i < end; i++) {
		const last = runs.at(-1);
		if (last && last[0] === marks[i]) last[1]++;
		else runs.push([marks[i]!, 1]);
	}
	return runs;
}

/** The part of a level's timeline that lies in a shot. */
function timesOf({ timeline, shots }: PlanLevel, shot: number, hashes: Hashes): string {
	const { start, end } = shots[shot] ?? { start: 0, end: 0 };
	return hashes.key(
		timeline.frames
			.slice(start, end)
			.map(({ index, pts, duration, origin, needs, timestep }) => [
				index,
				formatRational(pts),
				formatRational(duration),
				origin,
				needs,
				timestep && formatRational(timestep),
			]),
	);
}

/** A shot's frames in the source. */
function shotSource({ levels, info }: Pick<KeyContext, 'levels' | 'info'>, shot: number) {
	const { start, end } = levels[0]?.shots[shot] ?? { start: 0, end: 0 };
	return {
		pipeline: PIPELINE_VERSION,
		source: info.fingerprint,
		engine: info.engine,
		color: { ...info.color },
		rate: formatRational(info.rate),
		start,
		end,
	};
}

/**
 * Key of a shot's survey for a stage whose input is the last of `levels`: the source's frames and the timelines they are seen
 * through, on any backend.
 */
export function surveyKey(
	context: Pick<KeyContext, 'levels' | 'info' | 'hashes'>,
	entry: RecipeStage,
	stage: Stage,
	shot: number,
): string {
	const { levels, hashes } = context;
	return hashes.key({
		survey: stage.meta.id,
		version: stage.meta.version,
		params: entry.params,
		source: shotSource(context, shot),
		timelines: levels.flatMap((level) => (level.step?.stage.timeline ? [timesOf(level, shot, hashes)] : [])),
	});
}

/** Keys of frames, guides, flows and artifacts. */
export class FrameKeys {
	readonly #context: KeyContext;
	readonly #known = new Map<string, string>();

	constructor(context: KeyContext) {
		this.#context = context;
	}

	/** Key of a frame of a level; `view` other than `result` names a side picture of the level's own stage. */
	async frame(level: number, index: number, view = 'result'): Promise<string> {
		const slot = `${level}/${index}/${view}`;
		const known = this.#known.get(slot);
		if (known !== undefined) return known;
		const key = level === 0 ? this.#source(index) : await this.#made(level, index, view);
		if (this.#known.size >= REMEMBERED) this.#known.clear();
		this.#known.set(slot, key);
		return key;
	}

	/** Key of the guide of a level's frame. */
	async guide(level: number, { index, ...options }: GuideRequest): Promise<string> {
		const { hashes, flow } = this.#context;
		return hashes.key({ guide: flow, ...options, frame: await this.frame(level, index) });
	}

	/** Key of a flow between two frames of a level. Both directions are named by the same pair, earlier frame first. */
	async flow(level: number, { from, to, ...options }: FlowRequest): Promise<string> {
		const { hashes, flow } = this.#context;
		return hashes.key({
			flow,
			...options,
			first: await this.frame(level, Math.min(from, to)),
			second: await this.frame(level, Math.max(from, to)),
			reversed: from > to,
		});
	}

	/**
	 * Key of a shot's artifact. All frames of the shot count as read, so they are named together, by what makes them: keys one
	 * by one would need the artifacts of the stages below, and a plan would have to look at pictures to find its names.
	 */
	artifact(inputLevel: number, entry: RecipeStage, stage: Stage, shot: number): string {
		const { hashes, backend, models } = this.#context;
		return hashes.key({
			artifact: stage.meta.id,
			version: stage.meta.version,
			params: entry.params,
			models: modelParts(models, stage),
			backend,
			frames: this.#shot(inputLevel, shot),
		});
	}

	/** What a stage needs for one frame, its artifact looked up. Throws `internal` for needs outside of the shot. */
	async needs(level: number, index: number): Promise<{ needs: FrameNeeds; artifact: unknown }> {
		const { levels } = this.#context;
		const { step, timeline } = levels[level]!;
		const frame = timeline.frames[index]!;
		const { stage, entry } = step!;
		const shot = levels[level - 1]!.shots[frame.shot]!;
		const artifact = stage.analyze ? await this.#context.artifact(level - 1, entry, stage, frame.shot) : undefined;
		const needs = stage.needs(frame, paramsOf(entry), shot, artifact);
		const named = [
			...needs.inputs,
			...(needs.flows ?? []).flatMap((f) => [f.from, f.to]),
			...(needs.guides ?? []).map((g) => g.index),
		];
		const outside = named.find((i) => i < shot.start || i >= shot.end);
		if (outside !== undefined) {
			throw new EmulsionError(
				'internal',
				`needs frame ${outside}, outside of its shot ${shot.start}–${shot.end - 1}: never across a cut`,
				{ stage: entry.id, frame: index },
			);
		}
		return { needs, artifact };
	}

	/** All frames of a shot on a level, by the recipe that makes them. */
	#shot(level: number, shot: number): string {
		const slot = `shot/${level}/${shot}`;
		const known = this.#known.get(slot);
		if (known !== undefined) return known;
		const key = this.#shotMade(level, shot);
		this.#known.set(slot, key);
		return key;
	}

	#shotMade(level: number, shot: number): string {
		const { levels, hashes, backend, models, mattes } = this.#context;
		const { step, shots } = levels[level]!;
		if (!step) return hashes.key({ ...shotSource(this.#context, shot), backend });
		const below = this.#shot(level - 1, shot);
		const { stage, entry, touched } = step;
		const range = shots[shot] ?? { start: 0, end: 0 };
		const runs = runsOf(touched, range);
		if (!stage.timeline && !runs.some(([is]) => is === 1)) return below;
		return hashes.key({
			below,
			stage: stage.meta.id,
			version: stage.meta.version,
			params: entry.params,
			region: wholeMatteKey(mattes, entry.region),
			models: modelParts(models, stage),
			touched: runs,
			times: stage.timeline && timesOf(levels[level]!, shot, hashes),
		});
	}

	#source(index: number): string {
		const { hashes, info, backend } = this.#context;
		return hashes.key({
			pipeline: PIPELINE_VERSION,
			source: info.fingerprint,
			index,
			engine: info.engine,
			color: { ...info.color },
			backend,
		});
	}

	async #made(level: number, index: number, view: string): Promise<string> {
		const { levels, hashes, backend, models, mattes } = this.#context;
		const { step, timeline, sources } = levels[level]!;
		const frame = timeline.frames[index]!;
		if (step?.touched[index] !== 1) return this.frame(level - 1, frame.needs[0]!);
		const { stage, entry } = step;
		const region = parseRegion(entry.region);
		const { needs } = await this.needs(level, index);
		const inputs: string[] = [];
		for (const input of needs.inputs) inputs.push(await this.frame(level - 1, input));
		const flows: KeyPart[] = [];
		for (const flow of needs.flows ?? []) flows.push(await this.flow(level - 1, flow));
		const guides: KeyPart[] = [];
		for (const guide of needs.guides ?? []) guides.push(await this.guide(level - 1, guide));
		return hashes.key({
			pipeline: PIPELINE_VERSION,
			stage: stage.meta.id,
			version: stage.meta.version,
			params: entry.params,
			region: region && {
				matte: matteKey(mattes, region, sources[index]!),
				outside: await this.frame(level - 1, frame.needs[0]!),
			},
			models: modelParts(models, stage),
			backend,
			precision: 'f32',
			view,
			frame: {
				index,
				pts: formatRational(frame.pts),
				duration: formatRational(frame.duration),
				timestep: frame.timestep && formatRational(frame.timestep),
			},
			artifact: stage.analyze && this.artifact(level - 1, entry, stage, frame.shot),
			inputs,
			flows,
			guides,
		});
	}
}
