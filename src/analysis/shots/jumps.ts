/**
 * Jump cuts: the same place, another moment. What changes is no larger than in a fast gesture, but it changes at once and all over.
 *
 * Two things tell a jump from motion, from frames that are missing inside of a take, and from a title that comes up:
 * - Every frame before the boundary differs from every frame after it by more than either side changes within itself, though
 *   the frames within are up to `neighborhood` frames apart and those across only one: a gesture with some frames missing covers
 *   no more ground than the same gesture does in as many frames. (The comparison of cross- and self-similarity of Cooper and Foote, "Scene
 *   boundary detection via video self-similarity analysis", ICIP 2001.)
 * - The change is seen in every half of the picture, in blocks that were quieter on both sides: another moment of a place brings
 *   other light, another pose, another framing; a title, a counter or a hand comes from one side.
 */
import { type ChangeMap, changeMap, leastHalf } from './change.ts';
import { comparePair } from './features.ts';
import type { ShotDetectorOptions } from './options.ts';
import { mutualMismatch, pictureAt, type Window } from './window.ts';

/** Mismatch floor, so that a still neighborhood does not make everything stand out. */
export const QUIET_MISMATCH = 0.01;
/** A block's change (0…1, luma and chroma summed) under which it is quiet: two codes of 8 bits. */
const QUIET_CHANGE = 2 / 255;
/** A block has changed when it did so by this factor more than ever on either side. */
const CHANGED = 1.25;

/** What speaks for a jump cut. */
export interface JumpEvidence {
	/** Share (0…1) of blocks that changed more than ever on either side, in the half of the picture that has fewest. */
	readonly spread: number;
	/** The least mismatch of two frames across the boundary, in the largest of two frames on one side of it. */
	readonly contrast: number;
}

/** Two frames by their indices, the earlier first. */
export type Span = readonly [earlier: number, later: number];

/** Spans on one side: from the last frame before (the first after) the boundary to each of its `neighborhood` neighbors. */
function spansWithin(index: number, options: ShotDetectorOptions): Span[] {
	return Array.from({ length: options.neighborhood }, (_, d): Span[] => [
		[index - 2 - d, index - 1],
		[index, index + 1 + d],
	]).flat();
}

/** Spans across the boundary before `index`, at most as long as a flash and its two neighbors; the boundary's own is not among them. */
export function spansAcross(index: number, options: ShotDetectorOptions): Span[] {
	const out: Span[] = [];
	for (let length = 2; length <= options.flashFrames + 1; length++)
		for (let p = index - length; p < index; p++) out.push([p, p + length]);
	return out;
}

/** Mismatch (0…1) of the pictures at a span's ends; undefined where one is missing or blank. */
export function spanMismatch(window: Window, [p, q]: Span, options: ShotDetectorOptions): number | undefined {
	const a = pictureAt(window, p, options);
	const b = pictureAt(window, q, options);
	if (!a || !b) return undefined;
	return mutualMismatch((q - p === 1 && window.pair(q)) || comparePair(a, b));
}

/** Share of blocks that change more across the boundary than ever within its sides, in the half that has fewest. */
function changeSpread(window: Window, index: number, options: ShotDetectorOptions): number {
	const mapOf = ([p, q]: Span): ChangeMap | undefined => {
		const a = pictureAt(window, p, options);
		const b = pictureAt(window, q, options);
		return a && b && changeMap(a, b);
	};
	const change = mapOf([index - 1, index]);
	if (!change) return 0;
	const most = new Float32Array(change.values.length).fill(QUIET_CHANGE);
	for (const span of spansWithin(index, options))
		mapOf(span)?.values.forEach((value, at) => {
			most[at] = Math.max(most[at]!, value);
		});
	return leastHalf(change, (value, at) => value > CHANGED * most[at]!);
}

/**
 * Weighs the boundary before frame `index`. Looks only as far as needed: `contrast` is 0 where `spread` is under `jumpSpread`, and
 * where it is told as less than `jumpContrast` it may be less still. Both are 0 next to a blank frame.
 */
export function jumpEvidence(window: Window, index: number, options: ShotDetectorOptions): JumpEvidence {
	const spread = changeSpread(window, index, options);
	if (spread < options.jumpSpread) return { spread, contrast: 0 };
	let across = spanMismatch(window, [index - 1, index], options) ?? 0;
	let inside = QUIET_MISMATCH;
	const enough = (): boolean => across >= options.jumpContrast * inside;
	for (const span of spansWithin(index, options))
		if (enough()) inside = Math.max(inside, spanMismatch(window, span, options) ?? 0);
	for (const span of spansAcross(index, options))
		if (enough()) across = Math.min(across, spanMismatch(window, span, options) ?? across);
	return { spread, contrast: across / inside };
}
