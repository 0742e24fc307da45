/** How models with a bounded receptive field are tiled. */

import type { ModelSpec } from '../contracts/models.ts';
import { EmulsionError } from '../core/errors.ts';
import type { TileOptions } from '../core/tiles.ts';

/** What every tiled run needs besides its pictures. */
export interface TiledRun {
	readonly signal: AbortSignal;
	/** Called before every tile: yields, and throws when the job was aborted. */
	readonly breathe: () => Promise<void>;
	/** Largest side of a tile in input pixels, halo included; default the manifest's. */
	readonly tile?: number;
}

/** Tile geometry of a model: the manifest's, with a tile side that is legal. Throws `internal` for unbounded models. */
export function tileOptions(spec: ModelSpec, run: Pick<TiledRun, 'tile'>): TileOptions & { readonly scale: number } {
	if (spec.halo === null)
		throw new EmulsionError('internal', `${spec.id} cannot be tiled: its receptive field is not bounded.`);
	const wish = run.tile ?? spec.tile;
	const least = 2 * Math.ceil(spec.halo / spec.align) * spec.align + spec.align;
	const tile = Math.max(least, Math.floor(wish / spec.align) * spec.align);
	return { tile, halo: spec.halo, align: spec.align, scale: spec.scale };
}
