/** The mask net of dirt: what is in one frame and in neither neighbor, and what heals it. In tiles. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import { sameSize, using, usingAsync } from '../gpu/op.ts';
import { stack } from '../gpu/ops/stack/op.ts';
import { channelsOf, crop } from '../gpu/ops/window/op.ts';
import { runTiled } from '../gpu/tiling.ts';
import { tileOptions } from './tiles.ts';
import type { TiledRun } from './tiles.ts';

/** Id in the manifest. */
export const DIRT = 'dirt';

/** Noise below which differences tell nothing: quantization, resampling. The net was trained with it. */
const LEAST_NOISE = 1.5 / 255;

/** A frame (R′G′B′) and three views of what it ought to show, all of one size. */
export interface DirtViews {
	readonly frame: Picture;
	/** The frame before, moved into the frame's place by its flow. */
	readonly before: Picture;
	/** The frame after, likewise. */
	readonly after: Picture;
	/** The middle of both neighbors, which has not seen the frame. */
	readonly middle: Picture;
	/** Confidence of the flows to the frame before and to the frame after, 2 channels, 0…1. */
	readonly trust: Picture;
}

/** What the net found. */
export interface DirtFound {
	/** How surely a pixel is not film image, 0…1; 1 channel. */
	readonly mask: Picture;
	/** A mixture of the three views, with their grain; 3 channels. */
	readonly healed: Picture;
}

/**
 * Finds dirt in a frame whose grain has the standard deviation `sigma` (on the scale of the picture). Tiled equals untiled.
 * The caller owns both results.
 */
export async function dirtRun(
	models: ModelRuntime,
	compute: Compute,
	views: DirtViews,
	sigma: number,
	run: TiledRun,
): Promise<DirtFound> {
	const { frame, before, after, middle, trust } = views;
	sameSize('dirt', frame, before, after, middle, trust);
	const options = { ...tileOptions(models.spec(DIRT), run), channelsOut: 4 };
	const scale = compute.uploadPicture(new Float32Array([1 / Math.hypot(sigma, LEAST_NOISE)]), 1, 1, 1);
	const both = await usingAsync([scale], () =>
		runTiled(compute, frame, options, run.breathe, async (tile, { read }) => {
			const parts = [before, after, middle, trust].map((picture) => crop(compute, picture, read));
			return usingAsync(parts, async () => {
				const [a, b, m, t] = parts as [Picture, Picture, Picture, Picture];
				const { width, height } = tile;
				const { mask, healed } = await models.run(
					DIRT,
					{ frame: tile, before: a, after: b, middle: m, trust: t, scale },
					{ mask: { width, height, channels: 1 }, healed: { width, height, channels: 3 } },
					run.signal,
				);
				return using([mask!, healed!], () => stack(compute, mask!, healed!));
			});
		}),
	);
	return using([both], () => ({ mask: channelsOf(compute, both, 0, 1), healed: channelsOf(compute, both, 1, 3) }));
}
