/** What a frame ought to show by its neighbors, where it does not, and what goes there. */

import { hash32, layGrain } from '../../analysis/grain/field.ts';
import { fieldRecipe, type GrainLook } from '../../analysis/grain/look.ts';
import type { GrainProfile } from '../../analysis/grain/profile.ts';
import type { Compute, Picture } from '../../contracts/compute.ts';
import type { FlowField, StageEnv } from '../../contracts/stage.ts';
import { produce, using, usingAsync } from '../../gpu/op.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { stack } from '../../gpu/ops/stack/op.ts';
import { warp } from '../../gpu/ops/warp/op.ts';
import { runTiled } from '../../gpu/tiling.ts';
import { type DirtFound, dirtRun } from '../../models/dirt.ts';
import { DEGRAIN, denoiseRun } from '../../models/ffdnet.ts';
import { halvesOfMid, interpolateRun, mixHalves } from '../../models/rife.ts';
import { decideOp, leveled, softenOp, spread } from './gpu.ts';
import { unrestOf, vouching } from './unrest.ts';

/** A neighbor: its picture, its guide, and the flow that moves it into the frame's place. Borrowed. */
export interface Neighbor {
	readonly picture: Picture;
	readonly guide: Picture;
	readonly flow: FlowField;
}

/** What was found, and how far the neighbors disagree around each pixel (1 channel). */
export interface Found extends DirtFound {
	readonly unrest: Picture;
}

/** Finds what the frame has and neither neighbor does. The caller owns all results. */
export async function findDirt(
	env: StageEnv,
	frame: Picture,
	before: Neighbor,
	after: Neighbor,
	sigma: number,
): Promise<Found> {
	const { compute, models, breathe } = env;
	await breathe();
	const { middle, unrest } = await middleOf(env, before, after);
	try {
		const found = await usingAsync([middle], async () => {
			await breathe();
			const [a, b] = [before, after].map(({ picture, flow: own }) => warp(compute, picture, own.vectors));
			return usingAsync([a!, b!], () => {
				const both = stack(compute, before.flow.confidence, after.flow.confidence);
				const trust = using([both], () => sized(compute, both, frame));
				return usingAsync([trust], () =>
					dirtRun(models, compute, { frame, before: a!, after: b!, middle, trust }, sigma, env),
				);
			});
		});
		return { ...found, unrest };
	} catch (error) {
		unrest.release();
		throw error;
	}
}

/** The middle of both neighbors, and how far its two halves disagree. The caller owns both. */
async function middleOf(
	{ compute, models, signal }: StageEnv,
	before: Neighbor,
	after: Neighbor,
): Promise<{ readonly middle: Picture; readonly unrest: Picture }> {
	// The middle has not seen the frame: what lies on it cannot mislead this motion.
	const { flow, mask } = await interpolateRun(
		models,
		compute,
		before.guide,
		after.guide,
		0.5,
		['flow', 'mask'],
		signal,
	);
	return using([flow, mask], () => {
		const [early, late] = halvesOfMid(compute, before.picture, after.picture, flow);
		return using([early, late], () => ({
			middle: mixHalves(compute, early, late, mask),
			unrest: unrestOf(compute, early, late),
		}));
	});
}

/** The picture at another's size. The caller owns it. */
function sized(compute: Compute, picture: Picture, { width, height }: Picture): Picture {
	return picture.width === width && picture.height === height
		? picture.retain()
		: resize(compute, picture, width, height);
}

/** What decides which pixels are replaced. */
export interface Choice {
	/** 0…1; see {@link thresholds}. */
	readonly sensitivity: number;
	/** By how many times the neighbors' disagreement around it dirt must stand out; 0: however much they disagree. */
	readonly caution: number;
	readonly polarity: 'both' | 'dark' | 'bright';
	/** Thickness in pixels above which nothing is dirt. */
	readonly largest: number;
	/** Pixels added around. */
	readonly grow: number;
}

/** Pixels over which a sure pixel vouches for doubtful ones. */
const REACH = 5;
const POLARITY = { both: 0, dark: -1, bright: 1 } as const;

/** The mask's value of a surely dirty pixel and of a doubtful one; the logits fall evenly with the sensitivity. */
export function thresholds(sensitivity: number): { readonly sure: number; readonly doubtful: number } {
	const logit = 7 * (1 - sensitivity);
	const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
	return { sure: sigmoid(logit), doubtful: sigmoid(logit - 2.5) };
}

/**
 * The share of the healed picture at each pixel: 0 outside of what is replaced, 1 inside, softer in its outermost pixels. The grain's
 * standard deviation is `sigma`. The caller owns the result.
 */
export function choose(
	compute: Compute,
	frame: Picture,
	found: Found,
	{ sensitivity, caution, polarity, largest, grow }: Choice,
	sigma: number,
): Picture {
	const { width, height } = frame;
	const { mask, healed } = found;
	const vouch = vouching(compute, frame, found, caution, sigma);
	const near = using([vouch], () => spread(compute, vouch, REACH));
	const taken = using([near], () =>
		produce(compute, width, height, 1, (output) => {
			const params = { area: width * height, ...thresholds(sensitivity), polarity: POLARITY[polarity] };
			compute.run(decideOp, [mask, near, frame, healed], [output], params);
		}),
	);
	const thin = using([taken], () => withoutThick(compute, taken, largest));
	const grown = using([thin], () => spread(compute, thin, grow));
	return using([grown], () =>
		produce(compute, width, height, 1, (output) => {
			compute.run(softenOp, [grown], [output], { width, height });
		}),
	);
}

/** The mask without what a square of more than `largest` pixels fits into. The caller owns it. */
function withoutThick(compute: Compute, mask: Picture, largest: number): Picture {
	const radius = Math.ceil(largest / 2);
	const core = spread(compute, mask, radius, false);
	// Of what is too thick its fringes go too.
	const thick = using([core], () => spread(compute, core, radius + REACH));
	const none = filled(compute, mask.width, mask.height, 1, 0);
	return using([thick, none], () => mix(compute, mask, none, 1, thick));
}

/** Sides of the parts in which grain is laid over large pictures. */
const TILE = 1024;

/** The grain to lay; undefined where none could be measured. */
export function lookOf(profile: GrainProfile | undefined): GrainLook | undefined {
	return profile && { ...fieldRecipe(profile.acf, profile.correlation), strengths: profile.sigma };
}

/**
 * What goes where dirt was: the healed picture at the rim's level and, with `look`, without the neighbors' grain (σ `sigma`) and with
 * grain of its own. The caller owns it.
 */
export async function patchOf(
	env: StageEnv,
	frame: Picture,
	healed: Picture,
	share: Picture,
	{ sigma, look, seed }: { readonly sigma: number; readonly look: GrainLook | undefined; readonly seed: number },
): Promise<Picture> {
	const { compute, models, breathe } = env;
	const level = leveled(compute, frame, healed, share, sigma);
	if (!look) return level;
	const smooth = await usingAsync([level], () => denoiseRun(models, compute, level, sigma, env, DEGRAIN));
	const options = { tile: TILE, halo: 0, align: 1, scale: 1, channelsOut: 3 };
	return usingAsync([smooth], () =>
		runTiled(compute, smooth, options, breathe, (part, { read }) =>
			Promise.resolve(layGrain(compute, part, look, look.strengths, hash32(seed), read)),
		),
	);
}
