/** Super-resolution networks, in tiles. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import { runTiled } from '../gpu/tiling.ts';
import { tileOptions } from './tiles.ts';
import type { TiledRun } from './tiles.ts';

/** Models of the manifest that enlarge. */
export type UpscaleModel = 'spanx2' | 'spanx4' | 'realesrgan-x4fast';

/**
 * Enlarges a picture (R′G′B′) by the model's own factor. Tiled equals untiled. Values may leave 0…1; the caller owns the
 * result.
 */
export async function upscaleRun(
	models: ModelRuntime,
	compute: Compute,
	model: UpscaleModel,
	image: Picture,
	run: TiledRun,
): Promise<Picture> {
	const spec = models.spec(model);
	const options = { ...tileOptions(spec, run), channelsOut: 3 };
	return runTiled(compute, image, options, run.breathe, async (tile) => {
		const size = { width: tile.width * spec.scale, height: tile.height * spec.scale, channels: 3 };
		const { upscaled } = await models.run(model, { image: tile }, { upscaled: size }, run.signal);
		return upscaled as Picture;
	});
}
