/**
 * Which frames an interpolation makes: exact rational times, never a frame made from both sides of a cut. A frame that
 * repeats its predecessor inside motion (a duplicate) is no sample of the motion and is re-created; a picture that truly
 * stands still is repeated.
 */

import {
	add,
	compare,
	div,
	floor,
	mul,
	ONE,
	parseRational,
	rational,
	type Rational,
	sub,
	toNumber,
	ZERO,
} from '../../core/rational.ts';
import type { Timeline, TimelineFrame } from '../../core/timeline.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { params as table } from './meta.ts';
import type { PairStatistics } from './pairs.ts';
import { classifyPairs } from './pairs.ts';

/** The parameters that decide the timeline. */
export interface RateParams {
	readonly factor: number;
	readonly rate: string;
	readonly slow: number;
	readonly still: number;
}

/** Most frames one interpolation may make: beyond, a typed error instead of a tab out of memory. */
export const MAX_FRAMES = 5_000_000;

/** A double such as 2.5 or 0.3 as an exact rational (parameters step by hundredths at the finest). */
function exact(value: number): Rational {
	return rational(Math.round(value * 1000), 1000);
}

/** Where one input shot goes in output time. */
interface Placement {
	readonly frames: readonly TimelineFrame[];
	/** Input time of the shot's first frame, and of its end. */
	readonly start: Rational;
	readonly end: Rational;
}

function endOf(frame: TimelineFrame): Rational {
	return add(frame.pts, frame.duration);
}

/** Runs of consecutive frames of the same shot and the same answer to `scope`. */
function runs(
	input: Timeline,
	scope: (frame: TimelineFrame) => boolean,
): (Placement & { readonly inScope: boolean })[] {
	const result: { frames: TimelineFrame[]; inScope: boolean }[] = [];
	for (const frame of input.frames) {
		const inScope = scope(frame);
		const last = result[result.length - 1];
		if (last && last.inScope === inScope && last.frames[0]!.shot === frame.shot) last.frames.push(frame);
		else result.push({ frames: [frame], inScope });
	}
	return result.map(({ frames, inScope }) => ({
		frames,
		inScope,
		start: frames[0]!.pts,
		end: endOf(frames[frames.length - 1]!),
	}));
}

/** Mean rate of a timeline in frames a second. */
function meanRate(input: Timeline): Rational {
	const first = input.frames[0]!;
	const span = sub(endOf(input.frames[input.frames.length - 1]!), first.pts);
	return div(rational(input.frames.length), span);
}

/** Seconds between output frames, measured in the input's time; and the stretch from input to output time. */
function steps(input: Timeline, params: RateParams): { readonly step: Rational; readonly slow: Rational } {
	const slow = exact(params.slow);
	const target = params.rate === '' ? undefined : parseRational(params.rate);
	if (params.rate !== '' && (!target || target.num <= 0)) {
		throw new EmulsionError(
			'recipe-invalid',
			phrase('expected', { path: 'rate', expected: { term: table.rate.expected }, got: `"${params.rate}"` }),
		);
	}
	const outputRate = target ?? div(mul(meanRate(input), exact(params.factor)), slow);
	return { step: div(ONE, mul(outputRate, slow)), slow };
}

/** The sample at or before a time, and the next one that is not a duplicate. Both lie in the run. */
function bracket(
	samples: readonly TimelineFrame[],
	time: Rational,
): readonly [TimelineFrame, TimelineFrame | undefined] {
	let low = 0;
	let high = samples.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (compare(samples[middle]!.pts, time) <= 0) low = middle;
		else high = middle - 1;
	}
	return [samples[low]!, samples[low + 1]];
}

/** What stands at one input time of a run. */
function frameAt(
	time: Rational,
	samples: readonly TimelineFrame[],
	still: ReadonlySet<number>,
): Omit<TimelineFrame, 'index' | 'pts' | 'duration'> {
	const [before, after] = bracket(samples, time);
	if (compare(before.pts, time) === 0) return { origin: 'original', needs: [before.index], shot: before.shot };
	if (!after || still.has(before.index)) return { origin: 'repeated', needs: [before.index], shot: before.shot };
	const timestep = div(sub(time, before.pts), sub(after.pts, before.pts));
	return { origin: 'created', needs: [before.index, after.index], timestep, shot: before.shot };
}

