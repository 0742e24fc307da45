/**
 * The plan of the reel on screen. While a plan is made (stages may have to look at every frame first), a plan of the bare
 * source stands in for it, so that the film can be seen and scrubbed at once.
 */

import type { MatteInput, PlanRequest, PlanSummary } from '../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { toNumber } from '../core/rational.ts';
import { parseRegion } from '../core/regions.ts';
import { Issues } from '../project/issues.ts';
import { EMPTY_RECIPE } from '../project/recipe.ts';
import { shotsOf } from '../project/schema.ts';
import type { EnginePort } from './engine-port.ts';
import type { Jobs } from './jobs.svelte.ts';
import type { Mattes } from './mattes.svelte.ts';
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
	readonly #mattes: Mattes;
	readonly #jobs: Jobs;
	readonly #recipe = $derived.by(() => this.#project.reel?.recipe);
	readonly #shots = $derived.by(() => this.#project.reel && shotsOf(this.#project.reel));
	readonly #cutsKnown = $derived.by(() => this.#project.reel?.shots !== null);
	readonly #source = $derived.by(() => this.#sources.of(this.#project.reel));
	readonly #reelId = $derived.by(() => this.#project.reel?.id);
	readonly #refs = $derived.by(() => this.#project.reel?.mattes);
	/** Mattes that the recipe's regions name and that are open; as text, so that equal lists are one and make no new request. */
	readonly #named = $derived.by((): string => {
		const [reel, refs = [], recipe] = [this.#reelId, this.#refs, this.#recipe];
		if (reel === undefined || !recipe) return '[]';
		const names = recipe.stages.map((stage) => parseRegion(stage.region)?.matte);
		const named = refs.filter(({ id }) => names.includes(id));
		return JSON.stringify(named.flatMap((matte) => this.#mattes.input(reel, matte) ?? []));
	});
	readonly #inputs = $derived.by(() => JSON.parse(this.#named) as readonly MatteInput[]);
	readonly #request = $derived.by((): PlanRequest | null => {
		const [source, shots, recipe, mattes] = [this.#source, this.#shots, this.#recipe, this.#inputs];
		if (!source || !shots || !recipe) return null;
		return { source: source.id, info: source.info, shots, recipe, ...(mattes.length === 0 ? {} : { mattes }) };
	});
	#planned = $state.raw<Planned | null>(null);
	#error = $state.raw<EmulsionError | null>(null);
	#running: { readonly request: PlanRequest; readonly done: Promise<void> } | null = null;

	constructor(engine: EnginePort, project: ProjectState, sources: Sources, mattes: Mattes, jobs: Jobs) {
		this.#engine = engine;
		this.#project = project;
		this.#sources = sources;
		this.#mattes = mattes;
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
			if (!request) throw new EmulsionError('usage', phrase('no-source'));
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

	/** Every region in use names a matte whose pictures can be read. Throws `usage` or `recipe-invalid` saying what to do. */
	#requireMattes({ recipe, mattes = [] }: PlanRequest): void {
		const [missing, offline] = [new Issues(), new Issues()];
		for (const [index, { id, enabled, region }] of recipe.stages.entries()) {
			const matte = parseRegion(region)?.matte;
			if (!enabled || matte === undefined || mattes.some((m) => m.id === matte)) continue;
			const place = { path: `stages[${index}].region`, stage: id };
			const ref = this.#refs?.find((m) => m.id === matte);
			if (ref) offline.add({ ...place, said: phrase('matte-offline', { id, matte, file: ref.name }) });
			else missing.add({ ...place, said: phrase('matte-missing', { id, matte }) });
		}
		missing.throwAs('recipe-invalid');
		offline.throwAs('usage');
	}

	async #make(request: PlanRequest, provisional: boolean): Promise<void> {
		if (!provisional) this.#requireMattes(request);
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
