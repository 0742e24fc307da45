/** The restore worker's service: plans, previews, renders and exports over one backend. The worker entry only wires ports. */

import type { BackendInfo } from '../contracts/compute.ts';
import type { FrameRange } from '../contracts/frames.ts';
import type { Recipe } from '../contracts/recipe.ts';
import type { ExportReport } from '../contracts/report.ts';
import type { WorkingFrame } from '../contracts/stage.ts';
import type {
	ExportProgress,
	ExportRequest,
	PlanRequest,
	PlanSummary,
	ViewResult,
	ViewState,
} from '../contracts/workers.ts';
import type { Size } from '../core/color.ts';
import { EmulsionError, throwIfAborted } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { Viewer } from '../gpu/viewer/view.ts';
import { createViewer } from '../gpu/viewer/viewer.ts';
import { ArtifactStore } from '../store/artifacts.ts';
import { DiskCache } from '../store/disk-cache.ts';
import { loadStage } from '../stages/registry.ts';
import { releaseFrame } from '../store/frames.ts';
import { JobStore } from '../store/jobs.ts';
import { createHashes, type Hashes } from '../store/keys.ts';
import { type BackendParts, BackendHost, type Persistent } from './backend.ts';
import type { EncodeClient, MediaClient } from './clients.ts';
import { runExport } from './export.ts';
import { Precedence } from './gate.ts';
import { MattePool } from './mattes.ts';
import { summarize } from './plan.ts';
import { paramsOf } from './plan-types.ts';
import { PlanCache, type PlannedSource } from './plan-cache.ts';
import { ProgressMeter } from './progress.ts';
import { type Engine, makeExecutor, type Urgency } from './session.ts';
import { resolveView, SharesMemo, viewFrame } from './view.ts';

/** What a restorer is made of; the worker entry supplies it. */
export interface RestorerParts {
	readonly media: MediaClient;
	readonly encode: EncodeClient;
	readonly backend: Pick<BackendParts, 'compute' | 'models' | 'flow'>;
	/** Loses the device on purpose (tests). */
	readonly lose: (compute: Awaited<ReturnType<BackendParts['compute']>>) => void;
	/** Bytes of frames to keep on the backend, in memory and on disk. */
	readonly budgets: { readonly gpu: number; readonly memory: number; readonly disk: number };
}

/** Counters for the badge and the tests. */
export interface RestorerStatus {
	readonly backend: BackendInfo;
	readonly bytesInUse: number;
	readonly peakBytes: number;
	readonly readbacks: number;
	/** Devices lost and replaced. */
	readonly recovered: number;
	/** Flows computed so far; found ones do not count. */
	readonly flows: number;
}

/** See the file's comment. */
export class Restorer {
	readonly #engine: Engine;
	readonly #jobs: JobStore;
	readonly #plans: PlanCache;
	readonly #parts: RestorerParts;
	#canvas: OffscreenCanvas | undefined;
	#viewer: { readonly viewer: Viewer; readonly compute: unknown } | undefined;
	#view: AbortController | undefined;
	readonly #shares = new SharesMemo();
	#warming = new AbortController();

	private constructor(parts: RestorerParts, engine: Engine, jobs: JobStore) {
		this.#parts = parts;
		this.#engine = engine;
		this.#jobs = jobs;
		this.#plans = new PlanCache(engine);
	}

	/** Opens the stores and makes the backend. Throws `backend-unavailable`. */
	static async create(parts: RestorerParts): Promise<Restorer> {
		const hashes = await createHashes();
		const { disk } = parts.budgets;
		const persistent: Persistent = { hashes, artifacts: new ArtifactStore(true) };
		const host = new BackendHost({
			...parts.backend,
			disk: disk > 0 ? await openDisk(disk, hashes) : undefined,
			budgets: parts.budgets,
		});
		await host.get();
		const { media, encode } = parts;
		const engine: Engine = {
			media,
			encode,
			host,
			persistent,
			precedence: new Precedence(),
			mattes: new MattePool(media),
			tally: { flows: 0, planning: new Map() },
		};
		return new Restorer(parts, engine, await JobStore.open(hashes));
	}

