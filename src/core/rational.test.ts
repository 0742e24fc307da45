import { describe, expect, it } from 'vitest';
import {
	add,
	compare,
	div,
	equal,
	floor,
	fromTicks,
	isExact,
	mul,
	parseRational,
	rational,
	round,
	sub,
	toTicks,
	nearestRational,
} from './rational.ts';

describe('rational time', () => {
	it('reduces and keeps the denominator positive', () => {
		expect(rational(48, -1001 * 2)).toEqual({ num: -24, den: 1001 });
		expect(rational(0, -5)).toEqual({ num: 0, den: 1 });
	});

	it('adds unequal timebases exactly where doubles do not', () => {
		const frame = rational(1001, 30000);
		let time = rational(0);
		for (let i = 0; i < 30000; i++) time = add(time, frame);
		expect(time).toEqual({ num: 1001, den: 1 });
	});

	it('rounds ticks to nearest and tells exact from rounded', () => {
		expect(toTicks(rational(1, 3), rational(1, 90000))).toBe(30000);
		expect(isExact(rational(1, 7), rational(1, 90000))).toBe(false);
		expect(equal(fromTicks(3, rational(57600)), rational(172800))).toBe(true);
	});

	it('floors and rounds negatives toward the right side', () => {
		expect(floor(rational(-1, 2))).toBe(-1);
		expect(round(rational(-1, 2))).toBe(0);
		expect(round(rational(3, 2))).toBe(2);
	});

	it('has field arithmetic', () => {
		expect(sub(rational(1, 2), rational(1, 3))).toEqual({ num: 1, den: 6 });
		expect(mul(rational(2, 3), rational(3, 2))).toEqual({ num: 1, den: 1 });
		expect(div(rational(1, 2), rational(-1, 4))).toEqual({ num: -2, den: 1 });
		expect(compare(rational(1, 3), rational(333333, 1000000))).toBeGreaterThan(0);
		expect(() => div(rational(1), rational(0))).toThrow(/no value/);
		expect(() => rational(0.5)).toThrow(/safe integers/);
	});

	it.each([
		['24', { num: 24, den: 1 }],
		['30000/1001', { num: 30000, den: 1001 }],
		['23.976', { num: 24000, den: 1001 }],
		['29.97', { num: 30000, den: 1001 }],
		['12.5', { num: 25, den: 2 }],
		['1/0', undefined],
		['x', undefined],
		['', undefined],
		['-3', undefined],
	])('parses %s', (text, expected) => {
		expect(parseRational(text)).toEqual(expected);
	});

	it.each([
		[1, { num: 1, den: 1 }],
		[2, { num: 2, den: 1 }],
		[Math.fround(1.25), { num: 5, den: 4 }],
		[Math.fround(16 / 15), { num: 16, den: 15 }],
		[Math.fround(10 / 11), { num: 10, den: 11 }],
		[0, undefined],
		[-1, undefined],
		[NaN, undefined],
		[Infinity, undefined],
		[1e30, undefined],
	])('is near %s', (value, expected) => {
		expect(nearestRational(value, 5000)).toEqual(expected);
	});
});
