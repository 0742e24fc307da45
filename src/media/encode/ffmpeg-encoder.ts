/**
 * Encodes a chunk with ffmpeg.wasm: a fresh worker a chunk, planes through a bounded pipe (or, without
 * SharedArrayBuffer, through a Blob that the browser keeps on disk), packets out as they come.
 */

import { frameBytes, sameFormat } from '../../core/color.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { toNumber } from '../../core/rational.ts';
import type { FrameRange, FrameStream, PlanarFrame } from '../../contracts/frames.ts';
import type { ChunkEncoder, EncodeConfig, EncodedChunk } from '../../contracts/media.ts';
import { type CoreResult, runCore } from '../ffmpeg/core/core.ts';
import type { CoreInput } from '../ffmpeg/core/protocol.ts';
import { BytePipe, sharedMemoryAvailable } from '../ffmpeg/core/rings.ts';
import { type MatroskaBlock, MatroskaReader, type MatroskaTrack } from '../mux/matroska-read.ts';
import { PacketWriter, type VideoTrackHeader, toBase64 } from '../mux/packets.ts';
import { encodeArguments, feedRate, packedLayout } from './arguments.ts';
import { FrameHasher } from './frame-md5.ts';
import { ffmpegPlanes, packPixels, padPlanes } from './planes.ts';

const INPUT = '/in/frames';
const OUTPUT = '/out/packets';
/** Bytes of the pipe: two frames, but at least 1 and at most 64 MiB. */
const PIPE_MIN = 1 << 20;
const PIPE_MAX = 64 << 20;

/** Checks a frame against the configuration; a mismatch is the caller's fault. */
export function checkFrame(frame: PlanarFrame, config: EncodeConfig): void {
	const { size, format } = config;
	const fitsSize = frame.size.width <= size.width && frame.size.height <= size.height;
	const isPadding = size.width - frame.size.width < 4 && size.height - frame.size.height < 4;
	if (!sameFormat(frame.format, format) || !fitsSize || !isPadding) {
		throw new EmulsionError(
			'internal',
			`encode: frame ${frame.index} is ${frame.size.width}×${frame.size.height} ${frame.format.chroma} ${frame.format.depth}, the encoder takes ${size.width}×${size.height} ${format.chroma} ${format.depth}`,
			{ frame: frame.index },
		);
	}
	if (frame.data.byteLength !== frameBytes(frame.format, frame.size)) {
		throw new EmulsionError('internal', `encode: frame ${frame.index} has ${frame.data.byteLength} bytes`, {
			frame: frame.index,
		});
	}
}

/** Turns frames into the encoder's bytes and hashes them on the way. */
class Feeder {
	readonly md5: string[] = [];
	readonly #config: EncodeConfig;
	readonly #hasher: FrameHasher;

	constructor(config: EncodeConfig, hasher: FrameHasher) {
		this.#config = config;
		this.#hasher = hasher;
	}

