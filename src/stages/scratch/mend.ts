/** Mends the lines of one frame. Twin: training/workshop/scratch_heal.py. */

import { hash32, layGrain } from '../../analysis/grain/field.ts';
import { fieldRecipe } from '../../analysis/grain/look.ts';
import type { GrainProfile } from '../../analysis/grain/profile.ts';
import type { Picture } from '../../contracts/compute.ts';
import type { StageEnv } from '../../contracts/stage.ts';
import { produce, using, usingAsync } from '../../gpu/op.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import { runTiled } from '../../gpu/tiling.ts';
import { scratchRun } from '../../models/scratch.ts';
import { along, BRIDGE_SUMS, bridgeOp, cureOp, DECIDE_VALUES, decideOp } from './gpu.ts';
import { decideParams } from './lines.ts';

/** A frame without its lines. */
export interface Mended {
	readonly picture: Picture;
	/** 1 on bright lines, −1 on dark ones, else 0; 1 channel. */
	readonly sign: Picture;
}

/** How lines are mended. */
export interface Mending {
	/** Standard deviation of the grain on the scale of the picture. */
	readonly sigma: number;
	/** Pixels added to each side. */
	readonly grow: number;
	/** Pixels across the widest line. */
	readonly widest: number;
	/** Grain to lay where a line hid everything; undefined: none. */
	readonly grain: { readonly profile: GrainProfile | undefined; readonly seed: number } | undefined;
}

/** Rows to each side over which evidence is averaged. */
const ALONG = 16;
/** Rows to each side over which opacity is fitted; and how many of its variances an opacity loses, over itself. */
const [FITTED, DOUBT] = [8, 12];
/** Pixels to each side in which sound film is looked for. */
const REACH = 32;
/** Code values of a scratch itself. */
const LIGHT = { bright: 0.95, dark: 0.05 } as const;
/** Opacity from which on the sides alone heal, and over how much below it they fade in. */
const FADE = { opaque: 0.85, span: 0.2 } as const;
/** Share of the grain's strength that the mean of two sides lacks. */
const MISSING = Math.SQRT1_2;
/** Sides of the parts in which grain is laid over large pictures. */
const TILE = 1024;

/** The pixels of the lines in a table of `decideOp`. The caller owns it. */
async function signOf(env: StageEnv, frame: Picture, columns: readonly number[], how: Mending): Promise<Picture> {
	const { compute, models } = env;
	const evidence = await scratchRun(models, compute, frame, how.sigma, env);
	const even = using([evidence], () => along(compute, evidence, ALONG));
	const table = compute.upload(Float32Array.from(columns));
	return using([even, table], () =>
		produce(compute, frame.width, frame.height, 1, (output) => {
			compute.run(decideOp, [even, table], [output], decideParams(frame, columns, DECIDE_VALUES, how));
		}),
	);
}

/** What lies below the lines, and the share of it that the sides made. The caller owns both. */
function cured(env: StageEnv, frame: Picture, sign: Picture): { healed: Picture; share: Picture } {
	const { compute } = env;
	const { width, height } = frame;
	const sums = compute.picture(width, height, BRIDGE_SUMS);
	return using([sums], () => {
		const bridged = produce(compute, width, height, 3, (output) => {
			compute.run(bridgeOp, [frame, sign], [output, sums], { width, height, reach: REACH, ...LIGHT });
		});
		const fitted = along(compute, sums, FITTED);
		return using([bridged, fitted], () => {
			const share = compute.picture(width, height, 1);
			try {
				const healed = produce(compute, width, height, 3, (output) => {
					const inputs = [frame, bridged, sign, fitted];
					const fit = { rows: 2 * FITTED + 1, doubt: DOUBT };
					compute.run(cureOp, inputs, [output, share], { area: width * height, ...LIGHT, ...FADE, ...fit });
				});
				return { healed, share };
			} catch (error) {
				share.release();
				throw error;
			}
		});
	});
}

/** The healed picture with new grain where the sides made it. The caller owns it. */
async function grained(env: StageEnv, healed: Picture, share: Picture, how: Mending): Promise<Picture> {
	const { compute, breathe } = env;
	const { grain } = how;
	if (!grain?.profile) return healed.retain();
	const { acf, correlation, sigma } = grain.profile;
	const recipe = fieldRecipe(acf, correlation);
	const strengths = sigma.map((levels) => levels.map((value) => value * MISSING));
	const options = { tile: TILE, halo: 0, align: 1, scale: 1, channelsOut: 3 };
	const laid = await runTiled(compute, healed, options, breathe, (part, { read }) =>
		Promise.resolve(layGrain(compute, part, recipe, strengths, hash32(grain.seed), read)),
	);
	return using([laid], () => mix(compute, healed, laid, 1, share));
}

/** A frame without the lines of a table of `decideOp`; every pixel off them keeps its value. The caller owns both pictures. */
export async function mend(env: StageEnv, frame: Picture, columns: readonly number[], how: Mending): Promise<Mended> {
	await env.breathe();
	const sign = await signOf(env, frame, columns, how);
	try {
		const { healed, share } = cured(env, frame, sign);
		const picture = await usingAsync([healed, share], () => grained(env, healed, share, how));
		return { picture, sign };
	} catch (error) {
		sign.release();
		throw error;
	}
}
