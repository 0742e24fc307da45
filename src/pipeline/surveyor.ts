/**
 * Surveys for timelines: what the source shows, shot by shot, while the film is planned. Nothing is rendered: frames are
 * reduced straight from the decoder's planes, in one pass, and seen through the timelines below.
 */

import type { OnProgress } from '../contracts/frames.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import { type Stage, SURVEY_SIDE, type SurveyFrame } from '../contracts/stage.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import { mixFrames, reduceFrame } from '../analysis/survey/reduce.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import { toNumber } from '../core/rational.ts';
import type { ArtifactStore } from '../store/artifacts.ts';
import type { Hashes } from '../store/keys.ts';
import { surveyKey } from './frame-keys.ts';
import { paramsOf, type PlanLevel } from './plan-types.ts';
import type { SourceReader } from './source-reader.ts';

/** Reduced frames kept: neighbors, through two interpolations. */
const KEPT = 8;

/** What a surveyor works with. */
export interface SurveyorDeps {
	readonly artifacts: ArtifactStore;
	readonly hashes: Hashes;
	/** Source frames, borrowed while they are looked at. */
	readonly source: Pick<SourceReader, 'use'>;
	readonly breathe: (signal: AbortSignal) => Promise<void>;
	readonly onProgress?: OnProgress;
}

/** See the file's comment. */
export class Surveyor {
	readonly #request: PlanRequest;
	readonly #deps: SurveyorDeps;
	readonly #signal: AbortSignal;
	/** Source frames, reduced; oldest use first. */
	readonly #reduced = new Map<number, SurveyFrame>();
	#frames = 0;
	#seconds = 0;

	constructor(request: PlanRequest, deps: SurveyorDeps, signal: AbortSignal) {
		this.#request = request;
		this.#deps = deps;
		this.#signal = signal;
	}

	/** Source frames looked at, and seconds that reducing and comparing took, decoding included. */
	get spent(): { readonly frames: number; readonly seconds: number } {
		return { frames: this.#frames, seconds: this.#seconds };
	}

	/** A shot's survey for a stage whose input is the last of `levels`: looked up, or made. Errors carry the stage's id. */
	async survey(levels: readonly PlanLevel[], entry: RecipeStage, stage: Stage, shot: number): Promise<unknown> {
		const { artifacts, hashes, breathe, onProgress } = this.#deps;
		const top = levels.length - 1;
		const key = surveyKey({ levels, info: this.#request.info, hashes }, entry, stage, shot);
		const stored = await artifacts.get(key);
		if (stored) return stored.value;
		const { timeline, shots } = levels[top]!;
		const range = shots[shot]!;
		const access = {
			range,
			timeline,
			frame: (index: number) => {
				if (index < range.start || index >= range.end) {
					throw new EmulsionError('internal', `survey of frames ${range.start}–${range.end - 1} asked for ${index}`);
				}
				return this.#seen(levels, top, index);
			},
		};
		const started = performance.now();
		try {
			const env = { breathe: () => breathe(this.#signal), onProgress: onProgress ?? (() => undefined) };
			const value = await stage.survey?.(access, paramsOf(entry), env);
			throwIfAborted(this.#signal);
			await artifacts.put(key, value);
			return value;
		} catch (error) {
			throw toEmulsionError(error).with({ stage: entry.id });
		} finally {
			this.#seconds += (performance.now() - started) / 1000;
		}
	}

	/** What the source shows at a level's frame. */
	async #seen(levels: readonly PlanLevel[], level: number, index: number): Promise<SurveyFrame> {
		const { timeline, sources } = levels[level]!;
		if (level === 0) return this.#source(sources[index]!);
		const { needs, timestep } = timeline.frames[index]!;
		const first = await this.#seen(levels, level - 1, needs[0]!);
		if (needs.length === 1 || !timestep) return first;
		return mixFrames(first, await this.#seen(levels, level - 1, needs[1]!), toNumber(timestep));
	}

	async #source(index: number): Promise<SurveyFrame> {
		const known = this.#reduced.get(index);
		if (known) return known;
		const frame = await this.#deps.source.use(index, this.#signal, (planes) => reduceFrame(planes, SURVEY_SIDE));
		this.#frames++;
		this.#reduced.set(index, frame);
		for (const old of this.#reduced.keys()) {
			if (this.#reduced.size <= KEPT) break;
			this.#reduced.delete(old);
		}
		return frame;
	}
}
