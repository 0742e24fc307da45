/** Working R′G′B′ → packed planes for an encoder. */

import type { Block, Compute, Op, Picture, UniformValue } from '../../contracts/compute.ts';
import { frameBytes } from '../../core/color.ts';
import { f32, groups, lineGroups, u32, using } from '../op.ts';
import { DITHER_AMPLITUDE, ditherNoise } from './dither.ts';
import { codeMap } from './matrix.ts';
import { frameGeometry, sampleView } from './planes-to-rgb.ts';
import type { FrameGeometry, PlanesParams } from './planes-to-rgb.ts';
import { downSamples } from './siting.ts';
import chromaWgsl from './chroma-x.wgsl?raw';
import packWgsl from './pack-planes.wgsl?raw';

/** How {@link rgbToPlanes} quantizes. */
export interface PackOptions {
	/** Adds noise below half a code before rounding; default for 8-bit samples only. */
	readonly dither?: boolean;
	/** Seed of the noise: the frame's index. Default 0. */
	readonly seed?: number;
}

/** Parameters of the packing op. */
export interface PackParams extends PlanesParams {
	readonly dither: boolean;
	readonly seed: number;
}

const SIDE = 64;

function isReduced({ siting }: FrameGeometry): boolean {
	return siting.x.factor > 1 || siting.y.factor > 1;
}

function cpuChromaX(rgb: Float32Array, chroma: Float32Array, params: PlanesParams): void {
	const { width, height } = params.size;
	const g = frameGeometry(params);
	const m = codeMap(params.format, params.tags, params.size).fromRgb;
	const full = new Float32Array(width * height);
	const column = new Float64Array(height);
	for (let plane = 0; plane < 2; plane++) {
		applyRow(rgb, full, m.slice(3 + plane * 3, 6 + plane * 3) as [number, number, number]);
		const lines = { data: full, base: 0, step: 1, length: width, lines: height, stride: width };
		const start = plane * height * g.chromaWidth;
		for (let x = 0; x < g.chromaWidth; x++) {
			downSamples(lines, x, g.siting.x, column);
			for (let y = 0, o = start + x; y < height; y++, o += g.chromaWidth) chroma[o] = column[y] as number;
		}
	}
}

/** One row of a matrix on every pixel: `out` has one channel. */
function applyRow(
	rgb: Float32Array,
	out: Float32Array | Float64Array,
	[r, g, b]: readonly [number, number, number],
): void {
	const area = out.length;
	for (let i = 0; i < area; i++) {
		out[i] = r * (rgb[i] as number) + g * (rgb[area + i] as number) + b * (rgb[2 * area + i] as number);
	}
}

/** Input: a picture; output: its two chroma planes, as wide as the format's, as high as the picture. */
export const chromaXOp: Op<PlanesParams> = {
	id: 'color/chroma-x',
	wgsl: chromaWgsl,
	uniforms: (params) => {
		const g = frameGeometry(params);
		const m = codeMap(params.format, params.tags, params.size).fromRgb;
		return [
			...[params.size.width, params.size.height, g.chromaWidth, g.siting.x.factor].map(u32),
			u32(g.siting.x.cosited ? 1 : 0),
			...m.slice(3).map(f32),
		];
	},
	dispatch: (params) => groups(frameGeometry(params).chromaWidth, params.size.height, 2),
	cpu: ([rgb], [chroma], params) => {
		if (rgb !== undefined && chroma !== undefined) cpuChromaX(rgb, chroma, params);
	},
};

function sampleCounts(params: PackParams): { colorEnd: number; end: number; words: number } {
	const bytes = frameBytes(params.format, params.size);
	const each = params.format.sample === 'u8' ? 1 : params.format.sample === 'u16' ? 2 : 4;
	const end = bytes / each;
	const colorEnd = end - (params.format.alpha ? params.size.width * params.size.height : 0);
	return { colorEnd, end, words: Math.ceil(bytes / 4) };
}

/** Codes of opaque alpha: the largest code, or 1 in float. */
function largest(params: PlanesParams): number {
	return params.format.sample === 'f32' ? 1 : 2 ** params.format.depth - 1;
}

function packUniforms(params: PackParams): UniformValue[] {
	const g = frameGeometry(params);
	const map = codeMap(params.format, params.tags, params.size);
	const { colorEnd, end, words } = sampleCounts(params);
	return [
		...[params.size.width, params.size.height, g.chromaWidth, g.chromaHeight, g.offset1, g.offset2].map(u32),
		...[colorEnd, end, g.sample, g.planes, isReduced(g) ? 1 : 0].map(u32),
		...[g.siting.y.factor, g.siting.y.cosited ? 1 : 0, words, lineGroups(words, SIDE)[0] * SIDE].map(u32),
		u32(params.seed >>> 0),
		f32(params.dither ? DITHER_AMPLITUDE : 0),
		f32(largest(params)),
		...map.fromRgb.map(f32),
		...map.zero.map(f32),
		...map.span.map(f32),
	];
}

