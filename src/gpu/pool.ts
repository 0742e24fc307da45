/** A byte-budgeted pool of buffers in size classes; free buffers are evicted least recently used first. */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

/** Makes and destroys the buffers of one backend. */
export interface Allocator<S> {
	/** A buffer of exactly this many bytes. May throw; the pool then evicts everything free and tries once more. */
	allocate(bytes: number): S;
	/** Gives a buffer's memory back. */
	free(buffer: S): void;
}

/**
 * Classes are the exact size rounded up to this: film frames come in few sizes, so exact classes are reused as often as
 * powers of two and waste nothing; and a model's tensor then fills its buffer.
 */
const CLASS_BYTES = 256;
/** Free buffers are kept up to this share of the budget, and up to this many bytes: what lies idle is nobody's. */
const FREE_SHARE = 1 / 4;
const FREE_MAX = 2 ** 28;

/** Bytes of the size class that holds `bytes`. */
export function sizeClass(bytes: number): number {
	return Math.max(CLASS_BYTES, Math.ceil(bytes / CLASS_BYTES) * CLASS_BYTES);
}

/** See the file's comment. Not reference-counted: that is the blocks' work. */
export class Pool<S> {
	readonly #allocator: Allocator<S>;
	/** Free buffers by class. Map order is age: a class is re-inserted when a buffer joins it. */
	readonly #free = new Map<number, S[]>();
	/** Bytes that buffers in use and free ones may take together. */
	readonly budget: number;
	#inUse = 0;
	#pooled = 0;
	#peak = 0;

	constructor(budget: number, allocator: Allocator<S>) {
		this.budget = budget;
		this.#allocator = allocator;
	}

	/** Bytes of buffers handed out. */
	get inUse(): number {
		return this.#inUse;
	}

	/** Bytes of free buffers kept for reuse. */
	get pooled(): number {
		return this.#pooled;
	}

	/** Largest `inUse + pooled` so far. */
	get peak(): number {
		return this.#peak;
	}

	/** A buffer of at least `bytes` bytes with undefined contents. Throws `out-of-memory` when the budget cannot hold it. */
	acquire(bytes: number): S {
		const size = sizeClass(bytes);
		const reused = this.#free.get(size)?.pop();
		if (reused !== undefined) {
			this.#pooled -= size;
			this.#inUse += size;
			return reused;
		}
		if (this.#inUse + size > this.budget) throw this.#exhausted(size);
		while (this.#inUse + this.#pooled + size > this.budget) this.#evictOne();
		const buffer = this.#allocate(size);
		this.#inUse += size;
		this.#peak = Math.max(this.#peak, this.#inUse + this.#pooled);
		return buffer;
	}

	/** Takes a buffer back. `bytes` is what it was acquired with. */
	recycle(buffer: S, bytes: number): void {
		const size = sizeClass(bytes);
		this.#inUse -= size;
		const list = this.#free.get(size) ?? [];
		this.#free.delete(size);
		list.push(buffer);
		this.#free.set(size, list);
		this.#pooled += size;
		while (this.#pooled > Math.max(size, Math.min(FREE_MAX, this.budget * FREE_SHARE))) this.#evictOne();
	}

	/** Counts memory that came from elsewhere (a model's output array) against the budget. */
	adopt(bytes: number): void {
		this.#inUse += sizeClass(bytes);
		this.#peak = Math.max(this.#peak, this.#inUse + this.#pooled);
	}

	/** Ends what {@link adopt} began. */
	disown(bytes: number): void {
		this.#inUse -= sizeClass(bytes);
	}

	/** Frees every free buffer. */
	trim(): void {
		while (this.#pooled > 0) this.#evictOne();
	}

	#allocate(size: number): S {
		try {
			return this.#allocator.allocate(size);
		} catch (error) {
			if (error instanceof EmulsionError && error.code !== 'out-of-memory') throw error;
			this.trim();
			try {
				return this.#allocator.allocate(size);
			} catch (cause) {
				throw this.#exhausted(size, cause);
			}
		}
	}

	#evictOne(): void {
		for (const [size, list] of this.#free) {
			const buffer = list.shift();
			if (list.length === 0) this.#free.delete(size);
			if (buffer === undefined) continue;
			this.#allocator.free(buffer);
			this.#pooled -= size;
			return;
		}
	}

	#exhausted(size: number, cause?: unknown): EmulsionError {
		return new EmulsionError('out-of-memory', phrase('pool-full', { size, used: this.#inUse, budget: this.budget }), {
			data: { requested: size, inUse: this.#inUse, budget: this.budget },
			...(cause === undefined ? {} : { cause }),
		});
	}
}
