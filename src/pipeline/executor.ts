/**
 * Pull-based execution: asking for one frame of the last level renders, through the stages, exactly what it needs. Frames,
 * flows and artifacts are made once and remembered under their cache keys. One executor serves one consumer at a time.
 */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { FrameRange, OnProgress } from '../contracts/frames.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { StageTime } from '../contracts/report.ts';
import {
	type FlowField,
	PROVENANCE,
	type RenderRequest,
	type ShotAccess,
	type Stage,
	type StageEnv,
	type WorkingFrame,
} from '../contracts/stage.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { type MatteRegion, parseRegion } from '../core/regions.ts';
import type { Shot } from '../core/shots.ts';
import type { ArtifactStore } from '../store/artifacts.ts';
import type { FrameStore } from '../store/frame-store.ts';
import { releaseFrame, retainFrame } from '../store/frames.ts';
import type { Hashes } from '../store/keys.ts';
import { toWorking } from './convert.ts';
import { FrameKeys } from './frame-keys.ts';
import { type Meter, MeteredCompute } from './metered.ts';
import { type Motion, MotionEdges, releaseFlow } from './motion-edges.ts';
import { raiseProvenance } from './ops/provenance.ts';
import { ANALYSIS, type Passing } from './passing.ts';
import { paramsOf, type PlanLevel, type PlanStep } from './plan-types.ts';
import { confine } from './region.ts';
import type { SourceReader } from './source-reader.ts';

/** What an executor works with. */
export interface ExecutorDeps {
	readonly compute: Compute;
	readonly models: ModelRuntime;
	readonly store: FrameStore;
	readonly artifacts: ArtifactStore;
	readonly hashes: Hashes;
	/** Source frames, borrowed while they are looked at. */
	readonly source: Pick<SourceReader, 'use'>;
	readonly flow: Motion;
	/** A region's matte for a source frame at a size, 1 channel 0…1; the caller owns it. */
	readonly matte: (region: MatteRegion, source: number, size: PlanLevel['size']) => Promise<Picture>;
	readonly breathe: (signal: AbortSignal) => Promise<void>;
	readonly onProgress?: OnProgress;
	/** Lets go of frames that were left behind; without it the store keeps what fits its budget. */
	readonly passing?: Passing;
	/** The motion of a pair of frames was estimated, not found. */
	readonly onFlow?: () => void;
}

interface Clock extends Meter {
	readonly stage: string;
	frames: number;
	computeSeconds: number;
}

/** What `needs` named, ready. */
interface Ready {
	readonly inputs: ReadonlyMap<number, WorkingFrame>;
	readonly flows: ReadonlyMap<string, FlowField>;
	readonly guides: ReadonlyMap<number, Picture>;
}

const shown = (stage: Stage, view: string): boolean => view === 'result' || stage.meta.views.includes(view);

/** See the file's comment. */
export class Executor {
	readonly #request: PlanRequest;
	readonly #levels: readonly PlanLevel[];
	readonly #deps: ExecutorDeps;
	readonly #signal: AbortSignal;
	readonly #keys: FrameKeys;
	readonly #edges: MotionEdges;
	readonly #artifacts = new Map<string, Promise<unknown>>();
	readonly #clocks = new Map<string, Clock>();

