/**
 * NIQE: how far the local statistics of a picture lie from those of sharp, clean photographs (Mittal, Soundararajan, Bovik: Making a
 * "completely blind" image quality analyzer, IEEE Signal Processing Letters 20, 2013). Luma is normalized by its local mean and contrast, patches of 96
 * pixels and of half the size are described by 18 numbers each, and the Gaussian fitted to a picture's patches is compared with one
 * fitted to photographs. The fit is our own (`niqe-pristine.json`), so figures are not comparable with other programs'.
 */

import { fitAggd, fitGgd, type Gaussian, gaussianOf, mahalanobis, unpackCovariance } from './niqe-fit.ts';
import { gaussianTaps, type Plane, separable } from './planes.ts';
import pristine from './niqe-pristine.json' with { type: 'json' };

/** Side of the patches at full size. */
export const PATCH = 96;
/** Numbers that describe a patch: 18 at each of two sizes. */
export const FEATURES = 36;
/** The paper's window: 7×7, σ 7/6. */
const WINDOW = gaussianTaps(7 / 6, 3);
/** Keeps flat places from becoming noise, in 8-bit codes. */
const SATURATION = 1;
/** Neighbors whose products are looked at: right, below, both diagonals. */
const NEIGHBORS = [
	[1, 0],
	[0, 1],
	[1, 1],
	[-1, 1],
] as const;

/** A patch: its features, and the mean local contrast by which sharp ones are chosen for a fit. */
export interface Patch {
	readonly features: readonly number[];
	readonly contrast: number;
}

/** Locally normalized luma (MSCN coefficients) and the local contrast they were divided by, in 8-bit codes. */
function normalized(luma: Plane): { readonly values: Float32Array; readonly contrast: Float32Array } {
	const codes = { ...luma, data: luma.data.map((v) => v * 255) };
	const mean = separable(codes, WINDOW).data;
	const squares = separable({ ...codes, data: codes.data.map((v) => v * v) }, WINDOW).data;
	const contrast = squares.map((v, i) => Math.sqrt(Math.max(0, v - mean[i]! ** 2)));
	return { values: codes.data.map((v, i) => (v - mean[i]!) / (contrast[i]! + SATURATION)), contrast };
}

/** Half the size by a cubic that is as wide as four pixels (Keys' kernel, stretched against aliasing). */
export function halved({ data, width, height }: Plane): Plane {
	const keys = (d: number): number =>
		d < 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
	const raw = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5].map((d) => keys(Math.abs(d) / 2));
	const sum = raw.reduce((a, b) => a + b, 0);
	const taps = raw.map((v) => v / sum);
	const [w, h] = [Math.floor(width / 2), Math.floor(height / 2)];
	const rows = new Float32Array(w * height);
	const at = (i: number, length: number): number => Math.min(length - 1, Math.max(0, i));
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < w; x++) {
			let value = 0;
			for (let k = 0; k < 8; k++) value += taps[k]! * data[y * width + at(2 * x + k - 3, width)]!;
			rows[y * w + x] = value;
		}
	}
	const out = new Float32Array(w * h);
	for (let y = 0; y < h; y++) {
		for (let k = 0; k < 8; k++) {
			const from = at(2 * y + k - 3, height) * w;
			for (let x = 0; x < w; x++) out[y * w + x]! += taps[k]! * rows[from + x]!;
		}
	}
	return { data: out, width: w, height: h };
}

/** The 18 numbers of one square. */
function describe(values: Float32Array, width: number, x0: number, y0: number, side: number): number[] {
	const own = new Float64Array(side * side);
	for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) own[y * side + x] = values[(y0 + y) * width + x0 + x]!;
	const { shape, variance } = fitGgd(own);
	const out = [shape, variance];
	for (const [dx, dy] of NEIGHBORS) {
		const products = new Float64Array(side * side);
		let count = 0;
		for (let y = 0; y + dy < side; y++) {
			for (let x = Math.max(0, -dx); x + Math.max(0, dx) < side; x++) {
				products[count++] = own[y * side + x]! * own[(y + dy) * side + x + dx]!;
			}
		}
		const fit = fitAggd(products.subarray(0, count));
		out.push(fit.shape, fit.mean, fit.left, fit.right);
	}
	return out;
}

/** The patches of a picture, row by row; what is left over at the right and bottom is not looked at. */
export function niqePatches(luma: Plane): Patch[] {
	const [across, down] = [Math.floor(luma.width / PATCH), Math.floor(luma.height / PATCH)];
	if (across === 0 || down === 0) return [];
	const full = normalized(luma);
	const small = halved(luma);
	const half = normalized(small);
	const patches: Patch[] = [];
	for (let j = 0; j < down; j++) {
		for (let i = 0; i < across; i++) {
			const [x, y] = [i * PATCH, j * PATCH];
			let contrast = 0;
			for (let v = y; v < y + PATCH; v++)
				for (let u = x; u < x + PATCH; u++) contrast += full.contrast[v * luma.width + u]!;
			const features = [
				...describe(full.values, luma.width, x, y, PATCH),
				...describe(half.values, small.width, x / 2, y / 2, PATCH / 2),
			];
			// A blank patch has no statistics at all.
			if (features.every(Number.isFinite)) patches.push({ features, contrast: contrast / PATCH ** 2 });
		}
	}
	return patches;
}

const PRISTINE: Gaussian = { mean: pristine.mean, covariance: unpackCovariance(pristine.covariance, FEATURES) };

/** NIQE, 0…: smaller is more like a sharp, clean photograph. Null for pictures without a whole patch that shows anything. */
export function niqe(luma: Plane): number | null {
	const patches = niqePatches(luma);
	if (patches.length === 0) return null;
	return mahalanobis(gaussianOf(patches.map(({ features }) => features)), PRISTINE);
}
