import { describe, expect, it } from 'vitest';
import { isMatteId, isRegion, outsideOf, parseRegion } from './regions.ts';

describe('regions', () => {
	it('are the whole picture, a matte, or what lies outside of it', () => {
		expect(parseRegion('all')).toBeUndefined();
		expect(parseRegion('face')).toEqual({ matte: 'face', inverted: false });
		expect(parseRegion(outsideOf('face'))).toEqual({ matte: 'face', inverted: true });
		for (const region of ['all', 'face', 'outside:face', 'Matte_2.b-c']) expect(isRegion(region)).toBe(true);
	});

	it('refuse what no matte may be called', () => {
		for (const region of [
			'',
			'outside:',
			'outside:all',
			'a b',
			'../x',
			'__proto__',
			'outside:outside:a',
			'x'.repeat(65),
		])
			expect(isRegion(region), region).toBe(false);
		expect(isMatteId('all')).toBe(false);
	});
});
