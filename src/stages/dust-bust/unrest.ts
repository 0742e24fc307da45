/**
 * What may count as sure. Where the neighbors disagree about what belongs into the frame's place, motion is not understood, and a fast
 * hand looks like dirt: there a pixel must stand out the more. And edges that the flow left a pixel aside are none.
 */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { f32, lineGroups, produce, sameSize, u32, using } from '../../gpu/op.ts';
import { stack } from '../../gpu/ops/stack/op.ts';
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
	/** What quantization makes: less disagreement is taken for this much. */
	readonly least: number;
	/** Share of a pixel's difference from its cure by which it must lie beyond all that is near there; 0: nothing is asked. */
	readonly apart: number;
}

const LUMA = [0.2126, 0.7152, 0.0722] as const;

/**
 * Inputs: mask (1 channel), frame, healed (3), two disagreements around (2), the highest and the lowest luma of healed near (1 each);
 * output: the mask where the pixel stands out from the larger disagreement and from what is near, else 0.
 */
export const vouchOp: Op<VouchParams> = {
	id: 'dust-bust/vouch',
	wgsl: vouchWgsl,
	uniforms: ({ area, times, grain, least, apart }) => [...line(area), f32(times), f32(grain), f32(least), f32(apart)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([mask, frame, healed, around, high, low], [output], { area, times, grain, least, apart }) => {
		if (!mask || !frame || !healed || !around || !high || !low || !output) return;
		for (let i = 0; i < area; i++) {
			let [contrast, y, cure] = [0, 0, 0];
			for (let c = 0; c < 3; c++) {
				const [a, b] = [frame[c * area + i]!, healed[c * area + i]!];
				contrast += Math.abs(a - b) / 3;
				y += LUMA[c]! * a;
				cure += LUMA[c]! * b;
			}
			const unrest = Math.max(0, Math.max(around[i]!, around[area + i]!) - grain) + least;
			const calm = contrast >= times * unrest;
			const stands = apart === 0 || Math.max(y - high[i]!, low[i]! - y) >= apart * Math.abs(y - cure);
			output[i] = times === 0 || (calm && stands) ? mask[i]! : 0;
		}
	},
};

/** Reduction of the surroundings over which disagreement is averaged. */
const AROUND = 8;
/** Disagreement that is left to grain of σ 1: half as much again as it makes on average (2 ÷ √π), for grain is not even. */
const GRAIN_APART = 1.6;
/** Disagreement that quantization makes of pictures without grain. */
const LEAST = 0.5 / 255;
/** Share of the caution that a doubtful pixel beside dirt needs. */
const DOUBTFUL = 0.2;
/** Pixels by which an edge of the picture may lie elsewhere without being dirt: weave that the flow did not follow. */
const SHIFT = 2;
/** What no such shift explains of a pixel's difference from its cure, at least. */
const BEYOND = 0.6;

/** Two pictures of 3 channels that show the same moment. */
type Pair = readonly [Picture, Picture];

/**
 * How far the neighbors differ around each pixel, 2 channels: the two halves of the middle, and the neighbors moved by their own flows.
 * The caller owns the result.
 */
export function unrestOf(compute: Compute, halves: Pair, sides: Pair): Picture {
	sameSize('unrestOf', ...halves, ...sides);
	const [{ width, height }] = halves;
	const [a, b] = [halves, sides].map((pair) =>
		produce(compute, width, height, 1, (output) => {
			compute.run(apartOp, pair, [output], { area: width * height });
		}),
	) as [Picture, Picture];
	const both = using([a, b], () => stack(compute, a, b));
	return using([both], () => mean(compute, both, AROUND));
}

/** The masks that decide: both are the net's, 0 where a pixel does not stand out. */
export interface Proofs {
	/** What may be sure, and vouch for its surroundings. */
	readonly vouch: Picture;
	/** What may be dirt beside what is. */
	readonly possible: Picture;
}

/** Which pixels may vouch for dirt and which may be taken, see {@link vouchOp}; the grain's standard deviation is `sigma`. The caller owns both. */
export function proofsOf(
	compute: Compute,
	frame: Picture,
	found: { readonly mask: Picture; readonly healed: Picture; readonly unrest: Picture },
	times: number,
	sigma: number,
): Proofs {
	const { mask, healed, unrest } = found;
	sameSize('proofsOf', frame, mask, healed, unrest);
	const { width, height } = frame;
	const thrice = applyMatrix(compute, healed, [...LUMA, ...LUMA, ...LUMA]);
	const luma = using([thrice], () => channelsOf(compute, thrice, 0, 1));
	const [high, low] = using([luma], () => [spread(compute, luma, SHIFT), spread(compute, luma, SHIFT, false)]);
	const standing = (share: number, apart: number): Picture =>
		produce(compute, width, height, 1, (output) => {
			const params = { area: width * height, times: share * times, grain: GRAIN_APART * sigma, least: LEAST, apart };
			compute.run(vouchOp, [mask, frame, healed, unrest, high, low], [output], params);
		});
	return using([high, low], () => ({ vouch: standing(1, BEYOND), possible: standing(DOUBTFUL, 0) }));
}
