/**
 * A frame and its neighbors made one: denoised copies (guides) say where things have moved and where that can be trusted;
 * the film's own pixels are what is moved and averaged.
 */

import { computeFlow, flowSize, releaseFlow } from '../../analysis/flow/flow.ts';
import type { Picture } from '../../contracts/compute.ts';
import type { StageEnv } from '../../contracts/stage.ts';
import { using, usingAsync } from '../../gpu/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { warp } from '../../gpu/ops/warp/op.ts';
import { denoiseRun } from '../../models/ffdnet.ts';
import { agreement } from './agree.ts';
import { type Aligned, fuse, type Fused } from './fuse.ts';

/** Longest side at which motion is estimated and guides are denoised. */
export const GUIDE_SIDE = 640;

/** The denoised copy of a picture at the size of the motion estimation. The caller owns it. */
async function guideOf(env: StageEnv, picture: Picture, sigma: number): Promise<Picture> {
	const size = flowSize(picture, GUIDE_SIDE);
	const fits = size.width === picture.width;
	const sized = fits ? picture.retain() : resize(env.compute, picture, size.width, size.height);
	// Reducing averages white noise away in proportion.
	const left = sigma * (size.width / picture.width);
	return usingAsync([sized], () => denoiseRun(env.models, env.compute, sized, left, env));
}

/** One neighbor in the frame's place, with its share. */
async function aligned(env: StageEnv, frame: Picture, guide: Picture, other: Picture, sigma: number): Promise<Aligned> {
	const { compute } = env;
	const otherGuide = await guideOf(env, other, sigma);
	return usingAsync([otherGuide], async () => {
		await env.breathe();
		const flow = await computeFlow(env, guide, otherGuide, GUIDE_SIDE);
		try {
			const moved = warp(compute, otherGuide, flow.vectors);
			const small = using([moved], () => agreement(compute, guide, moved, flow.confidence, sigma));
			const confidence = using([small], () =>
				small.width === frame.width ? small.retain() : resize(compute, small, frame.width, frame.height),
			);
			try {
				return { picture: warp(compute, other, flow.vectors), confidence };
			} catch (error) {
				confidence.release();
				throw error;
			}
		} finally {
			releaseFlow(flow);
		}
	});
}

/** Fuses a frame of noise `sigma` (on the picture's scale) with neighbors of its shot. The caller owns both results. */
export async function fuseNeighbors(
	env: StageEnv,
	frame: Picture,
	neighbors: readonly Picture[],
	sigma: number,
): Promise<Fused> {
	const guide = await guideOf(env, frame, sigma);
	const found: Aligned[] = [];
	try {
		for (const neighbor of neighbors) {
			await env.breathe();
			found.push(await aligned(env, frame, guide, neighbor, sigma));
		}
		return fuse(env.compute, frame, found, sigma);
	} finally {
		guide.release();
		for (const { picture, confidence } of found) {
			picture.release();
			confidence.release();
		}
	}
}
