/**
 * What may count as sure. Where the neighbors disagree about what belongs into the frame's place, motion is not understood, and a fast
 * hand looks like dirt: there a pixel must stand out the more. And edges that the flow left a pixel aside are none.
 */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { f32, lineGroups, produce, sameSize, u32, using } from '../../gpu/op.ts';
import { applyMatrix } from '../../gpu/ops/opponent/op.ts';
import { channelsOf } from '../../gpu/ops/window/op.ts';
import apartWgsl from './apart.wgsl?raw';
import { mean, spread } from './gpu.ts';
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
	/** By how many times the disagreement around it a pixel must stand out; 0: nothing is asked. */
	readonly times: number;
	/** Disagreement that grain alone makes; it does not count. */
	readonly grain: number;
	/** Share of a pixel's difference from its cure by which it must lie beyond all that is near there. */
	readonly apart: number;
}

const LUMA = [0.2126, 0.7152, 0.0722] as const;

/**
 * Inputs: mask (1 channel), frame, healed (3), disagreement around, the highest and the lowest luma of healed near (1 each); output: the
 * mask where the pixel may be sure, else 0.
 */
export const vouchOp: Op<VouchParams> = {
	id: 'dust-bust/vouch',
	wgsl: vouchWgsl,
	uniforms: ({ area, times, grain, apart }) => [...line(area), f32(times), f32(grain), f32(apart)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([mask, frame, healed, around, high, low], [output], { area, times, grain, apart }) => {
		if (!mask || !frame || !healed || !around || !high || !low || !output) return;
		for (let i = 0; i < area; i++) {
			let [contrast, y, cure] = [0, 0, 0];
			for (let c = 0; c < 3; c++) {
				const [a, b] = [frame[c * area + i]!, healed[c * area + i]!];
				contrast += Math.abs(a - b) / 3;
				y += LUMA[c]! * a;
				cure += LUMA[c]! * b;
			}
			const calm = contrast >= times * Math.max(0, around[i]! - grain);
			const stands = Math.max(y - high[i]!, low[i]! - y) >= apart * Math.abs(y - cure);
			output[i] = times === 0 || (calm && stands) ? mask[i]! : 0;
		}
	},
};

/** Reduction of the surroundings over which disagreement is averaged. */
const AROUND = 8;
/** Disagreement that is left to grain of σ 1: half as much again as it makes on average (2 ÷ √π), for grain is not even. */
const GRAIN_APART = 1.6;
/** Pixels by which an edge of the picture may lie elsewhere without being dirt: weave that the flow did not follow. */
const SHIFT = 2;
/** What no such shift explains of a pixel's difference from its cure, at least. */
const BEYOND = 0.6;

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
	const thrice = applyMatrix(compute, healed, [...LUMA, ...LUMA, ...LUMA]);
	const luma = using([thrice], () => channelsOf(compute, thrice, 0, 1));
	const [high, low] = using([luma], () => [spread(compute, luma, SHIFT), spread(compute, luma, SHIFT, false)]);
	return using([high, low], () =>
		produce(compute, width, height, 1, (output) => {
			const params = { area: width * height, times, grain: GRAIN_APART * sigma, apart: BEYOND };
			compute.run(vouchOp, [mask, frame, healed, unrest, high, low], [output], params);
		}),
	);
}
