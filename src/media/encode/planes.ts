/**
 * Pure re-layout of planes on the way into an encoder: edge-repeat padding of odd sizes, ffmpeg's G, B, R plane order,
 * and the packed 8-bit layouts a few encoders insist on. No sample value is ever changed here.
 */

import { type PixelFormat, type Size, frameBytes, planeLayouts, sampleBytes } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';

/** How an encoder wants 8-bit pictures that it does not take as planes: ffmpeg's `bgr0`, `bgra` and `ya8`. */
export type PackedLayout = 'bgr0' | 'bgra' | 'ya8';

/** Plane order of ffmpeg's planar RGB (G, B, R, A) in terms of ours (R, G, B, A). */
const GBR = [1, 2, 0, 3] as const;

/**
 * Frame bytes with the last column and row repeated until `to` is reached; the same buffer when the sizes are equal.
 * Throws `internal` when `to` is smaller.
 */
export function padPlanes(
	data: Uint8Array<ArrayBuffer>,
	format: PixelFormat,
	from: Size,
	to: Size,
): Uint8Array<ArrayBuffer> {
	if (from.width === to.width && from.height === to.height) return data;
	if (to.width < from.width || to.height < from.height) {
		throw new EmulsionError('internal', `pad: ${from.width}×${from.height} does not fit into ${to.width}×${to.height}`);
	}
	const bytes = sampleBytes(format);
	const result = new Uint8Array(frameBytes(format, to));
	const source = planeLayouts(format, from);
	planeLayouts(format, to).forEach((target, index) => {
		const plane = source[index];
		if (!plane) return;
		for (let y = 0; y < target.height; y++) {
			const start = (plane.offset + Math.min(y, plane.height - 1) * plane.width) * bytes;
			const row = data.subarray(start, start + plane.width * bytes);
			const at = (target.offset + y * target.width) * bytes;
			result.set(row, at);
			const last = row.subarray(row.length - bytes);
			for (let x = plane.width; x < target.width; x++) result.set(last, at + x * bytes);
		}
	});
	return result;
}

/**
 * The frame's bytes as ffmpeg's raw video of `ffmpegPixelFormat(format)` holds them: planar RGB in G, B, R order,
 * gray with alpha interleaved, everything else as it is (no copy).
 */
export function ffmpegPlanes(data: Uint8Array, format: PixelFormat, size: Size): Uint8Array {
	if (format.chroma === 'gray' && format.alpha) return interleave(data, format, size);
	if (format.chroma !== 'rgb') return data;
	const layouts = planeLayouts(format, size);
	const bytes = size.width * size.height * sampleBytes(format);
	const result = new Uint8Array(data.length);
	layouts.forEach((_, i) => {
		const from = (GBR[i] ?? i) * bytes;
		result.set(data.subarray(from, from + bytes), i * bytes);
	});
	return result;
}

function interleave(data: Uint8Array, format: PixelFormat, size: Size): Uint8Array {
	const bytes = sampleBytes(format);
	const count = size.width * size.height;
	const result = new Uint8Array(data.length);
	for (let i = 0; i < count; i++) {
		for (let b = 0; b < bytes; b++) {
			result[2 * i * bytes + b] = data[i * bytes + b] ?? 0;
			result[(2 * i + 1) * bytes + b] = data[(count + i) * bytes + b] ?? 0;
		}
	}
	return result;
}

/** Packs 8-bit planes (R, G, B, A or gray, alpha) pixel by pixel. */
export function packPixels(data: Uint8Array, size: Size, layout: PackedLayout): Uint8Array {
	const count = size.width * size.height;
	if (layout === 'ya8') {
		return interleave(data, { chroma: 'gray', depth: 8, sample: 'u8', alpha: true }, size);
	}
	const words = new Uint32Array(count);
	const hasAlpha = layout === 'bgra';
	for (let i = 0; i < count; i++) {
		const r = data[i] ?? 0;
		const g = data[count + i] ?? 0;
		const b = data[2 * count + i] ?? 0;
		const a = hasAlpha ? (data[3 * count + i] ?? 0) : 0;
		words[i] = b | (g << 8) | (r << 16) | (a << 24);
	}
	return new Uint8Array(words.buffer);
}
