/**
 * Exact rational time. Timestamps, durations and rates are ratios of safe integers, always reduced, with a positive
 * denominator; intermediate products use BigInt, so that 57600/1 and 90000/1001 timebases meet without rounding.
 */

import { EmulsionError } from './errors.ts';

/** A reduced ratio of two safe integers; `den` > 0. */
export interface Rational {
	readonly num: number;
	readonly den: number;
}

/** Zero. */
export const ZERO: Rational = { num: 0, den: 1 };
/** One. */
export const ONE: Rational = { num: 1, den: 1 };

function gcd(a: bigint, b: bigint): bigint {
	let x = a < 0n ? -a : a;
	let y = b < 0n ? -b : b;
	while (y !== 0n) [x, y] = [y, x % y];
	return x;
}

function reduce(num: bigint, den: bigint): Rational {
	if (den === 0n) throw new EmulsionError('internal', `rational ${num}/0 has no value`);
	const divisor = gcd(num, den) || 1n;
	const sign = den < 0n ? -1n : 1n;
	const n = Number((sign * num) / divisor);
	const d = Number((sign * den) / divisor);
	if (!Number.isSafeInteger(n) || !Number.isSafeInteger(d)) {
		throw new EmulsionError('internal', `rational ${num}/${den} exceeds exact integers`);
	}
	return { num: n, den: d };
}

/** A reduced rational from two safe integers. Throws `internal` on a zero denominator or unsafe integers. */
export function rational(num: number, den = 1): Rational {
	if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den)) {
		throw new EmulsionError('internal', `rational ${num}/${den}: expected safe integers`);
	}
	return reduce(BigInt(num), BigInt(den));
}

/** a + b. */
export function add(a: Rational, b: Rational): Rational {
	return reduce(BigInt(a.num) * BigInt(b.den) + BigInt(b.num) * BigInt(a.den), BigInt(a.den) * BigInt(b.den));
}

/** a − b. */
export function sub(a: Rational, b: Rational): Rational {
	return add(a, { num: -b.num, den: b.den });
}

/** a · b. */
export function mul(a: Rational, b: Rational): Rational {
	return reduce(BigInt(a.num) * BigInt(b.num), BigInt(a.den) * BigInt(b.den));
}

/** a ÷ b. Throws when b is zero. */
export function div(a: Rational, b: Rational): Rational {
	return reduce(BigInt(a.num) * BigInt(b.den), BigInt(a.den) * BigInt(b.num));
}

/** Negative, zero or positive as a is less than, equal to or greater than b. */
export function compare(a: Rational, b: Rational): number {
	const d = BigInt(a.num) * BigInt(b.den) - BigInt(b.num) * BigInt(a.den);
	return d < 0n ? -1 : d > 0n ? 1 : 0;
}

/** Exact equality of value. */
export function equal(a: Rational, b: Rational): boolean {
	return compare(a, b) === 0;
}

/** Nearest double. */
export function toNumber(a: Rational): number {
	return a.num / a.den;
}

/** Largest integer ≤ a. */
export function floor(a: Rational): number {
	const n = BigInt(a.num);
	const d = BigInt(a.den);
	const q = n / d;
	return Number(n < 0n && q * d !== n ? q - 1n : q);
}

/** Nearest integer, halves up. */
export function round(a: Rational): number {
	return floor(add(a, { num: 1, den: 2 }));
}

/** Ticks of a time in a timebase (seconds a tick), rounded to nearest; see {@link isExact} for whether it is exact. */
export function toTicks(time: Rational, timebase: Rational): number {
	return round(div(time, timebase));
}

/** True when the time is a whole number of the timebase's ticks. */
export function isExact(time: Rational, timebase: Rational): boolean {
	return div(time, timebase).den === 1;
}

/** The time of a tick count in a timebase. */
export function fromTicks(ticks: number, timebase: Rational): Rational {
	return mul(rational(ticks), timebase);
}

/** `30000/1001`, `25`, `25/1`, or `23.976` (the NTSC rates are recognized). Returns undefined for anything else. */
export function parseRational(text: string): Rational | undefined {
	const ratio = /^\s*(\d{1,9})\s*(?:[/:]\s*(\d{1,9}))?\s*$/.exec(text);
	if (ratio) {
		const den = ratio[2] === undefined ? 1 : Number(ratio[2]);
		return den === 0 ? undefined : rational(Number(ratio[1]), den);
	}
	const decimal = /^\s*(\d{1,6})\.(\d{1,6})\s*$/.exec(text);
	if (!decimal) return undefined;
	const value = Number(text);
	const ntsc = Math.round((value * 1001) / 1000);
	if (Math.abs((ntsc * 1000) / 1001 - value) < 0.005 && Math.abs(Math.round(value) - value) > 1e-9) {
		return rational(ntsc * 1000, 1001);
	}
	const scale = 10 ** (decimal[2] ?? '').length;
	return rational(Math.round(value * scale), scale);
}

/** `num/den`, or `num` when whole. */
export function formatRational(a: Rational): string {
	return a.den === 1 ? String(a.num) : `${a.num}/${a.den}`;
}

/**
 * The fraction with a denominator of at most `most` that is nearest to a number (continued fractions), for ratios that files keep as
 * floats. undefined for what is no positive number.
 */
export function nearestRational(value: number, most = 1000): Rational | undefined {
	if (!(value > 0) || value > Number.MAX_SAFE_INTEGER / most) return undefined;
	let [before, last] = [
		{ num: 0, den: 1 },
		{ num: 1, den: 0 },
	];
	for (let rest = value; ;) {
		const whole = Math.floor(rest);
		const next = { num: whole * last.num + before.num, den: whole * last.den + before.den };
		if (next.den > most) break;
		[before, last] = [last, next];
		// A float's own rounding is no part of the ratio.
		if (Math.abs(next.num / next.den - value) <= 1e-6 * value || rest === whole) break;
		rest = 1 / (rest - whole);
	}
	return last.num > 0 ? rational(last.num, last.den) : undefined;
}
