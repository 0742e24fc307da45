/**
 * A shot's blur from its pooled spectrum. The spectrum is explained as prior · |K|² + noise, where the prior is smooth and its coefficients
 * are known, as mean and inverse covariance, from sharp pictures (`prior.json`, made by `workshop blur-prior`). A kernel's own marks, its
 * zeros, are what the smooth prior cannot explain. A blur is believed only where it explains the spectrum better than none by a margin.
 * Reference: training/workshop/blur_estimate.py.
 */

import { BASIS, BINS, powerOf, TERMS } from './frequencies.ts';
import type { Blur } from './kernels.ts';
import prior from './prior.json';
import type { Spectrum } from './spectrum.ts';

/** How much the prior on coefficients weighs against the mean squared residual of the logarithm. */
const TRUST = 0.01;
/** What the logarithm of the cost must fall by. Sharp training pictures stay below, but for blurs smaller than {@link LEAST}. */
const MARGIN = 0.3;
/** And a disk against a Gaussian: the simpler one stands where they tell the same. */
const DEFOCUS_MARGIN = 0.03;
/** And a line against both: true lines of the training pictures win by .39 at least, false ones by .17 at most. */
const MOTION_MARGIN = 0.2;
/** Smaller blurs (px) are not told from a picture's own softness. */
const LEAST = { soft: 0.75, defocus: 1.45, motion: 2.5 };
const RANGE = { soft: [0.5, 4, 25], defocus: [0.8, 9, 50], motion: [2, 24, 28] } as const;
/** Rims of a first look, and the largest that is looked for. */
const EDGES = [-0.4, 0, 0.4];
const LARGEST_EDGE = 0.6;
const TURNS = 4;
/** Halvings of the grid's step around the best blur. */
const REFINEMENTS = 4;
const LARGEST_STEP = 1.5;
/** A hasty look takes every so many frequencies; the best few blurs of it are looked at with care. */
const HASTY_STEP = 5;
const SHORTLIST = 6;

type Cause = keyof typeof LEAST;
const CAUSES: readonly Cause[] = ['soft', 'defocus', 'motion'];

/** What the restorer has said; the rest is looked for. */
export interface BlurWish {
	readonly cause: Cause | 'auto' | 'sharp';
	/** Radius, standard deviation or length in pixels. */
	readonly size: number | 'auto';
	/** Degrees; counts for motion. */
	readonly angle: number | 'auto';
	/** −0.9…0.9; counts for defocus. */
	readonly edge: number | 'auto';
}

function blurOf(cause: Cause, size: number, angle: number, edge: number): Blur {
	if (cause === 'soft') return { cause, sigma: size };
	return cause === 'defocus'
		? { cause, radius: size, edge }
		: { cause, length: size, angle: ((angle % 180) + 180) % 180 };
}

/** Radius, standard deviation or length; 0 for sharp. */
export function sizeOf(blur: Blur): number {
	if (blur.cause === 'defocus') return blur.radius;
	return blur.cause === 'soft' ? blur.sigma : blur.cause === 'motion' ? blur.length : 0;
}

/** Directions that a line's length tells apart. */
const anglesOf = (length: number): number => Math.min(48, Math.max(12, Math.round(4 * length)));

function guesses(cause: Cause, { size, angle, edge }: BlurWish): Blur[] {
	const [least, most, count] = RANGE[cause];
	const sizes =
		size === 'auto' ? Array.from({ length: count }, (_, i) => least * (most / least) ** (i / (count - 1))) : [size];
	return sizes.flatMap((s) => {
		const steps = anglesOf(s);
		const turns =
			cause !== 'motion'
				? [0]
				: angle === 'auto'
					? Array.from({ length: steps }, (_, i) => (180 * i) / steps)
					: [angle];
		const rims = cause !== 'defocus' ? [0] : edge === 'auto' ? EDGES : [edge];
		return turns.flatMap((a) => rims.map((e) => blurOf(cause, s, a, e)));
	});
}

