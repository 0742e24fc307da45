/**
 * A frame and its neighbors made one: denoised copies (guides) say where things have moved and where that can be trusted;
 * the film's own pixels are what is moved and averaged.
 */

import type { Compute, Picture } from '../../contracts/compute.ts';
import type { FlowField, StageEnv } from '../../contracts/stage.ts';
import { using } from '../../gpu/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import { warp } from '../../gpu/ops/warp/op.ts';
import { agreement } from './agree.ts';
import { type Aligned, fuse, type Fused } from './fuse.ts';

/** Longest side at which motion is estimated and guides are denoised. */
export const GUIDE_SIDE = 640;

/** How guides are made and judged. */
export interface Guidance {
	/** Guides are denoised at so many times the strength. */
	readonly times: number;
	/** A neighbor's share falls to 1/e where its guide differs from the frame's by a mean square of σ² ÷ strictness. */
	readonly strictness: number;
}

/**
 * By the grain. A neighbor's error hurts more than the noise it averages away: the denoiser that follows takes noise out again, but
 * not a picture in the wrong place. Guides are always FFDNet's, which leaves coarse grain: told more than there is, it leaves less to
 * mislead motion, and what is left is no sign of another picture. Measured: README.md.
 */
export const GUIDANCE = {
	fine: { times: 1, strictness: 2 },
	coarse: { times: 2.8, strictness: 0.25 },
} as const satisfies Readonly<Record<string, Guidance>>;

/** A frame and its denoised copy. Borrowed. */
export interface Guided {
	readonly picture: Picture;
	readonly guide: Picture;
}

/** A neighbor, with the flow that moves it into the frame's place. Borrowed. */
export interface Neighbor extends Guided {
	readonly flow: FlowField;
}

/** One neighbor in the frame's place, with its share. The caller owns both pictures. */
function aligned(
	compute: Compute,
	{ picture, guide }: Guided,
	other: Neighbor,
	sigma: number,
	strictness: number,
): Aligned {
	const { vectors, confidence: trust } = other.flow;
	const moved = warp(compute, other.guide, vectors);
	const small = using([moved], () => agreement(compute, guide, moved, trust, sigma, strictness));
	const confidence = using([small], () =>
		small.width === picture.width ? small.retain() : resize(compute, small, picture.width, picture.height),
	);
	try {
		return { picture: warp(compute, other.picture, vectors), confidence };
	} catch (error) {
		confidence.release();
		throw error;
	}
}

/** Fuses a frame of noise `sigma` (on the picture's scale) with neighbors of its shot. The caller owns both results. */
export async function fuseNeighbors(
	env: StageEnv,
	frame: Guided,
	neighbors: readonly Neighbor[],
	sigma: number,
	{ strictness }: Guidance,
): Promise<Fused> {
	const found: Aligned[] = [];
	try {
		for (const neighbor of neighbors) {
			await env.breathe();
			found.push(aligned(env.compute, frame, neighbor, sigma, strictness));
		}
		return fuse(env.compute, frame.picture, found, sigma);
	} finally {
		for (const { picture, confidence } of found) {
			picture.release();
			confidence.release();
		}
	}
}
