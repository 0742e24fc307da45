/** What pixels are, as shares and in words: the viewer says it of a frame, reports and terminal of a whole output, all by this. */

import { type Phrase, phrase } from './phrases.ts';

/** From the film's own pixels to invented ones. */
const KINDS = ['original', 'repaired', 'generated'] as const;

/** Shares of a picture's pixels by provenance, each 0…1, together 1; or their sums over frames. */
export type ProvenanceShares = Readonly<Record<(typeof KINDS)[number], number>>;

/** `repaired`, or `62.0 % original, 38.0 % repaired`; what is not there is not named. Takes shares of any sum. */
export function provenancePhrase(shares: ProvenanceShares): Phrase {
	const total = KINDS.reduce((sum, kind) => sum + shares[kind], 0) || 1;
	const there = KINDS.filter((kind) => shares[kind] > 0);
	const [only] = there;
	if (only && there.length === 1) return phrase(`provenance-${only}`);
	const share = (kind: (typeof KINDS)[number]): Phrase =>
		phrase('provenance-share', { percent: percent(shares[kind] / total), kind: phrase(`provenance-${kind}`) });
	return phrase('provenance-shares', { shares: there.map(share) });
}

/** To a tenth; what is there is never told as nothing, nor what lacks something as the whole. */
function percent(share: number): string {
	return Math.min(99.9, Math.max(0.1, share * 100)).toFixed(1);
}