	bytesOf(frame: PlanarFrame): Uint8Array {
		checkFrame(frame, this.#config);
		const { codec, format, size } = this.#config;
		const padded = padPlanes(new Uint8Array(frame.data), format, frame.size, size);
		const planes = ffmpegPlanes(padded, format, size);
		this.md5.push(this.#hasher.hashBytes(planes));
		const layout = packedLayout(codec, format);
		return layout ? packPixels(padded, size, layout) : planes;
	}
}

/** Makes the packet file from the encoder's Matroska. */
class Collector {
	readonly writer = new PacketWriter();
	readonly reader: MatroskaReader;
	readonly #config: EncodeConfig;
	readonly #rate: number;
	#track: MatroskaTrack | undefined;
	error: unknown;

	constructor(config: EncodeConfig) {
		this.#config = config;
		this.#rate = toNumber(feedRate(config.rate));
		this.reader = new MatroskaReader({
			onTrack: (track) => (this.#track = track),
			onBlock: (block) => {
				this.#add(block);
			},
		});
	}

	push(data: Uint8Array<ArrayBuffer>): void {
		try {
			this.reader.push(data);
		} catch (error) {
			this.error ??= error;
		}
	}

	#add(block: MatroskaBlock): void {
		const seconds = (block.time * this.reader.timestampScale) / 1e9;
		this.writer.add({
			time: Math.round(seconds * this.#rate),
			duration: 1,
			key: block.key,
			data: this.#isProres ? withFrameAtom(block.data) : block.data,
		});
	}

	get #isProres(): boolean {
		return this.#config.codec.startsWith('prores');
	}

	header(): VideoTrackHeader {
		if (this.error !== undefined) throw toEmulsionError(this.error);
		const { codec } = this.#config;
		const config = this.#isProres ? '' : toBase64(decoderData(this.#track));
		if (codec === 'prores-422hq') return { kind: 'video', codec: 'prores', config, fourcc: 'apch' };
		if (codec === 'prores-4444') return { kind: 'video', codec: 'prores', config, fourcc: 'ap4h' };
		return { kind: 'video', codec: codec === 'ffv1' ? 'ffv1' : 'h264', config };
	}
}

/** Codec data of a track; this FFmpeg stores FFV1's behind a BITMAPINFOHEADER of 40 bytes. */
function decoderData(track: MatroskaTrack | undefined): Uint8Array {
	const data = track?.codecPrivate ?? new Uint8Array();
	return track?.codecId === 'V_MS/VFW/FOURCC' ? data.subarray(40) : data;
}

/** Matroska strips the `icpf` atom header of ProRes frames; QuickTime wants it. */
function withFrameAtom(data: Uint8Array): Uint8Array<ArrayBuffer> {
	const result = new Uint8Array(data.length + 8);
	new DataView(result.buffer).setUint32(0, result.length);
	result.set([0x69, 0x63, 0x70, 0x66], 4);
	result.set(data, 8);
	return result;
}

function encodeFailure(result: CoreResult): EmulsionError {
	const lines = result.log.filter((line) => /error|invalid|cannot|failed|not /i.test(line)).slice(-3);
	return new EmulsionError('internal', `The encoder failed (${result.code}): ${lines.join('; ') || 'no message'}`);
}

/** Software encoder (`libx264`, `prores_ks`, `ffv1`); the same frames always give the same bytes. */
export class FfmpegEncoder implements ChunkEncoder {
	readonly #config: EncodeConfig;
	#closed = false;
	readonly #running = new Set<AbortController>();

	constructor(config: EncodeConfig) {
		encodeArguments(config, INPUT, OUTPUT);
		this.#config = config;
	}

	/** See {@link ChunkEncoder.encode}. */
	async encode(frames: FrameStream, range: FrameRange, signal: AbortSignal): Promise<EncodedChunk> {
		throwIfAborted(signal);
		if (this.#closed) throw new EmulsionError('internal', 'encode after close');
		// Ends the worker when the frames fail, and the feeding when the worker does.
		const stop = new AbortController();
		const both = AbortSignal.any([signal, stop.signal]);
		this.#running.add(stop);
		const started = performance.now();
		const feeder = new Feeder(this.#config, await FrameHasher.create());
		const collector = new Collector(this.#config);
		try {
			if (sharedMemoryAvailable()) await this.#piped(frames, range, feeder, collector, stop, both);
			else await this.#staged(frames, range, feeder, collector, both);
		} finally {
			stop.abort();
			this.#running.delete(stop);
		}
		throwIfAborted(signal);
		const count = range.end - range.start;
		const data = this.#finish(collector, count);
		return { range, data, frameMd5: feeder.md5, seconds: (performance.now() - started) / 1000 };
	}

	#finish(collector: Collector, expected: number): Blob {
		const found = collector.writer.count;
		const header = collector.header();
		if (found !== expected) {
			throw new EmulsionError('internal', `The encoder gave ${found} packets for ${expected} frames.`);
		}
		return collector.writer.finish(header);
	}

	#run(input: CoreInput, collector: Collector, signal: AbortSignal): Promise<CoreResult> {
		return runCore(
			{
				tool: 'ffmpeg',
				args: encodeArguments(this.#config, INPUT, OUTPUT),
				inputs: [input],
				outputs: [{ kind: 'stream', path: OUTPUT }],
			},
			{
				onChunk: (_path, data) => {
					collector.push(data);
				},
			},
			signal,
		);
	}

	async #piped(
		frames: FrameStream,
		range: FrameRange,
		feeder: Feeder,
		collector: Collector,
		stop: AbortController,
		signal: AbortSignal,
	): Promise<void> {
		const bytes = 2 * frameBytes(this.#config.format, this.#config.size);
		const pipe = BytePipe.create(Math.min(PIPE_MAX, Math.max(PIPE_MIN, bytes)));
		let feedError: unknown;
		const feeding = (async () => {
			try {
				await forFrames(frames, range, (frame) => pipe.write(feeder.bytesOf(frame), signal));
				pipe.end();
			} catch (error) {
				feedError = error;
				stop.abort();
			}
		})();
		try {
			const result = await this.#run({ kind: 'pipe', path: INPUT, buffer: pipe.buffer }, collector, signal);
			if (result.code !== 0) throw encodeFailure(result);
		} catch (error) {
			stop.abort();
			await feeding;
			const isEcho = feedError instanceof EmulsionError && feedError.code === 'aborted';
			throw feedError !== undefined && !isEcho ? feedError : error;
		}
		await feeding;
		if (feedError !== undefined) throw toEmulsionError(feedError);
	}

	async #staged(
		frames: FrameStream,
		range: FrameRange,
		feeder: Feeder,
		collector: Collector,
		signal: AbortSignal,
	): Promise<void> {
		const parts: Blob[] = [];
		await forFrames(frames, range, (frame) => {
			throwIfAborted(signal);
			parts.push(new Blob([new Uint8Array(feeder.bytesOf(frame))]));
		});
		const result = await this.#run({ kind: 'blob', path: INPUT, blob: new Blob(parts) }, collector, signal);
		if (result.code !== 0) throw encodeFailure(result);
	}

	/** Ends whatever still runs. Idempotent. */
	close(): Promise<void> {
		this.#closed = true;
		for (const controller of this.#running) controller.abort();
		return Promise.resolve();
	}
}

/**
 * Calls `take` for exactly the frames of a range, and keeps none: the stream may fill a frame's buffer again once `take` has
 * settled. Throws `internal` when the stream gives fewer or more.
 */
export async function forFrames(
	frames: FrameStream,
	range: FrameRange,
	take: (frame: PlanarFrame, place: number) => Promise<void> | void,
): Promise<void> {
	const count = range.end - range.start;
	let place = 0;
	for await (const frame of frames) {
		if (place >= count) throw new EmulsionError('internal', `encode: more than ${count} frames came`);
		await take(frame, place++);
	}
	if (place < count) throw new EmulsionError('internal', `encode: ${place} of ${count} frames came`);
}
