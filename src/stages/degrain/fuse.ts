/**
 * Fusion of a frame with its motion-compensated neighbors: a mean whose weights know the noise. A neighbor counts where its
 * flow is trusted and where it differs from the frame by no more than noise does; elsewhere (occlusions, bad flow) the
 * frame stands alone. What noise is left is known for every pixel, and the spatial denoiser is told.
 */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { clamp, f32, groups, produce, sameSize, u32 } from '../../gpu/op.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import gatherWgsl from './fuse.wgsl?raw';
import fusedWgsl from './fused.wgsl?raw';

/** Parameters of {@link gatherOp}. */
export interface GatherParams {
	readonly width: number;
	readonly height: number;
	/** σ² of the noise, summed over the three channels. */
	readonly noise: number;
}

/**
 * Half side of the window over which two frames are compared, and its step. Gray, coarse grain has few independent values in a window:
 * over 5×5 pixels its ratio swings so far that a good neighbor is turned away by chance.
 */
const RADIUS = 6;
const STEP = 2;

/**
 * Share 0…1 of a neighbor. `ratio` is the mean squared difference to the frame over what noise alone would give: above
 * about 2.5 the pictures differ; far below 1 the noise is the same (a repeated frame), and a mean of it is no cleaner.
 */
function share(ratio: number): number {
	return clamp((3 - ratio) / 0.8, 0, 1) * clamp((ratio - 0.1) / 0.2, 0, 1);
}

/** Squared difference of two pictures over the channels, averaged over every other pixel of a window around each. */
function windowed(a: Float32Array, b: Float32Array, width: number, height: number): Float32Array {
	const area = width * height;
	const square = new Float32Array(area);
	for (let i = 0; i < area; i++) {
		for (let c = 0; c < 3; c++) square[i]! += (a[c * area + i]! - b[c * area + i]!) ** 2;
	}
	const rows = new Float32Array(area);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			let sum = 0;
			for (let i = -RADIUS; i <= RADIUS; i += STEP) sum += square[y * width + clamp(x + i, 0, width - 1)]!;
			rows[y * width + x] = sum;
		}
	}
	const side = (2 * RADIUS) / STEP + 1;
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			let sum = 0;
			for (let j = -RADIUS; j <= RADIUS; j += STEP) sum += rows[clamp(y + j, 0, height - 1) * width + x]!;
			square[y * width + x] = sum / (side * side);
		}
	}
	return square;
}

/** Inputs: frame, warped neighbor (3 channels), confidence (1), sums so far (5: Σw·R, Σw·G, Σw·B, Σw, Σw²); output: the sums. */
export const gatherOp: Op<GatherParams> = {
	id: 'degrain/gather',
	wgsl: gatherWgsl,
	uniforms: ({ width, height, noise }) => [u32(width), u32(height), f32(noise)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([frame, neighbor, confidence, before], [after], { width, height, noise }) => {
		if (!frame || !neighbor || !confidence || !before || !after) return;
		const area = width * height;
		const squares = windowed(frame, neighbor, width, height);
		for (let i = 0; i < area; i++) {
			const w = share(squares[i]! / Math.max(2 * noise, 1e-12)) * confidence[i]!;
			for (let c = 0; c < 3; c++) after[c * area + i] = before[c * area + i]! + w * neighbor[c * area + i]!;
			after[3 * area + i] = before[3 * area + i]! + w;
			after[4 * area + i] = before[4 * area + i]! + w * w;
		}
	},
};

/** Parameters of {@link fusedOp}. */
export interface FusedParams {
	readonly width: number;
	readonly height: number;
	/** Noise of one frame. */
	readonly sigma: number;
}

/** Inputs: frame, sums of {@link gatherOp}; outputs: the mean (3 channels) and the noise left in it (1 channel). */
export const fusedOp: Op<FusedParams> = {
	id: 'degrain/fused',
	wgsl: fusedWgsl,
	uniforms: ({ width, height, sigma }) => [u32(width), u32(height), f32(sigma)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([frame, sums], [mean, level], { width, height, sigma }) => {
		if (!frame || !sums || !mean || !level) return;
		const area = width * height;
		for (let i = 0; i < area; i++) {
			const total = 1 + sums[3 * area + i]!;
			for (let c = 0; c < 3; c++) mean[c * area + i] = (frame[c * area + i]! + sums[c * area + i]!) / total;
			level[i] = (sigma * Math.sqrt(1 + sums[4 * area + i]!)) / total;
		}
	},
};

/** A neighbor in the frame's place. */
export interface Aligned {
	readonly picture: Picture;
	/** 1 channel, 0…1, of the picture's size. */
	readonly confidence: Picture;
}

/** A fused frame. */
export interface Fused {
	readonly picture: Picture;
	/** Noise left at each pixel, on the scale of the picture; 1 channel. */
	readonly level: Picture;
}

/** Fuses a frame of noise `sigma` (on the picture's scale) with aligned neighbors. The caller owns both results. */
export function fuse(compute: Compute, frame: Picture, neighbors: readonly Aligned[], sigma: number): Fused {
	const { width, height } = frame;
	let sums = filled(compute, width, height, 5, 0);
	try {
		for (const { picture, confidence } of neighbors) {
			sameSize('fuse', frame, picture, confidence);
			const before = sums;
			sums = produce(compute, width, height, 5, (after) => {
				const params = { width, height, noise: 3 * sigma * sigma };
				compute.run(gatherOp, [frame, picture, confidence, before], [after], params);
			});
			before.release();
		}
		const level = compute.picture(width, height, 1);
		try {
			const picture = produce(compute, width, height, 3, (mean) => {
				compute.run(fusedOp, [frame, sums], [mean, level], { width, height, sigma });
			});
			return { picture, level };
		} catch (error) {
			level.release();
			throw error;
		}
	} finally {
		sums.release();
	}
}
