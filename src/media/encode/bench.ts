/** How fast each encoder is on this machine: frames are made beforehand, so that nothing but encoding is timed. */

import { type PixelFormat, type Size, frameBytes } from '../../core/color.ts';
import { rational } from '../../core/rational.ts';
import type { PlanarFrame } from '../../contracts/frames.ts';
import type { ContainerId, EncodeCodec } from '../../contracts/media.ts';
import { chooseEncode } from './choose.ts';
import { createEncoder } from './encoder.ts';
import { type EncodeEngine, pixelFormat } from './formats.ts';
import { supportedConfig } from './webcodecs-encoder.ts';

/** One measured encoder. */
export interface EncodeRate {
	readonly container: ContainerId;
	readonly codec: EncodeCodec;
	readonly engine: EncodeEngine;
	/** ffmpeg-like words: `420 8`. */
	readonly format: string;
	readonly framesPerSecond: number;
	/** Of the packets or files, a frame. */
	readonly bytesPerFrame: number;
	/** Encoder start included in the rate, in seconds: the time of a one-frame chunk. */
	readonly startSeconds: number;
}

const CASES: readonly (readonly [ContainerId, EncodeCodec, EncodeEngine, PixelFormat])[] = [
	['mp4', 'h264', 'software', pixelFormat('420', 8)],
	['mp4', 'h264', 'software', pixelFormat('422', 10)],
	['mp4', 'h264', 'webcodecs', pixelFormat('420', 8)],
	['mp4', 'av1', 'webcodecs', pixelFormat('420', 8)],
	['webm', 'vp9', 'webcodecs', pixelFormat('420', 8)],
	['mov', 'prores-422hq', 'software', pixelFormat('422', 10)],
	['mkv', 'ffv1', 'software', pixelFormat('420', 8)],
	['mkv', 'ffv1', 'software', pixelFormat('rgb', 16)],
	['png', 'png', 'software', pixelFormat('rgb', 8)],
	['tiff', 'tiff', 'software', pixelFormat('rgb', 16)],
	['dpx', 'dpx', 'software', pixelFormat('rgb', 10)],
];

/** A few different frames of moving gradients with noise, as film has it. */
function makeFrames(format: PixelFormat, size: Size): ArrayBuffer[] {
	const max = 2 ** format.depth - 1;
	let seed = 1;
	return Array.from({ length: 4 }, (_, n) => {
		const data = new ArrayBuffer(frameBytes(format, size));
		const view = format.sample === 'u8' ? new Uint8Array(data) : new Uint16Array(data);
		for (let i = 0; i < view.length; i++) {
			seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
			const wave = 0.5 + 0.4 * Math.sin(((i % size.width) + n * 4) / 40) + ((seed >> 16) % 64) / 3200;
			view[i] = Math.max(0, Math.min(max, Math.round(wave * max)));
		}
		return data;
	});
}

/** Encodes `frames` frames of `size` with every encoder this browser has. Results in the order of the table. */
export async function benchEncode(size: Size, frames: number, signal: AbortSignal): Promise<EncodeRate[]> {
	const rates: EncodeRate[] = [];
	for (const [container, codec, engine, format] of CASES) {
		const isRgb = format.chroma === 'rgb';
		const { config } = chooseEncode(
			{
				format,
				size,
				color: {
					primaries: 'bt709',
					transfer: 'bt709',
					matrix: isRgb ? 'rgb' : 'bt709',
					range: isRgb ? 'full' : 'limited',
					chromaLocation: isRgb ? 'unspecified' : 'left',
				},
				fields: 'progressive',
				sampleAspect: rational(1),
				rotation: 0,
				timebase: rational(1, 24),
				rate: rational(24),
			},
			container,
			{ codec, engine },
		);
		if (engine === 'webcodecs' && !(await supportedConfig(config))) continue;
		const made = makeFrames(format, size);
		const run = async (count: number): Promise<{ seconds: number; bytes: number }> => {
			const stream = async function* (): AsyncGenerator<PlanarFrame> {
				for (let index = 0; index < count; index++) {
					await Promise.resolve();
					const data = (made[index % made.length] ?? new ArrayBuffer(0)).slice(0);
					const pts = rational(index, 24);
					yield { ...config, data, pts, duration: rational(1, 24), index };
				}
			};
			const encoder = createEncoder(config);
			const chunk = await encoder.encode(stream(), { start: 0, end: count }, signal);
			await encoder.close();
			const files = (chunk.files ?? []).reduce((n, f) => n + f.data.size, 0);
			return { seconds: chunk.seconds, bytes: chunk.data.size + files };
		};
		const { seconds: startSeconds } = await run(1);
		const { seconds, bytes } = await run(frames);
		rates.push({
			...{ container, codec, engine, format: `${format.chroma} ${format.depth}`, startSeconds },
			framesPerSecond: frames / seconds,
			bytesPerFrame: bytes / frames,
		});
	}
	return rates;
}
