import { describe, expect, it } from 'vitest';
import { seeded } from '../ballot.ts';
import { effectiveVotes, holm, signTest, wilson } from './binomial.ts';
import { bradleyTerry, type Comparison, scoresWithIntervals } from './bradley-terry.ts';

describe('sign test', () => {
	it('is the exact binomial probability, two-sided', () => {
		// By hand: 2 · (1 + 10) / 2^10, and 2 · C(20, ≤5) / 2^20.
		expect(signTest(9, 10)).toBeCloseTo(22 / 1024, 12);
		expect(signTest(5, 20)).toBeCloseTo(0.04138946533203125, 12);
		expect(signTest(15, 20)).toBe(signTest(5, 20));
	});

	it('is 1 for an even split and for nothing', () => {
		expect(signTest(0, 0)).toBe(1);
		expect(signTest(10, 20)).toBe(1);
		expect(signTest(0, 1)).toBe(1);
	});

	it('holds for thousands', () => {
		expect(signTest(1000, 2000)).toBe(1);
		expect(signTest(900, 2000)).toBeGreaterThan(7e-6);
		expect(signTest(900, 2000)).toBeLessThan(9e-6);
	});
});

describe('Wilson interval', () => {
	it('agrees with published values', () => {
		// Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
		for (const [wins, trials, low, high] of [
			[81, 263, 0.2553, 0.3662],
			[15, 148, 0.0624, 0.1605],
			[0, 20, 0, 0.1611],
			[1, 29, 0.0061, 0.1718],
		] as const) {
			expect(wilson(wins, trials)[0]).toBeCloseTo(low, 4);
			expect(wilson(wins, trials)[1]).toBeCloseTo(high, 4);
		}
	});

	it('says nothing where nothing was voted', () => {
		expect(wilson(0, 0)).toEqual([0, 1]);
	});
});

describe('effective votes', () => {
	it('are the votes where each person gave one', () => {
		expect(effectiveVotes([[1], [0], [0.5]])).toBe(3);
	});

	it('are the persons where each always says the same', () => {
		expect(effectiveVotes([Array(10).fill(1), Array(10).fill(0), Array(10).fill(1)] as number[][])).toBe(3);
		expect(effectiveVotes([Array(10).fill(1), Array(10).fill(1)] as number[][])).toBe(2);
	});

	it('are about the votes where persons do not differ', () => {
		const random = seeded(3);
		const persons = Array.from({ length: 200 }, () => Array.from({ length: 5 }, () => (random() < 0.6 ? 1 : 0)));
		expect(effectiveVotes(persons)).toBeGreaterThan(800);
	});

	it('are one for a single person, however busy', () => {
		expect(effectiveVotes([[1, 1, 0, 1, 1, 1]])).toBe(1);
	});
});

it('Holm corrects by rank and never turns the order', () => {
	const corrected = holm([0.01, 0.04, 0.03]);
	[0.03, 0.06, 0.06].forEach((p, i) => expect(corrected[i]).toBeCloseTo(p, 12));
	expect(holm([0.9, 0.8])).toEqual([1, 1]);
});

/** Comparisons of versions with known strengths. */
function simulate(strengths: readonly number[], votes: number, random: () => number): Comparison[] {
	return Array.from({ length: votes }, (_, i) => {
		const a = i % strengths.length;
		const b = (a + 1 + (Math.floor(i / strengths.length) % (strengths.length - 1))) % strengths.length;
		return { a, b, value: random() < 1 / (1 + Math.exp(strengths[b]! - strengths[a]!)) ? 1 : 0 };
	});
}

describe('Bradley–Terry', () => {
	it('is the log odds for two versions, with one tie beforehand', () => {
		const votes = Array.from({ length: 30 }, (_, i): Comparison => ({ a: 0, b: 1, value: i < 20 ? 1 : 0 }));
		const [a, b] = bradleyTerry(votes, 2);
		expect(a! - b!).toBeCloseTo(Math.log(20.5 / 10.5), 8);
		expect(a! + b!).toBeCloseTo(0, 8);
	});

	it('finds the strengths that made the votes', () => {
		const strengths = [0.8, 0.1, -0.2, -0.7];
		bradleyTerry(simulate(strengths, 20_000, seeded(5)), 4).forEach((score, i) =>
			expect(Math.abs(score - strengths[i]!)).toBeLessThan(0.06),
		);
	});

	it('stays finite where one version always won, and 0 without votes', () => {
		const [a, b, c] = bradleyTerry(
			[...Array(9)].map(() => ({ a: 0, b: 1, value: 1 })),
			3,
		);
		expect([a, b, c].every(Number.isFinite)).toBe(true);
		expect(a!).toBeGreaterThan(c!);
		expect(bradleyTerry([], 3)).toEqual([0, 0, 0]);
	});

	it('gives intervals that hold the truth about 95 times in 100', () => {
		const strengths = [0.4, 0, -0.4];
		const random = seeded(11);
		let held = 0;
		const trials = 60;
		for (let trial = 0; trial < trials; trial++) {
			const persons = Array.from({ length: 30 }, () => simulate(strengths, 12, random));
			const scores = scoresWithIntervals(persons, 3, random, 100);
			held += scores.filter((s, i) => s.interval[0] <= strengths[i]! && strengths[i]! <= s.interval[1]).length;
		}
		expect(held / (3 * trials)).toBeGreaterThan(0.88);
		expect(held / (3 * trials)).toBeLessThan(1);
	});
});
