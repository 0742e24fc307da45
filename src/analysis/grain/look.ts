/** From measured grain to what is laid. */

import type { FieldRecipe } from './field.ts';
import { grainKernel, mixingOf, overlap } from './kernel.ts';

/** A field of grain and how strong it is at each level, a channel each: what `layGrain` lays. */
export interface GrainLook extends FieldRecipe {
	readonly strengths: readonly (readonly number[])[];
}

/**
 * The field that has these spectra and is so alike between channels.
 * @param acf autocorrelation of each channel, see `GrainProfile`
 * @param correlation of the channels at one pixel, 3×3, rows first
 * @param scale picture's pixels a pixel of the scan
 */
export function fieldRecipe(
	acf: readonly (readonly number[])[],
	correlation: readonly number[],
	scale = 1,
): FieldRecipe {
	const kernels = acf.map((a) => grainKernel(a, scale));
	// Filters that differ make channels less alike than their white noise is.
	const white = correlation.map((v, i) => {
		const alike = overlap(kernels[Math.floor(i / 3)]!, kernels[i % 3]!);
		return Math.max(-1, Math.min(1, v / Math.max(0.1, alike)));
	});
	return { kernels, mixing: mixingOf(white) };
}
