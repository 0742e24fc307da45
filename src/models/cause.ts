/** The net that says why a place of a film is soft. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import type { Rect } from '../core/tiles.ts';
import { usingAsync } from '../gpu/op.ts';
import { stack } from '../gpu/ops/stack/op.ts';
import { crop } from '../gpu/ops/window/op.ts';

/** Id in the manifest. */
export const BLUR_CAUSE = 'blur-cause';
/** Numbers that the net gives: five strengths, five votes for the leading cause, one for soft against sharp. */
export const CAUSE_OUTPUTS = 11;
/** What the net gives is in so many log odds. */
const UNIT = 16;
/** Smallest side of a place in pixels: below it the net's windows do not fit. */
export const LEAST_PLACE = 64;

/**
 * The evidence of one place in three consecutive frames (R′G′B′ of one size, never resampled), as log odds; of several places and
 * frames the mean is taken.
 * @param rect the place: sides are multiples of the manifest's `align`, {@link LEAST_PLACE} pixels or more
 */
export async function causeRun(
	models: ModelRuntime,
	compute: Compute,
	[before, frame, after]: readonly [Picture, Picture, Picture],
	rect: Rect,
	signal: AbortSignal,
): Promise<Float32Array> {
	const parts = [before, frame, after].map((picture) => crop(compute, picture, rect)) as [Picture, Picture, Picture];
	return usingAsync(parts, async () => {
		const two = stack(compute, parts[0], parts[1]);
		return usingAsync([two], async () => {
			const frames = stack(compute, two, parts[2]);
			return usingAsync([frames], async () => {
				const wanted = { evidence: { width: 1, height: 1, channels: CAUSE_OUTPUTS } };
				const { evidence } = await models.run(BLUR_CAUSE, { frames }, wanted, signal);
				return usingAsync([evidence!], async () => {
					const given = new Float32Array(await compute.readback(evidence!));
					return given.map((value) => UNIT * value);
				});
			});
		});
	});
}
