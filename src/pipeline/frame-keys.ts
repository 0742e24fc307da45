/** Cache keys of everything the executor makes (design §2). Pure: given the graph and how to get an artifact. */

import type { SourceInfo } from '../contracts/media.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { FlowRequest, FrameNeeds, Stage } from '../contracts/stage.ts';
import { EmulsionError } from '../core/errors.ts';
import { formatRational } from '../core/rational.ts';
import type { Hashes, KeyPart } from '../store/keys.ts';
import { paramsOf, type PlanLevel } from './plan-types.ts';

/** Bound on remembered keys; a key is cheap to make again. */
const REMEMBERED = 50_000;
/** Raised when conversion or the executor itself would give other pixels. */
const PIPELINE_VERSION = 1;
/** Side at which flows are computed when a stage does not say. */
export const DEFAULT_FLOW_SIDE = 640;

/** What keys depend on besides the graph. */
export interface KeyContext {
	readonly levels: readonly PlanLevel[];
	readonly info: SourceInfo;
	readonly hashes: Hashes;
	readonly models: ModelRuntime;
	/** `BackendInfo.key`. */
	readonly backend: string;
	/** Names the flow's method and model. */
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

/** Keys of frames, flows and artifacts. */
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

	/** Key of a flow between two frames of a level. */
	async flow(level: number, { from, to, maxSide = DEFAULT_FLOW_SIDE }: FlowRequest): Promise<string> {
		const { hashes, backend, flow } = this.#context;
		return hashes.key({
			flow,
			backend,
			maxSide,
			from: await this.frame(level, from),
			to: await this.frame(level, to),
		});
	}

	/** Key of a shot's artifact: all frames of the shot count as read. */
	async artifact(inputLevel: number, entry: RecipeStage, stage: Stage, shot: number): Promise<string> {
		const { levels, hashes, backend, models } = this.#context;
		const range = levels[inputLevel]?.shots[shot] ?? { start: 0, end: 0 };
		const inputs: string[] = [];
		for (let i = range.start; i < range.end; i++) inputs.push(await this.frame(inputLevel, i));
		return hashes.key({
			artifact: stage.meta.id,
			version: stage.meta.version,
			params: entry.params,
			models: modelParts(models, stage),
			backend,
			start: range.start,
			inputs,
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
		const named = [...needs.inputs, ...(needs.flows ?? []).flatMap((f) => [f.from, f.to])];
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
		const { levels, hashes, backend, models } = this.#context;
		const { step, timeline } = levels[level]!;
		const frame = timeline.frames[index]!;
		if (step?.touched[index] !== 1) return this.frame(level - 1, frame.needs[0]!);
		const { stage, entry } = step;
		const { needs } = await this.needs(level, index);
		const inputs: string[] = [];
		for (const input of needs.inputs) inputs.push(await this.frame(level - 1, input));
		const flows: KeyPart[] = [];
		for (const flow of needs.flows ?? []) flows.push(await this.flow(level - 1, flow));
		return hashes.key({
			pipeline: PIPELINE_VERSION,
			stage: stage.meta.id,
			version: stage.meta.version,
			params: entry.params,
			region: entry.region,
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
			artifact: stage.analyze && (await this.artifact(level - 1, entry, stage, frame.shot)),
			inputs,
			flows,
		});
	}
}
