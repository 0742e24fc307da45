/**
 * The one backend of a restore worker: compute, models and the frame store on top. A lost device is replaced here; whoever
 * was working on the old one sees `device-lost` and starts its unit of work again.
 */

import type { Compute } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import { toEmulsionError } from '../core/errors.ts';
import type { ArtifactStore } from '../store/artifacts.ts';
import type { DiskCache } from '../store/disk-cache.ts';
import { FrameStore } from '../store/frame-store.ts';
import type { Hashes } from '../store/keys.ts';
import type { Motion } from './motion-edges.ts';

/** One living backend. */
export interface Backend {
	readonly compute: Compute;
	readonly models: ModelRuntime;
	readonly store: FrameStore;
	readonly flow: Motion;
}

/** How backends are made. */
export interface BackendParts {
	compute(): Promise<Compute>;
	models(compute: Compute): Promise<ModelRuntime>;
	flow(models: ModelRuntime): Backend['flow'];
	readonly disk: DiskCache | undefined;
	/** Bytes of frames to keep on the backend and in memory. */
	readonly budgets: { readonly gpu: number; readonly memory: number };
}

/** What lives as long as the worker, whichever device runs. */
export interface Persistent {
	readonly hashes: Hashes;
	readonly artifacts: ArtifactStore;
}

/** Attempts at one unit of work when the device is lost again and again. */
const ATTEMPTS = 3;

/** Holds the backend and replaces it when its device is lost. */
export class BackendHost {
	readonly #parts: BackendParts;
	#current: Promise<Backend> | undefined;
	#recovered = 0;
	#peak = 0;

	constructor(parts: BackendParts) {
		this.#parts = parts;
	}

	/** Devices lost and replaced. */
	get recovered(): number {
		return this.#recovered;
	}

	/** Most bytes that any backend of this host held. */
	async peakBytes(): Promise<number> {
		const { compute } = await this.get();
		return Math.max(this.#peak, compute.counters().peakBytes);
	}

	/** The living backend; made at first use. */
	get(): Promise<Backend> {
		this.#current ??= this.#make();
		return this.#current;
	}

	/**
	 * Runs a unit of work and starts it again on a new device when the old one is lost. Any other error is thrown as it is.
	 */
	async resilient<R>(work: (backend: Backend) => Promise<R>): Promise<R> {
		for (let attempt = 1; ; attempt++) {
			const backend = await this.get();
			try {
				return await work(backend);
			} catch (error) {
				if (toEmulsionError(error).code !== 'device-lost' || attempt === ATTEMPTS) throw error;
				await this.replace(backend);
			}
		}
	}

	/** Replaces a backend that was lost; does nothing when that has happened already. */
	async replace(dead: Backend): Promise<void> {
		const current = await this.#current?.catch(() => undefined);
		if (current !== undefined && current !== dead) return;
		this.#recovered++;
		this.#current = undefined;
		await this.#dispose(dead);
		await this.get();
	}

	/** Releases everything. */
	async close(): Promise<void> {
		const current = await this.#current?.catch(() => undefined);
		this.#current = undefined;
		if (current) await this.#dispose(current);
	}

	async #make(): Promise<Backend> {
		try {
			const compute = await this.#parts.compute();
			const models = await this.#parts.models(compute);
			const store = new FrameStore(compute, this.#parts.budgets, this.#parts.disk);
			return { compute, models, store, flow: this.#parts.flow(models) };
		} catch (error) {
			this.#current = undefined;
			throw error;
		}
	}

	async #dispose({ compute, models, store }: Backend): Promise<void> {
		this.#peak = Math.max(this.#peak, compute.counters().peakBytes);
		await models.release().catch(() => undefined);
		store.close();
		compute.destroy();
	}
}
