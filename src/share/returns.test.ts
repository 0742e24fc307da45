import { describe, expect, it } from 'vitest';
import type { PackageHeader } from './package.ts';
import type { VoteRecord } from './protocol.ts';
import { mergeReturns } from './returns.ts';

const link = (id: string, role: string, once: boolean) => ({ id, role, once }) as PackageHeader['links'][number];
const LINKS = [link('owner', 'owner', false), link('open', 'voter', false), link('one', 'voter', true)];
const vote = (by: string, voter: string, presentation: string, revision = 1, once = false): VoteRecord =>
	({ link: by, voter, presentation, revision, once }) as VoteRecord;
const merged = (...votes: VoteRecord[][]) =>
	mergeReturns(
		votes.map((list) => ({ votes: list, notes: [] })),
		LINKS,
	);

describe('votes that came back as files', () => {
	it('count once a voter and pair, in their last revision, whichever file comes first', () => {
		const files = [
			[vote('open', 'v', 'p', 2), vote('open', 'v', 'q')],
			[vote('open', 'v', 'p', 1)],
			[vote('open', 'w', 'p')],
		];
		for (const order of [files, [...files].reverse()]) {
			const { votes, superseded, foreign } = merged(...order);
			expect(votes.map((x) => [x.voter, x.presentation, x.revision]).sort()).toEqual([
				['v', 'p', 2],
				['v', 'q', 1],
				['w', 'p', 1],
			]);
			expect([superseded, foreign]).toEqual([1, 0]);
		}
	});

	it('do not count by links that are no voter’s, nor in the name of another one-time link', () => {
		const { votes, foreign } = merged([
			vote('owner', 'owner', 'p'),
			vote('unknown', 'v', 'p'),
			vote('one', 'somebody', 'p'),
			vote('one', 'one', 'p'),
		]);
		expect(votes.map((x) => x.voter)).toEqual(['one']);
		expect(foreign).toBe(3);
	});

	it('are of one-time links only where the package says so', () => {
		expect(merged([vote('open', 'v', 'p', 1, true)]).votes[0]!.once).toBe(false);
		expect(merged([vote('one', 'one', 'p', 1, false)]).votes[0]!.once).toBe(true);
	});
});
