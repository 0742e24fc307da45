import { describe, expect, it } from 'vitest';
import type { PairResult, Results } from '../../share/statistics/results.ts';
import { adoptionOf } from './adoption.ts';

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
