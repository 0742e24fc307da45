/** Runs work on tiles of a picture and puts the results together. */

import type { Compute, Picture } from '../contracts/compute.ts';
import { EmulsionError } from '../core/errors.ts';
import { tilesOf } from '../core/tiles.ts';
import type { Tile, TileOptions } from '../core/tiles.ts';
import { blit } from './ops/blit/op.ts';
import { crop } from './ops/window/op.ts';

/** How {@link runTiled} cuts and joins. */
export interface TiledOptions extends TileOptions {
	/** Output side ÷ input side of the work. */
	readonly scale: number;
	readonly channelsOut: number;
	/**
	 * Input pixels over which neighboring tiles fade into each other; at most `halo`. 0 (the default) is exact where the
	 * halo covers the receptive field; use more where it is unbounded.
	 */
	readonly feather?: number;
}

/** The work on one tile: gets a borrowed picture, returns one it hands over, `scale` times as large. */
export type TileWork = (input: Picture, tile: Tile) => Promise<Picture>;

/**
 * Runs `work` on every tile, in raster order, with `breathe` before each (it yields, and throws when the job was
 * aborted). Tiles are cut with their halo; beyond the picture its edge is repeated up to the alignment. One tile that
 * is the whole picture is passed as it is, without a copy. The caller owns the result.
 */
export async function runTiled(
	compute: Compute,
	input: Picture,
	options: TiledOptions,
	breathe: () => Promise<void>,
	work: TileWork,
): Promise<Picture> {
	const tiles = tilesOf(input, options);
	const [only] = tiles;
	if (tiles.length === 1 && only !== undefined && sameExtent(only, input)) {
		await breathe();
		return checked(await work(input, only), only, options);
	}
	const output = compute.picture(input.width * options.scale, input.height * options.scale, options.channelsOut);
	try {
		for (const tile of tiles) {
			await breathe();
			await runOne(compute, input, output, tile, options, work);
		}
		return output;
	} catch (error) {
		output.release();
		throw error;
	}
}

function sameExtent(tile: Tile, input: Picture): boolean {
	return tile.read.width === input.width && tile.read.height === input.height;
}

function checked(result: Picture, tile: Tile, { scale, channelsOut }: TiledOptions): Picture {
	const width = tile.read.width * scale;
	const height = tile.read.height * scale;
	if (result.width === width && result.height === height && result.channels === channelsOut) return result;
	const got = `${result.width}×${result.height}×${result.channels}`;
	result.release();
	throw new EmulsionError('internal', `A tile's work returned ${got}, expected ${width}×${height}×${channelsOut}.`);
}

async function runOne(
	compute: Compute,
	input: Picture,
	output: Picture,
	tile: Tile,
	options: TiledOptions,
	work: TileWork,
): Promise<void> {
	const piece = crop(compute, input, tile.read);
	let result: Picture;
	try {
		result = checked(await work(piece, tile), tile, options);
	} finally {
		piece.release();
	}
	const { read, write } = tile;
	const { scale } = options;
	// The fade-in reaches into the halo, over what the tiles to the left and above have written.
	const featherX = Math.min(options.feather ?? 0, write.x - read.x);
	const featherY = Math.min(options.feather ?? 0, write.y - read.y);
	const x = write.x - featherX;
	const y = write.y - featherY;
	try {
		blit(compute, result, output, {
			fromX: (x - read.x) * scale,
			fromY: (y - read.y) * scale,
			toX: x * scale,
			toY: y * scale,
			width: (write.width + featherX) * scale,
			height: (write.height + featherY) * scale,
			featherX: featherX * scale,
			featherY: featherY * scale,
		});
	} finally {
		result.release();
	}
}
