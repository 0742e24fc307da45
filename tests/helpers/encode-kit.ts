/** Frames, timelines and checks of the encode, mux and audio tests. */

import type { PlanarFrame } from '../../src/contracts/frames.ts';
import type { ContainerId, EncodeConfig, EncodedChunk } from '../../src/contracts/media.ts';
import { type PixelFormat, type Size, ffmpegPixelFormat, frameBytes, planeLayouts } from '../../src/core/color.ts';
import { type Rational, add, rational } from '../../src/core/rational.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';
import type { EncodeSource } from '../../src/media/encode/choose.ts';
import { BT709 } from './color.ts';
import { runNative, writeNative } from './native.ts';

/** A moving gradient with a little noise, the same for the same arguments: compressible, and different in every plane and frame. */
export function testPlanes(format: PixelFormat, size: Size, index: number): ArrayBuffer {
	const data = new ArrayBuffer(frameBytes(format, size));
	const max = format.sample === 'f32' ? 1 : 2 ** format.depth - 1;
	const view =
		format.sample === 'u8'
			? new Uint8Array(data)
			: format.sample === 'u16'
				? new Uint16Array(data)
				: new Float32Array(data);
	let seed = 12345 + index;
	planeLayouts(format, size).forEach((plane, p) => {
		for (let y = 0; y < plane.height; y++) {
			for (let x = 0; x < plane.width; x++) {
				seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
				const wave = 0.5 + 0.35 * Math.sin((x * (p + 1) + y * 2 + index * 3) / 17) + ((seed >> 16) % 64) / 3200;
				view[plane.offset + y * plane.stride + x] =
					format.sample === 'f32' ? Math.fround(wave) : Math.round(wave * max);
			}
		}
	});
	return data;
}

/** Durations as a timeline that starts at `start`. */
export function timelineOf(durations: readonly Rational[], start: Rational = rational(0)): TimelineFrame[] {
	let pts = start;
	return durations.map((duration, index) => {
		const frame: TimelineFrame = { index, pts, duration, origin: 'original', needs: [index], shot: 0 };
		pts = add(pts, duration);
		return frame;
	});
}

/** `count` frames of one duration. */
export function constant(count: number, duration: Rational): TimelineFrame[] {
	return timelineOf(Array.from({ length: count }, () => duration));
}

/** Frames of a configuration's planes; size may be the unpadded one. */
export async function* frameStream(
	config: Pick<EncodeConfig, 'format' | 'size' | 'color'>,
	timeline: readonly TimelineFrame[],
	start = 0,
	end = timeline.length,
): AsyncGenerator<PlanarFrame> {
	for (let i = start; i < end; i++) {
		const at = timeline[i];
		if (!at) return;
		await Promise.resolve();
		yield {
			format: config.format,
			size: config.size,
			data: testPlanes(config.format, config.size, i),
			color: config.color,
			fields: 'progressive',
			pts: at.pts,
			duration: at.duration,
			index: i,
		};
	}
}

/** A source for `chooseEncode`. */
export function sourceOf(format: PixelFormat, size: Size, extra: Partial<EncodeSource> = {}): EncodeSource {
	return {
		format,
		size,
		color: format.chroma === 'rgb' ? { ...BT709, matrix: 'rgb', range: 'full', chromaLocation: 'unspecified' } : BT709,
		fields: 'progressive',
		sampleAspect: rational(1),
		rotation: 0,
		timebase: rational(1, 24),
		rate: rational(24),
		...extra,
	};
}

/** Decodes a written file natively to raw planes of a format (in our plane order for YUV and gray; G, B, R for RGB). */
export async function decodeNative(file: Blob, name: string, format: PixelFormat): Promise<Uint8Array<ArrayBuffer>> {
	await writeNative(name, file);
	return runNative('ffmpeg', [
		...['-i', name, '-map', '0:v', '-fps_mode', 'passthrough', '-pix_fmt', ffmpegPixelFormat(format)],
		...['-f', 'rawvideo', '-'],
	]);
}

/** framemd5 of a written file, decoded natively. */
export async function md5Native(name: string, format: PixelFormat): Promise<string[]> {
	const text = new TextDecoder().decode(
		await runNative('ffmpeg', [
			...['-i', name, '-map', '0:v', '-fps_mode', 'passthrough', '-pix_fmt', ffmpegPixelFormat(format)],
			...['-f', 'framemd5', '-'],
		]),
	);
	return text
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => line.split(',').at(-1)?.trim() ?? '');
}

/** PSNR in dB of 8-bit or 16-bit samples. */
export function psnr(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>, depth: number): number {
	const wide = depth > 8;
	const x = wide ? new Uint16Array(a.buffer, a.byteOffset, a.length / 2) : a;
	const y = wide ? new Uint16Array(b.buffer, b.byteOffset, b.length / 2) : b;
	let sum = 0;
	for (let i = 0; i < x.length; i++) sum += ((x[i] ?? 0) - (y[i] ?? 0)) ** 2;
	return 10 * Math.log10((2 ** depth - 1) ** 2 / Math.max(1e-9, sum / x.length));
}

/** All planes of a timeline, joined. */
export function allPlanes(format: PixelFormat, size: Size, count: number): Uint8Array<ArrayBuffer> {
	const bytes = frameBytes(format, size);
	const result = new Uint8Array(bytes * count);
	for (let i = 0; i < count; i++) result.set(new Uint8Array(testPlanes(format, size, i)), i * bytes);
	return result;
}

/** Bytes of a chunk, for comparisons. */
export async function chunkBytes(chunk: EncodedChunk): Promise<Uint8Array<ArrayBuffer>> {
	return new Uint8Array(await chunk.data.arrayBuffer());
}

/** A sink in memory. */
export class MemorySink {
	readonly parts: Uint8Array<ArrayBuffer>[] = [];

	/** Appends. */
	write(data: Uint8Array<ArrayBuffer>): Promise<void> {
		this.parts.push(data.slice());
		return Promise.resolve();
	}

	/** Nothing to publish. */
	close(): Promise<void> {
		return Promise.resolve();
	}

	/** Forgets everything. */
	abort(): Promise<void> {
		this.parts.length = 0;
		return Promise.resolve();
	}

	/** What was written. */
	get blob(): Blob {
		return new Blob(this.parts);
	}
}

/** Containers that are one file. */
export const FILM_CONTAINERS: readonly ContainerId[] = ['mp4', 'mov', 'mkv', 'webm'];
