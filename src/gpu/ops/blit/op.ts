/** Writes a rectangle of one picture into another: how tiles are put together. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { groups, u32 } from '../../op.ts';
import wgsl from './blit.wgsl?raw';

/** Parameters of {@link blitOp}; all in pixels. */
export interface BlitParams {
	readonly inWidth: number;
	readonly inHeight: number;
	readonly outWidth: number;
	readonly outHeight: number;
	readonly channels: number;
	readonly fromX: number;
	readonly fromY: number;
	readonly toX: number;
	readonly toY: number;
	readonly width: number;
	readonly height: number;
	/** Pixels at the left over which the new picture fades in over the old; 0 replaces. */
	readonly featherX: number;
	/** The same at the top. */
	readonly featherY: number;
}

const ramp = (i: number, feather: number): number => Math.min(1, (i + 0.5) / Math.max(feather, 0.5));

/** Input: the tile; output: the picture it is written into (other pixels keep their values). */
export const blitOp: Op<BlitParams> = {
	id: 'ops/blit',
	wgsl,
	uniforms: (p) =>
		[
			...[p.inWidth, p.inHeight, p.outWidth, p.outHeight, p.fromX, p.fromY, p.toX, p.toY],
			...[p.width, p.height, p.featherX, p.featherY],
		].map(u32),
	dispatch: ({ width, height, channels }) => groups(width, height, channels),
	cpu: ([input], [output], p) => {
		if (input === undefined || output === undefined) return;
		for (let c = 0; c < p.channels; c++) {
			for (let y = 0; y < p.height; y++) {
				const source = (c * p.inHeight + y + p.fromY) * p.inWidth + p.fromX;
				const target = (c * p.outHeight + y + p.toY) * p.outWidth + p.toX;
				const alphaY = ramp(y, p.featherY);
				const soft = alphaY < 1 ? p.width : Math.min(p.width, p.featherX);
				output.set(input.subarray(source + soft, source + p.width), target + soft);
				for (let x = 0; x < soft; x++) {
					const alpha = ramp(x, p.featherX) * alphaY;
					output[target + x] = (output[target + x] as number) * (1 - alpha) + (input[source + x] as number) * alpha;
				}
			}
		}
	},
};

/** Where and how {@link blit} writes; sizes of the pictures are filled in. */
export type BlitPlace = Omit<BlitParams, 'inWidth' | 'inHeight' | 'outWidth' | 'outHeight' | 'channels'>;

/** Writes part of `tile` into `target`, in place. */
export function blit(compute: Compute, tile: Picture, target: Picture, place: BlitPlace): void {
	compute.run(blitOp, [tile], [target], {
		...place,
		inWidth: tile.width,
		inHeight: tile.height,
		outWidth: target.width,
		outHeight: target.height,
		channels: target.channels,
	});
}
