/** Proportions: exact test, interval, and what clustered votes are worth. */

/** Natural logarithm of n!, by summation; n up to some thousands. */
function logFactorials(n: number): Float64Array {
	const logs = new Float64Array(n + 1);
	for (let i = 2; i <= n; i++) logs[i] = logs[i - 1]! + Math.log(i);
	return logs;
}

/**
 * Two-sided exact binomial test against one half (the sign test): how probable it is that fair coins come out at least as uneven.
 * @param wins Of `trials`, whole numbers.
 * @returns 1 for no trials.
 */
export function signTest(wins: number, trials: number): number {
	if (trials === 0) return 1;
	const fewer = Math.min(wins, trials - wins);
	const logs = logFactorials(trials);
	let tail = 0;
	for (let k = 0; k <= fewer; k++) tail += Math.exp(logs[trials]! - logs[k]! - logs[trials - k]! - trials * Math.LN2);
	return Math.min(1, 2 * tail);
}

/** Quantile of the normal distribution that leaves 2.5 % above. */
const Z = 1.959963984540054;

/**
 * Wilson's score interval of 95 % (Wilson 1927). `wins` and `trials` need not be whole: ties count half, and trials that depend on each
 * other count less than one.
 * @returns [0, 1] for no trials.
 */
export function wilson(wins: number, trials: number): readonly [number, number] {
	if (trials <= 0) return [0, 1];
	const rate = wins / trials;
	const z2 = Z * Z;
	const center = (rate + z2 / (2 * trials)) / (1 + z2 / trials);
	const half = (Z / (1 + z2 / trials)) * Math.sqrt((rate * (1 - rate)) / trials + z2 / (4 * trials * trials));
	return [Math.max(0, center - half), Math.min(1, center + half)];
}

/**
 * How many independent votes a set of votes is worth, where several come from one person: their number over the design effect
 * (Kish 1965; variance of the ratio estimator by clusters against that of single draws), never more than they are and never less than
 * the persons' number would be if each spoke with one voice.
 * @param clusters Values (0, ½ or 1) by person.
 */
export function effectiveVotes(clusters: readonly (readonly number[])[]): number {
	const filled = clusters.filter((c) => c.length > 0);
	const n = filled.reduce((sum, c) => sum + c.length, 0);
	const persons = filled.length;
	if (n === persons) return n;
	if (persons < 2) return persons;
	const mean = filled.flat().reduce((sum, value) => sum + value, 0) / n;
	const single = filled.flat().reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
	// All of one opinion: nothing says that a person's votes differ among themselves more than persons do.
	if (single === 0) return persons;
	const between = filled.reduce((sum, c) => sum + c.reduce((s, value) => s + (value - mean), 0) ** 2, 0);
	const clustered = ((persons / (persons - 1)) * between) / (n * n);
	const effect = clustered / (single / n);
	return Math.min(n, Math.max(persons, n / Math.max(effect, 1e-9)));
}

/** Holm's step-down correction (Holm 1979): p-values for several questions asked at once, in the order given. */
export function holm(values: readonly number[]): number[] {
	const order = values.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
	const out = Array<number>(values.length).fill(1);
	let least = 0;
	order.forEach(({ p, index }, rank) => {
		least = Math.max(least, Math.min(1, p * (values.length - rank)));
		out[index] = least;
	});
	return out;
}
