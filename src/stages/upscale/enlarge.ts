/** The three characters: exact, faithful, vivid. */

import type { Picture } from '../../contracts/compute.ts';
import type { StageEnv } from '../../contracts/stage.ts';
import type { Size, Transfer } from '../../core/color.ts';
import { using, usingAsync } from '../../gpu/op.ts';
import { add, subtract } from '../../gpu/ops/difference/op.ts';
import { lanczos } from '../../gpu/ops/lanczos/op.ts';
import { denoiseRun, MAX_SIGMA } from '../../models/ffdnet.ts';
import { upscaleRun, type UpscaleModel } from '../../models/sr.ts';
import { limit, type Room } from './limit.ts';

/** The three characters of `upscale`. */
export type Character = 'exact' | 'faithful' | 'vivid';

/** Lanczos in linear light rings strongest on the dark side of edges; within the source's local range it cannot. */
const EXACT_ROOM: Room = { slack: 0, floorSlack: 0 };
/** A sharper edge may overshoot the blurred one it came from by this much; what goes beyond is the network's error. */
const NETWORK_ROOM: Room = { slack: 0.35, floorSlack: 4 / 255 };
/** Noise (σ in 8-bit codes ÷ 255) above which grain is carried around the network. */
export const LEAST_NOISE = 0.8 / 255;

/** Lanczos-3 in linear light. Where nothing is enlarged (a smaller target) it may not clamp: detail would be lost. */
export function exact({ compute }: StageEnv, picture: Picture, size: Size, transfer: Transfer): Picture {
	const options = { linearLight: transfer };
	const resized = lanczos(compute, picture, size.width, size.height, options);
	if (size.width < picture.width || size.height < picture.height) return resized;
	return using([resized], () => limit(compute, picture, resized, EXACT_ROOM));
}

/** The network of a character (not `exact`) for an enlargement. */
export function modelFor(character: Character, factor: number): UpscaleModel {
	if (character === 'vivid') return 'realesrgan-x4fast';
	return factor > 2 ? 'spanx4' : 'spanx2';
}

/** The network's picture at the wanted size, in codes: the network's own domain. */
async function network(env: StageEnv, picture: Picture, size: Size, character: Character): Promise<Picture> {
	const { compute, models, breathe } = env;
	const factor = Math.max(size.width / picture.width, size.height / picture.height);
	const large = await upscaleRun(models, compute, modelFor(character, factor), picture, env);
	return usingAsync([large], async () => {
		await breathe();
		const held = limit(compute, picture, large, NETWORK_ROOM);
		if (held.width === size.width && held.height === size.height) return held;
		return using([held], () => lanczos(compute, held, size.width, size.height));
	});
}

/**
 * SPAN takes grain for detail and sharpens it, differently in every frame: a still shot would shimmer, and from σ ≈ 20 on
 * pixels explode. So the network sees the denoised picture, and the grain is enlarged beside it by Lanczos, as it is.
 */
async function aroundGrain(env: StageEnv, picture: Picture, size: Size, sigma: number): Promise<Picture> {
	const { compute, models } = env;
	const clean = await denoiseRun(models, compute, picture, Math.min(sigma, MAX_SIGMA), env);
	return usingAsync([clean], async () => {
		const enlarged = await network(env, clean, size, 'faithful');
		const grain = using([enlarged], () => {
			const small = subtract(compute, picture, clean);
			const large = using([small], () => lanczos(compute, small, size.width, size.height));
			return using([large], () => add(compute, enlarged, large));
		});
		return grain;
	});
}

/** A picture at another size in the wanted character; `sigma` is its noise. The caller owns the result. */
export async function enlarge(
	env: StageEnv,
	picture: Picture,
	size: Size,
	{ character, sigma, transfer }: { character: Character; sigma: number; transfer: Transfer },
): Promise<Picture> {
	await env.breathe();
	const grows = size.width > picture.width || size.height > picture.height;
	if (character === 'exact' || !grows) return exact(env, picture, size, transfer);
	if (character === 'faithful' && sigma > LEAST_NOISE) return aroundGrain(env, picture, size, sigma);
	return network(env, picture, size, character);
}