	async backend(): Promise<BackendInfo> {
		return (await this.#engine.host.get()).compute.info;
	}

	attachCanvas(canvas: OffscreenCanvas): void {
		this.#viewer?.viewer.destroy();
		this.#viewer = undefined;
		this.#canvas = canvas;
	}

	async plan(
		request: PlanRequest,
		onProgress: ((progress: ExportProgress) => void) | undefined,
		signal: AbortSignal,
	): Promise<PlanSummary> {
		const meter = new ProgressMeter(onProgress ?? (() => undefined));
		const { plan } = await this.#plans.get(request, {
			signal,
			urgency: 'patient',
			onProgress: ({ done, total }) => meter.set('analyze', done, total),
		});
		void this.warm(request.recipe);
		return summarize(plan);
	}

	/**
	 * Makes the models of a recipe's enabled stages ready, one after another, until real work begins. Resolves when that is
	 * done; a model that cannot be used is told of by whoever needs it.
	 */
	async warm({ stages }: Recipe): Promise<void> {
		this.#warming.abort();
		const { signal } = (this.#warming = new AbortController());
		try {
			const { models } = await this.#engine.host.get();
			for (const entry of stages.filter((e) => e.enabled)) {
				const stage = await loadStage(entry.stage);
				for (const model of stage.models?.(paramsOf(entry)) ?? []) {
					await this.#engine.precedence.breathePatient(signal);
					await models.ready(model, signal);
				}
			}
		} catch {
			// The first run of the model meets the same error and reports it.
		}
	}

	/** Draws; a newer call supersedes one that still runs, which then resolves with `rendered: false`. */
	async view(request: PlanRequest, state: ViewState, signal: AbortSignal): Promise<ViewResult> {
		this.#view?.abort();
		const own = (this.#view = new AbortController());
		const both = AbortSignal.any([signal, own.signal]);
		const started = performance.now();
		try {
			const result = await this.#urgent(() =>
				this.#engine.host.resilient(async (backend) => {
					const planned = await this.#plans.get(request, { signal: both, urgency: 'urgent' });
					const { compute } = backend;
					const tools = { viewer: this.#viewerOn(compute), compute, shares: this.#shares };
					const executor = this.#executor(backend, planned, both, 'urgent');
					return viewFrame(planned, executor, tools, state, both);
				}),
			);
			return { ...result, seconds: (performance.now() - started) / 1000 };
		} catch (error) {
			throwIfAborted(signal);
			if (own.signal.aborted) {
				const seconds = (performance.now() - started) / 1000;
				const size = request.info.size;
				return { frame: state.frame, sourceFrame: -1, origin: 'original', rendered: false, seconds, size };
			}
			throw error;
		}
	}

	/** Renders a range into the frame store, down to memory and disk. */
	async render(
		request: PlanRequest,
		range: FrameRange,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<void> {
		this.#warming.abort();
		const meter = new ProgressMeter(onProgress);
		const planned = await this.#plans.get(request, {
			signal,
			urgency: 'patient',
			onProgress: ({ done, total }) => meter.set('analyze', done, total),
		});
		const { plan } = planned;
		const end = Math.min(range.end, plan.timeline.frames.length);
		meter.phase('render', Math.max(0, end - range.start));
		for (let i = range.start; i < end; i++) {
			await this.#engine.host.resilient(async (backend) => {
				const executor = this.#executor(backend, planned, signal, 'patient');
				const top = plan.levels.length - 1;
				const frame = await executor.frame(top, plan.window.start + i);
				try {
					// Untouched frames are the source's own: decoding them again is cheaper than keeping them.
					if (plan.copies[i]! >= 0) return;
					await backend.store.persist(await executor.key(top, plan.window.start + i), frame);
				} finally {
					releaseFrame(frame);
				}
			});
			meter.step();
		}
	}

	export(
		request: ExportRequest,
		onProgress: (progress: ExportProgress) => void,
		signal: AbortSignal,
	): Promise<ExportReport> {
		this.#warming.abort();
		return runExport({ engine: this.#engine, jobs: this.#jobs }, request, onProgress, signal);
	}

	/** Unfinished exports, oldest first. */
	async interrupted(): Promise<{ id: string; name: string; done: number; total: number }[]> {
		const jobs = await this.#jobs.list();
		return jobs
			.sort((a, b) => a.created - b.created)
			.map(({ id, name, total, chunks }) => ({ id, name, total, done: chunks.length }));
	}

	discard(job: string): Promise<void> {
		return this.#jobs.exclusive(job, () => this.#jobs.remove(job));
	}

	/** Interleaved R, G, B of one frame, source-referred; values outside 0…1 survive. */
	async still(
		request: PlanRequest,
		index: number,
		view: string,
		signal: AbortSignal,
	): Promise<{ size: Size; rgb: Float32Array<ArrayBuffer> }> {
		return this.#urgent(() =>
			this.#engine.host.resilient(async (backend) => {
				const planned = await this.#plans.get(request, { signal, urgency: 'urgent' });
				const executor = this.#executor(backend, planned, signal, 'urgent');
				const at = resolveView(planned.plan, index, view);
				const frame = await executor.frame(at.level, at.index, at.view);
				try {
					return await interleaved(frame, backend.compute);
				} finally {
					releaseFrame(frame);
				}
			}),
		);
	}

	async status(): Promise<RestorerStatus> {
		const { host } = this.#engine;
		const { compute } = await host.get();
		const { bytesInUse, readbacks } = compute.counters();
		return {
			backend: compute.info,
			bytesInUse,
			peakBytes: await host.peakBytes(),
			readbacks,
			recovered: host.recovered,
			flows: this.#engine.tally.flows,
		};
	}

	/** Ends previews and releases the backend. */
	async close(): Promise<void> {
		this.#view?.abort();
		this.#warming.abort();
		this.#viewer?.viewer.destroy();
		await this.#plans.close();
		await this.#engine.mattes.close();
		await this.#engine.host.close();
	}

	async loseDevice(): Promise<void> {
		this.#parts.lose((await this.#engine.host.get()).compute);
	}

	#urgent<R>(task: () => Promise<R>): Promise<R> {
		return this.#engine.precedence.urgent(task);
	}

	#executor(
		backend: Awaited<ReturnType<BackendHost['get']>>,
		{ plan, reader }: PlannedSource,
		signal: AbortSignal,
		urgency: Urgency,
	) {
		return makeExecutor(this.#engine, backend, plan.request, plan.levels, reader, { signal, urgency });
	}

	#viewerOn(compute: Awaited<ReturnType<BackendParts['compute']>>): Viewer {
		if (!this.#canvas) throw new EmulsionError('usage', phrase('no-canvas'));
		if (this.#viewer?.compute !== compute) {
			this.#viewer?.viewer.destroy();
			this.#viewer = { viewer: createViewer(compute, this.#canvas), compute };
		}
		return this.#viewer.viewer;
	}
}

/** Caches that cannot be opened are done without. */
function openDisk(budget: number, hashes: Hashes): Promise<DiskCache | undefined> {
	return DiskCache.open('frames', budget, hashes).catch(() => undefined);
}

async function interleaved(
	frame: WorkingFrame,
	compute: Awaited<ReturnType<BackendParts['compute']>>,
): Promise<{ size: Size; rgb: Float32Array<ArrayBuffer> }> {
	const { width, height } = frame.picture;
	const area = width * height;
	const planes = new Float32Array(await compute.readback(frame.picture));
	const rgb = new Float32Array(area * 3);
	for (let i = 0; i < area; i++) {
		for (let c = 0; c < 3; c++) rgb[i * 3 + c] = planes[c * area + i]!;
	}
	return { size: { width, height }, rgb };
}
