/** Tiles of a picture: where a model or kernel runs when the whole frame does not fit its budget. Pure geometry. */

import { EmulsionError } from './errors.ts';
import type { Size } from './color.ts';

/** A rectangle in pixels. */
export interface Rect {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** One tile: what it reads (halo included) and what it writes. Both lie in the input picture's pixels. */
export interface Tile {
	readonly read: Rect;
	readonly write: Rect;
}

/** How to cut a picture. */
export interface TileOptions {
	/** Largest side of the *read* rectangle in pixels, a multiple of `align`. */
	readonly tile: number;
	/** Pixels read beyond each written edge (the receptive-field radius for exact results). */
	readonly halo: number;
	/** Origin and size of each read rectangle are multiples of this (the picture itself is padded by the caller). */
	readonly align: number;
}

/** Splits a length into read/write spans. */
function spans(
	length: number,
	{ tile, halo, align }: TileOptions,
): { read: [number, number]; write: [number, number] }[] {
	const padded = Math.ceil(length / align) * align;
	if (padded <= tile) return [{ read: [0, padded], write: [0, length] }];
	const reach = Math.ceil(halo / align) * align;
	const step = tile - 2 * reach;
	if (step < align) {
		throw new EmulsionError(
			'internal',
			`tile ${tile} is too small for halo ${halo} (aligned ${reach}): needs at least ${2 * reach + align}`,
		);
	}
	const result: { read: [number, number]; write: [number, number] }[] = [];
	for (let start = 0; start < length;) {
		const readStart = Math.max(0, start - reach);
		// The first tile has no halo on its outer side, so it may write more.
		const readEnd = Math.min(padded, readStart + tile);
		const end = readEnd >= padded ? length : readEnd - reach;
		result.push({ read: [readStart, readEnd], write: [start, end] });
		start = end;
	}
	return result;
}

/**
 * The tiles of a picture in raster order. Written rectangles cover the picture exactly once; read rectangles are
 * aligned and may end beyond the picture (up to `align` − 1 pixels), where the caller repeats the edge.
 * Throws `internal` when the halo leaves nothing to write.
 */
export function tilesOf(size: Size, options: TileOptions): Tile[] {
	const tiles: Tile[] = [];
	for (const v of spans(size.height, options)) {
		for (const h of spans(size.width, options)) {
			tiles.push({
				read: { x: h.read[0], y: v.read[0], width: h.read[1] - h.read[0], height: v.read[1] - v.read[0] },
				write: { x: h.write[0], y: v.write[0], width: h.write[1] - h.write[0], height: v.write[1] - v.write[0] },
			});
		}
	}
	return tiles;
}
