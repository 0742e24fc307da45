/** What a stage made, kept to its region: outside of the matte the input's picture and provenance stand. */

import type { Compute, Picture } from '../contracts/compute.ts';
import { PROVENANCE, type WorkingFrame } from '../contracts/stage.ts';
import { filled } from '../gpu/ops/fill/op.ts';
import { blendRegion } from './ops/blend.ts';

/** Picture and provenance of a frame; the caller owns both. */
export interface Confined {
	readonly picture: Picture;
	/** Absent where the frame has none: all original. */
	readonly provenance?: Picture;
}

/**
 * The input where the matte is 0, the result where it is 1, blended between; provenance is the result's wherever the matte
 * reaches. All pictures have one size and are borrowed.
 */
export function confine(
	compute: Compute,
	input: WorkingFrame,
	result: { readonly picture: Picture; readonly provenance: Picture | undefined },
	matte: Picture,
): Confined {
	const picture = blendRegion(compute, input.picture, result.picture, matte, 'soft');
	if (!result.provenance) return { picture };
	const { width, height } = picture;
	const before = input.sides.provenance?.retain() ?? filled(compute, width, height, 1, PROVENANCE.original);
	try {
		return { picture, provenance: blendRegion(compute, before, result.provenance, matte, 'hard') };
	} catch (error) {
		picture.release();
		throw error;
	} finally {
		before.release();
	}
}
