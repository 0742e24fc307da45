/**
 * Rows of chroma and codes on the CPU. Loops run along memory, their weights and buffers are made once a frame, and each
 * gives the same bits as {@link upTaps} and its inverse of siting.ts applied to one sample after another.
 */

import { clamp } from '../op.ts';
import { DITHER_AMPLITUDE, DITHER_SCALES } from './dither.ts';
import { liftTaps, upTaps } from './siting.ts';
import type { AxisSiting } from './siting.ts';

/** Packed samples as they lie in a frame. */
export type Samples = Uint8Array | Uint16Array | Float32Array;

/** Weights of a whole axis: four a pixel, of the samples around its own (clamped at the ends). */
export interface AxisTaps {
	readonly factor: number;
	readonly indices: Int32Array;
	readonly weights: Float64Array;
}

/** Taps of an axis `pixels` long whose chroma has `samples`. */
export function axisTaps(pixels: number, samples: number, axis: AxisSiting): AxisTaps {
	const indices = new Int32Array(pixels * 4);
	const weights = new Float64Array(pixels * 4);
	for (let p = 0; p < pixels; p++) {
		const tap = upTaps(p, pixels, axis);
		for (let k = 0; k < 4; k++) {
			indices[p * 4 + k] = clamp(tap.first + k, 0, samples - 1);
			weights[p * 4 + k] = tap.weights[k] as number;
		}
	}
	return { factor: axis.factor, indices, weights };
}

/** A row with its first value once before it and its last twice after it: taps never leave it. */
function padded(samples: number): Float64Array {
	return new Float64Array(samples + 3);
}

function repeatEdges(row: Float64Array): void {
	const last = row.length - 3;
	row[0] = row[1] as number;
	row[last + 1] = row[last] as number;
	row[last + 2] = row[last] as number;
}

/** One subsampled chroma plane, read in rows of the picture's width. */
export class ChromaRows {
	readonly #samples: Samples;
	readonly #offset: number;
	readonly #width: number;
	readonly #vertical: AxisTaps;
	readonly #horizontal: AxisTaps;
	/** The plane's rows in use, row `r` at `r % 4`. */
	readonly #rows: readonly Float64Array[];
	readonly #held = [-1, -1, -1, -1];
	readonly #column: Float64Array;

	/** Plane of `width` samples a row at `offset`. */
	constructor(samples: Samples, offset: number, width: number, vertical: AxisTaps, horizontal: AxisTaps) {
		this.#samples = samples;
		this.#offset = offset;
		this.#width = width;
		this.#vertical = vertical;
		this.#horizontal = horizontal;
		this.#rows = [0, 1, 2, 3].map(() => new Float64Array(width));
		this.#column = padded(width);
	}

	/** Row `y` of the picture into `row`. */
	read(y: number, row: Float64Array): void {
		this.#blend(y);
		repeatEdges(this.#column);
		widen(this.#column, row, this.#horizontal);
	}

	#row(index: number): Float64Array {
		const row = this.#rows[index % 4] as Float64Array;
		if (this.#held[index % 4] !== index) {
			const start = this.#offset + index * this.#width;
			row.set(this.#samples.subarray(start, start + this.#width));
			this.#held[index % 4] = index;
		}
		return row;
	}

	#blend(y: number): void {
		const { indices, weights } = this.#vertical;
		const at = y * 4;
		const w0 = weights[at] as number;
		const w1 = weights[at + 1] as number;
		const w2 = weights[at + 2] as number;
		const w3 = weights[at + 3] as number;
		const column = this.#column;
		const width = this.#width;
		const b = this.#row(indices[at + 1] as number);
		if (w0 === 0 && w2 === 0 && w3 === 0) {
			for (let x = 0; x < width; x++) column[x + 1] = w1 * (b[x] as number);
			return;
		}
		const a = this.#row(indices[at] as number);
		const c = this.#row(indices[at + 2] as number);
		if (w3 === 0) {
			for (let x = 0; x < width; x++)
				column[x + 1] = w0 * (a[x] as number) + w1 * (b[x] as number) + w2 * (c[x] as number);
			return;
		}
		const d = this.#row(indices[at + 3] as number);
		for (let x = 0; x < width; x++)
			column[x + 1] = w0 * (a[x] as number) + w1 * (b[x] as number) + w2 * (c[x] as number) + w3 * (d[x] as number);
	}
}

/** Upsamples a padded row. Whole cells share the weights of their phase; the last one may be cut and has its own. */
function widen(column: Float64Array, row: Float64Array, { factor, indices, weights }: AxisTaps): void {
	const cells = Math.floor(row.length / factor);
	for (let phase = 0; phase < factor && cells > 0; phase++) {
		const w0 = weights[phase * 4] as number;
		const w1 = weights[phase * 4 + 1] as number;
		const w2 = weights[phase * 4 + 2] as number;
		const w3 = weights[phase * 4 + 3] as number;
		if (w0 === 0 && w1 === 1 && w2 === 0 && w3 === 0) {
			for (let s = 0, x = phase; s < cells; s++, x += factor) row[x] = column[s + 1] as number;
		} else {
			for (let s = 0, x = phase; s < cells; s++, x += factor) {
				row[x] =
					w0 * (column[s] as number) +
					w1 * (column[s + 1] as number) +
					w2 * (column[s + 2] as number) +
					w3 * (column[s + 3] as number);
			}
		}
	}
	for (let x = cells * factor; x < row.length; x++) {
		let sum = 0;
		for (let k = x * 4; k < x * 4 + 4; k++) {
			sum += (weights[k] as number) * (column[(indices[k] as number) + 1] as number);
		}
		row[x] = sum;
	}
}

/** Brings rows down to the width of the chroma planes, the left inverse of {@link widen}. */
export class NarrowRows {
	readonly #axis: AxisSiting;
	readonly #width: number;
	readonly #kept: Float64Array;
	/** What the kept samples do not predict of the pixels between them; a cell of zeros before and after. */
	readonly #detail: Float64Array;

