/** Quantization ranges and matrices of H.273 as one affine map between codes and R′G′B′. Pure. */

import type { ColorTags, Matrix, PixelFormat, Size } from '../../core/color.ts';

/** Nine numbers, row by row. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/** Code values ↔ R′G′B′: `rgb = toRgb · (code − zero) / span`, per plane. */
export interface CodeMap {
	/** Normalized planes (luma 0…1, chroma −0.5…0.5) → R′G′B′. */
	readonly toRgb: Matrix3;
	/** The inverse. */
	readonly fromRgb: Matrix3;
	/** Code of zero in each of the three planes. */
	readonly zero: readonly [number, number, number];
	/** Codes a unit in each plane. */
	readonly span: readonly [number, number, number];
	/** Largest code; Infinity for float samples, which are not clamped. */
	readonly max: number;
}

const IDENTITY: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Luma weights of red and blue. */
const WEIGHTS: Readonly<Partial<Record<Matrix, readonly [number, number]>>> = {
	bt709: [0.2126, 0.0722],
	fcc: [0.3, 0.11],
	bt470bg: [0.299, 0.114],
	smpte170m: [0.299, 0.114],
	smpte240m: [0.212, 0.087],
	bt2020nc: [0.2627, 0.0593],
};

/**
 * The matrix that untagged Y′CbCr is taken to have, by the convention every player follows: BT.601 up to standard
 * definition, BT.709 above. Whoever shows color tags says that it was assumed.
 */
export function assumedMatrix(size: Size): Matrix {
	return size.height > 576 || size.width > 1024 ? 'bt709' : 'smpte170m';
}

/** Luma weights (red, green, blue) of a matrix; BT.709's where a matrix has none. */
export function lumaWeights(matrix: Matrix): readonly [number, number, number] {
	const [r, b] = WEIGHTS[matrix] ?? [0.2126, 0.0722];
	return [r, 1 - r - b, b];
}

function ycbcr(matrix: Matrix): { toRgb: Matrix3; fromRgb: Matrix3 } {
	const [r, g, b] = lumaWeights(matrix);
	const cb = 2 * (1 - b);
	const cr = 2 * (1 - r);
	return {
		toRgb: [1, 0, cr, 1, (-cb * b) / g, (-cr * r) / g, 1, cb, 0],
		fromRgb: [r, g, b, -r / cb, -g / cb, (1 - b) / cb, (1 - r) / cr, -g / cr, -b / cr],
	};
}

const YCGCO = {
	toRgb: [1, -1, 1, 1, 1, 0, 1, -1, -1] as Matrix3,
	fromRgb: [0.25, 0.5, 0.25, -0.25, 0.5, -0.25, 0.5, 0, -0.5] as Matrix3,
};
/** H.273 matrix 0: planes are G, B, R. */
const GBR = { toRgb: [0, 0, 1, 1, 0, 0, 0, 1, 0] as Matrix3, fromRgb: [0, 1, 0, 0, 0, 1, 1, 0, 0] as Matrix3 };

function coefficients(format: PixelFormat, matrix: Matrix): { toRgb: Matrix3; fromRgb: Matrix3 } {
	if (format.chroma === 'rgb') return { toRgb: IDENTITY, fromRgb: IDENTITY };
	if (format.chroma === 'gray') {
		return { toRgb: [1, 0, 0, 1, 0, 0, 1, 0, 0], fromRgb: [...lumaWeights(matrix), 0, 0, 0, 0, 0, 0] };
	}
	if (matrix === 'rgb') return GBR;
	return matrix === 'ycgco' ? YCGCO : ycbcr(matrix);
}

/** The map of a format with its tags. Float samples are taken as R′G′B′ (or luma) 0…1 already. */
export function codeMap(format: PixelFormat, tags: ColorTags, size: Size): CodeMap {
	const isYuv = format.chroma !== 'rgb' && format.chroma !== 'gray';
	const matrix = tags.matrix === 'unknown' && isYuv ? assumedMatrix(size) : tags.matrix;
	const chromaPlanes = isYuv && matrix !== 'rgb';
	const pair = coefficients(format, matrix);
	if (format.sample === 'f32') {
		return { ...pair, zero: chromaPlanes ? [0, 0.5, 0.5] : [0, 0, 0], span: [1, 1, 1], max: Infinity };
	}
	const step = 2 ** (format.depth - 8);
	const max = 2 ** format.depth - 1;
	const limited = tags.range === 'limited';
	const lumaZero = limited ? 16 * step : 0;
	const lumaSpan = limited ? 219 * step : max;
	const zero = chromaPlanes ? 128 * step : lumaZero;
	const span = chromaPlanes ? (limited ? 224 * step : max) : lumaSpan;
	return { ...pair, zero: [lumaZero, zero, zero], span: [lumaSpan, span, span], max };
}
