/**
 * Source frames by index from a stream that only goes forward: a window of decoded frames is kept, a short step ahead reads
 * on, any other jump opens the stream anew. Back-pressure is the stream's own: it runs ahead by its credits and no more.
 * Frames that leave the window go back to the decoder, which fills their buffers again.
 */

import type { FrameRange, FrameStream, PlanarFrame } from '../contracts/frames.ts';
import { EmulsionError, throwIfAborted } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

/** How a reader reads. */
export interface SourceReaderOptions {
	/** Opens frames of a range, in presentation order. */
	readonly open: (range: FrameRange, signal: AbortSignal) => FrameStream;
	/** Frames in the source. */
	readonly frames: number;
	/** Frames are read up to here and no further (default all): an export of a part does not decode the rest. */
	readonly end?: number;
	/** Bytes of decoded frames to keep. */
	readonly budget: number;
	/** Frames to keep even beyond the budget (default 1: the last one). */
	readonly least?: number;
	/** Longest step ahead that is read through instead of seeking. */
	readonly readThrough?: number;
	/** Told of each frame once it is decoded. */
	readonly onFrame?: (frame: PlanarFrame) => void;
}

const READ_THROUGH = 24;

/** A reader; used by one consumer, closed by it. */
export class SourceReader {
	readonly #options: SourceReaderOptions;
	/** Oldest use first. */
	readonly #kept = new Map<number, PlanarFrame>();
	/** How many are looking at a frame, dropped ones included. */
	readonly #users = new Map<PlanarFrame, number>();
	#bytes = 0;
	#source: FrameStream | undefined;
	#stream: AsyncIterator<PlanarFrame> | undefined;
	#controller: AbortController | undefined;
	#next = 0;
	/** End of the open stream. */
	#last = 0;
	#turn: Promise<unknown> = Promise.resolve();
	#seconds = 0;
	#opened = 0;

	constructor(options: SourceReaderOptions) {
		this.#options = options;
	}

	/** Seconds spent waiting for the decoder. */
	get seconds(): number {
		return this.#seconds;
	}

	/** How often the stream was opened: 1 for a sequential pass. */
	get opened(): number {
		return this.#opened;
	}

	/**
	 * Shows a frame to `look`, and returns what that returns. The frame is the reader's: its buffer is filled again some time after
	 * `look` has settled, so nothing of it may be kept or transferred (copy what is needed).
	 */
	async use<T>(index: number, signal: AbortSignal, look: (frame: PlanarFrame) => T | Promise<T>): Promise<T> {
		const next = this.#turn.then(async () => {
			const frame = await this.#read(index, signal);
			this.#users.set(frame, (this.#users.get(frame) ?? 0) + 1);
			return frame;
		});
		this.#turn = next.catch(() => undefined);
		const frame = await next;
		try {
			return await look(frame);
		} finally {
			const left = this.#users.get(frame)! - 1;
			if (left > 0) this.#users.set(frame, left);
			else {
				this.#users.delete(frame);
				if (this.#kept.get(frame.index) !== frame) this.#giveBack(frame);
			}
		}
	}

	/** Ends the stream and forgets all frames. */
	async close(): Promise<void> {
		this.#kept.clear();
		this.#bytes = 0;
		await this.#stop();
	}

	async #read(index: number, signal: AbortSignal): Promise<PlanarFrame> {
		throwIfAborted(signal);
		const kept = this.#kept.get(index);
		if (kept) {
			this.#kept.delete(index);
			this.#kept.set(index, kept);
			return kept;
		}
		const started = performance.now();
		try {
			return await this.#advance(index, signal);
		} catch (error) {
			await this.#stop();
			throw error;
		} finally {
			this.#seconds += (performance.now() - started) / 1000;
		}
	}

	async #advance(index: number, signal: AbortSignal): Promise<PlanarFrame> {
		const { readThrough = READ_THROUGH } = this.#options;
		const reachable = index >= this.#next && index <= this.#next + readThrough && index < this.#last;
		// Analysis looks at whole shots, beyond what an export of a part reads.
		if (!this.#stream || !reachable) await this.#open(index);
		const controller = this.#controller;
		const onAbort = () => controller?.abort();
		signal.addEventListener('abort', onAbort, { once: true });
		try {
			for (;;) {
				const { done, value } = await this.#stream!.next();
				throwIfAborted(signal);
				if (done) {
					throw new EmulsionError('input-truncated', phrase('source-ended', { index }), { frame: index });
				}
				this.#keep(value);
				this.#next = value.index + 1;
				if (value.index === index) return value;
				if (value.index > index) {
					throw new EmulsionError('internal', `The decoder skipped frame ${index} and gave ${value.index}.`, {
						frame: index,
					});
				}
			}
		} finally {
			signal.removeEventListener('abort', onAbort);
		}
	}

	async #open(index: number): Promise<void> {
		await this.#stop();
		const { open, frames, end = frames } = this.#options;
		this.#controller = new AbortController();
		this.#last = index < end ? end : frames;
		this.#source = open({ start: index, end: this.#last }, this.#controller.signal);
		this.#stream = this.#source[Symbol.asyncIterator]();
		this.#next = index;
		this.#opened++;
	}

	async #stop(): Promise<void> {
		const stream = this.#stream;
		this.#stream = this.#source = undefined;
		this.#controller?.abort();
		this.#controller = undefined;
		await stream?.return?.().catch(() => undefined);
	}

	#keep(frame: PlanarFrame): void {
		this.#options.onFrame?.(frame);
		// Read once more on the way from an earlier frame.
		if (this.#kept.has(frame.index)) this.#drop(frame.index);
		this.#kept.set(frame.index, frame);
		this.#bytes += frame.data.byteLength;
		const { budget, least = 1 } = this.#options;
		for (const index of this.#kept.keys()) {
			if (this.#bytes <= budget || this.#kept.size <= least) return;
			this.#drop(index);
		}
	}

	#drop(index: number): void {
		const frame = this.#kept.get(index)!;
		this.#kept.delete(index);
		this.#bytes -= frame.data.byteLength;
		if (!this.#users.has(frame)) this.#giveBack(frame);
	}

	/** To whatever stream is open: all streams of a source fill the same buffers. */
	#giveBack({ data }: PlanarFrame): void {
		this.#source?.recycle?.(data);
	}
}
