/** How well a moved neighbor agrees with the frame, judged on denoised copies, where noise does not hide what differs. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { clamp, f32, groups, produce, sameSize, u32 } from '../../gpu/op.ts';
import wgsl from './agree.wgsl?raw';

/** Parameters of {@link agreeOp}. */
export interface AgreeParams {
	readonly width: number;
	readonly height: number;
	/** Inverse of the mean squared difference at which the share falls to 1/e. */
	readonly scale: number;
}

/** Inputs: denoised frame, denoised neighbor moved into its place (3 channels), confidence (1); output: 1 channel, 0…1. */
export const agreeOp: Op<AgreeParams> = {
	id: 'degrain/agree',
	wgsl,
	uniforms: ({ width, height, scale }) => [u32(width), u32(height), f32(scale)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([frame, neighbor, confidence], [output], { width, height, scale }) => {
		if (!frame || !neighbor || !confidence || !output) return;
		const area = width * height;
		const square = new Float32Array(area);
		for (let i = 0; i < 3 * area; i++) square[i % area]! += (frame[i]! - neighbor[i]!) ** 2;
		for (let y = 0, i = 0; y < height; y++) {
			for (let x = 0; x < width; x++, i++) {
				let sum = 0;
				for (let j = -2; j <= 2; j++) {
					const row = clamp(y + j, 0, height - 1) * width;
					for (let k = -2; k <= 2; k++) sum += square[row + clamp(x + k, 0, width - 1)]!;
				}
				output[i] = confidence[i]! * Math.exp((-sum / 75) * scale);
			}
		}
	},
};

/**
 * The share of a neighbor, 0…1, where noise `sigma` is to be averaged away: it falls to 1/e where the mean squared difference is
 * σ² ÷ `strictness`. The caller owns the result.
 */
export function agreement(
	compute: Compute,
	frame: Picture,
	neighbor: Picture,
	confidence: Picture,
	sigma: number,
	strictness: number,
): Picture {
	sameSize('agreement', frame, neighbor, confidence);
	const { width, height } = frame;
	return produce(compute, width, height, 1, (output) => {
		const params = { width, height, scale: strictness / Math.max(sigma * sigma, 1e-8) };
		compute.run(agreeOp, [frame, neighbor, confidence], [output], params);
	});
}
