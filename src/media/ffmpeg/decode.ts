/**
 * Frames of a range, pulled: ffmpeg.wasm decodes into a bounded ring and blocks until frames are taken. Each frame's
 * time is compared with the index, so that exactly the frames asked for come out, whatever the demuxer's seek did.
 */

import type { FrameRange, PlanarFrame } from '../../contracts/frames.ts';
import type { IndexedFrame } from '../../contracts/media.ts';
import { type ColorTags, frameBytes } from '../../core/color.ts';
import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { BufferPool } from '../buffers.ts';
import { type CoreFrame, type CoreResult, CoreWorker } from './core/core.ts';
import type { CoreOutput } from './core/protocol.ts';
import { FrameRing, sharedMemoryAvailable } from './core/rings.ts';
import { reasonInLog, SOURCE_PATH } from './ffprobe.ts';
import { keyframeBefore } from './frame-index.ts';
import { pictureText } from './pixel-formats.ts';
import { type DecodePlan, inputArgs, videoArgs } from './plan.ts';
import { parseShowinfo, parseTagText, type ShownFrame } from './showinfo.ts';
import { resolveTags } from './tags.ts';

/** A plan with its index. */
export interface Decodable {
	readonly plan: DecodePlan;
	readonly frames: readonly IndexedFrame[];
	readonly ticks: readonly number[];
	/** Tags where a frame has none of its own. */
	readonly color: ColorTags;
}

/** Knobs for tests and benches. */
export interface DecodeOptions {
	/** Bytes of the ring; default 48 MiB. */
	readonly ringBytes?: number;
	/** Bytes of frames in one run where there is no SharedArrayBuffer; default 32 MiB. */
	readonly boundedBytes?: number;
}

const OUT = '/dev/frames/out';

/** One run of the decoder from a keyframe, as a queue of frames. */
class Run {
	readonly #queue: CoreFrame[] = [];
	readonly #worker: CoreWorker;
	readonly #ring: FrameRing | undefined;
	readonly #ended: Promise<CoreResult>;
	#wake: (() => void) | undefined;
	#over = false;

	constructor(
		worker: CoreWorker,
		source: Decodable,
		range: FrameRange,
		seek: boolean,
		ring: FrameRing | undefined,
		signal: AbortSignal,
	) {
		this.#worker = worker;
		this.#ring = ring;
		const { plan, frames, ticks } = source;
		const key = seek ? keyframeBefore(frames, range.start) : 0;
		const bytes = plan.raw.bytes(plan.size);
		const output: CoreOutput = ring
			? { kind: 'frames', path: OUT, buffer: ring.buffer, frameBytes: bytes }
			: { kind: 'records', path: OUT, frameBytes: bytes };
		const args = [
			...inputArgs(plan, key > 0 ? frames[key] : undefined),
			...videoArgs(
				plan.stream,
				range.start > 0 ? ticks[range.start] : undefined,
				key > 0 && plan.checksums !== undefined,
			),
			...['-frames:v', String(range.end - range.start), '-pix_fmt', plan.raw.pixFmt, '-f', 'rawvideo', OUT],
		];
		const inputs = [{ kind: 'blob', path: SOURCE_PATH, blob: plan.blob } as const];
		this.#ended = worker.run(
			{ tool: 'ffmpeg', args, inputs, outputs: [output], showinfo: true },
			{
				onFrame: (frame) => {
					this.#queue.push(frame);
					this.#wake?.();
				},
			},
			signal,
		);
		const over = (): void => {
			this.#over = true;
			this.#wake?.();
		};
		this.#ended.then(over, over);
	}

	/** The next frame, or undefined when the decoder has ended; then see {@link result}. */
	async next(): Promise<CoreFrame | undefined> {
		while (this.#queue.length === 0 && !this.#over) {
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		return this.#queue.shift();
	}

	/** True when the decoder has ended by itself. */
	get over(): boolean {
		return this.#over;
	}

	/** The raw bytes of a frame; valid until {@link release}. */
	bytes(frame: CoreFrame): Uint8Array {
		return this.#ring ? this.#ring.slot(frame.slot) : new Uint8Array(frame.data ?? new ArrayBuffer(0));
	}

	release(): void {
		this.#ring?.release();
	}

	result(): Promise<CoreResult> {
		return this.#ended;
	}

	close(): void {
		this.#worker.terminate();
	}
}

/** Turns raw bytes and their description into frames; caches the tags, which rarely change. */
class FrameMaker {
	readonly #source: Decodable;
	readonly #buffers: BufferPool;
	#tagText = '';
	#color: ColorTags;

	constructor(source: Decodable, buffers: BufferPool) {
		this.#source = source;
		this.#buffers = buffers;
		this.#color = source.color;
	}

