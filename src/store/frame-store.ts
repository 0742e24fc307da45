/**
 * Working frames by cache key in three tiers: on the backend (GPU buffers, or CPU arrays on wasm), in memory, on disk.
 * Each tier has a byte budget and evicts what was used longest ago. A frame put with `keep` moves down a tier when its own
 * overflows; one without is dropped, as it is cheap to make again. See README.md for the states.
 */

import type { Compute } from '../contracts/compute.ts';
import type { WorkingFrame } from '../contracts/stage.ts';
import type { DiskCache } from './disk-cache.ts';
import { frameWeight, packFrame, releaseFrame, retainFrame, type StoredFrame, unpackFrame } from './frames.ts';

/**
 * Where a frame is. `demoting` and `spilling` are on their way to memory and to disk, and still readable where they were.
 */
export type Residency = 'absent' | 'gpu' | 'demoting' | 'memory' | 'spilling' | 'disk';

/** Byte budgets of the tiers. */
export interface StoreBudgets {
	readonly gpu: number;
	readonly memory: number;
}

/** What happened so far. */
export interface StoreStats {
	readonly gpuBytes: number;
	readonly memoryBytes: number;
	readonly hits: number;
	readonly misses: number;
	readonly dropped: number;
	readonly demoted: number;
	readonly spilled: number;
	/** Seconds spent moving frames between tiers. */
	readonly seconds: number;
}

interface GpuEntry {
	readonly frame: WorkingFrame;
	readonly bytes: number;
	readonly keep: boolean;
	demoting: boolean;
}

interface MemoryEntry {
	readonly stored: StoredFrame;
	spilling: boolean;
}

/** The three tiers. One per backend instance: a lost device takes its GPU tier along, see {@link replaceCompute}. */
export class FrameStore {
	#compute: Compute;
	readonly #budgets: StoreBudgets;
	readonly #disk: DiskCache | undefined;
	/** Insertion order is order of use: the first is the oldest. */
	readonly #gpu = new Map<string, GpuEntry>();
	readonly #memory = new Map<string, MemoryEntry>();
	#gpuBytes = 0;
	#memoryBytes = 0;
	#moves: Promise<unknown> = Promise.resolve();
	#stats = { hits: 0, misses: 0, dropped: 0, demoted: 0, spilled: 0, seconds: 0 };

	constructor(compute: Compute, budgets: StoreBudgets, disk?: DiskCache) {
		this.#compute = compute;
		this.#budgets = budgets;
		this.#disk = disk;
	}

