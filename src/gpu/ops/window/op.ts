/** A window of a picture: copy, crop, pad with repeated edges, pick channels. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import type { Rect } from '../../../core/tiles.ts';
import { clamp, groups, i32, produce, u32 } from '../../op.ts';
import wgsl from './window.wgsl?raw';

/** Parameters of {@link windowOp}. */
export interface WindowParams {
	readonly inWidth: number;
	readonly inHeight: number;
	/** What to take, in input pixels; parts outside the picture repeat its edge. */
	readonly rect: Rect;
	readonly firstChannel: number;
	readonly channels: number;
}

/** Input: a picture; output: its window. */
export const windowOp: Op<WindowParams> = {
	id: 'ops/window',
	wgsl,
	uniforms: ({ inWidth, inHeight, rect, firstChannel }) => [
		...[inWidth, inHeight, rect.width, rect.height].map(u32),
		i32(rect.x),
		i32(rect.y),
		u32(firstChannel),
	],
	dispatch: ({ rect, channels }) => groups(rect.width, rect.height, channels),
	cpu: ([input], [output], { inWidth, inHeight, rect, firstChannel, channels }) => {
		if (input === undefined || output === undefined) return;
		const from = clamp(-rect.x, 0, rect.width);
		const to = clamp(inWidth - rect.x, from, rect.width);
		for (let c = 0; c < channels; c++) {
			for (let y = 0; y < rect.height; y++) {
				const row = ((c + firstChannel) * inHeight + clamp(y + rect.y, 0, inHeight - 1)) * inWidth;
				const target = (c * rect.height + y) * rect.width;
				if (to > from) output.set(input.subarray(row + rect.x + from, row + rect.x + to), target + from);
				for (let x = 0; x < from; x++) output[target + x] = input[row] as number;
				for (let x = to; x < rect.width; x++) output[target + x] = input[row + inWidth - 1] as number;
			}
		}
	},
};

/** Part of a picture; where `rect` leaves it, the edge is repeated. The caller owns the result. */
export function crop(compute: Compute, picture: Picture, rect: Rect, firstChannel = 0, channels?: number): Picture {
	const count = channels ?? picture.channels - firstChannel;
	return produce(compute, rect.width, rect.height, count, (output) => {
		compute.run(windowOp, [picture], [output], {
			inWidth: picture.width,
			inHeight: picture.height,
			rect,
			firstChannel,
			channels: count,
		});
	});
}

/** A copy. The caller owns the result. */
export function copy(compute: Compute, picture: Picture): Picture {
	return crop(compute, picture, { x: 0, y: 0, width: picture.width, height: picture.height });
}

/** The picture grown to multiples of `align` by repeating its right and bottom edges. The caller owns the result. */
export function padTo(compute: Compute, picture: Picture, align: number): Picture {
	const width = Math.ceil(picture.width / align) * align;
	const height = Math.ceil(picture.height / align) * align;
	return crop(compute, picture, { x: 0, y: 0, width, height });
}

/** Channels `first` … `first + count − 1`. The caller owns the result. */
export function channelsOf(compute: Compute, picture: Picture, first: number, count: number): Picture {
	return crop(compute, picture, { x: 0, y: 0, width: picture.width, height: picture.height }, first, count);
}
