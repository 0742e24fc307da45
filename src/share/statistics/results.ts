/** The results of a vote, computed in the owner's tab (or terminal) from votes and the owner's secrets. */

import { seeded } from '../ballot.ts';
import type { Manifest, OwnerSecrets } from '../manifest.ts';
import type { VoteRecord } from '../protocol.ts';
import { type CountedVote, type ExcludedVotes, screen } from './attention.ts';
import { effectiveVotes, holm, signTest, wilson } from './binomial.ts';
import { type Comparison, scoresWithIntervals } from './bradley-terry.ts';
import { groupBy } from './groups.ts';

/** Below this, after Holm's correction over all pairs, a difference is called shown. */
export const SIGNIFICANCE = 0.05;

/** How two versions did against each other, over some votes. */
export interface Count {
	/** Version ids. */
	readonly a: string;
	readonly b: string;
	readonly aWins: number;
	readonly bWins: number;
	readonly ties: number;
	/** Share of votes for `a`, ties half, 0 to 1; NaN without votes. */
	readonly rate: number;
	/** 95 % interval of `rate`: Wilson's, with as many votes as independent ones would be worth the same. */
	readonly interval: readonly [number, number];
	/** What the votes are worth as independent ones. */
	readonly effective: number;
}

/** {@link Count} with its test. */
export interface PairResult extends Count {
	/** Persons who preferred one over the other in the sum of their votes: what the test counts, since one person's votes depend on each other. */
	readonly persons: { readonly a: number; readonly b: number; readonly undecided: number };
	/** Exact two-sided binomial p-value of `persons` (sign test), without correction. */
	readonly p: number;
	/** `p` after Holm's correction over all pairs of versions. */
	readonly pCorrected: number;
	/** `none`: no difference is shown yet, which is not the same as that there is none. */
	readonly verdict: 'a' | 'b' | 'none';
}

/** A version's score. */
export interface VersionScore {
	readonly version: string;
	/** Log-strength, mean 0 over versions: a difference d means preference with probability 1 / (1 + e^−d). */
	readonly score: number;
	/** 95 %, by bootstrap over persons. */
	readonly interval: readonly [number, number];
}

/** Everything that is shown of a vote. */
export interface Results {
	/** Votes received, controls included, before anything was left out. */
	readonly votes: number;
	readonly voters: number;
	/** Of the voters, those who came by a one-time link; the others are devices on an open link. */
	readonly onceVoters: number;
	/** Votes that count: real pairs of voters who passed. */
	readonly counted: number;
	readonly excluded: readonly ExcludedVotes[];
	readonly controls: { readonly asked: number; readonly failed: number };
	readonly pairs: readonly PairResult[];
	/** For more than two versions, best first; null for two or without votes. */
	readonly scores: readonly VersionScore[] | null;
	readonly shots: readonly { readonly shot: string; readonly pairs: readonly Count[] }[];
	/** The version that is shown to beat every other; null where none is. */
	readonly winner: string | null;
}

/** What is tallied. */
export interface TallyInput {
	readonly manifest: Manifest;
	readonly secrets: OwnerSecrets;
	readonly votes: readonly VoteRecord[];
	/** In [0, 1), for the bootstrap; the default draws the same every time. */
	readonly random?: () => number;
}

function countOf(a: string, b: string, votes: readonly CountedVote[]): Count {
	const own = votes.filter((v) => v.a === a && v.b === b);
	const aWins = own.filter((v) => v.value === 1).length;
	const bWins = own.filter((v) => v.value === 0).length;
	const ties = own.length - aWins - bWins;
	const rate = own.length === 0 ? NaN : (aWins + ties / 2) / own.length;
	const persons = [...groupBy(own, (v) => v.voter).values()].map((list) => list.map((v) => v.value));
	const effective = effectiveVotes(persons);
	return {
		a,
		b,
		aWins,
		bWins,
		ties,
		rate,
		effective,
		interval: wilson(effective > 0 ? rate * effective : 0, effective),
	};
}

function personsOf(a: string, b: string, votes: readonly CountedVote[]): PairResult['persons'] {
	const own = votes.filter((v) => v.a === a && v.b === b);
	const nets = [...groupBy(own, (v) => v.voter).values()].map((list) =>
		list.reduce((sum, v) => sum + v.value - 0.5, 0),
	);
	const forA = nets.filter((net) => net > 0).length;
	const forB = nets.filter((net) => net < 0).length;
	return { a: forA, b: forB, undecided: nets.length - forA - forB };
}

/** Tallies votes. Never throws for what votes hold: what does not fit is among `excluded`. */
export function tally({ manifest, secrets, votes, random = seeded(1) }: TallyInput): Results {
	const { counted, excluded, controls } = screen(votes, manifest, secrets);
	const ids = secrets.versions.map((version) => version.id);
	const couples = ids.flatMap((a, i) => ids.slice(i + 1).map((b) => [a, b] as const));
	const raw = couples.map(([a, b]) => {
		const persons = personsOf(a, b, counted);
		return { ...countOf(a, b, counted), persons, p: signTest(persons.a, persons.a + persons.b) };
	});
	const corrected = holm(raw.map((pair) => pair.p));
	const pairs = raw.map((pair, i): PairResult => {
		const pCorrected = corrected[i]!;
		const ahead = pair.persons.a > pair.persons.b ? 'a' : 'b';
		return { ...pair, pCorrected, verdict: pCorrected < SIGNIFICANCE ? ahead : 'none' };
	});
	const beats = (version: string): boolean =>
		ids.every((other) => {
			if (other === version) return true;
			const pair = pairs.find((p) => (p.a === version && p.b === other) || (p.b === version && p.a === other));
			return pair?.verdict === (pair?.a === version ? 'a' : 'b');
		});
	const voters = groupBy(votes, (vote) => vote.voter);
	return {
		votes: votes.length,
		voters: voters.size,
		onceVoters: [...voters.values()].filter((own) => own[0]!.once).length,
		counted: counted.length,
		excluded,
		controls,
		pairs,
		scores: ids.length > 2 && counted.length > 0 ? scoresOf(ids, counted, random) : null,
		shots: manifest.shots.map(({ id }) => {
			const own = counted.filter((vote) => vote.shot === id);
			return { shot: id, pairs: couples.map(([a, b]) => countOf(a, b, own)) };
		}),
		winner: ids.length > 1 ? (ids.find(beats) ?? null) : null,
	};
}

function scoresOf(ids: readonly string[], counted: readonly CountedVote[], random: () => number): VersionScore[] {
	const index = new Map(ids.map((id, i) => [id, i]));
	const comparison = (vote: CountedVote): Comparison => ({
		a: index.get(vote.a)!,
		b: index.get(vote.b)!,
		value: vote.value,
	});
	const persons = [...groupBy(counted, (vote) => vote.voter).values()].map((own) => own.map(comparison));
	return scoresWithIntervals(persons, ids.length, random)
		.map(({ score, interval }, i) => ({ version: ids[i]!, score, interval }))
		.sort((x, y) => y.score - x.score);
}