	/** Rows of `width` pixels. */
	constructor(width: number, axis: AxisSiting) {
		const samples = Math.ceil(width / axis.factor);
		this.#axis = axis;
		this.#width = width;
		this.#kept = padded(samples);
		this.#detail = new Float64Array((samples + 2) * axis.factor);
	}

	/** `row` into `out`, from `at` on. */
	write(row: Float32Array, out: Float32Array, at: number): void {
		if (this.#axis.factor === 1) out.set(row, at);
		else if (this.#axis.cosited) this.#lift(row, out, at);
		else this.#average(row, out, at);
	}

	#average(row: Float32Array, out: Float32Array, at: number): void {
		const { factor } = this.#axis;
		const width = this.#width;
		for (let start = 0, o = at; start < width; start += factor, o++) {
			const pixels = Math.min(factor, width - start);
			let sum = row[start] as number;
			for (let k = 1; k < pixels; k++) sum += row[start + k] as number;
			out[o] = sum / pixels;
		}
	}

	#lift(row: Float32Array, out: Float32Array, at: number): void {
		const { factor } = this.#axis;
		const kept = this.#kept;
		const samples = kept.length - 3;
		for (let s = 0, x = 0; s < samples; s++, x += factor) kept[s + 1] = row[x] as number;
		repeatEdges(kept);
		this.#predict(row);
		const detail = this.#detail;
		if (factor === 2) {
			// The usual case; the general loop below does the same.
			for (let s = 0, d = 1; s < samples; s++, d += 2) {
				out[at + s] = (kept[s + 1] as number) + 0.25 * (detail[d] as number) + 0.25 * (detail[d + 2] as number);
			}
			return;
		}
		const taps = liftTaps(factor);
		for (let s = 0; s < samples; s++) {
			let value = kept[s + 1] as number;
			const start = (s + 1) * factor;
			for (const { offset, share } of taps) value += share * (detail[start + offset] as number);
			out[at + s] = value;
		}
	}

	#predict(row: Float32Array): void {
		const { factor } = this.#axis;
		const kept = this.#kept;
		const detail = this.#detail;
		const width = this.#width;
		for (const { offset: phase, weights } of liftTaps(factor)) {
			if (phase < 0) continue;
			const [w0, w1, w2, w3] = weights;
			for (let s = 0, x = phase; x < width; s++, x += factor) {
				const predicted =
					w0 * (kept[s] as number) +
					w1 * (kept[s + 1] as number) +
					w2 * (kept[s + 2] as number) +
					w3 * (kept[s + 3] as number);
				detail[x + factor] = (row[x] as number) - predicted;
			}
		}
	}
}

/** How values become codes. */
export interface Quantizer {
	/** Code of zero plus the rounding half. */
	readonly zero: number;
	readonly span: number;
	readonly max: number;
	readonly dither: boolean;
	readonly plane: number;
	readonly seed: number;
}

/** The whole part within 0…max. Cutting off is faster than rounding down, and the same where nothing is negative. */
function toCode(value: number, max: number): number {
	return value <= 0 ? 0 : value >= max ? max : value | 0;
}

/** One row of values to codes, rounded and clamped. The noise is {@link ditherNoise}'s, its parts of the row taken out. */
export function quantizeRow(values: Float64Array, codes: Uint16Array, y: number, q: Quantizer): void {
	const { zero, span, max } = q;
	const count = values.length;
	if (!q.dither) {
		for (let x = 0; x < count; x++) {
			codes[x] = toCode((values[x] as number) * span + zero, max);
		}
		return;
	}
	const place = Math.imul(y, DITHER_SCALES[1]) ^ Math.imul(q.plane, DITHER_SCALES[2]);
	const base = place ^ Math.imul(q.seed, DITHER_SCALES[3]);
	const step = DITHER_SCALES[0] | 0;
	for (let x = 0, column = 0; x < count; x++, column = (column + step) | 0) {
		let h = column ^ base;
		h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
		h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
		h ^= h >>> 15;
		const noise = ((h >>> 8) / 0x1000000 - 0.5) * 2 * DITHER_AMPLITUDE;
		codes[x] = toCode((values[x] as number) * span + zero + noise, max);
	}
}
