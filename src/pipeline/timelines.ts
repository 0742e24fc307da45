/** Timelines through the plan: the source's, checks of what a stage answered, and the way back to source frames. */

import type { FrameRange } from '../contracts/frames.ts';
import type { SourceInfo } from '../contracts/media.ts';
import { EmulsionError } from '../core/errors.ts';
import { add, compare, div, formatRational, mul, ONE, type Rational, rational, sub, ZERO } from '../core/rational.ts';
import { type Shot, shotIndexAt } from '../core/shots.ts';
import type { FrameOrigin, Timeline, TimelineFrame } from '../core/timeline.ts';

/** The source's own timeline: every frame original, in its shot (shot 0 where no list is given). */
export function sourceTimeline(info: SourceInfo, shots: readonly Shot[]): Timeline {
	const frames = info.frames.map(({ pts, duration }, index): TimelineFrame => ({
		index,
		pts,
		duration,
		origin: 'original',
		needs: [index],
		shot: Math.max(0, shotIndexAt(shots, index)),
	}));
	return { frames, timebase: info.timebase };
}

/** A timeline that gives every input frame once, as the default stage does. */
export function identityTimeline(input: Timeline): Timeline {
	return {
		timebase: input.timebase,
		frames: input.frames.map(({ timestep: _t, ...frame }) => ({
			...frame,
			origin: 'original',
			needs: [frame.index],
		})),
	};
}

/** Frames a shot, by shot index. Throws `internal` where a timeline leaves a shot and comes back to it. */
export function shotRanges(timeline: Timeline, shots: number): FrameRange[] {
	const ranges: { start: number; end: number }[] = Array.from({ length: shots }, () => ({ start: 0, end: 0 }));
	let current = -1;
	for (const { index, shot } of timeline.frames) {
		const range = ranges[shot];
		if (!range || shot < current) {
			throw new EmulsionError('internal', `frame ${index} lies in shot ${shot} after shot ${current}`, {
				frame: index,
			});
		}
		if (shot !== current) {
			range.start = index;
			current = shot;
		}
		range.end = index + 1;
	}
	return ranges;
}

function checkFrame(
	frame: TimelineFrame,
	position: number,
	previous: TimelineFrame | undefined,
	input: Timeline,
): void {
	const fail = (what: string): never => {
		throw new EmulsionError('internal', `timeline frame ${position}: ${what}`, { frame: position });
	};
	if (frame.index !== position) fail(`expected index ${position}, got ${frame.index}`);
	if (compare(frame.duration, ZERO) <= 0) fail(`expected a duration above 0, got ${formatRational(frame.duration)}`);
	if (previous && compare(frame.pts, previous.pts) <= 0) {
		fail(`starts at ${formatRational(frame.pts)}, not after the frame before it`);
	}
	if (frame.needs.length === 0) fail('expected at least one needed frame');
	if (frame.origin !== 'created' && frame.needs.length !== 1) {
		fail(`expected one needed frame for ${frame.origin}, got ${frame.needs.length}`);
	}
	for (const need of frame.needs) {
		const needed = input.frames[need];
		if (!needed) fail(`needs frame ${need}, which is not one of ${input.frames.length}`);
		else if (needed.shot !== frame.shot) {
			fail(`lies in shot ${frame.shot} and needs frame ${need} of shot ${needed.shot}: never across a cut`);
		}
	}
}

/**
 * What a stage's `timeline` answered, checked: indices count, time never overlaps, and every need lies in the frame's own
 * shot. Frames marked `dropped` are taken out. Throws `internal` (the planner adds the stage).
 */
export function checkedTimeline(output: Timeline, input: Timeline): Timeline {
	const dropped = output.frames.some((f) => f.origin === 'dropped');
	const frames = dropped
		? output.frames.filter((f) => f.origin !== 'dropped').map((f, index) => ({ ...f, index }))
		: output.frames;
	frames.forEach((frame, i) => checkFrame(frame, i, frames[i - 1], input));
	return { frames, timebase: output.timebase };
}

/** How a frame of the last timeline comes from the source. */
export interface Ancestry {
	readonly origin: FrameOrigin;
	readonly needs: readonly number[];
}

/** One more timeline on top of what is known of the one before. */
export function composeAncestry(before: readonly Ancestry[], timeline: Timeline): Ancestry[] {
	return timeline.frames.map((frame) => {
		const parents = frame.needs.map((need) => before[need]!);
		const origins = [frame.origin, ...parents.map((p) => p.origin)];
		const origin = origins.includes('created') ? 'created' : origins.includes('repeated') ? 'repeated' : 'original';
		const needs =
			parents.length === 1 ? parents[0]!.needs : [...new Set(parents.flatMap((p) => p.needs))].sort((a, b) => a - b);
		return { origin, needs };
	});
}

/** Largest denominator of a rate change that a rounded clock is taken to mean (2.5× is 5/2). */
const MAX_RATIO_DEN = 12;
/** How far a rounded clock may be off, as a share: half of what tells 23.976 from 24. */
const RATIO_TOLERANCE = 0.0005;

/** The nearest simple multiple of `rate`, where one is near enough. */
function simpleMultiple(mean: number, rate: Rational): Rational | undefined {
	const ratio = (mean * rate.den) / rate.num;
	for (let den = 1; den <= MAX_RATIO_DEN; den++) {
		const num = Math.round(ratio * den);
		if (num > 0 && Math.abs(num / den / ratio - 1) < RATIO_TOLERANCE) return mul(rate, rational(num, den));
	}
	return undefined;
}

/**
 * Nominal rate in frames a second: exact when all durations are equal; else the simple multiple of the source's rate that
 * the mean rate is near (clocks of whole milliseconds are uneven), else the mean rate.
 */
export function nominalRate(frames: readonly TimelineFrame[], source: Rational): Rational {
	const first = frames[0];
	const last = frames.at(-1);
	if (!first || !last) return source;
	if (frames.every((f) => compare(f.duration, first.duration) === 0)) return div(ONE, first.duration);
	const span = sub(add(last.pts, last.duration), first.pts);
	const mean = div(rational(frames.length), span);
	return simpleMultiple(mean.num / mean.den, source) ?? mean;
}
