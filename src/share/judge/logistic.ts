/**
 * Logistic regression on differences (Bradley–Terry with covariates): P(a is preferred) = σ(w · (x_a − x_b)). There is no intercept and nothing is
 * centered, so swapping a and b turns p into 1 − p. Weights have a normal prior, which is what keeps few votes, or votes that all agree, from
 * making them endless (ridge).
 */

/** One pair as the fit takes it. */
export interface Row {
	/** Differences; null where a metric says nothing. */
	readonly values: readonly (number | null)[];
	/** Votes that the pair counts for. */
	readonly weight: number;
	/** Share of them for a, ties as half. */
	readonly share: number;
}

/** A fit. */
export interface Fit {
	/** What a difference is divided by: root mean square over the rows; 0 where a metric never differed and has no part. */
	readonly scales: readonly number[];
	/** Log-odds a scaled difference. */
	readonly weights: readonly number[];
	/** Covariance of the weights (Laplace's approximation), rows first. */
	readonly covariance: Float64Array;
}

/** Standard deviation of a weight before any vote: a usual difference in one metric then moves the odds by a factor of e. */
const PRIOR = 1;
const STEPS = 50;
const SETTLED = 1e-10;

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** Its inverse, finite for 0 and 1. */
export const logit = (p: number): number => {
	const q = Math.min(1 - 1e-12, Math.max(1e-12, p));
	return Math.log(q / (1 - q));
};

/** Inverse of a symmetric positive definite matrix by Gauss–Jordan. */
function inverse(matrix: Float64Array, n: number): Float64Array {
	const a = Float64Array.from(matrix);
	const out = new Float64Array(n * n);
	for (let i = 0; i < n; i++) out[i * n + i] = 1;
	for (let i = 0; i < n; i++) {
		const pivot = a[i * n + i]!;
		for (let k = 0; k < n; k++) {
			a[i * n + k]! /= pivot;
			out[i * n + k]! /= pivot;
		}
		for (let r = 0; r < n; r++) {
			const factor = a[r * n + i]!;
			if (r === i || factor === 0) continue;
			for (let k = 0; k < n; k++) {
				a[r * n + k]! -= factor * a[i * n + k]!;
				out[r * n + k]! -= factor * out[i * n + k]!;
			}
		}
	}
	return out;
}

function standardized(values: readonly (number | null)[], scales: readonly number[]): number[] {
	// What cannot be compared is no evidence for either side.
	return scales.map((scale, k) => (scale > 0 ? (values[k] ?? 0) / scale : 0));
}

/** Fits rows by Newton's method; the posterior is concave, so there is one answer. Without rows all weights are 0. */
export function fitLogistic(rows: readonly Row[], size: number): Fit {
	const scales = Array.from({ length: size }, (_, k) => {
		const known = rows.map(({ values }) => values[k]).filter((v) => v !== null && v !== undefined);
		return known.length === 0 ? 0 : Math.sqrt(known.reduce((sum, v) => sum + v * v, 0) / known.length);
	});
	const points = rows.map((row) => ({ ...row, x: standardized(row.values, scales) }));
	let weights = new Array<number>(size).fill(0);
	for (let step = 0; ; step++) {
		const hessian = new Float64Array(size * size);
		const gradient = weights.map((w) => w / PRIOR ** 2);
		for (let k = 0; k < size; k++) hessian[k * size + k] = 1 / PRIOR ** 2;
		for (const { x, weight, share } of points) {
			const p = sigmoid(x.reduce((sum, v, k) => sum + v * weights[k]!, 0));
			for (let i = 0; i < size; i++) {
				gradient[i]! += weight * (p - share) * x[i]!;
				for (let j = 0; j < size; j++) hessian[i * size + j]! += weight * p * (1 - p) * x[i]! * x[j]!;
			}
		}
		const covariance = inverse(hessian, size);
		const move = weights.map((_, i) => gradient.reduce((sum, g, j) => sum + covariance[i * size + j]! * g, 0));
		const length = Math.max(...move.map(Math.abs), 0);
		if (length < SETTLED || step === STEPS) return { scales, weights, covariance };
		// Never more than two at once: far from the answer a full step may overshoot.
		const damped = Math.min(1, 2 / length);
		weights = weights.map((w, i) => w - damped * move[i]!);
	}
}

/**
 * Log-odds that a is preferred, drawn towards 0 by how uncertain the weights are (MacKay: The evidence framework applied to classification
 * networks, Neural Computation 4, 1992).
 */
export function predictLogit({ scales, weights, covariance }: Fit, values: readonly (number | null)[]): number {
	const x = standardized(values, scales);
	const n = x.length;
	const mean = x.reduce((sum, v, k) => sum + v * weights[k]!, 0);
	let variance = 0;
	for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) variance += x[i]! * x[j]! * covariance[i * n + j]!;
	return mean / Math.sqrt(1 + (Math.PI * variance) / 8);
}

/** How much less sure than its fit a prediction has to be. */
const SLOPE = { prior: 0.5, least: 0.05 };

/**
 * The factor that makes log-odds of predictions fit the votes: 1 where they are as sure as they are right, less where they are too sure; never
 * more. Found on a grid under a log-normal prior around 1.
 */
export function calibrationSlope(
	predicted: readonly { readonly logit: number; readonly weight: number; readonly share: number }[],
): number {
	let [best, least] = [1, Infinity];
	for (let slope = 1; slope >= SLOPE.least; slope -= 0.01) {
		let cost = (Math.log(slope) / SLOPE.prior) ** 2 / 2;
		for (const { logit: z, weight, share } of predicted) {
			const p = sigmoid(slope * z);
			cost -= weight * (share * Math.log(Math.max(p, 1e-12)) + (1 - share) * Math.log(Math.max(1 - p, 1e-12)));
		}
		if (cost < least) [best, least] = [slope, cost];
	}
	return best;
}
