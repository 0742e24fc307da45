/** Planes of numbers, and the few filters that the metrics share. Borders repeat the outermost value. */

import type { QualityFrame } from '../../contracts/quality.ts';

/** One plane, rows one after the other. */
export interface Plane {
	readonly data: Float32Array;
	readonly width: number;
	readonly height: number;
}

/** Weights of R′G′B′ in the judge's luma (BT.709), whatever the film's matrix: all versions are measured alike. */
export const LUMA = [0.2126, 0.7152, 0.0722] as const;

/** Luma of a frame. */
export function lumaOf({ data, width, height }: QualityFrame): Plane {
	const area = width * height;
	const out = new Float32Array(area);
	for (let i = 0; i < area; i++) {
		out[i] = LUMA[0] * data[i]! + LUMA[1] * data[area + i]! + LUMA[2] * data[2 * area + i]!;
	}
	return { data: out, width, height };
}

/** A part of a frame. */
export function cropFrame(
	{ data, width, height }: QualityFrame,
	rect: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): QualityFrame & { readonly data: Float32Array<ArrayBuffer> } {
	const out = new Float32Array(3 * rect.width * rect.height);
	for (let c = 0, at = 0; c < 3; c++) {
		for (let y = 0; y < rect.height; y++, at += rect.width) {
			const from = (c * height + rect.y + y) * width + rect.x;
			out.set(data.subarray(from, from + rect.width), at);
		}
	}
	return { data: out, width: rect.width, height: rect.height };
}

/** The taps of a Gaussian, normalized, `2·radius + 1` of them. */
export function gaussianTaps(sigma: number, radius = Math.ceil(3.5 * sigma)): Float64Array {
	const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
		Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
	);
	const sum = taps.reduce((a, b) => a + b, 0);
	return taps.map((v) => v / sum);
}

/** A plane filtered by the same symmetric taps in rows and columns. */
export function separable({ data, width, height }: Plane, taps: ArrayLike<number>): Plane {
	const radius = (taps.length - 1) / 2;
	const rows = new Float32Array(data.length);
	const line = new Float32Array(width + 2 * radius);
	for (let y = 0; y < height; y++) {
		const row = data.subarray(y * width, (y + 1) * width);
		line.set(row, radius);
		line.fill(row[0]!, 0, radius);
		line.fill(row[width - 1]!, radius + width);
		const target = rows.subarray(y * width, (y + 1) * width);
		for (let k = 0; k < taps.length; k++) {
			const weight = taps[k]!;
			for (let x = 0; x < width; x++) target[x]! += weight * line[x + k]!;
		}
	}
	const out = new Float32Array(data.length);
	for (let y = 0; y < height; y++) {
		const target = out.subarray(y * width, (y + 1) * width);
		for (let k = 0; k < taps.length; k++) {
			const from = Math.min(height - 1, Math.max(0, y + k - radius)) * width;
			const weight = taps[k]!;
			for (let x = 0; x < width; x++) target[x]! += weight * rows[from + x]!;
		}
	}
	return { data: out, width, height };
}

/** A plane reduced by a whole factor, each value the mean of its square; what is left over at the right and bottom is cut. */
export function reduceBy({ data, width, height }: Plane, factor: number): Plane {
	if (factor === 1) return { data, width, height };
	const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)];
	const out = new Float32Array(w * h);
	const scale = 1 / (factor * factor);
	for (let y = 0; y < h * factor; y++) {
		const target = out.subarray(Math.floor(y / factor) * w);
		const row = data.subarray(y * width, y * width + w * factor);
		for (let x = 0, i = 0; x < w; x++) {
			let sum = 0;
			for (let k = 0; k < factor; k++) sum += row[i++]!;
			target[x]! += scale * sum;
		}
	}
	return { data: out, width: w, height: h };
}

/** The mean of what is there; null where nothing is. */
export function meanOf(values: readonly (number | null)[]): number | null {
	const known = values.filter((v) => v !== null);
	return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
}

/** The middle of what is there (the lower one of two); NaN where nothing is. */
export function median(values: ArrayLike<number>): number {
	const sorted = Float64Array.from(values).sort();
	return sorted[(sorted.length - 1) >> 1] ?? NaN;
}
