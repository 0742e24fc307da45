/** Working R′G′B′ → packed planes for an encoder. */

import type { Block, Compute, Op, Picture, UniformValue } from '../../contracts/compute.ts';
import { frameBytes } from '../../core/color.ts';
import { f32, groups, lineGroups, u32, using } from '../op.ts';
import { DITHER_AMPLITUDE, ditherNoise } from './dither.ts';
import { codeMap } from './matrix.ts';
import { frameGeometry, sampleView } from './planes-to-rgb.ts';
import type { FrameGeometry, PlanesParams } from './planes-to-rgb.ts';
import { downSample } from './siting.ts';
import type { Line } from './siting.ts';
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
	const line: Line = { data: row, base: 0, step: 1, length: width };
	const area = width * height;
	for (let plane = 0; plane < 2; plane++) {
		const [r, b, c] = [m[3 + plane * 3], m[4 + plane * 3], m[5 + plane * 3]] as [number, number, number];
		for (let y = 0; y < height; y++) {
			for (let x = 0, i = y * width; x < width; x++, i++) {
				row[x] = r * (rgb[i] as number) + b * (rgb[area + i] as number) + c * (rgb[2 * area + i] as number);
			}
			const start = (plane * height + y) * g.chromaWidth;
			for (let x = 0; x < g.chromaWidth; x++) chroma[start + x] = downSample(line, x, g.siting.x);
		}
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

/** Values of one plane before quantization, row by row, given to `put`. */
function planeRows(
	rgb: Float32Array,
	chroma: Float32Array,
	params: PackParams,
	plane: number,
	put: (x: number, y: number, value: number) => void,
): void {
	const { width, height } = params.size;
	const g = frameGeometry(params);
	if (plane > 0 && isReduced(g)) {
		const base = (plane - 1) * height * g.chromaWidth;
		for (let x = 0; x < g.chromaWidth; x++) {
			const line: Line = { data: chroma, base: base + x, step: g.chromaWidth, length: height };
			for (let y = 0; y < g.chromaHeight; y++) put(x, y, downSample(line, y, g.siting.y));
		}
		return;
	}
	const m = codeMap(params.format, params.tags, params.size).fromRgb.slice(plane * 3, plane * 3 + 3);
	const [r, gr, b] = m as [number, number, number];
	const area = width * height;
	for (let y = 0; y < height; y++) {
		for (let x = 0, i = y * width; x < width; x++, i++) {
			put(x, y, r * (rgb[i] as number) + gr * (rgb[area + i] as number) + b * (rgb[2 * area + i] as number));
		}
	}
}

function cpuPack(rgb: Float32Array, chroma: Float32Array, packed: Float32Array, params: PackParams): void {
	const g = frameGeometry(params);
	const map = codeMap(params.format, params.tags, params.size);
	const { colorEnd, end } = sampleCounts(params);
	const samples = sampleView(packed, g.sample);
	const max = largest(params);
	const float = g.sample === 2;
	for (let plane = 0; plane < g.planes; plane++) {
		const offset = [0, g.offset1, g.offset2][plane] as number;
		const stride = plane === 0 ? params.size.width : g.chromaWidth;
		const zero = map.zero[plane] as number;
		const span = map.span[plane] as number;
		planeRows(rgb, chroma, params, plane, (x, y, value) => {
			const code = value * span + zero;
			const noise = params.dither ? ditherNoise(x, y, plane, params.seed) : 0;
			const rounded = Math.floor(code + noise + 0.5);
			samples[offset + y * stride + x] = float ? code : rounded < 0 ? 0 : rounded > max ? max : rounded;
		});
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
