/**
 * A filter that turns white noise into noise of a given autocorrelation: its frequency response is the root of the power spectrum, the
 * autocorrelation's Fourier transform (Wiener–Khinchin). Kept as a sum of few separable filters, which cost a tenth.
 */

import { ACF_RADIUS, ACF_SIDE } from './profile.ts';

/** Longest filter on each side, in pixels. */
export const MAX_RADIUS = 31;
/** Share of the energy that may be cut off at the filter's ends, and of what separable terms may leave out. */
const CUT = 1e-4;
const TERM_CUT = 1e-4;
const MAX_TERMS = 6;
const POWER_STEPS = 60;

/** One separable term: the filter is Σ column[j] · row[i]; both `2·radius + 1` long. */
export interface Term {
	readonly column: Float64Array;
	readonly row: Float64Array;
}

/** A filter of unit energy: white noise of variance 1 keeps it. */
export interface Kernel {
	readonly radius: number;
	readonly terms: readonly Term[];
}

/** 1 up to half of the radius, then falling to 0 beyond it: what little is measured at long lags is mostly chance. */
function taper(distance: number): number {
	const start = ACF_RADIUS / 2;
	if (distance <= start) return 1;
	const t = (distance - start) / (ACF_RADIUS + 1 - start);
	return t >= 1 ? 0 : 0.5 + 0.5 * Math.cos(Math.PI * t);
}

