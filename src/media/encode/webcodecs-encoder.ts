/** Encodes a chunk with the browser's own encoder (H.264, VP9, AV1; 8-bit 4:2:0). Fast, but its bytes are the browser's. */

import { codecText } from '../../core/codecs.ts';
import { planeLayouts } from '../../core/color.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { toNumber } from '../../core/rational.ts';
import type { FrameRange, FrameStream, PlanarFrame } from '../../contracts/frames.ts';
import type { ChunkEncoder, EncodeConfig, EncodedChunk } from '../../contracts/media.ts';
import { PacketWriter, type VideoTrackHeader, toBase64 } from '../mux/packets.ts';
import { checkFrame, forFrames } from './ffmpeg-encoder.ts';
import { FrameHasher } from './frame-md5.ts';
import { padPlanes } from './planes.ts';

/** Frames that may wait in the encoder. */
const QUEUE = 4;

const PRIMARIES: Readonly<Record<string, VideoColorPrimaries>> = {
	bt709: 'bt709',
	bt470bg: 'bt470bg',
	smpte170m: 'smpte170m',
};
const MATRICES: Readonly<Record<string, VideoMatrixCoefficients>> = {
	rgb: 'rgb',
	bt709: 'bt709',
	bt470bg: 'bt470bg',
	smpte170m: 'smpte170m',
};
const TRANSFERS: Readonly<Record<string, VideoTransferCharacteristics>> = {
	bt709: 'bt709',
	smpte170m: 'smpte170m',
	srgb: 'iec61966-2-1',
};

/** Level of a picture: the smallest row whose frame fits. Rates do not matter for files. */
function avcLevel(config: EncodeConfig): string {
	const blocks = Math.ceil(config.size.width / 16) * Math.ceil(config.size.height / 16);
	const levels: readonly (readonly [number, string])[] = [
		[1620, '1f'],
		[8192, '28'],
		[22080, '32'],
		[36864, '34'],
		[139264, '3e'],
	];
	return levels.find(([most]) => blocks <= most)?.[1] ?? '3e';
}

/** WebCodecs codec string. */
export function codecString(config: EncodeConfig): string {
	const large = config.size.width * config.size.height > 8_912_896;
	switch (config.codec) {
		case 'h264':
			return `avc1.6400${avcLevel(config)}`;
		case 'vp9':
			return large ? 'vp09.00.61.08' : 'vp09.00.51.08';
		case 'av1':
			return large ? 'av01.0.16M.08' : 'av01.0.13M.08';
		default:
			throw new EmulsionError(
				'unsupported-format',
				phrase('not-by-engine', { codec: codecText(config.codec), engine: phrase('encoder-webcodecs') }),
			);
	}
}

/** Bits a pixel and frame at quantizer 20, for encoders without a constant-quantizer mode; six steps halve it. */
const BITS_PER_PIXEL = 0.35;

function bitrateOf(config: EncodeConfig): number {
	const { width, height } = config.size;
	const scale = 2 ** ((20 - (config.quality ?? 20)) / 6);
	return Math.max(200_000, Math.round(width * height * toNumber(config.rate) * BITS_PER_PIXEL * scale));
}

/** Settings to try: constant quantizer, so that a chunk does not depend on its neighbors; else a generous bitrate. */
function candidates(config: EncodeConfig): VideoEncoderConfig[] {
	const shared: VideoEncoderConfig = {
		codec: codecString(config),
		width: config.size.width,
		height: config.size.height,
		framerate: toNumber(config.rate),
		latencyMode: 'quality',
		...(config.codec === 'h264' ? { avc: { format: 'avc' as const } } : {}),
	};
	return [
		{ ...shared, bitrateMode: 'quantizer' },
		{ ...shared, bitrateMode: 'variable', bitrate: bitrateOf(config) },
	];
}

/** The settings this browser takes; undefined where it cannot encode the configuration. */
export async function supportedConfig(config: EncodeConfig): Promise<VideoEncoderConfig | undefined> {
	if (typeof VideoEncoder !== 'function') return undefined;
	for (const candidate of candidates(config)) {
		const support = await VideoEncoder.isConfigSupported(candidate).catch(() => undefined);
		if (support?.supported) return candidate;
	}
	return undefined;
}

/** `vpcC` contents after version and flags, for 8-bit 4:2:0. */
function vpcC(config: EncodeConfig): Uint8Array {
	const full = config.color.range === 'full' ? 1 : 0;
	const location = config.color.chromaLocation === 'topleft' ? 1 : 0;
	const level = Number(codecString(config).split('.')[2]);
	return Uint8Array.of(0, level, (8 << 4) | (location << 1) | full, 2, 2, 2, 0, 0);
}

/** `av1C`: main profile, 8 bit 4:2:0, no sequence header (it is in every keyframe). */
function av1C(config: EncodeConfig): Uint8Array {
	const level = Number(codecString(config).slice(7, 9));
	return Uint8Array.of(0x81, level, 0b0000_1100, 0);
}

/** Collects what the encoder gives; errors are kept until asked for. */
class Output {
	readonly writer = new PacketWriter();
	readonly places = new Map<number, number>();
	description: Uint8Array<ArrayBuffer> | undefined;
	error: unknown;

	readonly onChunk = (chunk: EncodedVideoChunk, metadata?: EncodedVideoChunkMetadata): void => {
		const data = new Uint8Array(chunk.byteLength);
		chunk.copyTo(data);
		const description = metadata?.decoderConfig?.description;
		if (description) this.description ??= copyBytes(description);
		const time = this.places.get(chunk.timestamp);
		if (time === undefined) this.error ??= new EmulsionError('internal', 'WebCodecs gave an unknown timestamp');
		else this.writer.add({ time, duration: 1, key: chunk.type === 'key', data });
	};

