import { describe, expect, it } from 'vitest';
import { formatShotList, parseShotList } from './shot-list.ts';

describe('shot list', () => {
	it.each([
		['3', [2]],
		['2, 5-8', [1, 4, 5, 6, 7]],
		['8 5–6，5', [4, 5, 7]],
		['1-9', [0, 1, 2, 3, 4, 5, 6, 7, 8]],
	])('%s', (text, shots) => {
		expect(parseShotList(text, 9)).toEqual(shots);
		expect(parseShotList(formatShotList(shots), 9)).toEqual(shots);
	});

	it.each(['', ' ', '0', '10', '5-4', '1-10', '1.5', 'x', '-1', '1--2', '1e3', '9999999'])('%j is none', (text) => {
		expect(parseShotList(text, 9)).toBeUndefined();
	});

	it('is written short', () => {
		expect(formatShotList([7, 0, 1, 2, 7])).toBe('1-3, 8');
	});
});
