/** Frames as motion estimation sees them: brought to a bounded size and, where they are noisy, denoised. */

import type { Compute, Picture } from '../../contracts/compute.ts';
import type { ModelRuntime } from '../../contracts/models.ts';
import type { GuideOptions } from '../../contracts/stage.ts';
import type { Size } from '../../core/color.ts';
import { usingAsync } from '../../gpu/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { denoiseRun } from '../../models/ffdnet.ts';
import { FLOW_SIDE, flowSize } from './flow.ts';

/** What a guide needs of a stage's environment. */
export interface GuideEnv {
	readonly compute: Compute;
	readonly models: ModelRuntime;
	readonly signal: AbortSignal;
	readonly breathe: () => Promise<void>;
}

/** The size of a guide: at most `maxSide` long, and not below `minSide` where that allows it. */
export function guideSize(size: Size, { maxSide = FLOW_SIDE, minSide = 0 }: GuideOptions): Size {
	const bounded = flowSize(size, maxSide);
	const shorter = Math.min(bounded.width, bounded.height);
	if (shorter >= minSide) return bounded;
	const grow = Math.min(minSide / shorter, maxSide / Math.max(bounded.width, bounded.height));
	if (grow <= 1) return bounded;
	return { width: Math.round(bounded.width * grow), height: Math.round(bounded.height * grow) };
}

/** The guide of a picture (R′G′B′). The caller owns it. */
export async function makeGuide(env: GuideEnv, picture: Picture, options: GuideOptions): Promise<Picture> {
	const size = guideSize(picture, options);
	const fits = size.width === picture.width && size.height === picture.height;
	const sized = fits ? picture.retain() : resize(env.compute, picture, size.width, size.height);
	const { denoise = 0 } = options;
	if (denoise <= 0) return sized;
	// Reducing averages white noise away in proportion; enlarging leaves it.
	const left = denoise * Math.min(1, size.width / picture.width);
	return usingAsync([sized], () => denoiseRun(env.models, env.compute, sized, left, env));
}
