import { describe, expect, it } from 'vitest';
import type { Shot } from '../core/shots.ts';
import type { Timeline } from '../core/timeline.ts';
import { seeded } from '../project/project.testkit.ts';
import { joinRange } from './renders.svelte.ts';
import { TimelineMap } from './timeline-map.ts';

/** A timeline in which shot `i` has `counts[i]` output frames. */
function timeline(counts: readonly number[]): Timeline {
	const shots = counts.flatMap((count, shot) => Array.from({ length: count }, () => shot));
	const one = { num: 1, den: 24 };
	const frames = shots.map((shot, index) => ({
		index,
		pts: { num: index, den: 24 },
		duration: one,
		origin: 'original' as const,
		needs: [],
		shot,
	}));
	return { frames, timebase: one };
}

function shotsOf(lengths: readonly number[]): Shot[] {
	let start = 0;
	return lengths.map((length, i) => {
		const shot = { start, end: start + length, transitionIn: i === 0 ? 'start' : 'cut', source: 'detected' } as const;
		start += length;
		return shot;
	});
}

describe('TimelineMap', () => {
	it('is the identity where nothing changes time', () => {
		const map = new TimelineMap(timeline([5, 7]), shotsOf([5, 7]));
		for (let i = 0; i < 12; i++) {
			expect(map.toSource(i)).toBe(i);
			expect(map.toOutput(i)).toBe(i);
		}
		expect(map.rangeToOutput(5, 12)).toEqual({ start: 5, end: 12 });
	});

	it('doubles inside a doubled shot and never leaves the shot', () => {
		const map = new TimelineMap(timeline([10, 3]), shotsOf([5, 3]));
		expect([0, 1, 2, 9, 10].map((i) => map.toSource(i))).toEqual([0, 0, 1, 4, 5]);
		expect([0, 1, 4, 5].map((i) => map.toOutput(i))).toEqual([0, 2, 8, 10]);
		expect(map.rangeToOutput(0, 5)).toEqual({ start: 0, end: 10 });
		expect(map.rangeToOutput(4, 6)).toEqual({ start: 8, end: 11 });
	});

	it('keeps order, shots and round trips for any lengths', () => {
		const random = seeded(7);
		for (let round = 0; round < 200; round++) {
			const lengths = Array.from({ length: 1 + Math.floor(random() * 5) }, () => 1 + Math.floor(random() * 9));
			const counts = lengths.map((n) => Math.max(1, Math.round(n * (0.5 + 2 * random()))));
			const shots = shotsOf(lengths);
			const map = new TimelineMap(timeline(counts), shots);
			const frames = shots.at(-1)?.end ?? 0;
			let last = 0;
			for (let source = 0; source < frames; source++) {
				const output = map.toOutput(source);
				expect(output).toBeGreaterThanOrEqual(last);
				last = output;
				const shot = shots.findIndex((s) => source < s.end);
				expect(timeline(counts).frames[output]?.shot).toBe(shot);
				if ((counts[shot] ?? 0) >= (lengths[shot] ?? 0)) expect(map.toSource(output)).toBe(source);
			}
			expect(map.rangeToOutput(0, frames)).toEqual({ start: 0, end: map.frames });
		}
	});
});

describe('joinRange', () => {
	it('joins what touches and keeps apart what does not', () => {
		let ranges = joinRange([], { start: 10, end: 20 });
		ranges = joinRange(ranges, { start: 30, end: 40 });
		expect(ranges).toEqual([
			{ start: 10, end: 20 },
			{ start: 30, end: 40 },
		]);
		expect(joinRange(ranges, { start: 20, end: 30 })).toEqual([{ start: 10, end: 40 }]);
		expect(joinRange(ranges, { start: 0, end: 5 })).toHaveLength(3);
	});
});
