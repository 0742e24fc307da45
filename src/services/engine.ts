/**
 * The main thread's bridge to the workers. Workers are made when first needed, connected to each other by message ports, and
 * replaced after a crash or a missed deadline; open sources are opened again in the new one. Frames never pass through here.
 */

import { watchRuns } from '../comms/watch.ts';
import { type Bridged, type WorkerBridge, wrapWorker } from '../comms/bridge.ts';
import type { BackendInfo } from '../contracts/compute.ts';
import type { FrameRange, OnProgress } from '../contracts/frames.ts';
import type { SoundRequest, SoundSpan, SourceInfo, SourceInput } from '../contracts/media.ts';
import type { CodecLossRequest, MeasureRequest } from '../contracts/quality.ts';
import type { Recipe } from '../contracts/recipe.ts';
import type { ExportReport } from '../contracts/report.ts';
import type {
	AnalyzeWorkerApi,
	BackendWish,
	EncodeWorkerApi,
	ExportProgress,
	ExportRequest,
	MediaWorkerApi,
	PlanId,
	PlanRequest,
	PlanSummary,
	RestoreWorkerApi,
	ShotsAround,
	SourceId,
	ViewResult,
	ViewState,
} from '../contracts/workers.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../core/errors.ts';
import type { ClipMetrics, CodecLoss, CropChoice } from '../core/quality.ts';
import type { Shot } from '../core/shots.ts';
import { PlanHandles } from './plan-handles.ts';

/** How the engine is set up. */
export interface EngineOptions {
	readonly backend: BackendWish;
	/** Same-origin folder of the models, relative to the page; default: `models/` beside the app. */
	readonly modelBase?: string;
	/** Bytes of pictures on the backend; default by backend. */
	readonly memoryBudget?: number;
	/** Threads of the wasm backend. */
	readonly threads?: number;
	/** Told when a worker was replaced, with the reason; the viewer's canvas has to be attached again for `restore`. */
	readonly onRestart?: (worker: WorkerName, reason: EmulsionError) => void;
}

/** The four workers. */
export type WorkerName = 'media' | 'restore' | 'analyze' | 'encode';

interface Apis {
	media: MediaWorkerApi;
	restore: RestoreWorkerApi;
	analyze: AnalyzeWorkerApi;
	encode: EncodeWorkerApi;
}

/** What a status call tells; see `RestoreWorkerApi.status`. */
export type EngineStatus = Awaited<ReturnType<RestoreWorkerApi['status']>>;

/** An open source, as the main thread knows it. The id stays valid when the media worker is replaced. */
export interface OpenSource {
	readonly id: SourceId;
	readonly info: SourceInfo;
}

/** Times an export is taken up again after a crashed worker before the crash is reported. */
const RETRIES = 2;

function makeWorker(name: WorkerName): Worker {
	// Each URL is spelled out: the bundler finds workers by this very form.
	switch (name) {
		case 'media':
			return new Worker(new URL('../../workers/media.ts', import.meta.url), { type: 'module', name });
		case 'restore':
			return new Worker(new URL('../../workers/restore.ts', import.meta.url), { type: 'module', name });
		case 'analyze':
			return new Worker(new URL('../../workers/analyze.ts', import.meta.url), { type: 'module', name });
		case 'encode':
			return new Worker(new URL('../../workers/encode.ts', import.meta.url), { type: 'module', name });
	}
}

/** The engine. Every method may throw `EmulsionError`; long ones take a signal and report progress. */
export class Engine {
	readonly #options: EngineOptions;
	readonly #workers = new Map<WorkerName, WorkerBridge<Apis[WorkerName]>>();
	readonly #sources = new Map<SourceId, SourceInput>();
	/** Requests that a restore worker was told. */
	#handles: { readonly api: Bridged<RestoreWorkerApi>; readonly plans: PlanHandles } | undefined;
	#backend: Promise<BackendInfo> | undefined;
	#stopWatching: (() => void) | undefined;
	#closed = false;

	constructor(options: EngineOptions) {
		this.#options = options;
	}

	/** The backend in use; made at first use. Throws `backend-unavailable`. */
	async backend(): Promise<BackendInfo> {
		await this.#restore();
		return this.#backend!;
	}

	/** Opens a film or a sequence. */
	async open(input: SourceInput, onProgress: OnProgress, signal: AbortSignal): Promise<OpenSource> {
		const id: SourceId = `source-${crypto.randomUUID()}`;
		const { info } = await this.#media().open(input, onProgress, signal, id);
		throwIfAborted(signal);
		this.#sources.set(id, input);
		return { id, info };
	}

