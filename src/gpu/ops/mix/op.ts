/** Blends two pictures, by one amount or through a mask. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { f32, lineGroups, produce, sameSize, u32 } from '../../op.ts';
import masked from './mix-masked.wgsl?raw';
import wgsl from './mix.wgsl?raw';

/** Parameters of both ops. */
export interface MixParams {
	readonly count: number;
	/** Pixels a channel, where the mask repeats. */
	readonly area: number;
	/** 0: all a, 1: all b. Values outside extrapolate. */
	readonly amount: number;
}

const SIDE = 64;

/** Inputs a, b; output a·(1−t) + b·t. */
export const mixOp: Op<MixParams> = {
	id: 'ops/mix',
	wgsl,
	uniforms: ({ count, amount }) => [u32(count), u32(lineGroups(count, SIDE)[0] * SIDE), f32(amount)],
	dispatch: ({ count }) => lineGroups(count, SIDE),
	cpu: ([a, b], [output], { count, amount }) => {
		if (a === undefined || b === undefined || output === undefined) return;
		for (let i = 0; i < count; i++) output[i] = (a[i] as number) * (1 - amount) + (b[i] as number) * amount;
	},
};

/** Inputs a, b and a one-channel mask m; output a·(1−t·m) + b·t·m. */
export const mixMaskedOp: Op<MixParams> = {
	id: 'ops/mix-masked',
	wgsl: masked,
	uniforms: ({ count, amount, area }) => [u32(count), u32(lineGroups(count, SIDE)[0] * SIDE), f32(amount), u32(area)],
	dispatch: ({ count }) => lineGroups(count, SIDE),
	cpu: ([a, b, mask], [output], { count, amount, area }) => {
		if (a === undefined || b === undefined || mask === undefined || output === undefined) return;
		for (let i = 0; i < count; i++) {
			const t = amount * (mask[i % area] as number);
			output[i] = (a[i] as number) * (1 - t) + (b[i] as number) * t;
		}
	},
};

/** a·(1−t·m) + b·t·m; m is a one-channel mask 0…1, everywhere 1 where absent. The caller owns the result. */
export function mix(compute: Compute, a: Picture, b: Picture, amount: number, mask?: Picture): Picture {
	sameSize('mix', a, b, mask ?? a);
	const params = { count: a.words, area: a.width * a.height, amount };
	return produce(compute, a.width, a.height, a.channels, (output) => {
		if (mask === undefined) compute.run(mixOp, [a, b], [output], params);
		else compute.run(mixMaskedOp, [a, b, mask], [output], params);
	});
}
