/**
 * Grain as a field: white noise that depends on nothing but a pixel's place, the channel and a seed, filtered to the grain's spectrum. Any part
 * of a field can be made alone, so tiles join without a seam and a picture of any size needs no pattern that repeats.
 */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import type { Rect } from '../../core/tiles.ts';
import { clamp, f32, groups, i32, produce, u32, using } from '../../gpu/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import columnsWgsl from './columns.wgsl?raw';
import type { Kernel, Term } from './kernel.ts';
import layWgsl from './lay.wgsl?raw';
import rowsWgsl from './rows.wgsl?raw';
import whiteWgsl from './white.wgsl?raw';

/** A well-mixing permutation of 32-bit words (lowbias32, C. Wellons, found by search, public domain). */
export function hash32(value: number): number {
	let h = value >>> 0;
	h ^= h >>> 16;
	h = Math.imul(h, 0x7feb352d);
	h ^= h >>> 15;
	h = Math.imul(h, 0x846ca68b);
	return (h ^ (h >>> 16)) >>> 0;
}

const bytes = (word: number): number => (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);

/**
 * The sum of eight random bytes, centered, over its standard deviation √(8·(256² − 1)/12): nearly normal, and exact on every machine, which
 * logarithms and cosines are not. Filtering makes it normal. Each coordinate is hashed before it meets the others: otherwise two seeds, or two
 * columns, could hold the same noise in another order.
 */
function normal(x: number, y: number, seed: number, layer: number): number {
	const place = hash32(hash32(x) + seed) ^ hash32(y + 0x2545f491);
	const first = hash32((place >>> 0) + Math.imul(layer, 0x9e3779b9));
	const second = hash32(first + 0x85ebca6b);
	return (bytes(first) + bytes(second) - 1020) * 0.0047842;
}

/** Parameters of {@link whiteOp}. */
export interface WhiteParams {
	/** Which part of the endless field. */
	readonly rect: Rect;
	readonly seed: number;
	/** Lower-triangular mixing of three independent layers into the channels, 3×3. */
	readonly mixing: readonly number[];
}

/** No input; output: 3 channels of white noise of variance 1, correlated by `mixing`. */
export const whiteOp: Op<WhiteParams> = {
	id: 'grain/white',
	wgsl: whiteWgsl,
	uniforms: ({ rect, seed, mixing: m }) => [
		u32(rect.width),
		u32(rect.height),
		i32(rect.x),
		i32(rect.y),
		u32(seed >>> 0),
		...[m[0]!, m[3]!, m[4]!, m[6]!, m[7]!, m[8]!].map(f32),
	],
	dispatch: ({ rect }) => groups(rect.width, rect.height),
	cpu: (_inputs, [output], { rect, seed, mixing: m }) => {
		if (!output) return;
		const area = rect.width * rect.height;
		for (let y = 0, i = 0; y < rect.height; y++) {
			for (let x = 0; x < rect.width; x++, i++) {
				const [px, py] = [x + rect.x, y + rect.y];
				const [a, b, c] = [normal(px, py, seed, 0), normal(px, py, seed, 1), normal(px, py, seed, 2)];
				output[i] = m[0]! * a;
				output[area + i] = m[3]! * a + m[4]! * b;
				output[2 * area + i] = m[6]! * a + m[7]! * b + m[8]! * c;
			}
		}
	},
};

/** Parameters of {@link rowsOp} and {@link columnsOp}. */
export interface FilterParams {
	/** Of the output. */
	readonly width: number;
	readonly height: number;
	readonly radius: number;
	/** First tap of channel 0, and taps from one channel's to the next one's. */
	readonly first: number;
	readonly step: number;
}

const filterUniforms = ({ width, height, radius, first, step }: FilterParams) =>
	[width, height, radius, first, step].map(u32);

/** Inputs: 3 channels, `2·radius` wider than the output; taps. Output: the rows filtered. */
export const rowsOp: Op<FilterParams> = {
	id: 'grain/rows',
	wgsl: rowsWgsl,
	uniforms: filterUniforms,
	dispatch: ({ width, height }) => groups(width, height, 3),
	cpu: ([input, taps], [output], { width, height, radius, first, step }) => {
		if (!input || !taps || !output) return;
		const wide = width + 2 * radius;
		for (let row = 0; row < 3 * height; row++) {
			const tap = first + Math.floor(row / height) * step;
			const target = output.subarray(row * width, (row + 1) * width).fill(0);
			for (let k = 0; k <= 2 * radius; k++) {
				const [weight, from] = [taps[tap + k]!, row * wide + k];
				for (let x = 0; x < width; x++) target[x]! += weight * input[from + x]!;
			}
		}
	},
};