/** Solves a symmetric positive definite system in place (Cholesky); `b` becomes the answer. */
function solve(a: Float64Array, b: Float64Array): void {
	const n = TERMS;
	for (let i = 0; i < n; i++) {
		for (let j = 0; j <= i; j++) {
			let sum = a[i * n + j]!;
			for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
			a[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * n + j]!;
		}
	}
	for (let i = 0; i < n; i++) {
		for (let k = 0; k < i; k++) b[i]! -= a[i * n + k]! * b[k]!;
		b[i]! /= a[i * n + i]!;
	}
	for (let i = n - 1; i >= 0; i--) {
		for (let k = i + 1; k < n; k++) b[i]! -= a[k * n + i]! * b[k]!;
		b[i]! /= a[i * n + i]!;
	}
}

/** Σ precision·(c − mean), for each coefficient. */
function pull(c: Float64Array): Float64Array {
	return c.map((_, p) => prior.precision[p]!.reduce((sum, w, q) => sum + w * (c[q]! - prior.mean[q]!), 0));
}

/** Explains a spectrum by blurs. */
class Fitter {
	readonly #log: Float64Array;
	readonly #noise: Float64Array;
	/** Places of the frequencies looked at in {@link BINS}. */
	readonly #bins: readonly number[];
	readonly #basis: Float64Array;

	/** @param step looks at every so many frequencies only: for a first look */
	constructor({ power, noise }: Spectrum, step: number) {
		this.#bins = [...BINS.keys()].filter((i) => i % step === 0);
		this.#log = Float64Array.from(this.#bins, (i) => Math.log(power[i]!));
		this.#noise = Float64Array.from(this.#bins, (i) => noise[i]!);
		this.#basis = Float64Array.from(this.#bins.flatMap((i) => [...BASIS.subarray(i * TERMS, (i + 1) * TERMS)]));
	}

