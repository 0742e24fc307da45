/**
 * Plug-and-play deconvolution: half-quadratic splitting in linear light, FFDNet the prior (Zhang et al. 2021, DPIR). The data term has a
 * closed form in the Fourier domain; what lies beyond the picture is unknown, so the picture lies on a larger canvas and ADMM takes the
 * data term apart into the convolution and the known pixels (Almeida and Figueiredo 2013). Reference: training/workshop/deblur_reference.py.
 */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import type { StageEnv } from '../../contracts/stage.ts';
import type { Kernel } from '../../analysis/blur/kernels.ts';
import type { Transfer } from '../../core/color.ts';
import { delinearize, linearize } from '../../gpu/color/transfer-op.ts';
import { produce, using, usingAsync } from '../../gpu/op.ts';
import { add, subtract } from '../../gpu/ops/difference/op.ts';
import { fftPlan, type FftPlan } from '../../gpu/ops/fft/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import { stats } from '../../gpu/ops/stats/op.ts';
import { crop } from '../../gpu/ops/window/op.ts';
import { denoiseRun } from '../../models/ffdnet.ts';
import { CANVAS_CHANNELS, canvasOp, graftOp, invertOp, type Place, splitOp } from './ops.ts';

/** λ: how much the prior counts. Chosen on training pictures: .1 and .5 lose 1 to 3 dB under grain. */
const PRIOR_WEIGHT = 0.23;
/** The prior's σ at the first step, on the scale of the picture. */
const FIRST_LEVEL = 49 / 255;
/** Its σ at the last step in units of the noise's. */
const LAST_LEVEL = 2;
/** Noise that is always assumed, ÷ 255: what 8 bits and a kernel that is never quite right leave. */
const LEAST_NOISE = 0.5 / 255;
/** ADMM steps for each denoising. */
const INNER = 6;
/**
 * ADMM's ρ in units of the data's mean weight. With 1 it does not settle in 8 steps without grain: beside a hard edge 77 codes of ringing, on
 * training pictures 6 to 8 dB less for level and upright lines.
 */
const PENALTY = 0.3;
/** Code values over which the slope of light is taken, and the least slope that counts. */
const SLOPE_DELTA = 1 / 64;
const LEAST_SLOPE = 0.15;

/** What is to be inverted and how. */
export interface Deconvolution {
	readonly kernel: Kernel;
	/** Standard deviation of the noise on the scale of the picture. */
	readonly noise: number;
	/** Denoisings. */
	readonly steps: number;
	readonly transfer: Transfer;
	/** Mean square of the slope of light by codes over the frame ({@link meanSquareSlope}). */
	readonly slope: number;
	/** 0: the input, 1: wholly deblurred. */
	readonly strength: number;
	/** Whether the input's grain stays as it is. */
	readonly keepGrain: boolean;
}

/** Pixels of made-up border that a kernel needs on each side of the picture. */
export function marginOf({ side }: Kernel): number {
	return side + 3;
}

/** The least power of two that holds a picture of this length with its margins. */
export function canvasSide(length: number, margin: number): number {
	return 2 ** Math.ceil(Math.log2(length + 2 * margin));
}

/** The prior's σ at each step: falling evenly in its logarithm from {@link FIRST_LEVEL} to what the noise leaves. */
export function levelsOf(noise: number, steps: number): number[] {
	const last = LAST_LEVEL * Math.max(noise, LEAST_NOISE);
	const ratio = last / FIRST_LEVEL;
	if (ratio >= 1) return new Array<number>(steps).fill(last);
	return Array.from({ length: steps }, (_, i) => FIRST_LEVEL * ratio ** (steps === 1 ? 1 : i / (steps - 1)));
}

/** Light of a picture, and of codes {@link SLOPE_DELTA} higher. The caller owns both. */
function lights(compute: Compute, codes: Picture, transfer: Transfer): [Picture, Picture] {
	const offset = filled(compute, codes.width, codes.height, codes.channels, SLOPE_DELTA);
	const higher = using([offset], () => add(compute, codes, offset));
	return using([higher], () => {
		const brighter = linearize(compute, higher, transfer);
		try {
			return [linearize(compute, codes, transfer), brighter];
		} catch (error) {
			brighter.release();
			throw error;
		}
	});
}

