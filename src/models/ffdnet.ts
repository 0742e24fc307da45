/** FFDNet, as published or trained on film grain: noise of known strength taken away, in tiles. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import { using } from '../gpu/op.ts';
import { filled } from '../gpu/ops/fill/op.ts';
import { resize } from '../gpu/ops/resize/op.ts';
import { crop } from '../gpu/ops/window/op.ts';
import { runTiled } from '../gpu/tiling.ts';
import { tileOptions } from './tiles.ts';
import type { TiledRun } from './tiles.ts';

/** Ids in the manifest: the published network, and ours, which was trained on with film grain and has the same ports. */
export const FFDNET = 'ffdnet';
export const DEGRAIN = 'degrain';

/** Standard deviation of the noise on the scale of the picture (σ in 8-bit codes ÷ 255): one number, or a 1-channel map of the picture's size. */
export type NoiseLevel = number | Picture;

/** σ of 8-bit codes ÷ 255 up to which the network was trained. */
export const MAX_SIGMA = 75 / 255;

/**
 * Denoises a picture (R′G′B′, one or more exposures of any size). Tiled equals untiled: the halo covers the receptive
 * field. The caller owns the result.
 * @param model which network; for {@link DEGRAIN} the noise is the grain's whole standard deviation, not its white part
 */
export async function denoiseRun(
	models: ModelRuntime,
	compute: Compute,
	image: Picture,
	noise: NoiseLevel,
	run: TiledRun,
	model: typeof FFDNET | typeof DEGRAIN = FFDNET,
): Promise<Picture> {
	const options = { ...tileOptions(models.spec(model), run), channelsOut: 3 };
	return runTiled(compute, image, options, run.breathe, async (tile, { read }) => {
		const sigma = noiseMap(compute, noise, read.x, read.y, tile);
		try {
			const size = { width: tile.width, height: tile.height, channels: 3 };
			const { denoised } = await models.run(model, { image: tile, sigma }, { denoised: size }, run.signal);
			return denoised as Picture;
		} finally {
			sigma.release();
		}
	});
}

/** The network's noise map: one value for 2×2 pixels of the tile. */
function noiseMap(compute: Compute, noise: NoiseLevel, x: number, y: number, tile: Picture): Picture {
	const { width, height } = tile;
	if (typeof noise === 'number') {
		return filled(compute, width / 2, height / 2, 1, Math.min(Math.max(noise, 0), MAX_SIGMA));
	}
	const part = crop(compute, noise, { x, y, width, height });
	return using([part], () => resize(compute, part, width / 2, height / 2));
}