	constructor(request: PlanRequest, levels: readonly PlanLevel[], deps: ExecutorDeps, signal: AbortSignal) {
		this.#request = request;
		this.#levels = levels;
		this.#deps = deps;
		this.#signal = signal;
		this.#keys = new FrameKeys({
			levels,
			info: request.info,
			mattes: request.mattes ?? [],
			hashes: deps.hashes,
			models: deps.models,
			backend: deps.compute.info.key,
			flow: deps.flow.key,
			artifact: (level, entry, stage, shot) => this.artifact(level, entry, stage, shot),
		});
		this.#edges = new MotionEdges({
			motion: deps.flow,
			store: deps.store,
			keys: this.#keys,
			frame: (level, index) => this.#frame(level, index, 'result', level + 1),
			timed: (kind, work) => this.#timedEdge(kind, work),
			touch: (level, key, made) => this.#deps.passing?.touch(key, level + 1, made),
			...(deps.onFlow ? { onFlow: deps.onFlow } : {}),
		});
	}

	/** Time by stage entry so far. */
	times(): StageTime[] {
		return [...this.#clocks].map(([id, clock]) => ({ id, ...clock }));
	}

	/** Cache key of a frame. */
	key(level: number, index: number, view = 'result'): Promise<string> {
		return this.#keys.frame(level, index, view);
	}

	/** One frame of a level; the caller owns it. Errors carry the stage's id and the frame's index. */
	frame(level: number, index: number, view = 'result'): Promise<WorkingFrame> {
		const outside = this.#levels.length;
		this.#deps.passing?.turn(outside);
		return this.#frame(level, index, view, outside);
	}

	/** `by`: the level it is for; see {@link Passing}. */
	async #frame(level: number, index: number, view: string, by: number): Promise<WorkingFrame> {
		throwIfAborted(this.#signal);
		const { step, timeline } = this.#levels[level]!;
		const frame = timeline.frames[index];
		if (!frame) {
			throw new EmulsionError('internal', `frame ${index} does not exist: the timeline has ${timeline.frames.length}`);
		}
		if (step && step.touched[index] !== 1) return this.#frame(level - 1, frame.needs[0]!, view, by);
		try {
			const key = await this.#keys.frame(level, index, view);
			const found = await this.#deps.store.get(key);
			this.#deps.passing?.touch(key, by, !found);
			if (found) return found;
			const made = step
				? await this.#retrying(() => this.#render(step, level, index, view))
				: await this.#convert(index);
			this.#deps.store.put(key, made, false);
			return made;
		} catch (error) {
			throw toEmulsionError(error).with(step ? { stage: step.entry.id, frame: index } : { frame: index });
		}
	}

	/** A shot's artifact for a stage whose input is `inputLevel`; analyzed at first use. */
	artifact(inputLevel: number, entry: RecipeStage, stage: Stage, shot: number): Promise<unknown> {
		const slot = `${entry.id}/${shot}`;
		let pending = this.#artifacts.get(slot);
		if (!pending) {
			pending = this.#analyze(inputLevel, entry, stage, shot);
			this.#artifacts.set(slot, pending);
			pending.catch(() => this.#artifacts.delete(slot));
		}
		return pending;
	}

	/** A shot's artifact if it is at hand: nothing is looked at or read. */
	known(inputLevel: number, { entry, stage }: PlanStep, shot: number): { readonly value: unknown } | undefined {
		return this.#deps.artifacts.peek(this.#keys.artifact(inputLevel, entry, stage, shot));
	}

	#clock(id: string, stage: string): Clock {
		let clock = this.#clocks.get(id);
		if (!clock) {
			clock = { stage, frames: 0, computeSeconds: 0, uploadSeconds: 0, readbackSeconds: 0 };
			this.#clocks.set(id, clock);
		}
		return clock;
	}

	#env(clock: Clock): StageEnv {
		const { compute, models, breathe, onProgress } = this.#deps;
		return {
			compute: new MeteredCompute(compute, clock),
			models,
			signal: this.#signal,
			breathe: () => breathe(this.#signal),
			onProgress: onProgress ?? (() => undefined),
		};
	}

	async #convert(index: number): Promise<WorkingFrame> {
		return this.#deps.source.use(this.#levels[0]!.sources[index]!, this.#signal, (planes) => {
			const clock = this.#clock('input', 'convert');
			const started = performance.now();
			try {
				return toWorking(new MeteredCompute(this.#deps.compute, clock), planes);
			} finally {
				clock.frames++;
				clock.computeSeconds += (performance.now() - started) / 1000;
			}
		});
	}

	async #analyze(inputLevel: number, entry: RecipeStage, stage: Stage, shot: number): Promise<unknown> {
		const key = this.#keys.artifact(inputLevel, entry, stage, shot);
		const stored = await this.#deps.artifacts.get(key);
		if (stored) return stored.value;
		const { shots, timeline, size } = this.#levels[inputLevel]!;
		const range = shots[shot]!;
		const { info } = this.#request;
		const whole: Shot = { start: 0, end: info.frames.length, transitionIn: 'start', source: 'edited' };
		const clock = this.#clock(`${entry.id}/analyze`, stage.meta.id);
		const started = performance.now();
		const framesOf =
			(level: number, { start, end }: FrameRange) =>
			async (index: number) => {
				if (index < start || index >= end) {
					throw new EmulsionError('internal', `analysis of frames ${start}–${end - 1} asked for ${index}`);
				}
				return this.#frame(level, index, 'result', ANALYSIS);
			};
		const sourceRange = this.#levels[0]!.shots[shot]!;
		const access: ShotAccess = {
			shot: this.#request.shots[shot] ?? whole,
			range,
			size,
			timeline,
			frame: framesOf(inputLevel, range),
			source: { range: sourceRange, codec: info.codec, frame: framesOf(0, sourceRange) },
		};
		try {
			const value = await stage.analyze?.(access, paramsOf(entry), this.#env(clock));
			throwIfAborted(this.#signal);
			await this.#deps.artifacts.put(key, value);
			return value;
		} catch (error) {
			throw toEmulsionError(error).with({ stage: entry.id });
		} finally {
			clock.frames += range.end - range.start;
			clock.computeSeconds += (performance.now() - started) / 1000;
		}
	}

	/** Memory is full of what can be made again: drop it and try once more. */
	async #retrying<R>(work: () => Promise<R>): Promise<R> {
		try {
			return await work();
		} catch (error) {
			if (toEmulsionError(error).code !== 'out-of-memory') throw error;
			await this.#deps.store.settled();
			this.#deps.store.trim(0);
			await this.#deps.store.settled();
			return work();
		}
	}

	async #render(step: PlanStep, level: number, index: number, view: string): Promise<WorkingFrame> {
		const { stage, entry } = step;
		if (!shown(stage, view)) {
			throw new EmulsionError(
				'usage',
				phrase('expected', { path: 'view', expected: ['result', ...stage.meta.views], got: `"${view}"` }),
			);
		}
		const { needs, artifact } = await this.#keys.needs(level, index);
		this.#deps.passing?.turn(level);
		const frame = this.#levels[level]!.timeline.frames[index]!;
		const inputs = new Map<number, WorkingFrame>();
		const flows = new Map<string, FlowField>();
		const guides = new Map<number, Picture>();
		try {
			const base = frame.needs[0]!;
			const wanted = entry.region === 'all' ? needs.inputs : [...needs.inputs, base];
			for (const input of wanted) {
				if (!inputs.has(input)) inputs.set(input, await this.#frame(level - 1, input, 'result', level));
			}
			for (const flow of needs.flows ?? []) {
				const slot = `${flow.from}>${flow.to}`;
				if (!flows.has(slot)) flows.set(slot, await this.#edges.flow(level - 1, flow));
			}
			for (const guide of needs.guides ?? []) {
				if (!guides.has(guide.index)) guides.set(guide.index, await this.#edges.guide(level - 1, guide));
			}
			await this.#deps.breathe(this.#signal);
			const request = this.#request_(step, level, index, view, artifact, { inputs, flows, guides });
			const result = await this.#timed(step, request);
			return await this.#finish(step, level, index, view, result, inputs.get(base));
		} finally {
			for (const input of inputs.values()) releaseFrame(input);
			for (const flow of flows.values()) releaseFlow(flow);
			for (const guide of guides.values()) guide.release();
		}
	}

	#request_(
		step: PlanStep,
		level: number,
		index: number,
		view: string,
		artifact: unknown,
		{ inputs, flows, guides }: Ready,
	): RenderRequest<ReturnType<typeof paramsOf>, unknown> {
		const missing = (what: string): never => {
			throw new EmulsionError('internal', `${what} was not named in needs`);
		};
		const frame = this.#levels[level]!.timeline.frames[index]!;
		return {
			frame,
			params: paramsOf(step.entry),
			artifact,
			input: (i) => inputs.get(i) ?? missing(`input ${i}`),
			flow: (from, to) => flows.get(`${from}>${to}`) ?? missing(`flow ${from}>${to}`),
			guide: (i) => guides.get(i) ?? missing(`guide ${i}`),
			shot: this.#levels[level - 1]!.shots[frame.shot]!,
			view,
		};
	}

	async #timed(
		{ stage, entry }: PlanStep,
		request: RenderRequest<ReturnType<typeof paramsOf>, unknown>,
	): Promise<WorkingFrame> {
		const clock = this.#clock(entry.id, stage.meta.id);
		const started = performance.now();
		const moved = clock.uploadSeconds + clock.readbackSeconds;
		const result = await stage.render(request, this.#env(clock));
		try {
			// Enqueued is not done: without this wait the time would be booked on whoever reads back next.
			await this.#deps.compute.done();
			throwIfAborted(this.#signal);
		} catch (error) {
			releaseFrame(result);
			throw error;
		}
		const transfers = clock.uploadSeconds + clock.readbackSeconds - moved;
		clock.frames++;
		clock.computeSeconds += Math.max(0, (performance.now() - started) / 1000 - transfers);
		return result;
	}

	/** Checks size, puts the input back outside of the region, carries side planes over and writes provenance. */
	async #finish(
		step: PlanStep,
		level: number,
		index: number,
		view: string,
		result: WorkingFrame,
		input: WorkingFrame | undefined,
	): Promise<WorkingFrame> {
		const { size, sources } = this.#levels[level]!;
		const { width, height } = result.picture;
		const made: Picture[] = [];
		try {
			if (width !== size.width || height !== size.height) {
				throw new EmulsionError('internal', `gave ${width}×${height}, expected ${size.width}×${size.height}`);
			}
			const sides: Partial<Record<keyof WorkingFrame['sides'], Picture>> = { ...result.sides };
			for (const name of ['provenance', 'matte'] as const) {
				const before = input?.sides[name];
				if (sides[name] || before?.width !== width || before.height !== height) continue;
				made.push((sides[name] = before.retain()));
			}
			const kind = step.stage.meta.provenance;
			if (kind !== 'none' && !result.sides.provenance) {
				const plane = raiseProvenance(this.#deps.compute, size, PROVENANCE[kind], sides.provenance);
				made.push((sides.provenance = plane));
			}
			let { picture } = result;
			const region = parseRegion(step.entry.region);
			// A side picture such as the residual shows what the stage does everywhere: there is no input to put back into it.
			if (region && input && view === 'result') {
				const matte = await this.#deps.matte(region, sources[index]!, size);
				try {
					const kept = confine(this.#deps.compute, input, { picture, provenance: sides.provenance }, matte);
					made.push((picture = kept.picture));
					if (kept.provenance) made.push((sides.provenance = kept.provenance));
				} finally {
					matte.release();
				}
			}
			return retainFrame({ picture, sides, color: result.color });
		} finally {
			// The finished frame has its own hold on all it shows; what was only on the way goes.
			releaseFrame(result);
			for (const picture of made) picture.release();
		}
	}

	/** Time of guides counts as flow's: they are made for it. */
	async #timedEdge<R>(kind: 'flow' | 'guide', work: (env: StageEnv) => Promise<R>): Promise<R> {
		const clock = this.#clock(kind, 'flow');
		const started = performance.now();
		try {
			return await work(this.#env(clock));
		} finally {
			clock.frames++;
			clock.computeSeconds += (performance.now() - started) / 1000;
		}
	}
}
