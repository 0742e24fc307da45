/**
 * Decides whether the picture changes to another one between two neighboring frames.
 *
 * Thresholds adapt to the neighborhood (a sliding window, as in Yeo and Liu, "Rapid scene analysis on compressed video",
 * IEEE Trans. CSVT 5, 1995): fast motion and repeated flashes raise all of it, a cut raises one pair. What looks like a cut must
 * also separate *every* pair across it: a flash, a dropout or a torn frame is bridged by the frames around it
 * (flash rejection after Heng and Ngan, "High accuracy flashlight scene determination for shot boundary detection", 2003).
 */
import type { FrameFeatures, PairFeatures } from './features.ts';
import { jumpEvidence, QUIET_MISMATCH, spanMismatch, spansAcross } from './jumps.ts';
import type { ShotDetectorOptions } from './options.ts';
import { isBlank, mutualMismatch, type Window } from './window.ts';

/** What a boundary candidate turned out to be. */
export type CutVerdict = 'none' | 'cut' | 'bridged';

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

/** True for another place: nearly nothing is explained, and the neighborhood is calmer. */
function isOtherPlace(window: Window, index: number, strength: number, options: ShotDetectorOptions): boolean {
	if (strength < options.cutMismatch) return false;
	const usual = median(neighbors(window, index, options.neighborhood).map(mutualMismatch));
	return strength >= options.cutContrast * Math.max(QUIET_MISMATCH, usual);
}

/** True for the same place at another moment. */
function isJump(window: Window, index: number, pair: PairFeatures, options: ShotDetectorOptions): boolean {
	if (mutualMismatch(pair) < options.jumpMismatch || pair.residual < options.jumpResidual) return false;
	return jumpEvidence(window, index, options).contrast >= options.jumpContrast;
}

/** True where some frame shortly before the boundary continues in some frame shortly after it. */
function isBridged(window: Window, index: number, strength: number, options: ShotDetectorOptions): boolean {
	return spansAcross(index, options).some(
		(span) => (spanMismatch(window, span, options) ?? 1) < options.bridgeShare * strength,
	);
}

/** Judges the boundary before frame `index`. The window must hold `neighborhood` pairs on both sides, where they exist. */
export function judgeCut(window: Window, index: number, options: ShotDetectorOptions): CutVerdict {
	const a = window.frame(index - 1);
	const b = window.frame(index);
	const pair = window.pair(index);
	if (!a || !b || !pair) return 'none';
	const strength = cutStrength(a, b, pair, options);
	if (!isOtherPlace(window, index, strength, options) && !isJump(window, index, pair, options)) return 'none';
	return isBridged(window, index, strength, options) ? 'bridged' : 'cut';
}