/** Values of one plane before quantization, row by row. */
function planeValues(rgb: Float32Array, chroma: Float32Array, params: PackParams, plane: number): Float64Array {
	const { width, height } = params.size;
	const g = frameGeometry(params);
	if (plane > 0 && isReduced(g)) {
		const values = new Float64Array(g.chromaWidth * g.chromaHeight);
		const base = (plane - 1) * height * g.chromaWidth;
		const lines = { data: chroma, base, step: g.chromaWidth, length: height, lines: g.chromaWidth, stride: 1 };
		for (let y = 0; y < g.chromaHeight; y++) {
			downSamples(lines, y, g.siting.y, values.subarray(y * g.chromaWidth, (y + 1) * g.chromaWidth));
		}
		return values;
	}
	const values = new Float64Array(width * height);
	const m = codeMap(params.format, params.tags, params.size).fromRgb;
	applyRow(rgb, values, m.slice(plane * 3, plane * 3 + 3) as [number, number, number]);
	return values;
}

function cpuPack(rgb: Float32Array, chroma: Float32Array, packed: Float32Array, params: PackParams): void {
	const g = frameGeometry(params);
	const map = codeMap(params.format, params.tags, params.size);
	const { colorEnd, end } = sampleCounts(params);
	const samples = sampleView(packed, g.sample);
	const max = largest(params);
	for (let plane = 0; plane < g.planes; plane++) {
		const values = planeValues(rgb, chroma, params, plane);
		const target = samples.subarray([0, g.offset1, g.offset2][plane] as number);
		const stride = plane === 0 ? params.size.width : g.chromaWidth;
		const zero = map.zero[plane] as number;
		const span = map.span[plane] as number;
		if (g.sample === 2) values.forEach((value, i) => (target[i] = value * span + zero));
		else quantize(values, target, { stride, zero: zero + 0.5, span, max, plane, params });
	}
	samples.fill(max, colorEnd, end);
}

interface Quantizer {
	/** Samples a row. */
	readonly stride: number;
	/** Code of zero plus the rounding half. */
	readonly zero: number;
	readonly span: number;
	readonly max: number;
	readonly plane: number;
	readonly params: PackParams;
}

function quantize(values: Float64Array, target: Uint8Array | Uint16Array | Float32Array, q: Quantizer): void {
	const { stride, zero, span, max, plane } = q;
	const { dither, seed } = q.params;
	for (let i = 0, x = 0, y = 0; i < values.length; i++) {
		const noise = dither ? ditherNoise(x, y, plane, seed) : 0;
		const code = Math.floor((values[i] as number) * span + zero + noise);
		target[i] = code < 0 ? 0 : code > max ? max : code;
		if (++x === stride) {
			x = 0;
			y++;
		}
	}
}

/** Inputs: a picture and its chroma from {@link chromaXOp} (or the picture again); output: the packed planes. */
export const packPlanesOp: Op<PackParams> = {
	id: 'color/pack-planes',
	wgsl: packWgsl,
	uniforms: packUniforms,
	dispatch: (params) => lineGroups(sampleCounts(params).words, SIDE),
	cpu: ([rgb, chroma], [packed], params) => {
		if (rgb !== undefined && chroma !== undefined && packed !== undefined) cpuPack(rgb, chroma, packed, params);
	},
};

/**
 * Converts R′G′B′ to packed planes, ready to be read back into `PlanarFrame.data` (whose length is `frameBytes`; the
 * block is padded to whole words). Values are clamped to the codes, rounded, and dithered at 8 bit in such a way that
 * values already on a code stay there. Alpha is opaque. The caller owns the result.
 */
export function rgbToPlanes(
	compute: Compute,
	picture: Picture,
	params: PlanesParams,
	{ dither = params.format.sample === 'u8', seed = 0 }: PackOptions = {},
): Block {
	const pack: PackParams = { ...params, dither: dither && params.format.sample !== 'f32', seed };
	const g = frameGeometry(params);
	const output = compute.block(sampleCounts(pack).words);
	try {
		if (!isReduced(g)) {
			compute.run(packPlanesOp, [picture, picture], [output], pack);
			return output;
		}
		const chroma = compute.picture(g.chromaWidth, params.size.height, 2);
		using([chroma], () => {
			compute.run(chromaXOp, [picture], [chroma], params);
			compute.run(packPlanesOp, [picture, chroma], [output], pack);
		});
		return output;
	} catch (error) {
		output.release();
		throw error;
	}
}
