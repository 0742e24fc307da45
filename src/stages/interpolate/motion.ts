/** One frame between two: motion at a bounded size, pictures at their own. */

import type { Picture } from '../../contracts/compute.ts';
import type { StageEnv } from '../../contracts/stage.ts';
import { usingAsync } from '../../gpu/op.ts';
import { composeMid, interpolateRun } from '../../models/rife.ts';

/** RIFE is poor on pictures whose shorter side is below this: smaller ones are enlarged for the motion estimation. */
export const LEAST_SIDE = 192;
/** Noise (σ in 8-bit codes ÷ 255, at the size of the motion estimation) below which denoising changes nothing worth its time. */
export const LEAST_NOISE = 1.5 / 255;

/** A frame and its guide. */
export interface Guided {
	readonly picture: Picture;
	/** What motion estimation sees; the picture itself where that is the film's full size and grain. */
	readonly guide: Picture;
}

/**
 * The frame at time `t` (0 is `a`, 1 is `b`) between two pictures of one size. The network's own picture is taken where it
 * saw the film's full size and grain; else its flow and mask move and blend the film's own pixels. The caller owns it.
 */
export async function between(env: StageEnv, a: Guided, b: Guided, t: number): Promise<Picture> {
	const { compute, models, signal, breathe } = env;
	await breathe();
	if (a.guide === a.picture && b.guide === b.picture) {
		return (await interpolateRun(models, compute, a.picture, b.picture, t, ['mid'], signal)).mid;
	}
	const { flow, mask } = await interpolateRun(models, compute, a.guide, b.guide, t, ['flow', 'mask'], signal);
	return usingAsync([flow, mask], async () => {
		await breathe();
		return composeMid(compute, a.picture, b.picture, flow, mask);
	});
}
