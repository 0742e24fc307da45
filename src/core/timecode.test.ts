import { describe, expect, it } from 'vitest';
import { formatTimecode, parseTimecode } from './timecode.ts';

const film = { base: 24, drop: false };
const ntsc = { base: 30, drop: true };

describe('timecode', () => {
	it('numbers a reel: 86400 at 24 is one hour', () => {
		expect(formatTimecode(86400, film)).toBe('01:00:00:00');
		expect(parseTimecode('01:00:00:00', film)).toBe(86400);
	});

	it('drops two numbers a minute but not every tenth', () => {
		expect(formatTimecode(1799, ntsc)).toBe('00:00:59;29');
		expect(formatTimecode(1800, ntsc)).toBe('00:01:00;02');
		expect(formatTimecode(17981, ntsc)).toBe('00:09:59;29');
		expect(formatTimecode(17982, ntsc)).toBe('00:10:00;00');
		expect(formatTimecode(107892, ntsc)).toBe('01:00:00;00');
	});

	it.each([film, ntsc, { base: 60, drop: true }, { base: 25, drop: false }])(
		'reads back what it wrote: %o',
		(format) => {
			for (let n = 0; n < 300_000; n += 97) expect(parseTimecode(formatTimecode(n, format), format)).toBe(n);
		},
	);

	it('wraps at 24 hours, backwards too', () => {
		expect(formatTimecode(24 * 86400, film)).toBe('00:00:00:00');
		expect(formatTimecode(-1, film)).toBe('23:59:59:23');
	});

	it.each(['', '1:00:00:00', '24:00:00:00', '00:60:00:00', '00:00:60:00', '00:00:00:24', '00:00:00:aa'])(
		'refuses %j',
		(text) => {
			expect(() => parseTimecode(text, film)).toThrow(/expected HH:MM:SS:FF/);
		},
	);

	it('refuses dropped numbers and impossible formats', () => {
		expect(() => parseTimecode('00:01:00;00', ntsc)).toThrow(/does not exist/);
		expect(() => formatTimecode(0, { base: 24, drop: true })).toThrow(/multiple of 30/);
		expect(() => formatTimecode(0, { base: 0, drop: false })).toThrow(/1 to 120/);
		expect(() => formatTimecode(Number.NaN, film)).toThrow(/whole number/);
	});
});
