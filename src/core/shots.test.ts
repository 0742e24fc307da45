import { describe, expect, it } from 'vitest';
import {
	mergeWithPrevious,
	setTransition,
	type Shot,
	shotAt,
	shotIndexAt,
	type ShotList,
	shotsFromBoundaries,
	splitShot,
	validateShots,
} from './shots.ts';

const cut = (frame: number) => ({ transition: 'cut' as const, frame });
const dissolve = (from: number, to: number) => ({ transition: 'dissolve' as const, dissolve: { from, to } });
const three = shotsFromBoundaries(100, [cut(30), dissolve(60, 70)], 'detected');

describe('shotsFromBoundaries', () => {
	it('tiles the film in order, whatever the order of the boundaries', () => {
		const list = shotsFromBoundaries(100, [dissolve(60, 70), cut(30)], 'detected');
		expect(list).toEqual([
			{ start: 0, end: 30, transitionIn: 'start', source: 'detected' },
			{ start: 30, end: 65, transitionIn: 'cut', source: 'detected' },
			{ start: 65, end: 100, transitionIn: 'dissolve', dissolve: { from: 60, to: 70 }, source: 'detected' },
		]);
		validateShots(list, 100);
	});

	it('drops boundaries outside of the film and repeated ones', () => {
		const list = shotsFromBoundaries(10, [cut(0), cut(-3), cut(10), cut(5), cut(5), cut(Number.NaN), cut(2.5)], 'edl');
		expect(list.map((s) => [s.start, s.end])).toEqual([
			[0, 5],
			[5, 10],
		]);
	});

	it('trims a dissolve that runs into a neighbor', () => {
		const list = shotsFromBoundaries(100, [cut(28), dissolve(20, 40), cut(33)], 'edl');
		expect(list[2]?.dissolve).toEqual({ from: 29, to: 33 });
		validateShots(list, 100);
	});

	it('is empty for a film of no frames', () => {
		expect(shotsFromBoundaries(0, [cut(3)], 'edl')).toEqual([]);
		validateShots([], 0);
	});
});

describe('shotAt', () => {
	it('finds every frame in exactly its shot', () => {
		for (let frame = 0; frame < 100; frame++) {
			const shot = shotAt(three, frame);
			expect(shot && frame >= shot.start && frame < shot.end).toBe(true);
		}
		expect([29, 30, 64, 65].map((f) => shotIndexAt(three, f))).toEqual([0, 1, 1, 2]);
	});

	it('finds nothing outside of the film', () => {
		expect([-1, 100, Number.NaN].map((f) => shotAt(three, f))).toEqual([undefined, undefined, undefined]);
	});
});

describe('editing by hand', () => {
	const bounds = (list: ShotList) => list.map(({ start, end }) => [start, end]);

	it('splits, and merging takes the split back', () => {
		const split = splitShot(three, 10);
		validateShots(split, 100);
		expect(split[1]).toEqual({ start: 10, end: 30, transitionIn: 'cut', source: 'edited' });
		expect(bounds(mergeWithPrevious(split, 1))).toEqual(bounds(three));
	});

	it('remembers that a boundary was taken away', () => {
		const merged = mergeWithPrevious(three, 1);
		validateShots(merged, 100);
		expect(merged.map((s) => s.source)).toEqual(['edited', 'detected']);
	});

	it('turns a dissolve that a split runs through into a cut, on either side', () => {
		for (const frame of [62, 67]) {
			const split = splitShot(three, frame);
			validateShots(split, 100);
			expect(split.filter((s) => s.transitionIn === 'dissolve')).toEqual([]);
		}
	});

	it('refuses a split where a shot starts or no shot is', () => {
		expect(() => splitShot(three, 30)).toThrow(/already/);
		expect(() => splitShot(three, 100)).toThrow(/no shot/);
		expect(() => splitShot(three, 10.5)).toThrow(/no shot/);
	});

	it('refuses to merge the first shot', () => {
		expect(() => mergeWithPrevious(three, 0)).toThrow(/expected 1 to 2/);
	});

	it('moves a cut and makes it a dissolve', () => {
		const moved = setTransition(three, 1, cut(25));
		expect(moved.map((s) => s.start)).toEqual([0, 25, 65]);
		const mixed = setTransition(three, 1, dissolve(26, 36));
		expect(mixed[1]).toEqual({
			start: 31,
			end: 65,
			transitionIn: 'dissolve',
			dissolve: { from: 26, to: 36 },
			source: 'edited',
		});
		expect(mixed[0]?.end).toBe(31);
	});

	it('refuses a transition that leaves its two shots', () => {
		expect(() => setTransition(three, 1, cut(70))).toThrow(/shots\[/);
		expect(() => setTransition(three, 1, dissolve(20, 70))).toThrow(/dissolve/);
	});
});

describe('validateShots', () => {
	const shot = (start: number, end: number, rest: Partial<Shot> = {}): Shot => ({
		start,
		end,
		transitionIn: start === 0 ? 'start' : 'cut',
		source: 'edited',
		...rest,
	});

	it.each([
		['a gap', [shot(0, 5), shot(6, 10)], 10, /shots\[1\]\.start: expected 5, got 6/],
		['an overlap', [shot(0, 5), shot(4, 10)], 10, /shots\[1\]\.start/],
		['an empty shot', [shot(0, 5), shot(5, 5)], 5, /shots\[1\]\.end/],
		['a short list', [shot(0, 5)], 10, /expected to end at frame 10, got 5/],
		['frames beyond the film', [shot(0, 11)], 10, /shots\[0\]\.end/],
		['a NaN', [shot(0, Number.NaN)], 10, /shots\[0\]\.end/],
		['a second start', [shot(0, 5), shot(5, 10, { transitionIn: 'start' })], 10, /transitionIn/],
		['a dissolve without frames', [shot(0, 5), shot(5, 10, { transitionIn: 'dissolve' })], 10, /dissolve/],
		['a cut with a dissolve', [shot(0, 5), shot(5, 10, { dissolve: { from: 4, to: 6 } })], 10, /dissolve/],
	])('refuses %s', (_, list, frames, message) => {
		expect(() => {
			validateShots(list, frames);
		}).toThrow(message);
	});
});
