/**
 * Source frames by index from a stream that only goes forward: a window of decoded frames is kept, a short step ahead reads
 * on, any other jump opens the stream anew. Back-pressure is the stream's own: it runs ahead by its credits and no more.
 */

import type { FrameRange, FrameStream, PlanarFrame } from '../contracts/frames.ts';
import { discarded } from '../core/buffers.ts';
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
	#bytes = 0;
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

	/** A frame; its data stays the reader's (copy before transferring it). */
	frame(index: number, signal: AbortSignal): Promise<PlanarFrame> {
		const next = this.#turn.then(() => this.#read(index, signal));
		this.#turn = next.catch(() => undefined);
		return next;
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
		this.#stream = open({ start: index, end: this.#last }, this.#controller.signal)[Symbol.asyncIterator]();
		this.#next = index;
		this.#opened++;
	}

	async #stop(): Promise<void> {
		const stream = this.#stream;
		this.#stream = undefined;
		this.#controller?.abort();
		this.#controller = undefined;
		await stream?.return?.().catch(() => undefined);
	}

	#keep(frame: PlanarFrame): void {
		this.#options.onFrame?.(frame);
		this.#kept.set(frame.index, frame);
		this.#bytes += frame.data.byteLength;
		const { budget, least = 1 } = this.#options;
		for (const [index, old] of this.#kept) {
			if (this.#bytes <= budget || this.#kept.size <= least) return;
			this.#kept.delete(index);
			this.#bytes -= old.data.byteLength;
			discarded(old.data.byteLength);
		}
	}
}
