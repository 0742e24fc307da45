/** How noisy a shot's frames are, as they reach the stage, at the size at which motion is estimated. */

import { shotNoise } from '../../analysis/noise/shot.ts';
import { flowSize } from '../../analysis/flow/flow.ts';
import type { Picture } from '../../contracts/compute.ts';
import type { ShotAccess, StageEnv } from '../../contracts/stage.ts';
import { using } from '../../gpu/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { LEAST_NOISE } from './motion.ts';

/** Artifact of `interpolate`. */
export interface ShotGrain {
	/**
	 * Noise to be taken off before motion is estimated, on the scale of the frames at their own size (σ in 8-bit codes ÷ 255);
	 * 0 where that is not worth it.
	 */
	readonly sigma: number;
}

/** Looks at a shot; `side` is the longest side at which motion is estimated. */
export async function analyzeShot(access: ShotAccess, side: number, env: StageEnv): Promise<ShotGrain> {
	const size = flowSize(access.size, side);
	const picture = async (index: number): Promise<Picture> => {
		const { picture: own, sides } = await access.frame(index);
		for (const plane of Object.values(sides)) plane.release();
		if (size.width === own.width && size.height === own.height) return own;
		return using([own], () => resize(env.compute, own, size.width, size.height));
	};
	const { compute, breathe } = env;
	const { sigma } = await shotNoise({ compute, range: access.range, picture, breathe });
	return { sigma: sigma < LEAST_NOISE ? 0 : (sigma * access.size.width) / size.width };
}
