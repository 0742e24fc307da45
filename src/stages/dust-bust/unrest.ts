/**
 * Where the neighbors disagree about what belongs into the frame's place, motion is not understood, and a fast hand looks like dirt:
 * there a pixel must stand out the more before it counts as sure.
 */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { f32, lineGroups, produce, sameSize, u32, using } from '../../gpu/op.ts';
import apartWgsl from './apart.wgsl?raw';
import { mean } from './gpu.ts';
import vouchWgsl from './vouch.wgsl?raw';

const SIDE = 64;
const line = (area: number) => [u32(area), u32(lineGroups(area, SIDE)[0] * SIDE)] as const;

/** Parameters of {@link apartOp}. */
export interface ApartParams {
	readonly area: number;
}

/** Inputs: two pictures (3 channels); output: how far they differ, the mean over the channels (1 channel). */
export const apartOp: Op<ApartParams> = {
	id: 'dust-bust/apart',
	wgsl: apartWgsl,
	uniforms: ({ area }) => line(area),
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([early, late], [output], { area }) => {
		if (!early || !late || !output) return;
		for (let i = 0; i < area; i++) {
			let sum = 0;
			for (let at = i; at < 3 * area; at += area) sum += Math.abs(early[at]! - late[at]!);
			output[i] = sum / 3;
		}
	},
};

/** Parameters of {@link vouchOp}. */
export interface VouchParams {
	readonly area: number;
	/** By how many times the disagreement around it a pixel must stand out. */
	readonly times: number;
	/** Disagreement that grain alone makes; it does not count. */
	readonly grain: number;
}

/** Inputs: mask (1 channel), frame, healed (3), disagreement around (1); output: the mask where the pixel may be sure, else 0. */
export const vouchOp: Op<VouchParams> = {
	id: 'dust-bust/vouch',
	wgsl: vouchWgsl,
	uniforms: ({ area, times, grain }) => [...line(area), f32(times), f32(grain)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([mask, frame, healed, around], [output], { area, times, grain }) => {
		if (!mask || !frame || !healed || !around || !output) return;
		for (let i = 0; i < area; i++) {
			let sum = 0;
			for (let at = i; at < 3 * area; at += area) sum += Math.abs(frame[at]! - healed[at]!);
			output[i] = sum / 3 >= times * Math.max(0, around[i]! - grain) ? mask[i]! : 0;
		}
	},
};

/** Reduction of the surroundings over which disagreement is averaged. */
const AROUND = 8;
/** Disagreement that is left to grain of σ 1: half as much again as it makes on average (2 ÷ √π), for grain is not even. */
const GRAIN_APART = 1.6;

/** How far the two halves of the middle (3 channels each) differ around each pixel. The caller owns the result (1 channel). */
export function unrestOf(compute: Compute, early: Picture, late: Picture): Picture {
	sameSize('unrestOf', early, late);
	const { width, height } = early;
	const apart = produce(compute, width, height, 1, (output) => {
		compute.run(apartOp, [early, late], [output], { area: width * height });
	});
	return using([apart], () => mean(compute, apart, AROUND));
}

/** The mask where a pixel may vouch for dirt, see {@link vouchOp}; the grain's standard deviation is `sigma`. The caller owns the result. */
export function vouching(
	compute: Compute,
	frame: Picture,
	found: { readonly mask: Picture; readonly healed: Picture; readonly unrest: Picture },
	times: number,
	sigma: number,
): Picture {
	const { mask, healed, unrest } = found;
	sameSize('vouching', frame, mask, healed, unrest);
	const { width, height } = frame;
	return produce(compute, width, height, 1, (output) => {
		const params = { area: width * height, times, grain: GRAIN_APART * sigma };
		compute.run(vouchOp, [mask, frame, healed, unrest], [output], params);
	});
}
