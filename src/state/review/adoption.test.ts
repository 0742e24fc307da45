import { describe, expect, it } from 'vitest';
import type { ApprovalEntry } from '../../project/review-records.ts';
import type { PairResult, Results } from '../../share/statistics/results.ts';
import { adoptionOf, contradicting } from './adoption.ts';

const pair = (a: string, b: string, [aWins, bWins, ties]: readonly number[], pCorrected: number): PairResult =>
	({ a, b, aWins, bWins, ties, pCorrected }) as PairResult;

const results = (change: Partial<Results>): Results =>
	({ counted: 30, voters: 7, winner: null, pairs: [], ...change }) as Results;

const of = (version: string, found: Results) =>
	adoptionOf({ id: 'R' }, 'r1', { id: version, label: `Version ${version}` }, found, 5);

describe('the record of an adoption', () => {
	const pairs = [pair('x', 'y', [9, 1, 2], 0.02), pair('x', 'z', [3, 6, 1], 0.2), pair('y', 'z', [1, 1, 1], 0.9)];

	it('counts the votes of all pairs of the version, on whichever side it was, and names the weakest test', () => {
		expect(of('x', results({ pairs }))).toEqual({
			...{ kind: 'adopted', reel: 'r1', review: 'R', version: 'Version x', recordedAt: 5 },
			...{ votes: 30, voters: 7, wins: 12, losses: 7, ties: 3, p: 0.2, shown: false },
		});
		expect(of('z', results({ pairs }))).toMatchObject({ wins: 7, losses: 4, ties: 2, p: 0.9 });
	});

	it('says whether a difference was shown for it', () => {
		expect(of('x', results({ pairs, winner: 'x' })).shown).toBe(true);
		expect(of('y', results({ pairs, winner: 'x' })).shown).toBe(false);
	});

	it('has no test where nobody voted', () => {
		expect(of('x', results({ pairs, counted: 0 }))).toMatchObject({ p: null, shown: false });
		expect(of('x', results({ pairs: [] })).p).toBeNull();
	});
});

describe('what speaks against an adoption', () => {
	const word = (version: string | null, verdict: 'approved' | 'rejected', clip: string, at = 1): ApprovalEntry =>
		({ version, approval: { key: 'k', shot: 's', clip, verdict, at } }) as ApprovalEntry;

	it('is another version approved, or this one rejected', () => {
		const others = word('B', 'approved', 'b');
		const own = word('A', 'rejected', 'a');
		const all = [others, own, word('C', 'rejected', 'c'), word(null, 'approved', 'd')];
		expect(contradicting(all, 'A')).toEqual([others, own]);
		expect(contradicting([word('A', 'approved', 'a')], 'A')).toEqual([]);
	});

	it('is the last word of a curator about a clip, in whatever order they come', () => {
		const [first, last] = [word('B', 'approved', 'b', 1), word('B', 'rejected', 'b', 2)];
		expect(contradicting([last, first], 'A')).toEqual([]);
		expect(contradicting([first, last], 'B')).toEqual([last]);
	});
});
