/** Sampling positions of every pixel in −1…1, as GridSample counts them. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { groups, produce, u32 } from '../../op.ts';
import wgsl from './grid.wgsl?raw';

/** Parameters of {@link gridOp}; both at least 2. */
export interface GridParams {
	readonly width: number;
	readonly height: number;
}

/** No input; output: 2 channels, x and y. */
export const gridOp: Op<GridParams> = {
	id: 'ops/grid',
	wgsl,
	uniforms: ({ width, height }) => [u32(width), u32(height)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: (_inputs, [output], { width, height }) => {
		if (output === undefined) return;
		for (let y = 0, i = 0; y < height; y++) {
			for (let x = 0; x < width; x++, i++) {
				output[i] = -1 + (2 * x) / (width - 1);
				output[width * height + i] = -1 + (2 * y) / (height - 1);
			}
		}
	},
};

/** A grid of this size. The caller owns the result. */
export function grid(compute: Compute, width: number, height: number): Picture {
	return produce(compute, width, height, 2, (output) => compute.run(gridOp, [], [output], { width, height }));
}