	readonly onError = (error: unknown): void => {
		this.error ??= error;
	};

	check(): void {
		if (this.error !== undefined) throw toEmulsionError(this.error);
	}
}

function copyBytes(source: AllowSharedBufferSource): Uint8Array<ArrayBuffer> {
	const view = ArrayBuffer.isView(source)
		? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
		: new Uint8Array(source);
	return new Uint8Array(view);
}

/** Browser encoder. Throws `unsupported-format` where this browser cannot encode the configuration. */
export class WebCodecsEncoder implements ChunkEncoder {
	readonly #config: EncodeConfig;
	#active: VideoEncoder | undefined;

	constructor(config: EncodeConfig) {
		codecString(config);
		this.#config = config;
	}

	/** See {@link ChunkEncoder.encode}. */
	async encode(frames: FrameStream, range: FrameRange, signal: AbortSignal): Promise<EncodedChunk> {
		throwIfAborted(signal);
		const settings = await supportedConfig(this.#config);
		if (!settings) {
			throw new EmulsionError(
				'unsupported-format',
				phrase('browser-encoder', { codec: codecText(this.#config.codec), ...this.#config.size }),
			);
		}
		const started = performance.now();
		const hasher = await FrameHasher.create();
		const frameMd5: string[] = [];
		const output = new Output();
		const encoder = new VideoEncoder({ output: output.onChunk, error: output.onError });
		this.#active = encoder;
		try {
			encoder.configure(settings);
			await forFrames(frames, range, async (frame, place) => {
				throwIfAborted(signal);
				output.check();
				frameMd5.push(this.#submit(encoder, frame, place, hasher, output));
				while (encoder.encodeQueueSize >= QUEUE && encoder.state === 'configured') await dequeued(encoder);
			});
			output.check();
			await encoder.flush();
			output.check();
		} catch (error) {
			throw toEmulsionError(output.error ?? error);
		} finally {
			if (encoder.state !== 'closed') encoder.close();
			this.#active = undefined;
		}
		throwIfAborted(signal);
		const count = range.end - range.start;
		if (output.writer.count !== count) {
			throw new EmulsionError('internal', `WebCodecs gave ${output.writer.count} packets for ${count} frames`);
		}
		const data = output.writer.finish(this.#header(output));
		return { range, data, frameMd5, seconds: (performance.now() - started) / 1000 };
	}

	#submit(encoder: VideoEncoder, frame: PlanarFrame, place: number, hasher: FrameHasher, output: Output): string {
		const config = this.#config;
		checkFrame(frame, config);
		const planes = padPlanes(new Uint8Array(frame.data), frame.format, frame.size, config.size);
		// Times only order packets here; the plan's exact time is given by the muxer.
		const timestamp = Math.round((place * 1e6) / toNumber(config.rate));
		output.places.set(timestamp, place);
		const picture = new VideoFrame(planes, {
			format: 'I420',
			codedWidth: config.size.width,
			codedHeight: config.size.height,
			timestamp,
			layout: planeLayouts(config.format, config.size).map((p) => ({ offset: p.offset, stride: p.stride })),
			colorSpace: colorSpace(config),
		});
		try {
			encoder.encode(picture, { keyFrame: place % (config.keyframes ?? Infinity) === 0, ...quantizer(config) });
		} finally {
			picture.close();
		}
		return hasher.hash(planes, config.format, config.size);
	}

	#header(output: Output): VideoTrackHeader {
		const config = this.#config;
		if (config.codec === 'h264') {
			return { kind: 'video', codec: 'h264', config: toBase64(output.description ?? new Uint8Array()) };
		}
		if (config.codec === 'vp9') return { kind: 'video', codec: 'vp9', config: toBase64(vpcC(config)) };
		return { kind: 'video', codec: 'av1', config: toBase64(output.description ?? av1C(config)) };
	}

	/** Ends a running encode. Idempotent. */
	close(): Promise<void> {
		if (this.#active && this.#active.state !== 'closed') this.#active.close();
		return Promise.resolve();
	}
}

function colorSpace(config: EncodeConfig): VideoColorSpaceInit {
	const { primaries, transfer, matrix, range } = config.color;
	return {
		fullRange: range === 'full',
		...(PRIMARIES[primaries] ? { primaries: PRIMARIES[primaries] } : {}),
		...(TRANSFERS[transfer] ? { transfer: TRANSFERS[transfer] } : {}),
		...(MATRICES[matrix] ? { matrix: MATRICES[matrix] } : {}),
	};
}

/** The options of the WebCodecs codec registrations, of which TypeScript's library knows the one of AVC. */
interface QuantizerOptions extends VideoEncoderEncodeOptions {
	readonly vp9?: { readonly quantizer: number };
	readonly av1?: { readonly quantizer: number };
}

function quantizer(config: EncodeConfig): QuantizerOptions {
	const value = Math.round(config.quality ?? 20);
	if (config.codec === 'h264') return { avc: { quantizer: value } };
	return config.codec === 'vp9' ? { vp9: { quantizer: value } } : { av1: { quantizer: value } };
}

/** Resolves at the next change of the queue, or soon. */
function dequeued(encoder: VideoEncoder): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			clearTimeout(timer);
			encoder.removeEventListener('dequeue', done);
			resolve();
		};
		const timer = setTimeout(done, 100);
		encoder.addEventListener('dequeue', done);
	});
}
