/** The grid of frequencies at which the estimator looks, the smooth prior's basis on it, and blurs seen through a windowed spectrum. */

import type { Blur } from './kernels.ts';

/** Side of a window in pixels. */
export const SIDE = 64;
const HALF = SIDE / 2;
/** Frequencies below (in bins) tell of the window and of composition. */
const LEAST_BIN = 2.5;
/** Bins beside the axes, which upright and level structures fill, are left out. */
const AXIS = 1.5;

/** One frequency in bins; u from 2 up, v of both signs: the other half of the plane says the same. */
export interface Bin {
	readonly u: number;
	readonly v: number;
}

/** All frequencies that are looked at. */
export const BINS: readonly Bin[] = Array.from({ length: SIDE - 1 }, (_, j) => j - HALF + 1).flatMap((v) =>
	Array.from({ length: HALF }, (_, u) => ({ u, v })).filter(({ u }) => {
		const r = Math.hypot(u, v);
		return r >= LEAST_BIN && r < HALF && Math.abs(u) > AXIS && Math.abs(v) > AXIS;
	}),
);

/** Coefficients of the prior. */
export const TERMS = 12;

/** The prior's log spectrum is a sum of these: powers of log frequency, and its anisotropy. `BINS.length` rows of {@link TERMS}. */
export const BASIS: Float64Array = Float64Array.from(
	BINS.flatMap(({ u, v }) => {
		const rho = Math.log(Math.hypot(u, v) / SIDE / 0.15);
		const theta = Math.atan2(v, u);
		const [c2, s2, c4, s4] = [2, 4].flatMap((n) => [Math.cos(n * theta), Math.sin(n * theta)]) as [
			number,
			number,
			number,
			number,
		];
		return [1, rho, rho ** 2, rho ** 3, c2, s2, c2 * rho, s2 * rho, c4, s4, c4 * rho, s4 * rho];
	}),
);

/** J₁ or J₂ by the middle values of its integral, exact to float64 for x below 60. */
function bessel(order: 1 | 2, x: number): number {
	const points = 64;
	let sum = 0;
	for (let k = 0; k < points; k++) {
		const t = ((k + 0.5) * Math.PI) / points;
		sum += Math.cos(order * t - x * Math.sin(t));
	}
	return sum / points;
}

/** Steps a unit of the tables below: read between, they are off by less than 1e-5. */
const STEPS = 100;
const LARGEST_X = 60;

/** 2·J₁(x) ÷ x and 8·J₂(x) ÷ x², by x: a first look at disks needs them a hundred thousand times. */
const DISKS = [1, 2].map((order) =>
	Float64Array.from({ length: LARGEST_X * STEPS + 2 }, (_, i) => {
		const x = i / STEPS;
		if (i === 0) return 1;
		return order === 1 ? (2 * bessel(1, x)) / x : (8 * bessel(2, x)) / (x * x);
	}),
);

/** Transfer function of a disk with a rim (Hankel transform of 1 + edge·(2ρ² − 1)) at x = 2π · radius · frequency. */
function diskAt(x: number, edge: number): number {
	const place = Math.min(x, LARGEST_X) * STEPS;
	const i = Math.floor(place);
	const [plain, rim] = DISKS.map((table) => table[i]! + (place - i) * (table[i + 1]! - table[i]!)) as [number, number];
	return (1 + edge) * plain - edge * rim;
}

/** A blur's transfer function at a frequency in cycles a pixel. */
function transferOf(blur: Blur): (u: number, v: number) => number {
	if (blur.cause === 'sharp') return () => 1;
	if (blur.cause === 'soft') return (u, v) => Math.exp(-2 * (Math.PI * blur.sigma) ** 2 * (u * u + v * v));
	if (blur.cause === 'defocus') {
		return (u, v) => diskAt(2 * Math.PI * blur.radius * Math.hypot(u, v), blur.edge);
	}
	const [dx, dy] = [Math.cos((blur.angle * Math.PI) / 180), Math.sin((blur.angle * Math.PI) / 180)];
	return (u, v) => {
		const x = Math.PI * blur.length * (u * dx + v * dy);
		return Math.abs(x) < 1e-6 ? 1 : Math.sin(x) / x;
	};
}

const COLUMNS = HALF + 2;
const ROWS = SIDE + 1;

/** |K|² of a blur at {@link BINS} as a windowed spectrum shows it: Hann's window mixes neighbors, 1 : 4 : 1 along each axis. */
export function powerOf(blur: Blur): Float64Array {
	if (blur.cause === 'sharp') return new Float64Array(BINS.length).fill(1);
	const transfer = transferOf(blur);
	const grid = new Float64Array(ROWS * COLUMNS);
	for (let v = -HALF; v <= HALF; v++) {
		for (let u = -1; u <= HALF; u++) grid[(v + HALF) * COLUMNS + u + 1] = transfer(u / SIDE, v / SIDE) ** 2;
	}
	const weights = [1, 4, 1];
	return Float64Array.from(BINS, ({ u, v }) => {
		let sum = 0;
		for (let j = 0; j < 3; j++) {
			const row = (v + HALF + j - 1) * COLUMNS + u;
			for (let i = 0; i < 3; i++) sum += weights[j]! * weights[i]! * grid[row + i]!;
		}
		return sum / 36;
	});
}
