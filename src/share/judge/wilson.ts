/** An interval for a share (Wilson: Probable inference, JASA 22, 1927): good for small counts, never outside of 0…1. */

/** Ends of an interval. */
export interface Interval {
	readonly low: number;
	readonly high: number;
}

/** 97.5 % of a normal distribution. */
const Z = 1.959964;

/** The 95 % interval of a share; counts may be broken. Without trials everything is possible. */
export function wilson(successes: number, trials: number): Interval {
	if (trials <= 0) return { low: 0, high: 1 };
	const share = successes / trials;
	const z2 = Z * Z;
	const middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
	const reach = (Z * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials))) / (1 + z2 / trials);
	return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}