function cubicWeights(t: number): [number, number, number, number] {
	const [t2, t3] = [t * t, t * t * t];
	return [(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2];
}

/** The tapered autocorrelation at a broken lag (Catmull–Rom); 0 beyond its radius. */
function acfAt(acf: readonly number[], x: number, y: number): number {
	const distance = Math.hypot(x, y);
	const weight = taper(distance);
	if (weight === 0) return 0;
	const [x0, y0] = [Math.floor(x), Math.floor(y)];
	const [wx, wy] = [cubicWeights(x - x0), cubicWeights(y - y0)];
	const at = (i: number, j: number): number =>
		Math.abs(i) > ACF_RADIUS || Math.abs(j) > ACF_RADIUS ? 0 : acf[(j + ACF_RADIUS) * ACF_SIDE + i + ACF_RADIUS]!;
	let sum = 0;
	for (let j = 0; j < 4; j++) for (let i = 0; i < 4; i++) sum += wx[i]! * wy[j]! * at(x0 + i - 1, y0 + j - 1);
	return weight * sum;
}

/** Real discrete Fourier transform of a point-symmetric picture of `n`² values with its middle at (0, 0) modulo n; its own inverse but for n². */
function symmetricTransform(values: Float64Array, n: number): Float64Array {
	const cos = Float64Array.from({ length: n }, (_, k) => Math.cos((2 * Math.PI * k) / n));
	const sin = Float64Array.from({ length: n }, (_, k) => Math.sin((2 * Math.PI * k) / n));
	// Rows to complex, then columns; the imaginary part of the whole vanishes by symmetry.
	const [re, im] = [new Float64Array(n * n), new Float64Array(n * n)];
	for (let y = 0; y < n; y++) {
		for (let u = 0; u < n; u++) {
			let [a, b] = [0, 0];
			for (let x = 0; x < n; x++) {
				const v = values[y * n + x]!;
				if (v === 0) continue;
				const k = (u * x) % n;
				a += v * cos[k]!;
				b -= v * sin[k]!;
			}
			re[y * n + u] = a;
			im[y * n + u] = b;
		}
	}
	const out = new Float64Array(n * n);
	for (let v = 0; v < n; v++) {
		for (let u = 0; u < n; u++) {
			let sum = 0;
			for (let y = 0; y < n; y++) {
				const k = (v * y) % n;
				sum += re[y * n + u]! * cos[k]! + im[y * n + u]! * sin[k]!;
			}
			out[v * n + u] = sum;
		}
	}
	return out;
}

/** The whole filter, `2·radius + 1` a side, of unit energy. */
export function filterOf(
	acf: readonly number[],
	scale: number,
): { readonly radius: number; readonly taps: Float64Array } {
	const reach = Math.min(MAX_RADIUS, Math.ceil((ACF_RADIUS + 1) * scale));
	const n = 2 * reach + 2;
	const lags = new Float64Array(n * n);
	for (let y = -reach; y <= reach; y++) {
		for (let x = -reach; x <= reach; x++) lags[((y + n) % n) * n + ((x + n) % n)] = acfAt(acf, x / scale, y / scale);
	}
	// Measured values need not be a spectrum's: what falls below 0 is chance.
	const response = symmetricTransform(lags, n).map((power) => Math.sqrt(Math.max(0, power)));
	const impulse = symmetricTransform(response, n);
	const at = (x: number, y: number): number => impulse[((y + n) % n) * n + ((x + n) % n)]!;
	const energy = (radius: number): number => {
		let sum = 0;
		for (let y = -radius; y <= radius; y++) for (let x = -radius; x <= radius; x++) sum += at(x, y) ** 2;
		return sum;
	};
	let radius = 0;
	while (radius < reach && energy(radius) < (1 - CUT) * energy(reach)) radius++;
	const side = 2 * radius + 1;
	const norm = 1 / Math.sqrt(energy(radius));
	const taps = Float64Array.from(
		{ length: side * side },
		(_, i) => norm * at((i % side) - radius, Math.floor(i / side) - radius),
	);
	return { radius, taps };
}

/** The strongest separable part of a matrix, by power iteration. */
function strongestTerm(matrix: Float64Array, side: number): Term {
	// From the longest row: one that is at right angles to the answer would never find it.
	const rows = Array.from({ length: side }, (_, j) => matrix.slice(j * side, (j + 1) * side));
	let row = rows.reduce((a, b) => (Math.hypot(...b) > Math.hypot(...a) ? b : a));
	let column = new Float64Array(side);
	for (let step = 0; step < POWER_STEPS; step++) {
		const norm = Math.hypot(...row) || 1;
		row = row.map((v) => v / norm);
		column = column.map((_, j) => row.reduce((sum, v, i) => sum + v * matrix[j * side + i]!, 0));
		const length = Math.hypot(...column) || 1;
		const unit = column.map((v) => v / length);
		row = row.map((_, i) => unit.reduce((sum, v, j) => sum + v * matrix[j * side + i]!, 0));
		column = unit;
	}
	return { column, row };
}

/**
 * The filter for an autocorrelation, in separable terms.
 * @param acf `ACF_SIDE`² values, 1 in the middle
 * @param scale picture's pixels a pixel of the scan: 2 after an enlargement to twice the size
 */
export function grainKernel(acf: readonly number[], scale = 1): Kernel {
	const { radius, taps } = filterOf(acf, scale);
	const side = 2 * radius + 1;
	const rest = Float64Array.from(taps);
	const terms: Term[] = [];
	const energyOf = (values: Float64Array): number => values.reduce((sum, v) => sum + v * v, 0);
	while (terms.length < MAX_TERMS && energyOf(rest) > TERM_CUT) {
		const term = strongestTerm(rest, side);
		for (let i = 0; i < rest.length; i++) rest[i]! -= term.column[Math.floor(i / side)]! * term.row[i % side]!;
		terms.push(term);
	}
	// What is left out must not weaken the grain.
	const gain = 1 / Math.sqrt(energyOf(taps.map((v, i) => v - rest[i]!)));
	return { radius, terms: terms.map(({ column, row }) => ({ column: column.map((v) => v * gain), row })) };
}

/** Σ of the products of two filters' taps: how alike noise from the same white noise comes out of both. */
export function overlap(a: Kernel, b: Kernel): number {
	const dot = (p: Float64Array, q: Float64Array): number => {
		const shift = (q.length - p.length) / 2;
		let sum = 0;
		for (let i = Math.max(0, -shift); i < Math.min(p.length, q.length - shift); i++) sum += p[i]! * q[i + shift]!;
		return sum;
	};
	let sum = 0;
	for (const s of a.terms) for (const t of b.terms) sum += dot(s.column, t.column) * dot(s.row, t.row);
	return sum;
}

/** Lower-triangular L with L·Lᵀ near a 3×3 correlation; what is not one (chance, rounding) is drawn towards none until it is. */
export function mixingOf(correlation: readonly number[]): number[] {
	for (let share = 1; share > 0; share -= 0.02) {
		const lower = cholesky(correlation.map((v, i) => (i % 4 === 0 ? 1 : v * share)));
		if (lower) return lower;
	}
	return [1, 0, 0, 0, 1, 0, 0, 0, 1];
}

function cholesky(m: readonly number[]): number[] | undefined {
	const lower = new Array<number>(9).fill(0);
	for (let i = 0; i < 3; i++) {
		for (let j = 0; j <= i; j++) {
			let sum = m[i * 3 + j]!;
			for (let k = 0; k < j; k++) sum -= lower[i * 3 + k]! * lower[j * 3 + k]!;
			// Fully correlated channels (black and white) leave exactly nothing of their own.
			if (i === j && sum < -1e-6) return undefined;
			if (i === j) lower[i * 4] = Math.sqrt(Math.max(0, sum));
			else lower[i * 3 + j] = lower[j * 4]! > 1e-6 ? sum / lower[j * 4]! : 0;
		}
	}
	return lower;
}
