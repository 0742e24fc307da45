/** Buffers of frames, used again: a fresh one is zeroed and faulted in page by page, which costs more than the copy into it. */

/** Buffers kept at most, and their bytes together. */
const MOST = 24;
const MOST_BYTES = 64 << 20;

/** Empty buffers of one size, waiting for their next frame. */
export class BufferPool {
	readonly #free: ArrayBuffer[] = [];

	/** A buffer of exactly `bytes` bytes with undefined content: whoever takes it writes all of it. */
	take(bytes: number): ArrayBuffer {
		const free = this.#free.pop();
		return free?.byteLength === bytes ? free : new ArrayBuffer(bytes);
	}

	/** Gives a buffer back; nobody may read it any more. Transferred ones and those beyond the pool's bounds are dropped. */
	give(buffer: ArrayBuffer): void {
		const bytes = buffer.byteLength;
		if (bytes === 0 || (this.#free.length > 0 && this.#free[0]!.byteLength !== bytes)) return;
		if (this.#free.length < MOST && (this.#free.length + 1) * bytes <= MOST_BYTES) this.#free.push(buffer);
	}

	/** Forgets all. */
	clear(): void {
		this.#free.length = 0;
	}
}
