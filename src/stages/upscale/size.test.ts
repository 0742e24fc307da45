import { describe, expect, it } from 'vitest';
import { outputSize } from './size.ts';

const of = (width: number, height: number, size: string, factor = 2) => {
	const result = outputSize({ width, height }, { size, factor });
	return `${result.width}x${result.height}`;
};

describe('target size', () => {
	it('multiplies by the factor', () => {
		expect([1, 2, 3, 4].map((factor) => of(321, 243, '', factor))).toEqual([
			'321x243',
			'642x486',
			'963x729',
			'1284x972',
		]);
	});

	it('fits into the target, in the shape of the picture, with even sides', () => {
		expect(of(640, 480, '1080p')).toBe('1440x1080');
		expect(of(640, 272, '1080p')).toBe('1920x816');
		expect(of(480, 640, '1080p')).toBe('810x1080');
		expect(of(1920, 1080, '4k')).toBe('3840x2160');
		expect(of(320, 240, '501x501')).toBe('500x376');
		expect(of(1, 1, '2x2')).toBe('2x2');
		expect(of(4096, 1, '1080p')).toBe('1920x2');
		expect(of(3840, 2160, '1080p')).toBe('1920x1080');
	});

	it('refuses what cannot be', () => {
		expect(() => of(10, 10, '0x100')).toThrow(/size: expected 1080p, 4k or WIDTHxHEIGHT/);
		expect(() => of(10, 10, '99999x100')).toThrow(/got "99999x100"/);
		expect(() => of(8192, 8192, '', 4)).toThrow(/factor: 4 would make 32768×32768/);
	});
});
