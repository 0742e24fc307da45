/** The fits that NIQE is made of: generalized Gaussians by moments, and a Gaussian of many dimensions. */

/** A multivariate Gaussian; the covariance rows first. */
export interface Gaussian {
	readonly mean: readonly number[];
	readonly covariance: Float64Array;
}

/** Coefficients of Lanczos' approximation (g = 7, n = 9), error under 1e-13. */
const LANCZOS = [
	0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
	12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** ln Γ(x) for x > 0.5. */
function logGamma(x: number): number {
	const z = x - 1;
	let sum: number = LANCZOS[0];
	for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (z + i);
	const t = z + 7.5;
	return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** ln Γ(x) for x > 0. */
const lnGamma = (x: number): number => (x > 0.5 ? logGamma(x) : logGamma(x + 1) - Math.log(x));

/** Shapes that are told apart: from needle-sharp to nearly uniform. */
const SHAPES = { least: 0.2, most: 10, step: 0.001 };
/** (E|x|)² ÷ E[x²] of a generalized Gaussian at each shape: rises with it (Sharifi, Leon-Garcia 1995). */
const RATIOS = Float64Array.from({ length: Math.round((SHAPES.most - SHAPES.least) / SHAPES.step) + 1 }, (_, i) => {
	const a = SHAPES.least + i * SHAPES.step;
	return Math.exp(2 * lnGamma(2 / a) - lnGamma(1 / a) - lnGamma(3 / a));
});

/** The shape that has a ratio; the nearest one told apart where none has. */
function shapeOf(ratio: number): number {
	let [low, high] = [0, RATIOS.length - 1];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (RATIOS[middle]! < ratio) low = middle + 1;
		else high = middle;
	}
	return SHAPES.least + low * SHAPES.step;
}

/** Shape (2 is a normal distribution, 1 a Laplacian) and variance of values around 0; NaN where all are 0. */
export function fitGgd(values: Float64Array): { readonly shape: number; readonly variance: number } {
	let [absolute, squares] = [0, 0];
	for (const v of values) {
		absolute += Math.abs(v);
		squares += v * v;
	}
	const n = values.length;
	if (squares === 0) return { shape: NaN, variance: NaN };
	return { shape: shapeOf((absolute / n) ** 2 / (squares / n)), variance: squares / n };
}

/** An asymmetric generalized Gaussian. */
export interface Aggd {
	readonly shape: number;
	/** Mean of the fitted distribution. */
	readonly mean: number;
	/** Variances on both sides. */
	readonly left: number;
	readonly right: number;
}

/** Moments of each side (Lasmar, Stitou, Berthoumieu 2009, as the paper uses it); NaN where a side is empty. */
export function fitAggd(values: Float64Array): Aggd {
	let [absolute, squares, left, right, below, above] = [0, 0, 0, 0, 0, 0];
	for (const v of values) {
		absolute += Math.abs(v);
		squares += v * v;
		if (v < 0) {
			left += v * v;
			below++;
		} else if (v > 0) {
			right += v * v;
			above++;
		}
	}
	if (below === 0 || above === 0) return { shape: NaN, mean: NaN, left: NaN, right: NaN };
	const n = values.length;
	[left, right] = [left / below, right / above];
	const skew = Math.sqrt(left / right);
	const ratio = (absolute / n) ** 2 / (squares / n);
	const shape = shapeOf((ratio * (skew ** 3 + 1) * (skew + 1)) / (skew ** 2 + 1) ** 2);
	const scale = Math.exp((lnGamma(1 / shape) - lnGamma(3 / shape)) / 2);
	const mean = (Math.sqrt(right) - Math.sqrt(left)) * scale * Math.exp(lnGamma(2 / shape) - lnGamma(1 / shape));
	return { shape, mean, left, right };
}

/** Mean and covariance of points (of one point: covariance 0). */
export function gaussianOf(points: readonly (readonly number[])[]): Gaussian {
	const n = points.length;
	const size = points[0]!.length;
	const mean = Array.from({ length: size }, (_, k) => points.reduce((sum, p) => sum + p[k]!, 0) / n);
	const covariance = new Float64Array(size * size);
	for (const p of points) {
		for (let i = 0; i < size; i++) {
			for (let j = 0; j < size; j++) {
				covariance[i * size + j]! += ((p[i]! - mean[i]!) * (p[j]! - mean[j]!)) / Math.max(1, n - 1);
			}
		}
	}
	return { mean, covariance };
}

/** The upper triangle, row by row, as a whole matrix. */
export function unpackCovariance(triangle: readonly number[], size: number): Float64Array {
	const out = new Float64Array(size * size);
	let at = 0;
	for (let i = 0; i < size; i++) {
		for (let j = i; j < size; j++) {
			out[i * size + j] = triangle[at]!;
			out[j * size + i] = triangle[at++]!;
		}
	}
	return out;
}

/** √(d · ((Σ₁ + Σ₂) ÷ 2)⁻¹ · d) for the distance d of the means, by Cholesky; one of the covariances must be positive definite. */
export function mahalanobis(a: Gaussian, b: Gaussian): number {
	const size = a.mean.length;
	const m = a.covariance.map((v, i) => (v + b.covariance[i]!) / 2);
	const difference = Float64Array.from(a.mean, (v, i) => v - b.mean[i]!);
	// L · z = d; the distance is |z|.
	let squares = 0;
	for (let j = 0; j < size; j++) {
		for (let k = 0; k < j; k++) {
			const f = m[j * size + k]!;
			for (let i = j; i < size; i++) m[i * size + j]! -= m[i * size + k]! * f;
		}
		const pivot = Math.sqrt(m[j * size + j]!);
		for (let i = j; i < size; i++) m[i * size + j]! /= pivot;
		let z = difference[j]!;
		for (let k = 0; k < j; k++) z -= m[j * size + k]! * difference[k]!;
		z /= pivot;
		difference[j] = z;
		squares += z * z;
	}
	return Math.sqrt(squares);
}
