/** Consecutive frames compared: which repeat their predecessor inside motion, and where the picture truly stands still. */

import type { TimelineFrame } from '../../core/timeline.ts';

/** Artifact of `interpolate`'s analysis of one shot. */
export interface PairStatistics {
	/** Index of the shot's first frame in the input timeline. */
	readonly start: number;
	/** Mean absolute difference of frame `start + i` and `start + i + 1`, in 8-bit code values, after removing a common gain (flicker); an eighth of the strongest place where that is more. */
	readonly differences: readonly number[];
}

/** How a run's pairs were told apart. */
export interface PairClasses {
	/** Frames that repeat the one before while the picture around them moves: no sample of the motion. */
	readonly duplicates: ReadonlySet<number>;
	/** Frames whose successor shows the same picture: between the two there is nothing to interpolate. */
	readonly still: ReadonlySet<number>;
}

/** A neighbor difference this many times the threshold (and above it by {@link MOTION_MARGIN}) is motion. */
const MOTION_FACTOR = 4;
const MOTION_MARGIN = 0.5;
/** Longest run of equal frames that counts as duplicates of one; a longer one is a held (still) picture. */
const LONGEST_DUPLICATE_RUN = 3;

/**
 * Tells duplicates from stills. A run of pairs below `threshold` is duplication when it is short and moves on both sides;
 * all else below it is stillness. Without statistics nothing is either.
 */
export function classifyPairs(
	frames: readonly TimelineFrame[],
	pairs: PairStatistics | undefined,
	threshold: number,
): PairClasses {
	const duplicates = new Set<number>();
	const still = new Set<number>();
	if (!pairs) return { duplicates, still };
	const difference = (index: number): number | undefined => pairs.differences[index - pairs.start];
	const moves = (index: number): boolean => {
		const d = difference(index);
		return d !== undefined && d > threshold * MOTION_FACTOR && d > threshold + MOTION_MARGIN;
	};
	const last = frames[frames.length - 1]?.index ?? 0;
	const first = frames[0]?.index ?? 0;
	for (let i = first; i < last;) {
		if ((difference(i) ?? Infinity) > threshold) {
			i++;
			continue;
		}
		let end = i;
		while (end < last && (difference(end) ?? Infinity) <= threshold) end++;
		const isDuplicate = end - i <= LONGEST_DUPLICATE_RUN && i > first && end < last && moves(i - 1) && moves(end);
		for (let k = i; k < end; k++) {
			if (isDuplicate) duplicates.add(k + 1);
			else still.add(k);
		}
		i = end;
	}
	return { duplicates, still };
}
