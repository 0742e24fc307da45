/** The net of upright lines: where a frame has bright and dark ones. In tiles. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import { usingAsync } from '../gpu/op.ts';
import { runTiled } from '../gpu/tiling.ts';
import { tileOptions } from './tiles.ts';
import type { TiledRun } from './tiles.ts';

/** Id in the manifest. */
export const SCRATCH = 'scratch';

/** Noise below which differences tell nothing: quantization, resampling. The net was trained with it. */
const LEAST_NOISE = 1.5 / 255;

/**
 * Evidence 0…1 of bright and of dark upright lines (2 channels) on a frame (R′G′B′) whose grain has the standard deviation `sigma` on the
 * scale of the picture. Tiled equals untiled. The caller owns the result.
 */
export async function scratchRun(
	models: ModelRuntime,
	compute: Compute,
	frame: Picture,
	sigma: number,
	run: TiledRun,
): Promise<Picture> {
	const options = { ...tileOptions(models.spec(SCRATCH), run), channelsOut: 2 };
	const scale = compute.uploadPicture(new Float32Array([1 / Math.hypot(sigma, LEAST_NOISE)]), 1, 1, 1);
	return usingAsync([scale], () =>
		runTiled(compute, frame, options, run.breathe, async (tile) => {
			const size = { width: tile.width, height: tile.height, channels: 2 };
			const { lines } = await models.run(SCRATCH, { frame: tile, scale }, { lines: size }, run.signal);
			return lines!;
		}),
	);
}
