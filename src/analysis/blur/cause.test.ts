import { describe, expect, it } from 'vitest';
import { PHRASES_EN, sayIn } from '../../core/phrases.ts';
import { CAUSES, diagnosisOf, placesOf, sayCause, verdictOf } from './cause.ts';

const say = (evidence: readonly number[]): string =>
	sayIn(sayCause(diagnosisOf(evidence)), PHRASES_EN, { stage: (id) => id, term: (text) => text });
const NONE = [-3, -3, -3, -3, -3];

describe('places', () => {
	it('lie on the codec’s grid, inside the picture, and do not repeat', () => {
		for (const size of [
			{ width: 1920, height: 1080 },
			{ width: 643, height: 481 },
			{ width: 170, height: 100 },
		]) {
			const places = placesOf(size);
			expect(new Set(places.map(({ x, y }) => `${x},${y}`)).size).toBe(places.length);
			for (const { x, y, width, height } of places) {
				for (const v of [x, y, width, height]) expect(v % 8).toBe(0);
				expect(x + width).toBeLessThanOrEqual(size.width);
				expect(y + height).toBeLessThanOrEqual(size.height);
				expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
			}
		}
		expect(placesOf({ width: 1920, height: 1080 })).toHaveLength(5);
		expect(placesOf({ width: 160, height: 160 })).toHaveLength(1);
		expect(placesOf({ width: 60, height: 400 })).toEqual([]);
	});
});

describe('a diagnosis', () => {
	it('reads strengths, votes and softness from their places', () => {
		const found = diagnosisOf([0, 1, -1, 2, -2, 0, 0, 3, 0, 0, 4]);
		expect(found.leading).toBe('duplication');
		expect(found.confidence).toBeCloseTo(Math.exp(3) / (Math.exp(3) + 4), 6);
		expect(found.soft).toBeCloseTo(1 / (1 + Math.exp(-4)), 6);
		expect(CAUSES.map((cause) => found.strength[cause].toFixed(3))).toEqual([
			'0.500',
			'0.731',
			'0.269',
			'0.881',
			'0.119',
		]);
	});

	it('names a cause where it is sure, says so where it is not, and calls sharp what is sharp', () => {
		expect(say([...NONE, 4, 0, 0, 0, 0, 5])).toBe('Soft, most of all by the camera (lens, shutter): 93 % sure.');
		expect(say([...NONE, 0.3, 0, 0, 0, 0, 5])).toBe(
			'Soft, unsure by what: most likely the camera (lens, shutter), at 25 %.',
		);
		expect(say([...NONE, 9, 0, 0, 0, 0, -2])).toBe('Sharp: 88 % sure.');
		// No sentence promises certainty.
		expect(say([...NONE, 40, 0, 0, 0, 0, 40])).toContain('99 % sure');
		expect(verdictOf(diagnosisOf([...NONE, 9, 0, 0, 0, 0, -2]))).toBe('sharp');
	});
});
