/** The channels of two pictures in one: what a model takes or gives together. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { lineGroups, produce, sameSize, u32 } from '../../op.ts';
import wgsl from './stack.wgsl?raw';

/** Parameters of {@link stackOp}. */
export interface StackParams {
	/** Values of both pictures. */
	readonly count: number;
	/** Values of the first. */
	readonly first: number;
}

const SIDE = 64;

/** Inputs a, b of one size; output: a's channels, then b's. */
export const stackOp: Op<StackParams> = {
	id: 'ops/stack',
	wgsl,
	uniforms: ({ count, first }) => [u32(count), u32(lineGroups(count, SIDE)[0] * SIDE), u32(first)],
	dispatch: ({ count }) => lineGroups(count, SIDE),
	cpu: ([a, b], [output], { count, first }) => {
		if (a === undefined || b === undefined || output === undefined) return;
		output.set(a.subarray(0, first));
		output.set(b.subarray(0, count - first), first);
	},
};

/** Both pictures' channels in one picture. The caller owns the result. */
export function stack(compute: Compute, a: Picture, b: Picture): Picture {
	sameSize('stack', a, b);
	const { width, height } = a;
	return produce(compute, width, height, a.channels + b.channels, (output) => {
		compute.run(stackOp, [a, b], [output], {
			count: width * height * (a.channels + b.channels),
			first: width * height * a.channels,
		});
	});
}