/** Inputs: 3 channels, `2·radius` higher than the output; the terms before; taps. Output: the columns filtered and added. */
export const columnsOp: Op<FilterParams> = {
	id: 'grain/columns',
	wgsl: columnsWgsl,
	uniforms: filterUniforms,
	dispatch: ({ width, height }) => groups(width, height, 3),
	cpu: ([input, before, taps], [output], { width, height, radius, first, step }) => {
		if (!input || !before || !taps || !output) return;
		for (let c = 0; c < 3; c++) {
			for (let y = 0; y < height; y++) {
				const at = (c * height + y) * width;
				const target = output.subarray(at, at + width);
				target.set(before.subarray(at, at + width));
				for (let k = 0; k <= 2 * radius; k++) {
					const weight = taps[first + c * step + k]!;
					const from = (c * (height + 2 * radius) + y + k) * width;
					for (let x = 0; x < width; x++) target[x]! += weight * input[from + x]!;
				}
			}
		}
	},
};

/** Parameters of {@link layOp}. */
export interface LayParams {
	readonly width: number;
	readonly height: number;
	/** Strengths a channel, at the middles of equal parts of 0…1. */
	readonly levels: number;
}

/** Inputs: picture (3 channels), field, strengths (3 × levels). Output: the picture with the field, as strong as its own level says. */
export const layOp: Op<LayParams> = {
	id: 'grain/lay',
	wgsl: layWgsl,
	uniforms: ({ width, height, levels }) => [u32(width), u32(height), u32(levels)],
	dispatch: ({ width, height }) => groups(width, height, 3),
	cpu: ([picture, field, strengths], [output], { width, height, levels }) => {
		if (!picture || !field || !strengths || !output) return;
		const area = width * height;
		for (let i = 0; i < 3 * area; i++) {
			const at = clamp(picture[i]! * levels - 0.5, 0, levels - 1);
			const low = Math.floor(at);
			const base = Math.floor(i / area) * levels;
			const [s, t] = [strengths[base + low]!, strengths[base + Math.min(low + 1, levels - 1)]!];
			output[i] = picture[i]! + (s + (t - s) * (at - low)) * field[i]!;
		}
	},
};

/** What a field is made of. */
export interface FieldRecipe {
	/** A filter for each channel. */
	readonly kernels: readonly Kernel[];
	/** See {@link WhiteParams}. */
	readonly mixing: readonly number[];
}

function paddedTaps(taps: Float64Array | undefined, side: number): Float32Array {
	const out = new Float32Array(side);
	if (taps) out.set(taps, (side - taps.length) / 2);
	return out;
}

/** Part of a field: 3 channels of variance 1. The caller owns it. */
export function grainField(compute: Compute, { kernels, mixing }: FieldRecipe, seed: number, rect: Rect): Picture {
	const radius = Math.max(...kernels.map((kernel) => kernel.radius));
	const side = 2 * radius + 1;
	const count = Math.max(...kernels.map(({ terms }) => terms.length));
	const all: Float32Array[] = [];
	for (let t = 0; t < count; t++) {
		for (const { terms } of kernels) {
			const term: Term | undefined = terms[t];
			all.push(paddedTaps(term?.row, side), paddedTaps(term?.column, side));
		}
	}
	const packed = new Float32Array(all.length * side);
	all.forEach((taps, i) => packed.set(taps, i * side));
	const taps = compute.upload(packed);
	const [x, y] = [rect.x - radius, rect.y - radius];
	const [wide, high] = [rect.width + 2 * radius, rect.height + 2 * radius];
	const white = compute.picture(wide, high, 3);
	return using([taps, white], () => {
		compute.run(whiteOp, [], [white], { rect: { x, y, width: wide, height: high }, seed, mixing });
		let field = filled(compute, rect.width, rect.height, 3, 0);
		for (let t = 0; t < count; t++) {
			const before = field;
			const params = { width: rect.width, radius, first: t * 6 * side, step: 2 * side };
			field = using([before], () => {
				const rows = produce(compute, rect.width, high, 3, (output) => {
					compute.run(rowsOp, [white, taps], [output], { ...params, height: high });
				});
				return using([rows], () =>
					produce(compute, rect.width, rect.height, 3, (output) => {
						const columns = { ...params, height: rect.height, first: params.first + side };
						compute.run(columnsOp, [rows, before, taps], [output], columns);
					}),
				);
			});
		}
		return field;
	});
}

/** Lays grain over a picture that is part of a larger one: `rect` is where it lies there. The caller owns the result. */
export function layGrain(
	compute: Compute,
	picture: Picture,
	recipe: FieldRecipe,
	strengths: readonly (readonly number[])[],
	seed: number,
	rect: Rect,
): Picture {
	const { width, height } = picture;
	const field = grainField(compute, recipe, seed, rect);
	return using([field], () => {
		const curve = compute.upload(Float32Array.from(strengths.flat()));
		return using([curve], () =>
			produce(compute, width, height, 3, (output) => {
				const levels = strengths[0]!.length;
				compute.run(layOp, [picture, field, curve], [output], { width, height, levels });
			}),
		);
	});
}
