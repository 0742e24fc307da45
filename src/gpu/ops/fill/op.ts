/** Pictures of one value. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { f32, lineGroups, produce, u32 } from '../../op.ts';
import wgsl from './fill.wgsl?raw';

/** Parameters of {@link fillOp}. */
export interface FillParams {
	readonly count: number;
	readonly value: number;
}

const SIDE = 64;

/** No input; output: `value` everywhere. */
export const fillOp: Op<FillParams> = {
	id: 'ops/fill',
	wgsl,
	uniforms: ({ count, value }) => [u32(count), u32(lineGroups(count, SIDE)[0] * SIDE), f32(value)],
	dispatch: ({ count }) => lineGroups(count, SIDE),
	cpu: (_inputs, [output], { count, value }) => {
		output?.fill(value, 0, count);
	},
};

/** A picture that is `value` everywhere (a provenance or matte plane, a noise map). The caller owns the result. */
export function filled(compute: Compute, width: number, height: number, channels: number, value: number): Picture {
	return produce(compute, width, height, channels, (output) => {
		compute.run(fillOp, [], [output], { count: output.words, value });
	});
}
