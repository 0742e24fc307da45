/** One frame between two: motion at a bounded size, pictures at their own. */

import { flowSize } from '../../analysis/flow/flow.ts';
import type { Picture } from '../../contracts/compute.ts';
import type { StageEnv } from '../../contracts/stage.ts';
import type { Size } from '../../core/color.ts';
import { usingAsync } from '../../gpu/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { denoiseRun } from '../../models/ffdnet.ts';
import { composeMid, interpolateRun } from '../../models/rife.ts';

/** RIFE is poor on pictures whose shorter side is below this: smaller ones are enlarged for the motion estimation. */
export const LEAST_SIDE = 192;
/** Noise (σ in 8-bit codes ÷ 255) below which denoising before the motion estimation changes nothing worth its time. */
export const LEAST_NOISE = 1.5 / 255;

/** Size at which motion is estimated: at most `maxSide` long, and not below {@link LEAST_SIDE} where that allows it. */
export function motionSize(size: Size, maxSide: number): Size {
	const bounded = flowSize(size, maxSide);
	const shorter = Math.min(bounded.width, bounded.height);
	if (shorter >= LEAST_SIDE) return bounded;
	const grow = Math.min(LEAST_SIDE / shorter, maxSide / Math.max(bounded.width, bounded.height));
	if (grow <= 1) return bounded;
	return { width: Math.round(bounded.width * grow), height: Math.round(bounded.height * grow) };
}

/** How {@link between} works. */
export interface BetweenOptions {
	/** Longest side of the motion estimation. */
	readonly maxSide: number;
	/** Noise of the frames at that size; motion is estimated on denoised copies where it is worth it. */
	readonly sigma: number;
}

/** A frame as the motion estimation sees it. The caller owns it. */
async function guide(env: StageEnv, picture: Picture, size: Size, sigma: number): Promise<Picture> {
	const fits = size.width === picture.width && size.height === picture.height;
	const sized = fits ? picture.retain() : resize(env.compute, picture, size.width, size.height);
	if (sigma < LEAST_NOISE) return sized;
	return usingAsync([sized], () => denoiseRun(env.models, env.compute, sized, sigma, env));
}

/**
 * The frame at time `t` (0 is `a`, 1 is `b`) between two pictures of one size. The network's own picture is taken where it
 * saw the film's full size and grain; else its flow and mask move and blend the film's own pixels. The caller owns it.
 */
export async function between(
	env: StageEnv,
	a: Picture,
	b: Picture,
	t: number,
	{ maxSide, sigma }: BetweenOptions,
): Promise<Picture> {
	const { compute, models, signal, breathe } = env;
	const size = motionSize(a, maxSide);
	const direct = size.width === a.width && size.height === a.height && sigma < LEAST_NOISE;
	await breathe();
	if (direct) return (await interpolateRun(models, compute, a, b, t, ['mid'], signal)).mid;
	const first = await guide(env, a, size, sigma);
	const { flow, mask } = await usingAsync([first], async () => {
		const second = await guide(env, b, size, sigma);
		await breathe();
		return usingAsync([second], () => interpolateRun(models, compute, first, second, t, ['flow', 'mask'], signal));
	});
	return usingAsync([flow, mask], async () => {
		await breathe();
		return composeMid(compute, a, b, flow, mask);
	});
}
