/**
 * Finds dissolves by their definition: every frame of one is a mix of the picture before and the picture after, and the share of
 * the second grows steadily from 0 to 1.
 *
 * For a window from frame s to frame e each frame between is fitted as a·S + b·E + c by least squares on quarter-size luma; the
 * mix is b / (a + b), so that flicker (a + b ≠ 1, c ≠ 0) does not count. Motion, pans and zooms are no mix of their ends and leave
 * a large residual; a cut makes a step. The production model is that of Hampapur, Jain and Weymouth, "Production model based
 * digital video segmentation" (1995), and Lienhart, "Reliable dissolve detection" (2001).
 */
import { comparePair, type FrameFeatures, type PairFeatures } from './features.ts';
import type { ShotDetectorOptions } from './options.ts';
import { isBlank, unexplainedShare, type Window } from './window.ts';

/** A dissolve that some window shows. */
export interface DissolveCandidate {
	/** First frame that mixes both pictures. */
	readonly from: number;
	/** First frame that shows only the new one. */
	readonly to: number;
	/** Mean share of the mixed frames that the two pictures leave unexplained, 0…1. */
	readonly residual: number;
}

/** Shares between which a frame counts as mixed; outside, motion in the two shots decides more than the mix. */
const MIXED_LOW = 0.1;
const MIXED_HIGH = 0.9;
/** Correlation above which the two ends are one picture. */
const SAME_PICTURE = 0.85;
/** Root mean square of the mix's distance from a straight line. */
const STRAIGHT = 0.1;
/** Sum of all steps of the mix; 1 when it only grows. */
const MAX_VARIATION = 1.35;
/** Contrast (standard deviation of quarter-size luma) without which there is no picture to mix. */
const MIN_CONTRAST = 0.02;

interface Mix {
	readonly share: number;
	readonly residual: number;
}

/** Covariance of the quarter-size pictures of two frames. */
function covariance(a: FrameFeatures, b: FrameFeatures): number {
	let sum = 0;
	for (let i = 0; i < a.coarse.length; i++) sum += a.coarse[i]! * b.coarse[i]!;
	return sum / a.coarse.length - a.coarseMean * b.coarseMean;
}

/** The sums over a window's ends that every fit needs. */
interface Ends {
	readonly s: FrameFeatures;
	readonly e: FrameFeatures;
	readonly ss: number;
	readonly ee: number;
	readonly se: number;
}

function fitMix(ends: Ends, frame: FrameFeatures): Mix | undefined {
	const { ss, ee, se } = ends;
	const fs = covariance(frame, ends.s);
	const fe = covariance(frame, ends.e);
	const ff = covariance(frame, frame);
	const determinant = ss * ee - se * se;
	const a = (fs * ee - fe * se) / determinant;
	const b = (fe * ss - fs * se) / determinant;
	const level = a + b;
	if (!(level > 0.4 && level < 2.5)) return undefined;
	const left = Math.max(0, ff - 2 * (a * fs + b * fe) + a * a * ss + 2 * a * b * se + b * b * ee);
	return { share: b / level, residual: Math.sqrt(left / (ss + ee - 2 * se)) / level };
}

function windowEnds(s: FrameFeatures, e: FrameFeatures): Ends | undefined {
	const ends = { s, e, ss: covariance(s, s), ee: covariance(e, e), se: covariance(s, e) };
	if (Math.min(ends.ss, ends.ee) < MIN_CONTRAST ** 2) return undefined;
	return ends.se > SAME_PICTURE * Math.sqrt(ends.ss * ends.ee) ? undefined : ends;
}