	stats(): StoreStats {
		return { ...this.#stats, gpuBytes: this.#gpuBytes, memoryBytes: this.#memoryBytes };
	}

	residency(key: string): Residency {
		const gpu = this.#gpu.get(key);
		if (gpu) return gpu.demoting ? 'demoting' : 'gpu';
		const memory = this.#memory.get(key);
		if (memory) return memory.spilling ? 'spilling' : 'memory';
		return this.#disk?.has(key) ? 'disk' : 'absent';
	}

	/** A frame the caller owns (releases), or undefined: then make it. Frames from lower tiers are promoted. */
	async get(key: string): Promise<WorkingFrame | undefined> {
		const gpu = this.#gpu.get(key);
		if (gpu) {
			this.#gpu.delete(key);
			this.#gpu.set(key, gpu);
			this.#stats.hits++;
			return retainFrame(gpu.frame);
		}
		const started = performance.now();
		const stored = this.#memory.get(key)?.stored ?? (await this.#fromDisk(key));
		const frame = stored && unpackFrame(stored.meta, stored.data, this.#compute);
		this.#stats.seconds += (performance.now() - started) / 1000;
		if (!frame) {
			this.#stats.misses++;
			return undefined;
		}
		this.#stats.hits++;
		// What is below already needs no second copy when this one is evicted.
		this.put(key, frame, false);
		return frame;
	}

	/**
	 * Remembers a frame; the store becomes one more owner. `keep`: worth moving down instead of dropping when the GPU tier is
	 * full. A key that is there already keeps its first frame.
	 */
	put(key: string, frame: WorkingFrame, keep: boolean): void {
		if (this.#gpu.has(key)) return;
		const bytes = frameWeight(frame);
		if (bytes > this.#budgets.gpu) {
			if (keep) this.#move(() => this.#demote(key, retainFrame(frame)));
			return;
		}
		this.#gpu.set(key, { frame: retainFrame(frame), bytes, keep, demoting: false });
		this.#gpuBytes += bytes;
		this.trim(this.#budgets.gpu);
	}

	/** Evicts from the GPU tier until it holds at most `bytes`; 0 empties it (memory pressure). */
	trim(bytes: number): void {
		for (const [key, entry] of this.#gpu) {
			if (this.#gpuBytes <= bytes) return;
			if (entry.demoting) continue;
			if (entry.keep && this.residencyBelow(key) === 'absent') {
				entry.demoting = true;
				this.#move(() => this.#demote(key, entry.frame, () => this.#forget(key, entry)));
				// Its bytes are free once it was copied out; count them as gone so that one overflow demotes one frame.
				this.#gpuBytes -= entry.bytes;
			} else {
				this.#gpu.delete(key);
				this.#gpuBytes -= entry.bytes;
				this.#stats.dropped++;
				releaseFrame(entry.frame);
			}
		}
	}

	/** Drops a frame that is cheap to make again from the GPU tier: nobody will ask for it. Others stay. */
	forget(key: string): void {
		const entry = this.#gpu.get(key);
		if (!entry || entry.keep || entry.demoting) return;
		this.#gpu.delete(key);
		this.#gpuBytes -= entry.bytes;
		this.#stats.dropped++;
		releaseFrame(entry.frame);
	}

	/** Where a frame is below the GPU tier. */
	residencyBelow(key: string): Residency {
		if (this.#memory.has(key)) return 'memory';
		return this.#disk?.has(key) ? 'disk' : 'absent';
	}

	/** Copies a frame to memory now (and to disk as memory overflows), whether or not the GPU tier is full. */
	async persist(key: string, frame: WorkingFrame): Promise<void> {
		if (this.residencyBelow(key) !== 'absent') return;
		await this.#move(() => this.#demote(key, retainFrame(frame)));
	}

	/** Waits for all moves between tiers. */
	async settled(): Promise<void> {
		let seen: Promise<unknown> | undefined;
		while (seen !== this.#moves) {
			seen = this.#moves;
			await seen;
		}
	}

	/** Writes all that memory holds to disk (before a tab closes; tests). */
	async flush(): Promise<void> {
		await this.settled();
		for (const key of [...this.#memory.keys()]) await this.#spill(key);
	}

	/** After a lost device: forgets the GPU tier, whose buffers are dead, and goes on with a new backend. */
	replaceCompute(compute: Compute): void {
		for (const entry of this.#gpu.values()) if (!entry.demoting) releaseFrame(entry.frame);
		this.#gpu.clear();
		this.#gpuBytes = 0;
		this.#compute = compute;
	}

	/** Releases all that the GPU tier owns. */
	close(): void {
		this.trim(0);
	}

	#move(task: () => Promise<void>): Promise<void> {
		const next = this.#moves.then(task, task);
		this.#moves = next.catch(() => undefined);
		return next.catch(() => undefined);
	}

	#forget(key: string, entry: GpuEntry): void {
		if (this.#gpu.get(key) === entry) this.#gpu.delete(key);
	}

	/** Copies an owned frame to memory and releases it; `before` runs just ahead of the release. */
	async #demote(key: string, frame: WorkingFrame, before: () => void = () => undefined): Promise<void> {
		const started = performance.now();
		try {
			const stored = await packFrame(frame, this.#compute);
			this.#memory.set(key, { stored, spilling: false });
			this.#memoryBytes += stored.data.byteLength;
			this.#stats.demoted++;
		} finally {
			// Nobody may be handed a frame that is about to go.
			before();
			releaseFrame(frame);
			this.#stats.seconds += (performance.now() - started) / 1000;
		}
		await this.#trimMemory();
	}

	async #trimMemory(): Promise<void> {
		for (const key of [...this.#memory.keys()]) {
			if (this.#memoryBytes <= this.#budgets.memory) return;
			await this.#spill(key);
		}
	}

	/** Moves one frame from memory to disk; without a disk (or space) it is dropped. */
	async #spill(key: string): Promise<void> {
		const entry = this.#memory.get(key);
		if (!entry || entry.spilling) return;
		entry.spilling = true;
		const started = performance.now();
		const written = (await this.#disk?.put(key, entry.stored.data, entry.stored.meta)) ?? false;
		this.#memory.delete(key);
		this.#memoryBytes -= entry.stored.data.byteLength;
		if (written) this.#stats.spilled++;
		else this.#stats.dropped++;
		this.#stats.seconds += (performance.now() - started) / 1000;
	}

	async #fromDisk(key: string): Promise<StoredFrame | undefined> {
		const found = await this.#disk?.get(key);
		return found && { meta: found.meta as StoredFrame['meta'], data: found.data };
	}
}