	/** Logarithm of the cost with the coefficients that suit the blur best (Gauss–Newton). */
	cost(blur: Blur): number {
		const all = powerOf(blur);
		const squared = Float64Array.from(this.#bins, (i) => all[i]!);
		// Locals: where private fields are emulated, each access in the loops below would be a search.
		const [logs, noise, basis, count] = [this.#log, this.#noise, this.#basis, squared.length];
		const c = Float64Array.from(prior.mean);
		const a = new Float64Array(TERMS * TERMS);
		const b = new Float64Array(TERMS);
		for (let turn = 0; ; turn++) {
			a.fill(0);
			b.fill(0);
			let square = 0;
			for (let f = 0; f < count; f++) {
				const row = f * TERMS;
				let log = 0;
				for (let p = 0; p < TERMS; p++) log += c[p]! * basis[row + p]!;
				const signal = Math.exp(Math.min(30, Math.max(-30, log))) * squared[f]!;
				const model = signal + noise[f]!;
				const share = signal / model;
				const residual = logs[f]! - Math.log(model);
				square += residual * residual;
				if (turn === TURNS) continue;
				for (let p = 0; p < TERMS; p++) {
					const g = share * basis[row + p]!;
					b[p]! += g * residual;
					for (let q = 0; q <= p; q++) a[p * TERMS + q]! += g * share * basis[row + q]!;
				}
			}
			const towards = pull(c);
			if (turn === TURNS) {
				const distance = towards.reduce((sum, v, p) => sum + v * (c[p]! - prior.mean[p]!), 0);
				return Math.log(square / count + TRUST * distance);
			}
			for (let p = 0; p < TERMS; p++) {
				b[p] = b[p]! / count - TRUST * towards[p]!;
				for (let q = 0; q <= p; q++) a[p * TERMS + q] = a[p * TERMS + q]! / count + TRUST * prior.precision[p]![q]!;
			}
			solve(a, b);
			for (let p = 0; p < TERMS; p++) c[p]! += Math.min(LARGEST_STEP, Math.max(-LARGEST_STEP, b[p]!));
		}
	}
}

interface Candidate {
	readonly blur: Blur;
	readonly cost: number;
}

const better = (a: Candidate, b: Candidate): Candidate => (b.cost < a.cost ? b : a);

/** The spectrum, looked at hastily and with care. */
interface Fitters {
	readonly hasty: Fitter;
	readonly careful: Fitter;
}

/** The best blur of one cause: a hasty look at a grid, the best few of it with care, then ever finer steps around the best. */
async function bestOf(
	{ hasty, careful }: Fitters,
	cause: Cause,
	wish: BlurWish,
	breathe: () => Promise<void>,
): Promise<Candidate> {
	const seen: Candidate[] = [];
	for (const [i, blur] of guesses(cause, wish).entries()) {
		if (i % 25 === 0) await breathe();
		seen.push({ blur, cost: hasty.cost(blur) });
	}
	seen.sort((a, b) => a.cost - b.cost);
	let best: Candidate = { blur: { cause: 'sharp' }, cost: Infinity };
	for (const { blur } of seen.slice(0, SHORTLIST)) best = better(best, { blur, cost: careful.cost(blur) });
	let wide = wish.size === 'auto' ? 0.05 : 0;
	let turn = cause === 'motion' && wish.angle === 'auto' ? 90 / anglesOf(sizeOf(best.blur)) : 0;
	let rim = cause === 'defocus' && wish.edge === 'auto' ? 0.2 : 0;
	const around = (step: number): number[] => (step > 0 ? [-step, 0, step] : [0]);
	for (let k = 0; k < REFINEMENTS && wide + turn + rim > 0; k++, wide /= 2, turn /= 2, rim /= 2) {
		await breathe();
		const center = best.blur;
		const size = sizeOf(center);
		const angle = center.cause === 'motion' ? center.angle : 0;
		const edge = center.cause === 'defocus' ? center.edge : 0;
		for (const s of around(wide)) {
			for (const a of around(turn)) {
				for (const e of around(rim)) {
					const rimmed = rim > 0 ? Math.min(LARGEST_EDGE, Math.max(-LARGEST_EDGE, edge + e)) : edge;
					const blur = blurOf(cause, size * (1 + s), angle + a, rimmed);
					best = better(best, { blur, cost: careful.cost(blur) });
				}
			}
		}
	}
	return best;
}

/**
 * The blur of a spectrum. With a cause given the best of that cause is taken as it is; with `auto` a blur that does not explain the
 * spectrum clearly better than none, or is too small to be told from softness, is `sharp`.
 */
export async function estimateBlur(
	spectrum: Spectrum,
	wish: BlurWish = { cause: 'auto', size: 'auto', angle: 'auto', edge: 'auto' },
	breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<Blur> {
	if (wish.cause === 'sharp') return { cause: 'sharp' };
	const fitters = { hasty: new Fitter(spectrum, HASTY_STEP), careful: new Fitter(spectrum, 1) };
	if (wish.cause !== 'auto') return (await bestOf(fitters, wish.cause, wish, breathe)).blur;
	const sharp = fitters.careful.cost({ cause: 'sharp' });
	const found: Partial<Record<Cause, Candidate>> = {};
	for (const cause of CAUSES) found[cause] = await bestOf(fitters, cause, wish, breathe);
	const { soft, defocus, motion } = found as Record<Cause, Candidate>;
	const round = defocus.cost < soft.cost - DEFOCUS_MARGIN ? defocus : soft;
	const best = motion.cost < round.cost - MOTION_MARGIN ? motion : round;
	const { blur } = best;
	if (blur.cause === 'sharp' || sharp - best.cost < MARGIN || sizeOf(blur) < LEAST[blur.cause])
		return { cause: 'sharp' };
	return blur;
}