	/** Closes a source. */
	async close(source: SourceId): Promise<void> {
		this.#sources.delete(source);
		this.#handles?.plans.drop(source);
		if (this.#workers.has('media')) await this.#media().close(source);
	}

	/** Finds the shots. */
	async shots(source: OpenSource, onProgress: OnProgress, signal: AbortSignal): Promise<readonly Shot[]> {
		return this.#analyze().shots(source.id, source.info.frames.length, onProgress, signal);
	}

	/** Finds the shots that hold a part of the film, looking no farther than they reach. */
	async shotsAround(
		{ id, info }: OpenSource,
		part: FrameRange,
		onProgress: OnProgress,
		signal: AbortSignal,
	): Promise<ShotsAround> {
		return this.#analyze().shotsAround(id, info.frames.length, part, onProgress, signal);
	}

	/** See `AnalyzeWorkerApi.measure`. */
	async measure(request: MeasureRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ClipMetrics> {
		return this.#analyze().measure(request, onProgress, signal);
	}

	/** See `AnalyzeWorkerApi.codecLoss`. */
	async codecLoss(request: CodecLossRequest, onProgress: OnProgress, signal: AbortSignal): Promise<CodecLoss> {
		return this.#analyze().codecLoss(request, onProgress, signal);
	}

	/** See `AnalyzeWorkerApi.cropPlace`. */
	async cropPlace(
		versions: readonly { readonly source: SourceId; readonly start: number }[],
		signal: AbortSignal,
	): Promise<CropChoice> {
		return this.#analyze().cropPlace(versions, signal);
	}

	/** See `MediaWorkerApi.sound`. */
	async sound(source: SourceId, request: SoundRequest, signal: AbortSignal): Promise<SoundSpan | undefined> {
		return this.#media().sound(source, request, signal);
	}

	/** See `RestoreWorkerApi.warm`. */
	async warm(recipe: Recipe): Promise<void> {
		return (await this.#restore()).warm(recipe);
	}

	/** See `RestoreWorkerApi.plan`. */
	async plan(
		request: PlanRequest,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<PlanSummary> {
		const { api, plan } = await this.#told(request);
		return api.plan(plan, onProgress, signal);
	}

	/** Gives the viewer's canvas to the restore worker; a replaced worker needs a new one. */
	async attachCanvas(canvas: OffscreenCanvas): Promise<void> {
		await (await this.#restore()).attachCanvas(canvas);
	}

	/** Draws; see `RestoreWorkerApi.view`. */
	async view(request: PlanRequest, state: ViewState, signal: AbortSignal): Promise<ViewResult> {
		const { api, plan } = await this.#told(request);
		return api.view(plan, state, signal);
	}

	/** Renders a range of the final timeline into the frame store. */
	async render(
		request: PlanRequest,
		range: FrameRange,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<void> {
		const { api, plan } = await this.#told(request);
		return api.render(plan, range, onProgress, signal);
	}

	/**
	 * Exports. A crashed worker is replaced and the export goes on from its stored chunks; every other error is thrown.
	 */
	async export(
		request: ExportRequest,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<ExportReport> {
		const { source, info, shots, recipe, range, mattes, ...settings } = request;
		for (let attempt = 0; ; attempt++) {
			try {
				// The encode worker exists before the restore worker asks for it.
				this.#worker('encode');
				const parts = { source, info, shots, recipe };
				const planned = { ...parts, ...(range ? { range } : {}), ...(mattes ? { mattes } : {}) };
				const { api, plan } = await this.#told(planned);
				return await api.export(plan, settings, onProgress, signal);
			} catch (thrown) {
				const error = toEmulsionError(thrown);
				const crashed = error.code === 'worker-crashed' || error.code === 'timeout';
				if (!crashed || attempt === RETRIES || signal.aborted || this.#closed) throw error;
			}
		}
	}

	/** Interrupted exports that can go on. */
	async interrupted(): Promise<Awaited<ReturnType<RestoreWorkerApi['interrupted']>>> {
		return (await this.#restore()).interrupted();
	}

	/** Forgets an interrupted export and frees its space. */
	async discard(job: string): Promise<void> {
		return (await this.#restore()).discard(job);
	}

	/** One frame as floats; see `RestoreWorkerApi.still`. */
	async still(
		request: PlanRequest,
		frame: number,
		view: string,
		signal: AbortSignal,
	): Promise<Awaited<ReturnType<RestoreWorkerApi['still']>>> {
		const { api, plan } = await this.#told(request);
		return api.still(plan, frame, view, signal);
	}

	/** Counters for the badge and for tests. */
	async status(): Promise<EngineStatus> {
		return (await this.#restore()).status();
	}

	/** Loses the device on purpose (tests). */
	async loseDevice(): Promise<void> {
		return (await this.#restore()).loseDevice();
	}

	/** Ends a worker as a crash would (tests of recovery): what is pending rejects, the next call makes a new one. */
	crash(name: WorkerName): void {
		this.#workers.get(name)?.terminate();
	}

	/** Ends all workers; calls in flight reject. */
	dispose(): void {
		this.#closed = true;
		const error = new EmulsionError('aborted', 'The engine was closed.');
		for (const worker of [...this.#workers.values()]) worker.terminate(error);
		this.#stopWatching?.();
	}

	/** The restore worker, and the name under which it knows a request: a new worker is told again. */
	async #told(request: PlanRequest): Promise<{ readonly api: Bridged<RestoreWorkerApi>; readonly plan: PlanId }> {
		const api = await this.#restore();
		if (this.#handles?.api !== api) this.#handles = { api, plans: new PlanHandles(api) };
		return { api, plan: this.#handles.plans.of(request) };
	}

	#media(): Bridged<MediaWorkerApi> {
		return this.#worker('media').api as Bridged<MediaWorkerApi>;
	}

	#analyze(): Bridged<AnalyzeWorkerApi> {
		return this.#worker('analyze').api as Bridged<AnalyzeWorkerApi>;
	}

	async #restore(): Promise<Bridged<RestoreWorkerApi>> {
		const api = this.#worker('restore').api as Bridged<RestoreWorkerApi>;
		this.#backend ??= this.#init(api);
		await this.#backend;
		return api;
	}

	async #init(api: Bridged<RestoreWorkerApi>): Promise<BackendInfo> {
		const { backend, modelBase = `${import.meta.env.BASE_URL}models/`, memoryBudget, threads } = this.#options;
		try {
			return await api.init({
				backend,
				modelBase: new URL(modelBase, location.href).href,
				...(memoryBudget === undefined ? {} : { memoryBudget }),
				...(threads === undefined ? {} : { threads }),
			});
		} catch (error) {
			this.#backend = undefined;
			throw error;
		}
	}

	#worker(name: WorkerName): WorkerBridge<Apis[WorkerName]> {
		if (this.#closed) throw new EmulsionError('aborted', 'The engine was closed.');
		const running = this.#workers.get(name);
		if (running) return running;
		const made = wrapWorker<Apis[WorkerName]>(makeWorker(name), name);
		this.#workers.set(name, made);
		void made.ended.then((reason) => this.#onEnded(name, made, reason));
		this.#connect(name);
		return made;
	}

	/** Wires a new worker to those that run already, and those it needs. */
	#connect(name: WorkerName): void {
		if (name === 'media') {
			this.#reopen();
			for (const client of ['restore', 'analyze'] as const) if (this.#workers.has(client)) this.#link(client, 'media');
		} else if (name === 'encode') {
			if (this.#workers.has('restore')) this.#link('restore', 'encode');
		} else {
			this.#worker('media');
			this.#link(name, 'media');
			if (name === 'restore') {
				this.#worker('encode');
				this.#link('restore', 'encode');
				this.#watch();
			}
		}
	}

	/** A channel from a client to a server. Failures mean that one of the two has ended, which is reported elsewhere. */
	#link(client: 'restore' | 'analyze', server: 'media' | 'encode'): void {
		const { port1, port2 } = new MessageChannel();
		const serving = this.#workers.get(server)!.api as Bridged<MediaWorkerApi>;
		const using = this.#workers.get(client)!.api as Bridged<RestoreWorkerApi>;
		serving.connect(port1).catch(() => undefined);
		const connected = server === 'media' ? using.connectMedia(port2) : using.connectEncode(port2);
		connected.catch(() => undefined);
	}

	#watch(): void {
		const { port1, port2 } = new MessageChannel();
		const restore = this.#workers.get('restore')!;
		(restore.api as Bridged<RestoreWorkerApi>).watch(port2).catch(() => undefined);
		this.#stopWatching?.();
		this.#stopWatching = watchRuns(port1, (error) => restore.terminate(error));
	}

	/** A new media worker gets the sources of the old one, under their old ids. */
	#reopen(): void {
		const silent = new AbortController().signal;
		for (const [id, input] of this.#sources) {
			this.#media()
				.open(input, () => undefined, silent, id)
				.catch(() => undefined);
		}
	}

	#onEnded(name: WorkerName, bridge: WorkerBridge<Apis[WorkerName]>, reason: EmulsionError): void {
		if (this.#workers.get(name) !== bridge) return;
		this.#workers.delete(name);
		if (name === 'restore') {
			this.#backend = undefined;
			this.#handles = undefined;
			this.#stopWatching?.();
			this.#stopWatching = undefined;
		}
		if (this.#closed) return;
		// Whoever waits for a dead server over a port would wait for ever: a new one replaces the connection, which rejects
		// what was pending on the old.
		const hasClients = this.#workers.has('restore') || this.#workers.has('analyze');
		if ((name === 'media' || name === 'encode') && hasClients) this.#worker(name);
		this.#options.onRestart?.(name, reason);
	}
}

/** Makes an engine; workers start when first needed. */
export function createEngine(options: EngineOptions): Engine {
	return new Engine(options);
}