	#colorOf(shown: ShownFrame): ColorTags {
		if (shown.tagText !== this.#tagText) {
			const { plan, color } = this.#source;
			const raw = parseTagText(shown.tagText);
			const resolved = resolveTags(
				{ ...raw, location: plan.chromaLocation },
				plan.raw.format,
				plan.pixFmt,
				plan.size,
			).color;
			const tagged = (value: string | undefined): boolean => value !== undefined && value !== 'unknown';
			this.#color = {
				primaries: tagged(raw.primaries) ? resolved.primaries : color.primaries,
				transfer: tagged(raw.transfer) ? resolved.transfer : color.transfer,
				matrix: tagged(raw.space) ? resolved.matrix : color.matrix,
				range: tagged(raw.range) ? resolved.range : color.range,
				chromaLocation: color.chromaLocation,
			};
			this.#tagText = shown.tagText;
		}
		return this.#color;
	}

	/** Throws where the picture is not what was probed. */
	assertSame(shown: ShownFrame, index: number): void {
		const { plan } = this.#source;
		if (shown.pixFmt === plan.pixFmt && shown.width === plan.size.width && shown.height === plan.size.height) return;
		throw new EmulsionError(
			'unsupported-format',
			phrase('picture-changes', {
				from: pictureText(plan.size, plan.pixFmt),
				to: pictureText(shown, shown.pixFmt),
				index,
			}),
			{ frame: index },
		);
	}

	make(raw: Uint8Array, shown: ShownFrame, index: number): PlanarFrame {
		const { plan, frames } = this.#source;
		const data = this.#buffers.take(frameBytes(plan.raw.format, plan.size));
		plan.raw.unpack(raw, data, plan.size);
		const { pts, duration } = frames[index]!;
		return {
			format: plan.raw.format,
			size: plan.size,
			data,
			color: this.#colorOf(shown),
			fields: shown.fields,
			pts,
			duration,
			index,
		};
	}
}

function truncated(index: number, total: number, log: readonly string[]): EmulsionError {
	return new EmulsionError('input-truncated', phrase('frame-damaged-why', { index, total, why: reasonInLog(log) }), {
		frame: index,
	});
}

/**
 * Decodes `range` (already within the index) in presentation order, into buffers of the pool.
 * @throws EmulsionError `input-truncated` with the frame's index, `unsupported-format` where the picture changes size, `aborted`.
 */
export async function* decodeFrames(
	source: Decodable,
	range: FrameRange,
	signal: AbortSignal,
	buffers: BufferPool,
	options: DecodeOptions = {},
): AsyncGenerator<PlanarFrame> {
	const shared = sharedMemoryAvailable();
	const bytes = source.plan.raw.bytes(source.plan.size);
	const step = shared ? range.end - range.start : Math.max(2, Math.floor((options.boundedBytes ?? 32 << 20) / bytes));
	const maker = new FrameMaker(source, buffers);
	for (let start = range.start; start < range.end; start += step) {
		const part = { start, end: Math.min(range.end, start + step) };
		yield* decodeRun(source, part, maker, shared ? (options.ringBytes ?? 48 << 20) : 0, signal);
	}
}

async function* decodeRun(
	source: Decodable,
	range: FrameRange,
	maker: FrameMaker,
	ringBytes: number,
	signal: AbortSignal,
): AsyncGenerator<PlanarFrame> {
	let next = range.start;
	for (const seek of range.start > 0 && source.plan.mode !== 'counted' ? [true, false] : [false]) {
		throwIfAborted(signal);
		const ring = ringBytes > 0 ? FrameRing.create(source.plan.raw.bytes(source.plan.size), ringBytes) : undefined;
		const run = new Run(await CoreWorker.start(signal), source, range, seek, ring, signal);
		try {
			for (;;) {
				const frame = await run.next();
				throwIfAborted(signal);
				if (!frame) break;
				const shown = parseShowinfo(frame.info);
				if (shown) maker.assertSame(shown, next);
				const ticks = shown?.ticks;
				const expected = source.ticks[next]!;
				if (
					!shown ||
					ticks === undefined ||
					ticks > expected ||
					(ticks === expected && !genuine(source.plan, shown, next))
				)
					break;
				if (ticks === expected) {
					const made = maker.make(run.bytes(frame), shown, next);
					run.release();
					next++;
					yield made;
					if (next === range.end) return;
				} else run.release();
			}
			// The decoder ended, or jumped over a frame. A seek may have landed too late: then once more from the start.
			const log = await logOf(run);
			if (seek && next === range.start) continue;
			throw truncated(next, source.frames.length, log);
		} finally {
			run.close();
		}
	}
}

/** After a jump by guessed times: is this really the frame that the first pass saw there? */
function genuine(plan: DecodePlan, shown: ShownFrame, index: number): boolean {
	return shown.checksum === undefined || plan.checksums === undefined || shown.checksum === plan.checksums[index];
}

/** Log of a run that is over, or is ended here; a run that crashed throws its error. */
async function logOf(run: Run): Promise<readonly string[]> {
	if (!run.over) return [];
	return (await run.result()).log;
}
