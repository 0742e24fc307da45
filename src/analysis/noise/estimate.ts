/**
 * Blind noise level of a picture. Patches of an image lie near a low-dimensional subspace, noise fills all dimensions
 * alike: the eigenvalues of the patch covariance that belong to noise alone have equal mean and median, and their mean is
 * the noise variance (Chen, Zhu, Heng: An Efficient Statistical Method for Image Noise Level Estimation, ICCV 2015).
 */

import { symmetricEigenvalues } from './eigen.ts';

/** Side of the patches in pixels. */
const PATCH = 8;
/** Largest number of patches looked at: the estimate's own deviation is then about a percent. */
const MAX_PATCHES = 8_000;
/** Patches darker or brighter than this (of 0…1) may be clipped, and clipped noise is weaker. */
const CLIP = { low: 0.04, high: 0.96 };

/**
 * Standard deviation of the noise in one plane, in the plane's own unit.
 * @param plane `height` rows of `width` values; patches that hold a NaN are left out
 * @returns 0 when the plane is smaller than two patches, or constant
 */
export function estimateNoise(plane: Float32Array, width: number, height: number): number {
	const across = width - PATCH + 1;
	const down = height - PATCH + 1;
	if (across < PATCH || down < PATCH) return 0;
	const stride = Math.max(1, Math.floor(Math.sqrt((across * down) / MAX_PATCHES)));
	const size = PATCH * PATCH;
	const covariance = new Float64Array(size * size);
	const mean = new Float64Array(size);
	const patch = new Float64Array(size);
	let count = 0;
	for (let y = 0; y < down; y += stride) {
		for (let x = 0; x < across; x += stride) {
			if (!readPatch(plane, width, x, y, patch)) continue;
			count++;
			accumulate(patch, mean, covariance, size);
		}
	}
	if (count <= size) return 0;
	for (let i = 0; i < size; i++) {
		for (let j = i; j < size; j++) {
			const value = covariance[i * size + j]! / count - (mean[i]! / count) * (mean[j]! / count);
			covariance[i * size + j] = value;
			covariance[j * size + i] = value;
		}
	}
	return Math.sqrt(Math.max(0, noiseVariance(symmetricEigenvalues(covariance, size))));
}

/** Copies a patch; false where it is of one value (borders carry no noise and would bias it to 0) or holds a NaN. */
function readPatch(plane: Float32Array, width: number, x: number, y: number, patch: Float64Array): boolean {
	const first = plane[y * width + x]!;
	let differs = false;
	let sum = 0;
	for (let j = 0; j < PATCH; j++) {
		for (let i = 0; i < PATCH; i++) {
			const value = plane[(y + j) * width + x + i]!;
			patch[j * PATCH + i] = value;
			if (value !== first) differs = true;
			sum += value;
		}
	}
	return differs && !Number.isNaN(sum);
}

/** A copy of a picture's plane with what may be clipped replaced by NaN, unless that is most of it. */
export function withoutClipped(plane: Float32Array, width: number, height: number): Float32Array<ArrayBuffer> {
	const out = Float32Array.from(plane);
	let left = 0;
	for (let y = 0; y + PATCH <= height; y += PATCH) {
		for (let x = 0; x + PATCH <= width; x += PATCH) {
			let sum = 0;
			for (let i = 0; i < PATCH * PATCH; i++) sum += plane[(y + (i >> 3)) * width + x + (i & 7)]!;
			const mean = sum / (PATCH * PATCH);
			if (mean >= CLIP.low && mean <= CLIP.high) left++;
			else for (let j = 0; j < PATCH; j++) out.fill(NaN, (y + j) * width + x, (y + j) * width + x + PATCH);
		}
	}
	return left * PATCH * PATCH * 4 < width * height ? Float32Array.from(plane) : out;
}

function accumulate(patch: Float64Array, mean: Float64Array, covariance: Float64Array, size: number): void {
	for (let i = 0; i < size; i++) {
		const value = patch[i]!;
		mean[i] = mean[i]! + value;
		const row = i * size;
		for (let j = i; j < size; j++) covariance[row + j] = covariance[row + j]! + value * patch[j]!;
	}
}

/** The mean of the smallest eigenvalues for which it equals their median (algorithm 1 of the paper). */
function noiseVariance(ascending: Float64Array): number {
	let sum = ascending.reduce((a, b) => a + b, 0);
	for (let count = ascending.length; count > 1; count--) {
		const mean = sum / count;
		const median = (ascending[(count - 1) >> 1]! + ascending[count >> 1]!) / 2;
		if (mean <= median) return mean;
		sum -= ascending[count - 1]!;
	}
	return ascending[0] ?? 0;
}
