/**
 * Two single-producer, single-consumer queues in a SharedArrayBuffer, between a worker that runs ffmpeg.wasm (which
 * may block: `exec` is synchronous) and a thread that may not. The blocking side uses `Atomics.wait`, the other
 * `Atomics.waitAsync` where it exists, else a short timer.
 */

import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';

const HEADER_BYTES = 64;

/** True where a worker can be made to wait for its consumer. */
export function sharedMemoryAvailable(): boolean {
	return (
		typeof SharedArrayBuffer === 'function' &&
		(globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false
	);
}

type WaitAsync = (
	array: Int32Array,
	index: number,
	value: number,
	timeout?: number,
) => { async: boolean; value: Promise<string> | string };

/** Resolves when `view[index]` may differ from `seen`. Never blocks the thread. */
async function changed(view: Int32Array, index: number, seen: number): Promise<void> {
	const waitAsync = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync;
	if (!waitAsync) {
		await new Promise((resolve) => setTimeout(resolve, 1));
		return;
	}
	// The limit lets an abort through, and covers event loops that are slow to deliver the wake-up.
	const result = waitAsync(view, index, seen, 25);
	if (result.async) await result.value;
}

/**
 * Slots of one frame each. The producer (the device in the ffmpeg worker) fills slots in order and blocks while all are
 * unread; that a slot is full is told by message, which also carries the frame's time. Header words: 0 released count.
 */
export class FrameRing {
	readonly buffer: SharedArrayBuffer;
	readonly slots: number;
	readonly frameBytes: number;
	readonly #header: Int32Array;

	/** Views a ring made by {@link FrameRing.create}. */
	constructor(buffer: SharedArrayBuffer, frameBytes: number) {
		this.buffer = buffer;
		this.frameBytes = frameBytes;
		this.#header = new Int32Array(buffer, 0, HEADER_BYTES / 4);
		this.slots = Math.floor((buffer.byteLength - HEADER_BYTES) / frameBytes);
	}

	/**
	 * A ring of 2 to 16 frames within about `budget` bytes (two frames always fit, whatever the budget).
	 * @throws EmulsionError `capability-missing` without SharedArrayBuffer, `out-of-memory` when it cannot be had.
	 */
	static create(frameBytes: number, budget = 48 << 20): FrameRing {
		if (!sharedMemoryAvailable()) throw new EmulsionError('capability-missing', phrase('no-isolation'));
		const slots = Math.max(2, Math.min(16, Math.floor(budget / frameBytes)));
		try {
			return new FrameRing(new SharedArrayBuffer(HEADER_BYTES + slots * frameBytes), frameBytes);
		} catch (cause) {
			throw new EmulsionError('out-of-memory', phrase('ring', { slots, bytes: frameBytes }), { cause });
		}
	}

	/** Bytes of one slot. Valid for the consumer until {@link release}. */
	slot(index: number): Uint8Array<SharedArrayBuffer> {
		return new Uint8Array(this.buffer, HEADER_BYTES + index * this.frameBytes, this.frameBytes);
	}

	/** Consumer: gives the oldest slot back. */
	release(): void {
		Atomics.add(this.#header, 0, 1);
		Atomics.notify(this.#header, 0);
	}

	/** Producer: blocks until the slot for frame `count` (0-based, as produced) is free; returns its number. */
	acquire(count: number): number {
		for (;;) {
			const released = Atomics.load(this.#header, 0);
			if (count - released < this.slots) return count % this.slots;
			Atomics.wait(this.#header, 0, released);
		}
	}
}

/** Header words of a pipe: bytes written and read (modulo 2³²), and whether the writer has ended. */
const Word = { written: 0, read: 1, ended: 2 } as const;

/** A byte stream into a blocked worker. The writer awaits room, the reader (a device in the ffmpeg worker) blocks for bytes. */
export class BytePipe {
	readonly buffer: SharedArrayBuffer;
	readonly #header: Int32Array;
	readonly #bytes: Uint8Array<SharedArrayBuffer>;

	/** Views a pipe made by {@link BytePipe.create}. */
	constructor(buffer: SharedArrayBuffer) {
		this.buffer = buffer;
		this.#header = new Int32Array(buffer, 0, HEADER_BYTES / 4);
		this.#bytes = new Uint8Array(buffer, HEADER_BYTES);
	}

	/** A pipe of `capacity` bytes, rounded up to a power of two (positions wrap at 2³²). @throws `capability-missing` without SharedArrayBuffer. */
	static create(capacity: number): BytePipe {
		if (!sharedMemoryAvailable()) throw new EmulsionError('capability-missing', phrase('no-isolation'));
		const size = 2 ** Math.ceil(Math.log2(Math.max(65536, capacity)));
		return new BytePipe(new SharedArrayBuffer(HEADER_BYTES + size));
	}

	/** Writer: resolves when all bytes are in the pipe; rejects `aborted` when the signal fires. */
	async write(data: Uint8Array, signal?: AbortSignal): Promise<void> {
		let done = 0;
		while (done < data.length) {
			if (signal?.aborted) throw new EmulsionError('aborted', 'The operation was canceled.');
			const written = Atomics.load(this.#header, Word.written);
			const read = Atomics.load(this.#header, Word.read);
			const room = this.#bytes.length - ((written - read) >>> 0);
			if (room === 0) {
				await changed(this.#header, Word.read, read);
				continue;
			}
			const part = data.subarray(done, done + room);
			this.#put(written >>> 0, part);
			Atomics.store(this.#header, Word.written, (written + part.length) | 0);
			Atomics.notify(this.#header, Word.written);
			done += part.length;
		}
	}

	#put(position: number, part: Uint8Array): void {
		const at = position % this.#bytes.length;
		const first = Math.min(part.length, this.#bytes.length - at);
		this.#bytes.set(part.subarray(0, first), at);
		this.#bytes.set(part.subarray(first), 0);
	}

	/** Writer: no more bytes will come; the reader sees the end of the file after the last one. */
	end(): void {
		Atomics.store(this.#header, Word.ended, 1);
		// The reader waits on the written count: a change of it by a full turn would be needed to miss this wake-up.
		Atomics.notify(this.#header, Word.written);
	}

	/** Reader: blocks for at least one byte; 0 at the end. Must not run on a thread that may not block. */
	readInto(target: Uint8Array): number {
		for (;;) {
			const read = Atomics.load(this.#header, Word.read);
			const written = Atomics.load(this.#header, Word.written);
			const available = (written - read) >>> 0;
			if (available > 0) {
				const length = Math.min(available, target.length);
				this.#take(read >>> 0, target.subarray(0, length));
				Atomics.store(this.#header, Word.read, (read + length) | 0);
				Atomics.notify(this.#header, Word.read);
				return length;
			}
			if (Atomics.load(this.#header, Word.ended) === 1) {
				if (Atomics.load(this.#header, Word.written) === written) return 0;
				continue;
			}
			// The timeout covers `end()` between the check above and the wait.
			Atomics.wait(this.#header, Word.written, written, 50);
		}
	}

	#take(position: number, target: Uint8Array): void {
		const at = position % this.#bytes.length;
		const first = Math.min(target.length, this.#bytes.length - at);
		target.set(this.#bytes.subarray(at, at + first), 0);
		target.set(this.#bytes.subarray(0, target.length - first), first);
	}
}
