/** When the frames of a sequence are shown: their numbers are their clock, so that a gap takes the time of what is missing. */

import type { IndexedFrame } from '../../contracts/media.ts';
import { mul, type Rational, rational } from '../../core/rational.ts';

/** The clock of a sequence. */
export interface SequenceClock {
	readonly frames: readonly IndexedFrame[];
	/** Numbers without a file between the first and the last frame; 0 where names have no numbers. */
	readonly missing: number;
	/** False where more frames are missing than there: then numbers are no clock, and frames follow each other. */
	readonly byNumber: boolean;
}

/**
 * Times from frame numbers: frame `n` is shown `n − first` frame durations after the first, and stays until the next one that
 * is there. Sound, timecode and keycode of the reel stay where they belong, whatever is missing.
 * @param numbers number in each name, rising; undefined where a name has none.
 * @param duration seconds a frame.
 */
export function sequenceClock(numbers: readonly (number | undefined)[], duration: Rational): SequenceClock {
	const first = numbers[0];
	const numbered = first !== undefined && numbers.every((number) => number !== undefined);
	const last = numbers[numbers.length - 1];
	const missing = numbered && last !== undefined ? last - first + 1 - numbers.length : 0;
	const byNumber = numbered && missing <= numbers.length;
	const places = numbers.map((number, index) => (byNumber ? (number ?? 0) - first : index));
	const frames = places.map((place, index) => ({
		pts: mul(rational(place), duration),
		duration: mul(rational((places[index + 1] ?? place + 1) - place), duration),
		keyframe: true,
	}));
	return { frames, missing, byNumber };
}
