/**
 * Timelines: the ordered list of frames at one point of the pipeline. The source has one; a stage may turn it into
 * another (interpolation, pulldown, repair). Export invariants are proven against the last one.
 */

import { add, compare, type Rational, sub } from './rational.ts';

/** What a frame of a timeline is, seen from the timeline before. */
export type FrameOrigin = 'original' | 'repeated' | 'created' | 'dropped';

/** One frame of a timeline. */
export interface TimelineFrame {
	/** Position in this timeline, 0-based. */
	readonly index: number;
	/** Presentation time in seconds. */
	readonly pts: Rational;
	/** Display duration in seconds, > 0. */
	readonly duration: Rational;
	readonly origin: FrameOrigin;
	/** Frames of the input timeline it is made of: one for original and repeated, usually two for created. */
	readonly needs: readonly number[];
	/** For created frames: position between `needs[0]` (0) and `needs[1]` (1), exact. */
	readonly timestep?: Rational;
	/** Index of its shot in the shot list. */
	readonly shot: number;
}

/** A whole timeline. Frames are in presentation order and tile time without overlap. */
export interface Timeline {
	readonly frames: readonly TimelineFrame[];
	/** Seconds a tick of the container that carries it. */
	readonly timebase: Rational;
}

/** End of the last frame minus start of the first; zero for an empty timeline. */
export function timelineDuration(timeline: Timeline): Rational {
	const first = timeline.frames[0];
	const last = timeline.frames[timeline.frames.length - 1];
	if (!first || !last) return { num: 0, den: 1 };
	return sub(add(last.pts, last.duration), first.pts);
}

/** True when all frames have the same duration. */
export function isConstantRate(timeline: Timeline): boolean {
	const first = timeline.frames[0];
	return first !== undefined && timeline.frames.every((f) => compare(f.duration, first.duration) === 0);
}
