/**
 * How far a look at a part of a film is final: which boundaries frames outside of it could still change.
 *
 * Cuts depend on a few frames around them. Dissolves depend on windows of up to `maxDissolve` frames, and on each other: of those that
 * lie within `MIN_GAP` frames the best is kept, so that one unknown candidate may decide on a chain of known ones. A cut ends every
 * chain: no window crosses it, and what lies beside it is no dissolve (`dissolve.ts`).
 */
import { type DissolveCandidate, MIN_GAP } from './dissolve.ts';

/** What a detector has found so far, with what is not final yet. */
export interface Found {
	/** In order. */
	readonly cuts: readonly number[];
	readonly candidates: readonly DissolveCandidate[];
}

/**
 * First frame from which on every boundary found is the film's own, though the film was looked at from the middle.
 * @param anchor frame from which on cuts are final; dissolve windows that start before it are not.
 */
export function firstSettled({ cuts, candidates }: Found, anchor: number, maxDissolve: number): number {
	const barrier = cuts.find((cut) => cut > anchor) ?? Infinity;
	// The last frame that an unknown candidate can reach, itself or by a chain.
	let reach = anchor - 1 + maxDissolve;
	for (const { from, to } of [...candidates].sort((a, b) => a.from - b.from)) {
		if (from >= reach + MIN_GAP) break;
		reach = Math.max(reach, to);
	}
	return Math.min(barrier, reach + MIN_GAP);
}

/**
 * Frame before which every boundary found is final, though the film goes on.
 * @param judged first frame whose boundary is not judged yet.
 */
export function lastSettled({ cuts, candidates }: Found, judged: number, maxDissolve: number): number {
	const barrier = (cuts.at(-1) ?? -1) + 1;
	// The first frame that an unknown candidate can mix, itself or by a chain.
	let reach = judged - maxDissolve + 1;
	for (const { from, to } of [...candidates].sort((a, b) => b.to - a.to)) {
		if (to + MIN_GAP <= reach) break;
		reach = Math.min(reach, from);
	}
	return Math.max(barrier, reach);
}
