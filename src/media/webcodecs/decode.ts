/**
 * A VideoDecoder, pulled: packets go in while few frames are under way, planes are copied out as soon as frames come, and
 * each frame's timestamp is its index, so that no time is ever rounded to microseconds.
 */

import type { FrameRange } from '../../contracts/frames.ts';
import { formatPhrase, frameBytes, type PixelFormat, sameFormat, type Size } from '../../core/color.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { BufferPool } from '../buffers.ts';
import { copyPlanes, planarFormat } from './planes.ts';
import type { JoinedTrack } from './track.ts';

/** Bytes of frames under way: in the decoder's queue, or copied and not yet taken. */
const READ_AHEAD_BYTES = 24 * 2 ** 20;
/** Least and most frames under way: a decoder with several threads wants some, and 32 never let it wait (640×360). */
const [LEAST_AHEAD, MOST_AHEAD] = [6, 32];
/** Index ↔ the decoder's microseconds: any strictly monotonic map would do. */
const TICK = 1000;

/** Planes of one frame. */
export interface DecodedPlanes {
	readonly index: number;
	readonly data: ArrayBuffer;
}

/** What the planes must be. */
export interface Expected {
	readonly format: PixelFormat;
	readonly size: Size;
	/** Frames in the film, for messages. */
	readonly total: number;
}

/** One pass of a decoder over a range. */
class Pass {
	readonly #track: JoinedTrack;
	readonly #range: FrameRange;
	readonly #expected: Expected;
	readonly #decoder: VideoDecoder;
	readonly #buffers: BufferPool;
	readonly #queue: { readonly index: number; readonly data: Promise<ArrayBuffer> }[] = [];
	readonly #ahead: number;
	#failure: EmulsionError | undefined;
	#flushed = false;
	#closed = false;
	#waiting: (() => void)[] = [];

	constructor(
		track: JoinedTrack,
		config: VideoDecoderConfig,
		range: FrameRange,
		expected: Expected,
		buffers: BufferPool,
	) {
		this.#buffers = buffers;
		this.#track = track;
		this.#range = range;
		this.#expected = expected;
		const fitting = Math.floor(READ_AHEAD_BYTES / frameBytes(expected.format, expected.size));
		this.#ahead = Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, fitting));
		this.#decoder = new VideoDecoder({
			output: (frame) => {
				this.#take(frame);
			},
			error: (cause) => {
				this.#fail(new EmulsionError('input-truncated', phrase('decoder-stopped', { why: cause.message }), { cause }));
			},
		});
		this.#decoder.addEventListener('dequeue', () => {
			this.#wake();
		});
		this.#decoder.configure(config);
	}

	#fail(error: EmulsionError): void {
		this.#failure ??= error;
		this.#wake();
	}

	#take(frame: VideoFrame): void {
		const index = Math.round(frame.timestamp / TICK);
		if (this.#closed || index < this.#range.start || index >= this.#range.end) {
			frame.close();
			return;
		}
		const { format, size } = this.#expected;
		const got = planarFormat(frame.format);
		const { width, height } = frame.visibleRect ?? { width: 0, height: 0 };
		if (!got || !sameFormat(got, format) || width !== size.width || height !== size.height) {
			const found = got ? formatPhrase(got) : (frame.format ?? phrase('format-opaque'));
			const said = phrase('decoder-planes', { index, found, width, height });
			frame.close();
			this.#fail(new EmulsionError('unsupported-format', said, { frame: index }));
			return;
		}
		const data = copyPlanes(frame, format, size, this.#buffers.take(frameBytes(format, size))).finally(() => {
			frame.close();
		});
		// Rejections are seen when the frame is taken; a pass that ends early leaves them unseen.
		data.catch(() => undefined);
		this.#queue.push({ index, data });
		this.#wake();
	}

	#wake(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const resolve of waiting) resolve();
	}

	#changed(): Promise<void> {
		return new Promise((resolve) => {
			this.#waiting.push(resolve);
		});
	}

	/** Feeds packets while there is room; ends by itself when the pass is closed. */
	async feed(): Promise<void> {
		try {
			for await (const packet of this.#track.packets(this.#range.start)) {
				while (!this.#over() && this.#queue.length + this.#decoder.decodeQueueSize >= this.#ahead)
					await this.#changed();
				if (this.#over()) return;
				const index = this.#track.indexOf(packet);
				this.#decoder.decode(new EncodedVideoChunk({ type: packet.type, timestamp: index * TICK, data: packet.data }));
			}
			await this.#decoder.flush();
			this.#flushed = true;
			this.#wake();
		} catch (cause) {
			this.#fail(
				new EmulsionError('input-truncated', phrase('decoder-stopped', { why: toEmulsionError(cause).said }), {
					cause,
				}),
			);
		}
	}

	#over(): boolean {
		return this.#closed || this.#failure !== undefined;
	}

	/** The next frame; frames before a failure still come out. An abort is seen after {@link interrupt}. */
	async next(expected: number, signal: AbortSignal): Promise<DecodedPlanes> {
		for (;;) {
			throwIfAborted(signal);
			const head = this.#queue[0];
			if (head?.index === expected) {
				const data = await head.data;
				this.#queue.shift();
				this.#wake();
				return { index: expected, data };
			}
			if (this.#failure)
				throw this.#failure.code === 'input-truncated' ? this.#lost(expected, this.#failure) : this.#failure;
			if (head !== undefined || this.#flushed) throw this.#lost(expected);
			await this.#changed();
		}
	}

	/** Wakes whoever waits for a frame. */
	interrupt(): void {
		this.#wake();
	}

	#lost(frame: number, cause?: EmulsionError): EmulsionError {
		const values = { index: frame, total: this.#expected.total };
		return new EmulsionError(
			'input-truncated',
			cause ? phrase('frame-damaged-why', { ...values, why: cause.said }) : phrase('frame-damaged', values),
			{ frame, ...(cause ? { cause } : {}) },
		);
	}

	close(): void {
		this.#closed = true;
		if (this.#decoder.state !== 'closed') this.#decoder.close();
		this.#wake();
	}
}

/** Planes of a range in presentation order, in buffers of the pool. @throws EmulsionError `input-truncated`, `unsupported-format`, `aborted`. */
export async function* decodePlanes(
	track: JoinedTrack,
	config: VideoDecoderConfig,
	range: FrameRange,
	expected: Expected,
	signal: AbortSignal,
	buffers: BufferPool,
): AsyncGenerator<DecodedPlanes> {
	if (range.start >= range.end) return;
	throwIfAborted(signal);
	const pass = new Pass(track, config, range, expected, buffers);
	const fed = pass.feed();
	const onAbort = (): void => pass.interrupt();
	signal.addEventListener('abort', onAbort);
	try {
		for (let index = range.start; index < range.end; index++) yield await pass.next(index, signal);
	} finally {
		signal.removeEventListener('abort', onAbort);
		pass.close();
		await fed;
	}
}
