import { describe, expect, it } from 'vitest';
import { compare, equal, fromTicks, isExact, rational, toNumber } from '../../core/rational.ts';
import { type Timeline, type TimelineFrame, timelineDuration } from '../../core/timeline.ts';
import { classifyPairs } from './pairs.ts';
import { interpolateTimeline } from './timeline.ts';

const film = (count: number, rate = 24, cuts: readonly number[] = []): Timeline => ({
	timebase: rational(1, rate),
	frames: Array.from({ length: count }, (_, index): TimelineFrame => ({
		index,
		pts: rational(index, rate),
		duration: rational(1, rate),
		origin: 'original',
		needs: [index],
		shot: cuts.filter((c) => c <= index).length,
	})),
});
const all = () => true;
const base = { factor: 2, rate: '', slow: 1, still: 0.3 };
const none = new Map();
const origins = (t: Timeline): string => t.frames.map((f) => f.origin[0]).join('');

describe('interpolation timeline', () => {
	it('doubles with exact half steps and keeps the duration', () => {
		const out = interpolateTimeline(film(4), base, none, all);
		expect(origins(out)).toBe('ocococor');
		expect(out.frames[1]).toMatchObject({ needs: [0, 1], timestep: { num: 1, den: 2 }, pts: { num: 1, den: 48 } });
		expect(equal(timelineDuration(out), timelineDuration(film(4)))).toBe(true);
		expect(out.timebase).toEqual({ num: 1, den: 48 });
	});

	it('never needs frames of two shots', () => {
		const input = film(12, 24, [5, 9]);
		for (const params of [base, { ...base, factor: 2.5 }, { ...base, rate: '60' }, { ...base, slow: 4, factor: 4 }]) {
			const out = interpolateTimeline(input, params, none, all);
			for (const frame of out.frames) {
				for (const need of frame.needs) expect(input.frames[need]?.shot).toBe(frame.shot);
			}
			expect(new Set(out.frames.map((f) => f.shot))).toEqual(new Set([0, 1, 2]));
		}
	});

	it('goes from 24 to 60 on an exact grid', () => {
		const out = interpolateTimeline(film(24), { ...base, rate: '60' }, none, all);
		expect(out.frames).toHaveLength(60);
		out.frames.forEach((f, k) => expect(equal(f.pts, rational(k, 60))).toBe(true));
		expect(out.frames.slice(0, 6).map((f) => f.timestep && toNumber(f.timestep))).toEqual(
			[undefined, 0.4, 0.8, 0.2, 0.6, undefined].map((t) => (t === undefined ? undefined : expect.closeTo(t, 12))),
		);
	});

	it('stretches time for slow motion without touching the rate', () => {
		const out = interpolateTimeline(film(10), { ...base, factor: 4, slow: 4 }, none, all);
		expect(out.frames).toHaveLength(40);
		expect(out.frames.every((f) => equal(f.duration, rational(1, 24)))).toBe(true);
		expect(toNumber(timelineDuration(out))).toBeCloseTo(40 / 24, 12);
	});

	it('handles NTSC and variable rates with every time a whole tick', () => {
		const ntsc: Timeline = {
			timebase: rational(1001, 30000),
			frames: film(30).frames.map((f, i) => ({
				...f,
				pts: fromTicks(i, rational(1001, 30000)),
				duration: rational(1001, 30000),
			})),
		};
		const out = interpolateTimeline(ntsc, { ...base, rate: '60000/1001' }, none, all);
		expect(out.frames).toHaveLength(60);
		expect(out.frames.every((f) => isExact(f.pts, out.timebase))).toBe(true);
		let time = rational(0);
		const durations = [rational(1, 24), rational(1, 12), rational(1, 48), rational(1, 24)];
		const vfr: Timeline = {
			timebase: rational(1, 48),
			frames: durations.map((duration, index) => {
				const frame: TimelineFrame = { index, pts: time, duration, origin: 'original', needs: [index], shot: 0 };
				time = rational(time.num * duration.den + duration.num * time.den, time.den * duration.den);
				return frame;
			}),
		};
		const even = interpolateTimeline(vfr, { ...base, rate: '48' }, none, all);
		expect(even.frames).toHaveLength(9);
		expect(even.frames[3]).toMatchObject({ needs: [1, 2], timestep: { num: 1, den: 4 } });
		expect(even.frames.every((f, i) => i === 0 || compare(f.pts, even.frames[i - 1]!.pts) > 0)).toBe(true);
	});

	it('changes only what is in scope and moves the rest', () => {
		const input = film(9, 24, [3, 6]);
		const out = interpolateTimeline(input, { ...base, slow: 2 }, none, (f) => f.shot === 1);
		expect(out.frames.filter((f) => f.shot !== 1).every((f) => f.origin === 'original')).toBe(true);
		expect(out.frames.filter((f) => f.shot === 1)).toHaveLength(6);
		const plain = interpolateTimeline(input, base, none, (f) => f.shot === 1);
		expect(plain.frames.filter((f) => f.shot === 1)).toHaveLength(6);
		expect(equal(timelineDuration(plain), timelineDuration(input))).toBe(true);
		expect(toNumber(timelineDuration(out))).toBeCloseTo(12 / 24, 12);
	});

	it('re-creates duplicates and repeats stills', () => {
		const input = film(8);
		const moving = { start: 0, differences: [5, 5, 0, 5, 5, 5, 5] };
		const out = interpolateTimeline(input, { ...base, factor: 1 }, new Map([[0, moving]]), all);
		expect(origins(out)).toBe('ooocoooo');
		expect(out.frames[3]).toMatchObject({ needs: [2, 4], timestep: { num: 1, den: 2 } });
		const held = { start: 0, differences: [5, 0, 0, 0, 0, 0, 5] };
		const still = interpolateTimeline(input, base, new Map([[0, held]]), all);
		expect(origins(still)).toBe('ocororororor' + 'ocor');
		expect(still.frames.filter((f) => f.origin === 'created').map((f) => f.needs)).toEqual([
			[0, 1],
			[6, 7],
		]);
	});

	it('refuses rates that are none and floods', () => {
		expect(() => interpolateTimeline(film(4), { ...base, rate: '1/0' }, none, all)).toThrow(/rate: expected/);
		expect(() => interpolateTimeline(film(48), { ...base, rate: '999999', slow: 16 }, none, all)).toThrow(/at most/);
		expect(interpolateTimeline({ timebase: rational(1, 24), frames: [] }, base, none, all).frames).toEqual([]);
		expect(interpolateTimeline(film(1), base, none, all).frames.map((f) => f.origin)).toEqual(['original', 'repeated']);
	});
});

describe('pair classes', () => {
	it('knows nothing without statistics', () => {
		expect(classifyPairs(film(4).frames, undefined, 1)).toEqual({ duplicates: new Set(), still: new Set() });
	});
});
