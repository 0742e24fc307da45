/**
 * Which pairs a review asks, and how each voter meets them: pairwise comparison after ITU-T P.910 (2023) §7.3 and ITU-R BT.500-15.
 * Every pair of versions is asked equally often, shots take turns; same-version traps and repeats with swapped sides are
 * mixed in to find votes without looking. Order and sides are the voter's own, drawn from the voter's id.
 */

import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { sha256, utf8 } from './bytes.ts';
import { MAX_VERSIONS, type PAIR_KINDS } from './manifest.ts';
import { LIMITS } from './protocol.ts';

/** A pair to be asked, by indexes of shots and versions. */
export interface PlannedPair {
	readonly kind: (typeof PAIR_KINDS)[number];
	/** Repeats: index of the pair in the plan that it repeats. */
	readonly of: number | null;
	readonly shot: number;
	readonly a: number;
	readonly b: number;
}

/** One control pair (a trap and a repeat in turn) for so many real ones, from {@link CONTROL_FROM} real pairs on. */
export const CONTROL_EVERY = 5;
/** Fewer real pairs than this carry no controls: there is nothing to hide them among. */
export const CONTROL_FROM = 4;

function shuffle<T>(items: readonly T[], random: () => number): T[] {
	const out = [...items];
	for (let i = out.length - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[out[i], out[j]] = [out[j]!, out[i]!];
	}
	return out;
}

/**
 * The pairs of a review: `pairs` real ones, then its controls.
 * @param random In [0, 1); decides which shots and versions begin and which is `a`.
 * @throws EmulsionError `usage`.
 */
export function planPairs(
	shots: number,
	versions: number,
	pairs: number,
	random: () => number = Math.random,
): PlannedPair[] {
	if (shots < 1) throw new EmulsionError('usage', phrase('ballot-shots'));
	if (versions < 2 || versions > MAX_VERSIONS) {
		throw new EmulsionError('usage', phrase('ballot-versions', { most: MAX_VERSIONS, got: versions }));
	}
	const controls = pairs < CONTROL_FROM ? 0 : 2 * Math.max(1, Math.round(pairs / CONTROL_EVERY / 2));
	const most = LIMITS.presentations;
	if (!Number.isInteger(pairs) || pairs < 1 || pairs + controls > most) {
		throw new EmulsionError('usage', phrase('ballot-pairs', { most: Math.floor(most * 0.8), got: pairs }));
	}
	const combinations: (readonly [number, number])[] = [];
	for (let a = 0; a < versions; a++) for (let b = a + 1; b < versions; b++) combinations.push([a, b]);
	const plan: PlannedPair[] = [];
	// Rounds: in each every combination once; shots go on from round to round, so that each combination meets each shot.
	const shotOrder = shuffle([...Array(shots).keys()], random);
	while (plan.length < pairs) {
		const round = Math.floor(plan.length / combinations.length);
		for (const [i, [a, b]] of shuffle(
			combinations.map((c, i) => [i, c] as const),
			random,
		)) {
			if (plan.length === pairs) break;
			const shot = shotOrder[(round + i) % shots]!;
			const [left, right] = random() < 0.5 ? [a, b] : [b, a];
			plan.push({ kind: 'pair', of: null, shot, a: left, b: right });
		}
	}
	const real = shuffle([...plan.keys()], random);
	for (let i = 0; i < controls; i++) {
		const of = real[i % real.length]!;
		const { shot, a, b } = plan[of]!;
		if (i % 2 === 0) {
			const version = random() < 0.5 ? a : b;
			plan.push({ kind: 'trap', of: null, shot, a: version, b: version });
		} else plan.push({ kind: 'repeat', of, shot, a: b, b: a });
	}
	return plan;
}

/** A pair as one voter meets it. */
export interface ShownPair {
	/** Index among the presentations given. */
	readonly index: number;
	/** `a` is on the right. */
	readonly swapped: boolean;
}

/**
 * Order and sides for a voter: the same voter meets the same review always in the same way. Presentations of one salt
 * (a pair and its repeat, whose `a` and `b` are exchanged) get the same `swapped`, so that the repeat shows its sides exchanged; they never
 * follow each other where another order exists.
 * @param voter The voter's id; nothing else is drawn from.
 */
export async function orderFor(
	voter: string,
	presentations: readonly { readonly id: string; readonly salt: string }[],
): Promise<ShownPair[]> {
	const drawn = await Promise.all(
		presentations.map(async ({ id, salt }, index) => {
			const place = await sha256(utf8(`order/${voter}/${id}`));
			const side = await sha256(utf8(`side/${voter}/${salt}`));
			return { index, salt, place, swapped: (side[0]! & 1) === 1 };
		}),
	);
	drawn.sort((x, y) => compareBytes(x.place, y.place));
	for (let i = 1; i < drawn.length; i++) {
		if (drawn[i]!.salt !== drawn[i - 1]!.salt) continue;
		const other = drawn.findIndex((d, j) => fits(drawn, i, j) && d.salt !== drawn[i]!.salt);
		if (other >= 0) [drawn[i], drawn[other]] = [drawn[other]!, drawn[i]!];
	}
	return drawn.map(({ index, swapped }) => ({ index, swapped }));
}

/** Exchanging places `i` and `j` brings no two of one salt together at `j`, nor leaves `i` beside its like. */
function fits(drawn: readonly { readonly salt: string }[], i: number, j: number): boolean {
	if (Math.abs(i - j) < 2) return false;
	const after = [...drawn];
	[after[i], after[j]] = [after[j]!, after[i]!];
	return [i, j].every((at) => after[at]!.salt !== after[at - 1]?.salt && after[at]!.salt !== after[at + 1]?.salt);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
	return 0;
}

/**
 * Numbers in [0, 1) for {@link planPairs} from a seed, for tests and for reviews that are made again the same way
 * (mulberry32 by T. Ettinger, public domain).
 */
export function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}
