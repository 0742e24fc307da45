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

/** What a pixel beside the kept samples adds to a sample: its distance in taps and its share. */
export interface LiftTap {
	/** Pixels from the sample's own first pixel. */
	readonly offset: number;
	/** Kept sample before the pixel, relative to the sample. */
	readonly left: number;
	readonly share: number;
	/** Weights of the four kept samples that predict the pixel. */
	readonly weights: readonly [number, number, number, number];
}

const LIFTS = new Map<number, readonly LiftTap[]>();

/** The pixels around a kept sample, in order of place. */
export function liftTaps(factor: number): readonly LiftTap[] {
	const known = LIFTS.get(factor);
	if (known) return known;
	const taps: LiftTap[] = [];
	LIFTS.set(factor, taps);
	for (let k = 1 - factor; k < factor; k++) {
		if (k === 0) continue;
		const left = k < 0 ? -1 : 0;
		const t = (k - left * factor) / factor;
		const weights = [cubic(1, 0, 0, 0, t), cubic(0, 1, 0, 0, t), cubic(0, 0, 1, 0, t), cubic(0, 0, 0, 1, t)] as const;
		taps.push({ offset: k, left, share: (factor - Math.abs(k)) / (factor * factor), weights });
	}
	return taps;
}

/** Lines of equal length, one after another, as `downLines` and the vertical pass see them. */
export interface Lines {
	readonly data: Float32Array;
	/** First value, distance between positions along the axis, number of positions. */
	readonly base: number;
	readonly step: number;
	readonly length: number;
	/** Parallel lines and the distance between them. */
	readonly lines: number;
	readonly stride: number;
}

/**
 * Brings parallel lines down along one axis, the exact left inverse of {@link upTaps}: sample `sample` of every line,
 * written to `out[0 … lines − 1]`. `out` is float64, so that nothing is lost before quantization.
 */
export function downSamples(input: Lines, sample: number, axis: AxisSiting, out: Float64Array): void {
	const { data, base, step, length, lines, stride } = input;
	const { factor, cosited } = axis;
	const start = sample * factor;
	const origin = base + start * step;
	for (let i = 0, p = origin; i < lines; i++, p += stride) out[i] = data[p] as number;
	if (factor === 1) return;
	if (!cosited) {
		const pixels = Math.min(factor, length - start);
		for (let k = 1; k < pixels; k++) {
			for (let i = 0, p = origin + k * step; i < lines; i++, p += stride)
				out[i] = (out[i] as number) + (data[p] as number);
		}
		for (let i = 0; i < lines; i++) out[i] = (out[i] as number) / pixels;
		return;
	}
	const last = Math.ceil(length / factor) - 1;
	const kept = (index: number): number => base + clamp(index, 0, last) * factor * step;
	for (const { offset, left, share, weights } of liftTaps(factor)) {
		const pixel = start + offset;
		if (pixel < 0 || pixel >= length) continue;
		const [w0, w1, w2, w3] = weights;
		let p = base + pixel * step;
		let k0 = kept(sample + left - 1);
		let k1 = kept(sample + left);
		let k2 = kept(sample + left + 1);
		let k3 = kept(sample + left + 2);
		for (let i = 0; i < lines; i++) {
			const predicted =
				w0 * (data[k0] as number) + w1 * (data[k1] as number) + w2 * (data[k2] as number) + w3 * (data[k3] as number);
			out[i] = (out[i] as number) + share * ((data[p] as number) - predicted);
			p += stride;
			k0 += stride;
			k1 += stride;
			k2 += stride;
			k3 += stride;
		}
	}
}