/** Straight line through the mixed frames: the share at offset t is (t − start) / length. */
function fitLine(
	mixed: readonly { t: number; share: number }[],
): { start: number; length: number; error: number } | undefined {
	const n = mixed.length;
	const mt = mixed.reduce((sum, m) => sum + m.t, 0) / n;
	const ms = mixed.reduce((sum, m) => sum + m.share, 0) / n;
	const tt = mixed.reduce((sum, m) => sum + (m.t - mt) ** 2, 0);
	const slope = mixed.reduce((sum, m) => sum + (m.t - mt) * (m.share - ms), 0) / tt;
	if (!(slope > 0)) return undefined;
	const square = mixed.reduce((sum, m) => sum + (m.share - ms - slope * (m.t - mt)) ** 2, 0) / n;
	return { start: mt - ms / slope, length: 1 / slope, error: Math.sqrt(square) };
}

/**
 * Stricter than between neighbors, for over a whole window one shot changes too: either the structure alone, or half of it
 * and (smooth pictures) a difference of nearly their whole contrast.
 */
function isOtherPicture(pair: PairFeatures, options: ShotDetectorOptions): boolean {
	const structure = Math.min(pair.forward, pair.backward);
	if (structure >= options.dissolveMismatch) return true;
	return structure >= options.dissolveMismatch / 2 && unexplainedShare(pair) >= 2 * options.dissolveMismatch;
}

/** Tests whether the frames from `start` to `end` (both ends whole pictures) hold one dissolve. */
export function testDissolve(
	window: Window,
	start: number,
	end: number,
	options: ShotDetectorOptions,
): DissolveCandidate | undefined {
	const s = window.frame(start);
	const e = window.frame(end);
	if (!s || !e || isBlank(s, options) || isBlank(e, options)) return undefined;
	const ends = windowEnds(s, e);
	if (!ends) return undefined;
	const mixed: { t: number; share: number }[] = [];
	let previous = 0;
	let variation = 0;
	let residual = 0;
	for (let t = start + 1; t <= end; t++) {
		const frame = window.frame(t);
		const mix = t === end ? { share: 1, residual: 0 } : frame && fitMix(ends, frame);
		if (!mix) return undefined;
		const step = Math.abs(mix.share - previous);
		variation += step;
		if (step > options.dissolveStep || variation > MAX_VARIATION) return undefined;
		previous = mix.share;
		if (mix.share < MIXED_LOW || mix.share > MIXED_HIGH) continue;
		mixed.push({ t, share: mix.share });
		residual += mix.residual;
	}
	if (mixed.length < 2 || residual > options.dissolveResidual * mixed.length) return undefined;
	const line = fitLine(mixed);
	if (!line || line.error > STRAIGHT) return undefined;
	if (!isOtherPicture(comparePair(s, e), options)) return undefined;
	const from = Math.max(start + 1, Math.floor(line.start) + 1);
	const to = Math.min(end, Math.ceil(line.start + line.length));
	return to - from < 2 ? undefined : { from, to, residual: residual / mixed.length };
}

/** Window lengths, growing by about a third, up to the longest dissolve. */
export function dissolveWindows(maxDissolve: number): number[] {
	const out: number[] = [];
	for (let length = 4; length < maxDissolve; length = Math.ceil(length * 1.3)) out.push(length);
	return [...out, maxDissolve];
}

/** Candidates nearer than this are readings of one dissolve: a shot between two would be too short to see. */
export const MIN_GAP = 12;

/** Keeps the widest and best explained of candidates that are one dissolve, none beside a cut, which it would only echo. */
export function chooseDissolves(
	candidates: readonly DissolveCandidate[],
	cuts: readonly number[],
	options: ShotDetectorOptions,
): DissolveCandidate[] {
	const score = (c: DissolveCandidate): number => (c.to - c.from) * (1 - c.residual / options.dissolveResidual);
	const alone = candidates.filter((c) => cuts.every((cut) => cut + MIN_GAP / 2 < c.from || cut >= c.to + MIN_GAP / 2));
	const chosen: DissolveCandidate[] = [];
	for (const c of alone.sort((a, b) => score(b) - score(a)))
		if (chosen.every((other) => c.to + MIN_GAP <= other.from || c.from >= other.to + MIN_GAP)) chosen.push(c);
	return chosen.sort((a, b) => a.from - b.from);
}