function resample(
	run: Placement,
	grid: readonly Rational[],
	pairs: PairStatistics | undefined,
	stillThreshold: number,
): Omit<TimelineFrame, 'index' | 'pts' | 'duration'>[] {
	const { duplicates, still } = classifyPairs(run.frames, pairs, stillThreshold);
	const samples = run.frames.filter((f) => !duplicates.has(f.index));
	return grid.map((time) => frameAt(time, samples, still));
}

/** Times `origin + k·step` that lie in [start, end). */
function gridWithin(origin: Rational, step: Rational, start: Rational, end: Rational): Rational[] {
	const first = -floor(div(sub(origin, start), step));
	const times: Rational[] = [];
	for (let k = first; ; k++) {
		const time = add(origin, mul(rational(k), step));
		if (compare(time, start) < 0) continue;
		if (compare(time, end) >= 0) return times;
		times.push(time);
	}
}

/** True when every frame of the timeline is to be resampled onto one grid. */
function isWhole(parts: readonly { readonly inScope: boolean }[]): boolean {
	return parts.every((p) => p.inScope);
}

/**
 * The output timeline of an interpolation. On the whole film, output times are one uniform grid from the first frame on;
 * on part of it, each run in scope has its own grid from its first frame, and what follows moves by what it grew.
 *
 * @param pairs statistics by shot index, from `analyze`
 * @throws EmulsionError `recipe-invalid` when the rate is no rate or would make more than {@link MAX_FRAMES} frames
 */
export function interpolateTimeline(
	input: Timeline,
	params: RateParams,
	pairs: ReadonlyMap<number, PairStatistics>,
	scope: (frame: TimelineFrame) => boolean,
): Timeline {
	const origin = input.frames[0]?.pts;
	if (origin === undefined) return input;
	const { step, slow } = steps(input, params);
	const total = timelineSeconds(input) / toNumber(step);
	if (total > MAX_FRAMES) {
		throw new EmulsionError('recipe-invalid', phrase('too-many-frames', { count: Math.round(total), max: MAX_FRAMES }));
	}
	const parts = runs(input, scope);
	const whole = isWhole(parts);
	const frames: TimelineFrame[] = [];
	let shift = ZERO;
	for (const part of parts) {
		const base = add(part.start, shift);
		if (!part.inScope) {
			for (const f of part.frames) {
				frames.push({
					index: frames.length,
					pts: add(f.pts, shift),
					duration: f.duration,
					origin: 'original',
					needs: [f.index],
					shot: f.shot,
				});
			}
			continue;
		}
		const grid = gridWithin(whole ? origin : part.start, step, part.start, part.end);
		const made = resample(part, grid, pairs.get(part.frames[0]!.shot), params.still);
		const place = (time: Rational): Rational => add(base, mul(sub(time, part.start), slow));
		made.forEach((frame, k) => {
			const pts = place(grid[k]!);
			const next = !whole && k + 1 === grid.length ? place(part.end) : add(pts, mul(step, slow));
			frames.push({ ...frame, index: frames.length, pts, duration: sub(next, pts) });
		});
		shift = add(shift, mul(sub(part.end, part.start), sub(slow, ONE)));
	}
	return { frames, timebase: commonTimebase(input.timebase, frames) };
}

function timelineSeconds(input: Timeline): number {
	return toNumber(sub(endOf(input.frames[input.frames.length - 1]!), input.frames[0]!.pts));
}

/** The coarsest timebase in which every time is a whole tick; the input's own where it already serves. */
function commonTimebase(own: Rational, frames: readonly TimelineFrame[]): Rational {
	const times = frames.flatMap((f) => [f.pts, f.duration]);
	if (times.every((t) => div(t, own).den === 1)) return own;
	let num = 0n;
	let den = 1n;
	const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));
	for (const t of times) {
		if (t.num === 0) continue;
		num = gcd(BigInt(Math.abs(t.num)), num);
		den = (den * BigInt(t.den)) / gcd(den, BigInt(t.den));
	}
	return rational(Number(num === 0n ? 1n : num), Number(den));
}