/** Mean square of the slope of light by codes in a picture: noise in light is that much stronger than in codes. Reads back a few numbers. */
export async function meanSquareSlope(compute: Compute, codes: Picture, transfer: Transfer): Promise<number> {
	const pair = lights(compute, codes, transfer);
	return usingAsync(pair, async () => {
		const found = await stats(compute, pair[1], pair[0]);
		const mean = found.reduce((sum, { meanSquare }) => sum + meanSquare, 0) / found.length;
		return Math.max(mean / SLOPE_DELTA ** 2, LEAST_SLOPE ** 2);
	});
}

/** A kernel's transfer function on a canvas: one complex field. The caller owns it. */
function responseOf(compute: Compute, plan: FftPlan, { side, taps }: Kernel, { width, height }: Place): Picture {
	const reach = (side - 1) / 2;
	const data = new Float32Array(2 * width * height);
	for (let j = 0; j < side; j++) {
		for (let i = 0; i < side; i++) {
			const [x, y] = [(i - reach + width) % width, (j - reach + height) % height];
			data[y * width + x] = taps[j * side + i]!;
		}
	}
	const impulse = compute.uploadPicture(data, width, height, 2);
	return using([impulse], () => plan.forward(impulse));
}

/** Runs an op with two canvases for outputs. The caller owns both. */
function pairOf<P>(
	compute: Compute,
	op: Op<P>,
	inputs: readonly Picture[],
	place: Place,
	params: P,
): [Picture, Picture] {
	const { width, height } = place;
	const first = compute.picture(width, height, CANVAS_CHANNELS);
	try {
		return [
			first,
			produce(compute, width, height, CANVAS_CHANNELS, (second) => {
				compute.run(op, inputs, [first, second], params);
			}),
		];
	} catch (error) {
		first.release();
		throw error;
	}
}

/** What the steps work with; `wanted`, `dual` and `prior` are replaced as they go on. */
interface State {
	readonly compute: Compute;
	readonly plan: FftPlan;
	readonly place: Place;
	readonly light: Picture;
	readonly weights: Picture;
	readonly response: Picture;
	/** What the next inversion takes for observed: u − d. */
	wanted: Picture;
	dual: Picture;
	/** The denoised picture. */
	prior: Picture;
}

/** {@link INNER} steps of ADMM towards the picture that fits the data and lies near the prior's. The caller owns the result. */
function fit(state: State, rho: number, mu: number): Picture {
	const { compute, plan, place, response, light, weights } = state;
	const prior = plan.forward(state.prior);
	return using([prior], () => {
		const params = { area: place.width * place.height, fields: CANVAS_CHANNELS / 2, rho, mu };
		for (let k = 1; ; k++) {
			const observed = plan.forward(state.wanted);
			const [sharp, through] = using([observed], () =>
				pairOf(compute, invertOp, [observed, prior, response], place, params),
			);
			const result = using([sharp, through], () => {
				const blurred = plan.inverse(through);
				const [wanted, dual] = using([blurred], () =>
					pairOf(compute, splitOp, [light, weights, blurred, state.dual], place, { count: light.words, rho }),
				);
				state.wanted.release();
				state.dual.release();
				state.wanted = wanted;
				state.dual = dual;
				return k === INNER ? plan.inverse(sharp) : undefined;
			});
			if (result) return result;
		}
	});
}

/** The canvas with the picture and its margins denoised; what lies further out stays. The caller owns the result. */
async function denoised(env: StageEnv, x: Picture, place: Place, margin: number, level: number): Promise<Picture> {
	const { compute, models } = env;
	const left = Math.max(0, place.left - margin);
	const top = Math.max(0, place.top - margin);
	const partWidth = Math.min(place.width, place.left + place.partWidth + margin) - left;
	const partHeight = Math.min(place.height, place.top + place.partHeight + margin) - top;
	const part = crop(compute, x, { x: left, y: top, width: partWidth, height: partHeight }, 0, 3);
	const clean = await usingAsync([part], () => denoiseRun(models, compute, part, level, env));
	return using([clean], () =>
		produce(compute, place.width, place.height, CANVAS_CHANNELS, (output) => {
			compute.run(graftOp, [x, clean], [output], { ...place, left, top, partWidth, partHeight });
		}),
	);
}

