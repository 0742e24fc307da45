/** Scores for more than two versions from comparisons of two (Bradley and Terry 1952). */

/** A comparison: `value` 1 where `a` won, 0 where `b` did, ½ for a tie. */
export interface Comparison {
	readonly a: number;
	readonly b: number;
	readonly value: number;
}

/**
 * Comparisons that every pair of versions is taken to have had before the first vote, as one tie: keeps scores finite where a version
 * won every time, and is outweighed by a handful of votes.
 */
export const PRIOR_TIES = 1;
const ROUNDS = 10_000;
const SETTLED = 1e-10;

/**
 * Log-strengths with mean 0 by the MM algorithm (Hunter 2004): a difference d means that the first is preferred with probability
 * 1 / (1 + e^−d). Ties count half to each.
 * @param versions Their number.
 */
export function bradleyTerry(comparisons: readonly Comparison[], versions: number): number[] {
	const wins = Array<number>(versions).fill(0);
	const met = Array.from({ length: versions }, () => Array<number>(versions).fill(0));
	const count = (a: number, b: number, value: number, weight: number): void => {
		wins[a]! += value * weight;
		wins[b]! += (1 - value) * weight;
		met[a]![b]! += weight;
		met[b]![a]! += weight;
	};
	for (let a = 0; a < versions; a++) for (let b = a + 1; b < versions; b++) count(a, b, 0.5, PRIOR_TIES);
	for (const { a, b, value } of comparisons) if (a !== b) count(a, b, value, 1);
	let strengths = Array<number>(versions).fill(1);
	for (let round = 0; round < ROUNDS; round++) {
		const next = strengths.map((own, i) => {
			const load = met[i]!.reduce((sum, n, j) => (j === i ? sum : sum + n / (own + strengths[j]!)), 0);
			return wins[i]! / load;
		});
		const level = Math.exp(next.reduce((sum, s) => sum + Math.log(s), 0) / versions);
		const scaled = next.map((s) => s / level);
		const moved = Math.max(...scaled.map((s, i) => Math.abs(Math.log(s / strengths[i]!))));
		strengths = scaled;
		if (moved < SETTLED) break;
	}
	return strengths.map(Math.log);
}

/** A score with its interval of 95 %. */
export interface Score {
	readonly score: number;
	readonly interval: readonly [number, number];
}

/**
 * Scores with intervals by the bootstrap over persons (Efron 1979; percentiles): whole persons are drawn, since a
 * person's votes belong together.
 * @param persons Comparisons by person.
 * @param random In [0, 1).
 */
export function scoresWithIntervals(
	persons: readonly (readonly Comparison[])[],
	versions: number,
	random: () => number,
	draws = 1000,
): Score[] {
	const scores = bradleyTerry(persons.flat(), versions);
	const samples = scores.map(() => new Float64Array(draws));
	for (let draw = 0; draw < draws; draw++) {
		const drawn = persons.flatMap(() => persons[Math.floor(random() * persons.length)] ?? []);
		bradleyTerry(drawn, versions).forEach((score, i) => (samples[i]![draw] = score));
	}
	return scores.map((score, i) => {
		const sorted = samples[i]!.sort();
		const at = (share: number): number => sorted[Math.min(draws - 1, Math.max(0, Math.round(share * (draws - 1))))]!;
		return { score, interval: [Math.min(score, at(0.025)), Math.max(score, at(0.975))] };
	});
}
