/** Working R′G′B′ → packed planes for an encoder. */

import type { Block, Compute, Op, Picture, UniformValue } from '../../contracts/compute.ts';
import { frameBytes } from '../../core/color.ts';
import { f32, groups, lineGroups, u32, using } from '../op.ts';
import { DITHER_AMPLITUDE } from './dither.ts';
import { codeMap } from './matrix.ts';
import { frameGeometry, sampleView } from './planes-to-rgb.ts';
import type { FrameGeometry, PlanesParams } from './planes-to-rgb.ts';
import { NarrowRows, quantizeRow } from './rows.ts';
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
	const row = new Float32Array(width);
	const narrow = new NarrowRows(width, g.siting.x);
	for (let plane = 0; plane < 2; plane++) {
		const weights = m.slice(3 + plane * 3, 6 + plane * 3) as unknown as MatrixRow;
		for (let y = 0; y < height; y++) {
			mixRow(rgb, y * width, width * height, weights, row);
			narrow.write(row, chroma, (plane * height + y) * g.chromaWidth);
		}
	}
}

type MatrixRow = readonly [number, number, number];

/** One row of a matrix on one row of pixels: `out` has one channel. */
function mixRow(
	rgb: Float32Array,
	start: number,
	area: number,
	[r, g, b]: MatrixRow,
	out: Float32Array | Float64Array,
): void {
	const count = out.length;
	for (let x = 0, i = start; x < count; x++, i++) {
		out[x] = r * (rgb[i] as number) + g * (rgb[area + i] as number) + b * (rgb[2 * area + i] as number);
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

/** Rows of one plane before quantization. */
function planeRows(
	rgb: Float32Array,
	chroma: Float32Array,
	params: PackParams,
	plane: number,
): { readonly width: number; readonly height: number; read(y: number, row: Float64Array): void } {
	const { width, height } = params.size;
	const g = frameGeometry(params);
	if (plane > 0 && isReduced(g)) {
		const base = (plane - 1) * height * g.chromaWidth;
		const lines = { data: chroma, base, step: g.chromaWidth, length: height, lines: g.chromaWidth, stride: 1 };
		return {
			width: g.chromaWidth,
			height: g.chromaHeight,
			read: (y, row) => downSamples(lines, y, g.siting.y, row),
		};
	}
	const m = codeMap(params.format, params.tags, params.size).fromRgb;
	const weights = m.slice(plane * 3, plane * 3 + 3) as unknown as MatrixRow;
	return { width, height, read: (y, row) => mixRow(rgb, y * width, width * height, weights, row) };
}

function cpuPack(rgb: Float32Array, chroma: Float32Array, packed: Float32Array, params: PackParams): void {
	const g = frameGeometry(params);
	const map = codeMap(params.format, params.tags, params.size);
	const { colorEnd, end } = sampleCounts(params);
	const samples = sampleView(packed, g.sample);
	const max = largest(params);
	const { dither, seed } = params;
	for (let plane = 0; plane < g.planes; plane++) {
		const { width, height, read } = planeRows(rgb, chroma, params, plane);
		const offset = [0, g.offset1, g.offset2][plane] as number;
		const zero = map.zero[plane] as number;
		const span = map.span[plane] as number;
		const values = new Float64Array(width);
		const codes = new Uint16Array(width);
		const quantizer = { zero: zero + 0.5, span, max, dither, plane, seed };
		for (let y = 0, at = offset; y < height; y++, at += width) {
			read(y, values);
			if (g.sample === 2) {
				for (let x = 0; x < width; x++) samples[at + x] = (values[x] as number) * span + zero;
			} else {
				quantizeRow(values, codes, y, quantizer);
				samples.set(codes, at);
			}
		}
	}
	samples.fill(max, colorEnd, end);
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
