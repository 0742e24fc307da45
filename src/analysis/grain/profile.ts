/** What film grain is, as far as it is measured and laid again: how strong at which level, how coarse, how colored. */

/** Lags of {@link GrainProfile.acf} on each side, in pixels. */
export const ACF_RADIUS = 7;
/** Side of an autocorrelation. */
export const ACF_SIDE = 2 * ACF_RADIUS + 1;
/** Levels at which the strength is told: the middles of equal parts of 0…1. */
export const LEVELS = 8;

/** Grain of a shot, in pixels and code values of the scan it was measured on. Plain data. */
export interface GrainProfile {
	/**
	 * For each channel the standard deviation at {@link LEVELS} code values, on the scale of the picture. Code values are the scan's own, so that of a
	 * log scan this is grain against density.
	 */
	readonly sigma: readonly (readonly number[])[];
	/** For each channel the autocorrelation, `ACF_SIDE`² values, rows from −radius, 1 in the middle. */
	readonly acf: readonly (readonly number[])[];
	/** Correlation of the channels at one pixel, 3×3, rows first. */
	readonly correlation: readonly number[];
}

/** Code value of a level's middle. */
export function levelAt(index: number): number {
	return (index + 0.5) / LEVELS;
}

/** Root mean square of all channels and levels: one number for the strength, on the scale of the picture. */
export function strengthOf({ sigma }: Pick<GrainProfile, 'sigma'>): number {
	const all = sigma.flat();
	return Math.sqrt(all.reduce((sum, v) => sum + v * v, 0) / all.length);
}

/** Width of a grain: twice the lag at which the correlation has fallen to a half, mean of the channels and of both directions, in pixels. */
export function grainWidth({ acf }: Pick<GrainProfile, 'acf'>): number {
	const middle = ACF_RADIUS * ACF_SIDE + ACF_RADIUS;
	const widths = acf.flatMap((values) =>
		[1, ACF_SIDE].map((step) => {
			for (let lag = 1; lag <= ACF_RADIUS; lag++) {
				const [before, here] = [values[middle + (lag - 1) * step]!, values[middle + lag * step]!];
				if (here <= 0.5) return 2 * (lag - 1 + (before - 0.5) / (before - here));
			}
			return 2 * ACF_RADIUS;
		}),
	);
	return widths.reduce((sum, v) => sum + v, 0) / widths.length;
}

/** How differently the channels are grained: 1 − their mean correlation, 0…1. */
export function grainColor({ correlation: c }: Pick<GrainProfile, 'correlation'>): number {
	return Math.min(1, Math.max(0, 1 - (c[1]! + c[2]! + c[5]!) / 3));
}

/**
 * Autocorrelation of round grain whose correlation falls to a half at `size`/2 pixels (a Gaussian: the shape that a scanner's spot and
 * overlapping grains of many sizes tend to).
 */
export function roundAcf(size: number): number[] {
	const acf: number[] = [];
	for (let y = -ACF_RADIUS; y <= ACF_RADIUS; y++) {
		for (let x = -ACF_RADIUS; x <= ACF_RADIUS; x++)
			acf.push(Math.exp((-4 * Math.LN2 * (x * x + y * y)) / (size * size)));
	}
	return acf;
}

/**
 * Strength against level of opaque grains that cover a share of the picture: the variance of coverage u is u·(1 − u) (Newson et al.,
 * A stochastic film grain model, 2017). `sigma` in the middle; not below a fifth of it, as scans lift black and compress white.
 */
export function coverageCurve(sigma: number): number[] {
	return Array.from({ length: LEVELS }, (_, k) => {
		const u = levelAt(k);
		return sigma * Math.max(0.2, 2 * Math.sqrt(u * (1 - u)));
	});
}
