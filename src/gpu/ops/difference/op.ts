/** Sums and differences of two pictures: residuals, change measures, detail put back. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { f32, lineGroups, produce, sameSize, u32 } from '../../op.ts';
import wgsl from './difference.wgsl?raw';

/** Parameters of {@link combineOp}: `offset + gainA·a + gainB·b`, or its magnitude. */
export interface CombineParams {
	readonly count: number;
	readonly magnitude: boolean;
	readonly gainA: number;
	readonly gainB: number;
	readonly offset: number;
}

const SIDE = 64;

/** Inputs a, b; output their combination. */
export const combineOp: Op<CombineParams> = {
	id: 'ops/combine',
	wgsl,
	uniforms: ({ count, magnitude, gainA, gainB, offset }) => [
		u32(count),
		u32(lineGroups(count, SIDE)[0] * SIDE),
		u32(magnitude ? 1 : 0),
		...[gainA, gainB, offset].map(f32),
	],
	dispatch: ({ count }) => lineGroups(count, SIDE),
	cpu: ([a, b], [output], { count, magnitude, gainA, gainB, offset }) => {
		if (a === undefined || b === undefined || output === undefined) return;
		for (let i = 0; i < count; i++) {
			const v = offset + gainA * (a[i] as number) + gainB * (b[i] as number);
			output[i] = magnitude ? Math.abs(v) : v;
		}
	},
};

function combine(compute: Compute, a: Picture, b: Picture, params: Omit<CombineParams, 'count'>): Picture {
	sameSize('combine', a, b);
	return produce(compute, a.width, a.height, a.channels, (output) => {
		compute.run(combineOp, [a, b], [output], { ...params, count: a.words });
	});
}

/** What was removed, for the eye: 0.5 + gain·(before − after). The caller owns the result. */
export function residualView(compute: Compute, before: Picture, after: Picture, gain: number): Picture {
	return combine(compute, before, after, { magnitude: false, gainA: gain, gainB: -gain, offset: 0.5 });
}

/** a − b. The caller owns the result. */
export function subtract(compute: Compute, a: Picture, b: Picture): Picture {
	return combine(compute, a, b, { magnitude: false, gainA: 1, gainB: -1, offset: 0 });
}

/** a + gain·b. The caller owns the result. */
export function add(compute: Compute, a: Picture, b: Picture, gain = 1): Picture {
	return combine(compute, a, b, { magnitude: false, gainA: 1, gainB: gain, offset: 0 });
}

/** |a − b|. The caller owns the result. */
export function absoluteDifference(compute: Compute, a: Picture, b: Picture): Picture {
	return combine(compute, a, b, { magnitude: true, gainA: 1, gainB: -1, offset: 0 });
}
