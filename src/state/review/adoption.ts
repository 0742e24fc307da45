/** The record of a version that is adopted, and what was said against it. */

import type { AdoptionEntry, ApprovalEntry, ReviewRef } from '../../project/review-records.ts';
import type { Results } from '../../share/statistics/results.ts';

/** What the record says of an adoption: the version's votes over all its pairs, and the weakest of their tests. */
export function adoptionOf(
	ref: Pick<ReviewRef, 'id'>,
	reel: string,
	version: { readonly id: string; readonly label: string },
	results: Results,
	now: number,
): AdoptionEntry {
	const own = results.pairs.filter(({ a, b }) => a === version.id || b === version.id);
	const sum = (count: (pair: (typeof own)[number]) => number): number => own.reduce((n, pair) => n + count(pair), 0);
	const hasVotes = results.counted > 0 && own.length > 0;
	return {
		...{ kind: 'adopted', reel, review: ref.id, version: version.label, recordedAt: now },
		...{ votes: results.counted, voters: results.voters, ties: sum(({ ties }) => ties) },
		wins: sum((pair) => (pair.a === version.id ? pair.aWins : pair.bWins)),
		losses: sum((pair) => (pair.a === version.id ? pair.bWins : pair.aWins)),
		p: hasVotes ? Math.min(1, Math.max(...own.map(({ pCorrected }) => pCorrected))) : null,
		shown: results.winner === version.id,
	};
}

/**
 * Curators' words that speak against adopting a version: another one was approved, or this one rejected. Of one curator's
 * words about one clip the last holds.
 * @param label The version's name, as approvals give it.
 */
export function contradicting(approvals: readonly ApprovalEntry[], label: string): readonly ApprovalEntry[] {
	const last = new Map<string, ApprovalEntry>();
	for (const entry of approvals) {
		const { key, shot, clip, at } = entry.approval;
		const before = last.get(`${key}/${shot}/${clip}`);
		if (!before || before.approval.at <= at) last.set(`${key}/${shot}/${clip}`, entry);
	}
	return [...last.values()].filter(
		({ version, approval }) => version !== null && (version === label) === (approval.verdict === 'rejected'),
	);
}
