import { describe, expect, it } from 'vitest';
import { rational } from '../../core/rational.ts';
import { sequenceClock } from './clock.ts';

const frame = rational(1, 24);
const times = (numbers: (number | undefined)[]): number[][] =>
	sequenceClock(numbers, frame).frames.map(({ pts, duration }) => [
		(pts.num * 24) / pts.den,
		(duration.num * 24) / duration.den,
	]);

describe('sequenceClock', () => {
	it('counts from the first number, and holds a frame over the gap after it', () => {
		expect(times([86400, 86401, 86404, 86405])).toEqual([
			[0, 1],
			[1, 3],
			[4, 1],
			[5, 1],
		]);
		expect(sequenceClock([86400, 86401, 86404, 86405], frame)).toMatchObject({ missing: 2, byNumber: true });
	});

	it('counts frames where names have no numbers, or numbers that are no clock', () => {
		expect(times([undefined])).toEqual([[0, 1]]);
		expect(times([undefined, 4])).toEqual([
			[0, 1],
			[1, 1],
		]);
		expect(times([1, 20211103])).toEqual([
			[0, 1],
			[1, 1],
		]);
		expect(sequenceClock([1, 20211103], frame)).toMatchObject({ missing: 20211101, byNumber: false });
	});
});
