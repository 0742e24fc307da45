/** From the plan's rational timeline to a container's ticks. */

import { EmulsionError } from '../../core/errors.ts';
import { type Rational, add, isExact, rational, sub, toTicks } from '../../core/rational.ts';
import type { TimelineFrame } from '../../core/timeline.ts';

/** Timescales above this do not fit the 32-bit field. */
const MAX_TIMESCALE = 2 ** 31 - 1;
/** Players round coarse clocks badly: timescales are multiplied up to at least this. */
const MIN_TIMESCALE = 10_000;
/** Ticks a second where no common timescale exists: the error is at most half of this. */
const FALLBACK_TIMESCALE = 1_000_000_000;

/** Frame times of a file, in presentation order. */
export interface VideoClock {
	/** Ticks a second. */
	readonly timescale: number;
	/** First frame is 0. */
	readonly pts: readonly number[];
	/** Time to the next frame; the last one's own. */
	readonly durations: readonly number[];
	/** Sum of durations. */
	readonly total: number;
	/** False when times had to be rounded to the nearest tick. */
	readonly exact: boolean;
}

function gcd(a: number, b: number): number {
	return b === 0 ? a : gcd(b, a % b);
}

/** Least common multiple, or undefined above `limit`. */
export function lcm(a: number, b: number, limit = MAX_TIMESCALE): number | undefined {
	const value = (a / gcd(a, b)) * b;
	return value <= limit ? value : undefined;
}

/** Times of all frames and the end of the last, relative to the first. Throws `internal` when they do not increase. */
function relativeTimes(timeline: readonly TimelineFrame[]): { starts: Rational[]; end: Rational } {
	const first = timeline[0];
	const last = timeline[timeline.length - 1];
	if (!first || !last) throw new EmulsionError('internal', 'mux: the timeline is empty');
	const starts = timeline.map((f) => sub(f.pts, first.pts));
	return { starts, end: sub(add(last.pts, last.duration), first.pts) };
}

/** The smallest timescale in which all times are exact; the fallback where there is none of 32 bit. */
export function commonTimescale(times: readonly Rational[]): { timescale: number; exact: boolean } {
	let scale: number | undefined = 1;
	for (const time of times) {
		scale = lcm(scale, time.den);
		if (scale === undefined) return { timescale: FALLBACK_TIMESCALE, exact: false };
	}
	while (scale < MIN_TIMESCALE) scale *= 10;
	return { timescale: scale, exact: true };
}

/** Ticks of a timeline in a timescale (the common one when absent). */
export function videoClock(timeline: readonly TimelineFrame[], timescale?: number): VideoClock {
	const { starts, end } = relativeTimes(timeline);
	const scale = timescale ?? commonTimescale([...starts, end]).timescale;
	const tick = rational(1, scale);
	const pts = starts.map((t) => toTicks(t, tick));
	const total = toTicks(end, tick);
	const durations = pts.map((t, i) => (pts[i + 1] ?? total) - t);
	const bad = durations.findIndex((d) => d <= 0);
	if (bad >= 0) {
		throw new EmulsionError('internal', `mux: frame ${bad} lasts ${durations[bad] ?? 0}/${scale} s`, { frame: bad });
	}
	const exact = starts.every((t) => isExact(t, tick)) && isExact(end, tick);
	return { timescale: scale, pts, durations, total, exact };
}

/** Decoding times and composition offsets of packets, in decoding order. */
export interface DecodeOrder {
	/** Duration of each packet on the decoding clock. */
	readonly durations: readonly number[];
	/** Presentation minus decoding time, ≥ 0. */
	readonly offsets: readonly number[];
	/** Presentation time of the first frame on the decoding clock (what an edit list has to skip). */
	readonly delay: number;
}

/**
 * Decoding clock for packets that present frames `places` (a permutation of 0…n−1): decoding times are the sorted
 * presentation times, late by as many frames as the reordering needs.
 */
export function decodeOrder(places: readonly number[], clock: VideoClock): DecodeOrder {
	const reorder = places.reduce((most, place, i) => Math.max(most, i - place), 0);
	const delays = clock.durations.slice(0, 1);
	const lead = reorder * (delays[0] ?? 0);
	// Decoding time of packet i, shifted so that the first is 0: frame i − reorder on the presentation clock.
	const decode = places.map((_, i) => (i < reorder ? i * (delays[0] ?? 0) : lead + (clock.pts[i - reorder] ?? 0)));
	const end = lead + clock.total;
	const durations = decode.map(
		(t, i) => (decode[i + 1] ?? Math.max(t + 1, Math.min(end, t + (clock.durations[i] ?? 1)))) - t,
	);
	const offsets = places.map((place, i) => lead + (clock.pts[place] ?? 0) - (decode[i] ?? 0));
	return { durations, offsets, delay: lead };
}
