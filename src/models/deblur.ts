/** The feed-forward nets of deblurring: softness that no kernel describes taken back, grain kept. In tiles. */

import type { Compute, Picture } from '../contracts/compute.ts';
import type { ModelRuntime } from '../contracts/models.ts';
import { clamp, using, usingAsync } from '../gpu/op.ts';
import { crop } from '../gpu/ops/window/op.ts';
import { runTiled } from '../gpu/tiling.ts';
import { tileOptions } from './tiles.ts';
import type { TiledRun } from './tiles.ts';

/** Ids in the manifest: the small net, and the full one, which sees further, for three times the time. */
export const DEBLUR_NETS = { small: 'deblur-small', full: 'deblur-full' } as const;

/** One of {@link DEBLUR_NETS}. */
export type DeblurNet = keyof typeof DEBLUR_NETS;

/** What softens a film after the camera, in film order: the order of the net's port `causes`. */
export const FILM_CAUSES = ['storage', 'duplication', 'digitization', 'compression'] as const;

/** One of {@link FILM_CAUSES}. */
export type FilmCause = (typeof FILM_CAUSES)[number];

/** How strongly each cause acted: 0…1 (0 and absent: not at all), or −p where it acted with probability p, nobody knows how strongly. */
export type FilmCauses = Readonly<Partial<Record<FilmCause, number>>>;

/** A cause that surely acted, nobody knows how strongly. */
export const UNKNOWN = -1;

/** The port `causes`: a strength for each cause, in their order. */
export function toldOf(causes: FilmCauses): Float32Array<ArrayBuffer> {
	return Float32Array.from(FILM_CAUSES, (cause) => clamp(causes[cause] ?? 0, UNKNOWN, 1));
}

/**
 * Sharpens a picture (R′G′B′, any size) that `causes` softened. Beyond it its edge is repeated as far as the net sees, as in training's
 * evaluation: it would take zeros for a hard edge. Tiled equals untiled: the halo covers the receptive field. The caller owns the result.
 */
export async function deblurRun(
	models: ModelRuntime,
	compute: Compute,
	image: Picture,
	causes: FilmCauses,
	net: DeblurNet,
	run: TiledRun,
): Promise<Picture> {
	const id = DEBLUR_NETS[net];
	const spec = models.spec(id);
	const options = { ...tileOptions(spec, run), channelsOut: 3 };
	const rim = spec.halo ?? 0;
	const { width, height } = image;
	const told = compute.uploadPicture(toldOf(causes), 1, 1, FILM_CAUSES.length);
	return usingAsync([told], async () => {
		const wide = crop(compute, image, { x: -rim, y: -rim, width: width + 2 * rim, height: height + 2 * rim });
		const sharp = await usingAsync([wide], () =>
			runTiled(compute, wide, options, run.breathe, async (tile) => {
				const size = { width: tile.width, height: tile.height, channels: 3 };
				const outputs = await models.run(id, { image: tile, causes: told }, { sharp: size }, run.signal);
				return outputs['sharp'] as Picture;
			}),
		);
		return using([sharp], () => crop(compute, sharp, { x: rim, y: rim, width, height }));
	});
}
