/**
 * Whose votes count. Rules are fixed before any vote is seen and the same for every review; what they leave out is shown
 * with its reason, never dropped in silence. After ITU-R BT.500-15 annex 1 (screening of observers), for pairs.
 */

import type { Manifest, OwnerSecrets } from '../manifest.ts';
import type { VoteRecord } from '../protocol.ts';
import { groupBy } from './groups.ts';

/** Why votes are left out. */
export const EXCLUSIONS = [
	/** Names a pair, or sides, that the review does not have: made by another program. */
	'not-a-pair',
	/** Both sides were in sight for less than the review's minimum. */
	'too-short',
	/** The voter failed most of the control pairs, two at least. */
	'controls',
	/** The voter answered the same side every time, ten times at least (by chance 1 voter in 512). */
	'one-side',
] as const;
export type Exclusion = (typeof EXCLUSIONS)[number];

/** Votes of one voter left out for one reason. */
export interface ExcludedVotes {
	readonly voter: string;
	readonly reason: Exclusion;
	readonly votes: number;
}

/** A vote that counts. */
export interface CountedVote {
	readonly voter: string;
	/** Shot's id. */
	readonly shot: string;
	/** Version ids of the pair, in the order of the owner's list of versions. */
	readonly a: string;
	readonly b: string;
	/** 1: `a` was chosen, 0: `b`, ½: a tie. */
	readonly value: number;
	readonly record: VoteRecord;
}

/** What voters showed of their attention. */
export interface Attention {
	readonly counted: readonly CountedVote[];
	readonly excluded: readonly ExcludedVotes[];
	/** Control answers over all voters, excluded ones included. */
	readonly controls: { readonly asked: number; readonly failed: number };
}

const FAILED_LEAST = 2;
const ONE_SIDE_LEAST = 10;

type Pair = OwnerSecrets['pairs'][number];
interface Known {
	readonly vote: VoteRecord;
	readonly pair: Pair;
	/** Version that was chosen; null for a tie. */
	readonly chosen: string | null;
}

/** Which version a vote chose; undefined where it is not about this presentation. */
function choiceOf(vote: VoteRecord, manifest: Manifest, secrets: OwnerSecrets): Known | undefined {
	const shown = manifest.presentations.find((p) => p.id === vote.presentation);
	const pair = secrets.pairs.find((p) => p.presentation === vote.presentation);
	if (!shown || !pair) return undefined;
	const straight = vote.left === shown.a.object && vote.right === shown.b.object;
	const crossed = vote.left === shown.b.object && vote.right === shown.a.object;
	if (!straight && !crossed) return undefined;
	if (vote.choice === 'tie') return manifest.tiesAllowed ? { vote, pair, chosen: null } : undefined;
	const isA = (vote.choice === 'left') === straight;
	return { vote, pair, chosen: isA ? pair.a : pair.b };
}

/** Answers to control pairs: a trap is failed by preferring one of two equal sides, a repeat by preferring the other version. */
function controlsOf(
	votes: readonly Known[],
	tiesAllowed: boolean,
): { readonly asked: number; readonly failed: number } {
	let asked = 0;
	let failed = 0;
	for (const { pair, chosen } of votes) {
		if (pair.kind === 'trap' && tiesAllowed) {
			asked++;
			if (chosen !== null) failed++;
		}
		if (pair.kind !== 'repeat') continue;
		const first = votes.find((v) => v.pair.presentation === pair.of);
		if (!first) continue;
		asked++;
		if (chosen !== null && first.chosen !== null && chosen !== first.chosen) failed++;
	}
	return { asked, failed };
}

/** Sorts votes into those that count and those that do not. */
export function screen(votes: readonly VoteRecord[], manifest: Manifest, secrets: OwnerSecrets): Attention {
	const rank = new Map(secrets.versions.map((version, i) => [version.id, i]));
	const shotOf = new Map(manifest.presentations.map((p) => [p.id, p.shot]));
	const excluded: ExcludedVotes[] = [];
	const counted: CountedVote[] = [];
	const controls = { asked: 0, failed: 0 };
	const leaveOut = (voter: string, reason: Exclusion, count: number): void => {
		if (count > 0) excluded.push({ voter, reason, votes: count });
	};
	for (const [voter, own] of groupBy(votes, (vote) => vote.voter)) {
		const known = own.flatMap((vote) => choiceOf(vote, manifest, secrets) ?? []);
		leaveOut(voter, 'not-a-pair', own.length - known.length);
		const seen = known.filter(({ vote }) => vote.viewedMs >= manifest.minimumViewMs);
		leaveOut(voter, 'too-short', known.length - seen.length);
		const answers = controlsOf(seen, manifest.tiesAllowed);
		controls.asked += answers.asked;
		controls.failed += answers.failed;
		if (answers.failed >= FAILED_LEAST && answers.failed * 2 > answers.asked) {
			leaveOut(voter, 'controls', seen.length);
			continue;
		}
		const sides = new Set(seen.map(({ vote }) => vote.choice));
		if (seen.length >= ONE_SIDE_LEAST && sides.size === 1 && !sides.has('tie')) {
			leaveOut(voter, 'one-side', seen.length);
			continue;
		}
		for (const { vote, pair, chosen } of seen) {
			// Controls are for screening: a repeat would count one opinion twice.
			if (pair.kind !== 'pair') continue;
			const [a, b] = [pair.a, pair.b].sort((x, y) => (rank.get(x) ?? 0) - (rank.get(y) ?? 0)) as [string, string];
			const value = chosen === null ? 0.5 : chosen === a ? 1 : 0;
			counted.push({ voter, shot: shotOf.get(vote.presentation) ?? '', a, b, value, record: vote });
		}
	}
	return { counted, excluded, controls };
}
