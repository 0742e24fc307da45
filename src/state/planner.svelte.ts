/**
 * The plan of the reel on screen. While a plan is made (stages may have to look at every frame first), a plan of the bare
 * source stands in for it, so that the film can be seen and scrubbed at once.
 */

import type { PlanRequest, PlanSummary } from '../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { toNumber } from '../core/rational.ts';
import { EMPTY_RECIPE } from '../project/recipe.ts';
import { shotsOf } from '../project/schema.ts';
import type { EnginePort } from './engine-port.ts';
import type { Jobs } from './jobs.svelte.ts';
import type { ProjectState } from './project.svelte.ts';
import type { Sources } from './sources.svelte.ts';
import { TimelineMap } from './timeline-map.ts';

/** A plan made sooner shows no progress. */
const QUIET_MS = 400;

/** A plan together with the request it answers. */
export interface Planned {
	readonly request: PlanRequest;
	readonly summary: PlanSummary;
	readonly map: TimelineMap;
	/** Start of each output frame in seconds. */
	readonly seconds: Float64Array;
	/** True for the bare source's plan that stands in while the real one is made. */
	readonly provisional: boolean;
}

/** See the file's comment. */
export class Planner {
	readonly #engine: EnginePort;
	readonly #project: ProjectState;
	readonly #sources: Sources;
	readonly #jobs: Jobs;
	readonly #recipe = $derived.by(() => this.#project.reel?.recipe);
	readonly #shots = $derived.by(() => this.#project.reel && shotsOf(this.#project.reel));
	readonly #cutsKnown = $derived.by(() => this.#project.reel?.shots !== null);
	readonly #source = $derived.by(() => this.#sources.of(this.#project.reel));
	readonly #request = $derived.by((): PlanRequest | null => {
		const [source, shots, recipe] = [this.#source, this.#shots, this.#recipe];
		return source && shots && recipe ? { source: source.id, info: source.info, shots, recipe } : null;
	});
	#planned = $state.raw<Planned | null>(null);
	#error = $state.raw<EmulsionError | null>(null);
	#running: { readonly request: PlanRequest; readonly done: Promise<void> } | null = null;

	constructor(engine: EnginePort, project: ProjectState, sources: Sources, jobs: Jobs) {
		this.#engine = engine;
		this.#project = project;
		this.#sources = sources;
		this.#jobs = jobs;
	}

	/** What the engine is asked to plan; null while no source is open. */
	get request(): PlanRequest | null {
		return this.#request;
	}

	/** The newest plan, perhaps of a request just replaced, perhaps provisional; null where there is none. */
	get planned(): Planned | null {
		return this.#planned;
	}

	/** Why the recipe cannot be planned. */
	get error(): EmulsionError | null {
		return this.#error;
	}

	/** True while what is planned is not yet what is asked. */
	get pending(): boolean {
		return this.#request !== null && (this.#planned?.request !== this.#request || this.#planned.provisional);
	}

	/** Follows {@link request}; called whenever it changes. A newer request wins. */
	async follow(): Promise<void> {
		const request = this.#request;
		this.#jobs.cancelAll('plan');
		this.#error = null;
		if (!request) {
			this.#planned = null;
			return;
		}
		if (this.#planned?.request.source !== request.source) this.#planned = null;
		try {
			if (!this.#planned) await this.#make(request, true);
			// A plan of one shot that is about to be cut would be thrown away.
			if (this.#cutsKnown && this.#request === request) await this.#final(request);
		} catch (thrown) {
			if (this.#request === request) this.#error = toEmulsionError(thrown);
		}
	}

	/** The real plan of what is asked now; makes it where it was canceled or failed. Throws what planning throws. */
	async ready(): Promise<Planned> {
		for (;;) {
			const request = this.#request;
			if (!request) throw new EmulsionError('usage', 'No source is open.');
			if (this.#planned?.request === request && !this.#planned.provisional) return this.#planned;
			await this.#final(request);
		}
	}

	#final(request: PlanRequest): Promise<void> {
		if (this.#running?.request === request) return this.#running.done;
		const done = this.#make(request, false).finally(() => {
			if (this.#running?.done === done) this.#running = null;
		});
		this.#running = { request, done };
		return done;
	}

	async #make(request: PlanRequest, provisional: boolean): Promise<void> {
		const asked = provisional ? { ...request, recipe: EMPTY_RECIPE } : request;
		const summary = await this.#jobs.run(
			'plan',
			request.info.name,
			(report, signal) => this.#engine.plan(asked, report, signal),
			QUIET_MS,
		);
		if (this.#request?.source !== request.source || (!provisional && this.#request !== request)) return;
		const map = new TimelineMap(summary.timeline, request.shots);
		const seconds = Float64Array.from(summary.timeline.frames, (f) => toNumber(f.pts));
		this.#planned = { request: asked, summary, map, seconds, provisional };
		this.#error = null;
	}
}
