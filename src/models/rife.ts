/** RIFE: the frame between two frames, with the flow and the mask that made it. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime, TensorSize } from '../contracts/models.ts';
import { EmulsionError } from '../core/errors.ts';
import { sameSize, using, usingAsync } from '../gpu/op.ts';
import { grid } from '../gpu/ops/grid/op.ts';
import { mix } from '../gpu/ops/mix/op.ts';
import { resize } from '../gpu/ops/resize/op.ts';
import { warp } from '../gpu/ops/warp/op.ts';
import { channelsOf, crop, padTo } from '../gpu/ops/window/op.ts';

/** Id in the manifest. */
export const RIFE = 'rife';

/** Outputs of the network: see the manifest for their meaning. */
export type RifeOutput = 'mid' | 'flow' | 'mask';

const CHANNELS: Readonly<Record<RifeOutput, number>> = { mid: 3, flow: 4, mask: 1 };

/**
 * Runs RIFE untiled on two pictures of one size (R′G′B′) at time `t` (0 is `a`, 1 is `b`). Sizes are padded to the
 * model's alignment by repeated edges and cropped again. `flow` has channels 0–1 (towards a) and 2–3 (towards b), in
 * pixels. The caller owns the outputs.
 */
export async function interpolateRun<K extends RifeOutput>(
	models: ModelRuntime,
	compute: Compute,
	a: Picture,
	b: Picture,
	t: number,
	wanted: readonly K[],
	signal: AbortSignal,
): Promise<Record<K, Picture>> {
	sameSize('interpolate', a, b);
	if (!(t >= 0 && t <= 1)) throw new EmulsionError('internal', `interpolate: t must lie in 0…1, got ${t}.`);
	const { align } = models.spec(RIFE);
	const left = padTo(compute, a, align);
	const { width, height } = left;
	const feeds = [
		left,
		padTo(compute, b, align),
		compute.uploadPicture(new Float32Array([t]), 1, 1, 1),
		grid(compute, width, height),
		compute.uploadPicture(new Float32Array([2 / (width - 1), 2 / (height - 1)]), 1, 1, 2),
	] as const;
	return usingAsync(feeds, async () => {
		const sizes = Object.fromEntries(
			wanted.map((name): [string, TensorSize] => [name, { width, height, channels: CHANNELS[name] }]),
		);
		const [first, second, time, positions, norm] = feeds;
		const outputs = await models.run(RIFE, { a: first, b: second, t: time, grid: positions, norm }, sizes, signal);
		return unpadded(compute, outputs as Record<K, Picture>, a);
	});
}

/** Crops padded outputs to the size of `like`; releases the padded ones. */
function unpadded<K extends string>(
	compute: Compute,
	outputs: Readonly<Record<K, Picture>>,
	like: Picture,
): Record<K, Picture> {
	const { width, height } = like;
	const entries = Object.entries<Picture>(outputs);
	if (entries.every(([, p]) => p.width === width && p.height === height)) return outputs;
	return using(
		entries.map(([, picture]) => picture),
		() =>
			Object.fromEntries(
				entries.map(([name, picture]) => [name, crop(compute, picture, { x: 0, y: 0, width, height })]),
			) as Record<K, Picture>,
	);
}

/**
 * What each of two pictures shows in the middle: both at full size, seen through their halves of RIFE's `flow` (4 channels, any size).
 * The caller owns both.
 */
export function halvesOfMid(compute: Compute, a: Picture, b: Picture, flow: Picture): readonly [Picture, Picture] {
	sameSize('halvesOfMid', a, b);
	const [toA, toB] = [channelsOf(compute, flow, 0, 2), channelsOf(compute, flow, 2, 2)];
	return using([toA, toB], () => [warp(compute, a, toA), warp(compute, b, toB)]);
}

/** Both halves, each in its share: `mask` is RIFE's output, at any size. The caller owns the result. */
export function mixHalves(compute: Compute, near: Picture, far: Picture, mask: Picture): Picture {
	const { width, height } = near;
	const fits = mask.width === width && mask.height === height;
	const share = fits ? mask.retain() : resize(compute, mask, width, height);
	return using([share], () => mix(compute, far, near, 1, share));
}

/**
 * The frame between two at full size from a flow and a mask computed at a smaller one: warp and blend, nothing else.
 * `flow` (4 channels) and `mask` are RIFE's outputs at any size. The caller owns the result.
 */
export function composeMid(compute: Compute, a: Picture, b: Picture, flow: Picture, mask: Picture): Picture {
	const [near, far] = halvesOfMid(compute, a, b, flow);
	return using([near, far], () => mixHalves(compute, near, far, mask));
}