/** The picture's part of a canvas, in codes. The caller owns it. */
function codesOf(compute: Compute, canvas: Picture, place: Place, transfer: Transfer): Picture {
	const { left: x, top: y, partWidth: width, partHeight: height } = place;
	const light = crop(compute, canvas, { x, y, width, height }, 0, 3);
	return using([light], () => delinearize(compute, light, transfer));
}

/** The answer from the last denoised canvas. */
function finish(state: State, codes: Picture, { transfer, strength, keepGrain }: Deconvolution): Picture {
	const { compute, plan, place, response, prior } = state;
	const sharp = codesOf(compute, prior, place, transfer);
	if (!keepGrain) return using([sharp], () => mix(compute, codes, sharp, strength));
	return using([sharp], () => {
		const spectrum = plan.forward(prior);
		const [, through] = using([spectrum], () => {
			// An inversion without data is the prior itself, and its second output the prior through the kernel.
			const params = { area: place.width * place.height, fields: CANVAS_CHANNELS / 2, rho: 0, mu: 1 };
			const [same, blurred] = pairOf(compute, invertOp, [spectrum, spectrum, response], place, params);
			same.release();
			return [undefined, blurred] as const;
		});
		const canvas = using([through], () => plan.inverse(through));
		const blurred = using([canvas], () => codesOf(compute, canvas, place, transfer));
		const gained = using([blurred], () => subtract(compute, sharp, blurred));
		return using([gained], () => add(compute, codes, gained, strength));
	});
}

/**
 * Inverts a known blur of a picture (R′G′B′, of a size whose canvas fits a transform). With `keepGrain` the answer is the input and what
 * the sharp picture has more than its blurred self, so that grain and everything the model does not explain stay as they were.
 * The caller owns the result.
 */
export async function deconvolve(env: StageEnv, codes: Picture, job: Deconvolution): Promise<Picture> {
	const { compute } = env;
	const margin = marginOf(job.kernel);
	const width = canvasSide(codes.width, margin);
	const height = canvasSide(codes.height, margin);
	const [left, top] = [(width - codes.width) >> 1, (height - codes.height) >> 1];
	const place = { width, height, partWidth: codes.width, partHeight: codes.height, left, top };
	const owned: { release(): void }[] = [];
	const own = <T extends { release(): void }>(block: T): T => {
		owned.push(block);
		return block;
	};
	let state: State | undefined;
	try {
		const plan = own(fftPlan(compute, width, height));
		const pair = lights(compute, codes, job.transfer);
		const [light, weights] = using(pair, () =>
			pairOf(compute, canvasOp, pair, place, { ...place, delta: SLOPE_DELTA, least: LEAST_SLOPE }),
		);
		[light, weights].forEach(own);
		const response = own(responseOf(compute, plan, job.kernel, place));
		const dual = filled(compute, width, height, CANVAS_CHANNELS, 0);
		state = { compute, plan, place, light, weights, response, dual, wanted: light.retain(), prior: light.retain() };
		const noise = Math.max(job.noise, LEAST_NOISE);
		for (const level of levelsOf(noise, job.steps)) {
			await env.breathe();
			// In units of the noise's variance in codes.
			const x = fit(state, PENALTY / job.slope, (PRIOR_WEIGHT * noise ** 2) / level ** 2);
			const prior = await usingAsync([x], () => denoised(env, x, place, margin, level));
			state.prior.release();
			state.prior = prior;
		}
		return finish(state, codes, job);
	} finally {
		if (state) [state.wanted, state.dual, state.prior].forEach((block) => block.release());
		owned.forEach((block) => block.release());
	}
}
