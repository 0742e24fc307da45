/**
 * Decides whether the picture changes to another one between two neighboring frames.
 *
 * Thresholds adapt to the neighborhood (a sliding window, as in Yeo and Liu, "Rapid scene analysis on compressed video",
 * IEEE Trans. CSVT 5, 1995): fast motion and repeated flashes raise all of it, a cut raises one pair. What looks like a cut must
 * also separate *every* pair across it: a flash, a dropout or a torn frame is bridged by the frames around it
 * (flash rejection after Heng and Ngan, "High accuracy flashlight scene determination for shot boundary detection", 2003).
 */
import { comparePair, type FrameFeatures, type PairFeatures } from './features.ts';
import type { ShotDetectorOptions } from './options.ts';

/** Read access to what the detector still holds, by frame index; undefined where it does not exist (any more). */
export interface Window {
	frame(index: number): FrameFeatures | undefined;
	/** The pair of frames `index − 1` and `index`. */
	pair(index: number): PairFeatures | undefined;
}

/** What a boundary candidate turned out to be. */
export type CutVerdict = 'none' | 'cut' | 'bridged';

/** Mismatch floor, so that a still neighborhood does not make everything stand out. */
const QUIET_MISMATCH = 0.01;
const QUIET_DIFFERENCE = 1 / 255;
/** Contrast under which a difference is noise rather than a share of the picture. */
const MIN_CONTRAST = 0.08;
const QUIET_HISTOGRAM = 0.02;

/**
 * Structure (0…1) that neither direction explains: motion, uncovered background and new objects leave one side explained.
 * Smooth pictures explain each other's blocks by chance, so a difference as large as the pictures' own contrast may double it.
 */
export function mutualMismatch(pair: PairFeatures): number {
	const structure = Math.min(pair.forward, pair.backward);
	return Math.max(structure, Math.min(2 * structure, unexplainedShare(pair)));
}

/** The compensated difference as a share (0…1) of the pictures' contrast. */
export function unexplainedShare(pair: PairFeatures): number {
	return Math.min(1, pair.residual / Math.max(pair.contrast, MIN_CONTRAST));
}

/** True for a frame without any picture: black, white, leader. */
export function isBlank(frame: FrameFeatures, options: ShotDetectorOptions): boolean {
	return frame.deviation < options.blankDeviation;
}

/** Mismatch of two frames of which one may be blank: a blank frame explains nothing and is explained by everything. */
function cutStrength(a: FrameFeatures, b: FrameFeatures, pair: PairFeatures, options: ShotDetectorOptions): number {
	const blanks = Number(isBlank(a, options)) + Number(isBlank(b, options));
	if (blanks === 0) return mutualMismatch(pair);
	if (blanks === 2) return Math.abs(a.mean - b.mean) > 0.25 ? 1 : 0;
	return pair.difference >= options.blankDifference ? Math.max(pair.forward, pair.backward) : 0;
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1] ?? 0;
}

function neighbors(window: Window, index: number, radius: number): PairFeatures[] {
	const out: PairFeatures[] = [];
	for (let d = -radius; d <= radius; d++) {
		const pair = d === 0 ? undefined : window.pair(index + d);
		if (pair) out.push(pair);
	}
	return out;
}

function standsOut(
	pair: PairFeatures,
	strength: number,
	around: readonly PairFeatures[],
	o: ShotDetectorOptions,
): boolean {
	const mismatches = around.map(mutualMismatch);
	const usual = Math.max(QUIET_MISMATCH, median(mismatches));
	if (strength >= o.cutMismatch && strength >= o.cutContrast * usual) return true;
	if (strength < o.jumpMismatch) return false;
	const mostHistogram = Math.max(QUIET_HISTOGRAM, ...around.map((p) => p.histogram));
	if (pair.histogram >= o.jumpHistogram && pair.histogram >= o.jumpHistogramContrast * mostHistogram) return true;
	const most = Math.max(QUIET_MISMATCH, ...mismatches);
	const mostDifference = Math.max(QUIET_DIFFERENCE, ...around.map((p) => p.difference));
	return (
		strength >= o.jumpContrast * most &&
		pair.residual >= o.jumpResidual &&
		pair.difference >= o.jumpDifferenceContrast * mostDifference
	);
}

/** True where some frame shortly before the boundary continues in some frame shortly after it. */
function isBridged(window: Window, index: number, strength: number, options: ShotDetectorOptions): boolean {
	const reach = options.flashFrames + 1;
	for (let p = index - 1; p >= index - reach; p--) {
		const before = window.frame(p);
		if (!before || isBlank(before, options)) continue;
		for (let q = index; q - p <= reach; q++) {
			const after = window.frame(q);
			if (q - p < 2 || !after || isBlank(after, options)) continue;
			if (mutualMismatch(comparePair(before, after)) < options.bridgeShare * strength) return true;
		}
	}
	return false;
}

/** Judges the boundary before frame `index`. The window must hold `neighborhood` pairs on both sides, where they exist. */
export function judgeCut(window: Window, index: number, options: ShotDetectorOptions): CutVerdict {
	const a = window.frame(index - 1);
	const b = window.frame(index);
	const pair = window.pair(index);
	if (!a || !b || !pair) return 'none';
	const strength = cutStrength(a, b, pair, options);
	if (strength < options.jumpMismatch) return 'none';
	if (!standsOut(pair, strength, neighbors(window, index, options.neighborhood), options)) return 'none';
	return isBridged(window, index, strength, options) ? 'bridged' : 'cut';
}
