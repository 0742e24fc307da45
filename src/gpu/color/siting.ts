/**
 * Where chroma samples lie, and the pair of filters that goes up and comes back. Both are chosen so that coming down
 * undoes going up exactly: an untouched picture keeps its chroma codes even in 4:2:0.
 *
 * - Co-sited axes: up by interpolation (Catmull-Rom, which keeps the given samples), down by lifting: what the
 *   interpolation does not predict is spread onto the samples by a tent. For factor 2 this is the (9,7) pair of
 *   Deslauriers and Dubuc.
 * - Centered axes: up along each sample's slope with the sample as the mean of its pixels (average interpolation), down by
 *   that mean.
 */

import { chromaShift } from '../../core/color.ts';
import type { ChromaLayout, ChromaLocation } from '../../core/color.ts';
import { clamp } from '../op.ts';

/** How one axis of the chroma planes relates to the picture. */
export interface AxisSiting {
	/** Pixels a chroma sample: 1, 2 or 4. */
	readonly factor: number;
	/** True when a sample lies on its first pixel, false when in the middle of its pixels. */
	readonly cosited: boolean;
}

/** Both axes. */
export interface Siting {
	readonly x: AxisSiting;
	readonly y: AxisSiting;
}

/**
 * The siting of a layout. `unspecified` is the usual one: left for 4:2:0 (MPEG-2, H.264), co-sited for 4:2:2 and
 * 4:1:1, centered for 4:1:0.
 */
export function sitingOf(chroma: ChromaLayout, location: ChromaLocation): Siting {
	const shift = chromaShift(chroma);
	const centeredX = location === 'center' || (location === 'unspecified' && chroma === '410');
	return {
		x: { factor: 1 << shift.x, cosited: !centeredX },
		y: { factor: 1 << shift.y, cosited: location === 'topleft' },
	};
}

/** A row or column of samples: base index and distance between neighbors in an array. */
export interface Line {
	readonly data: Float32Array;
	readonly base: number;
	readonly step: number;
	readonly length: number;
}

function at(line: Line, index: number): number {
	return line.data[line.base + clamp(index, 0, line.length - 1) * line.step] as number;
}

/** Catmull-Rom between samples 1 and 2 of four. */
function cubic(a: number, b: number, c: number, d: number, t: number): number {
	const t2 = t * t;
	const t3 = t2 * t;
	return (
		a * (-0.5 * t3 + t2 - 0.5 * t) +
		b * (1.5 * t3 - 2.5 * t2 + 1) +
		c * (-1.5 * t3 + 2 * t2 + 0.5 * t) +
		d * (0.5 * t3 - 0.5 * t2)
	);
}

/** Taps that make pixel `pixel` of a picture `size` pixels long: four weights, the first for sample `first`. */
export function upTaps(pixel: number, size: number, axis: AxisSiting): { first: number; weights: number[] } {
	const { factor } = axis;
	const sample = Math.floor(pixel / factor);
	const phase = pixel - sample * factor;
	if (factor === 1) return { first: sample - 1, weights: [0, 1, 0, 0] };
	if (axis.cosited) {
		const t = phase / factor;
		return {
			first: sample - 1,
			weights: [cubic(1, 0, 0, 0, t), cubic(0, 1, 0, 0, t), cubic(0, 0, 1, 0, t), cubic(0, 0, 0, 1, t)],
		};
	}
	// The last cell may be cut by the picture's edge; offsets always sum to zero over the pixels it has.
	const pixels = Math.min(factor, size - sample * factor);
	const offset = (phase - (pixels - 1) / 2) / factor / 2;
	return { first: sample - 1, weights: [-offset, 1, offset, 0] };
}

/** Chroma sample `sample` of a line of pixels: the exact left inverse of {@link upTaps}. */
export function downSample(line: Line, sample: number, axis: AxisSiting): number {
	const { factor } = axis;
	if (factor === 1) return at(line, sample);
	const start = sample * factor;
	if (!axis.cosited) {
		const pixels = Math.min(factor, line.length - start);
		let sum = 0;
		for (let k = 0; k < pixels; k++) sum += at(line, start + k);
		return sum / pixels;
	}
	const samples = Math.ceil(line.length / factor);
	const kept = (index: number): number => at(line, clamp(index, 0, samples - 1) * factor);
	let value = at(line, start);
	for (let k = 1 - factor; k < factor; k++) {
		const pixel = start + k;
		if (k === 0 || pixel < 0 || pixel >= line.length) continue;
		const left = k < 0 ? sample - 1 : sample;
		const t = (pixel - left * factor) / factor;
		const predicted = cubic(kept(left - 1), kept(left), kept(left + 1), kept(left + 2), t);
		value += ((factor - Math.abs(k)) / (factor * factor)) * (at(line, pixel) - predicted);
	}
	return value;
}
