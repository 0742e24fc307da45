/** The record of a version that is adopted. */

import type { AdoptionEntry, ReviewRef } from '../../project/review-records.ts';
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
