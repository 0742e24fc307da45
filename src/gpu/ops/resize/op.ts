/** Plain resampling for analysis and flow: a triangle filter, antialiased when it shrinks. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { clamp, f32, groups, produce, u32 } from '../../op.ts';
import wgsl from './resize.wgsl?raw';

/** Parameters of {@link resizeOp}. */
export interface ResizeParams {
	readonly inWidth: number;
	readonly inHeight: number;
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** Factor on channels 0 and 1: flow vectors grow with the picture. 1 for pictures. */
	readonly gain0: number;
	readonly gain1: number;
}

interface Taps {
	readonly first: number;
	readonly weights: readonly number[];
}

function triangle(position: number, from: number, to: number): Taps {
	const scale = from / to;
	const center = (position + 0.5) * scale - 0.5;
	const support = Math.max(scale, 1);
	const first = Math.ceil(center - support);
	const weights: number[] = [];
	for (let i = first; i <= Math.floor(center + support); i++) {
		weights.push(Math.max(0, 1 - Math.abs(i - center) / support));
	}
	const total = weights.reduce((sum, w) => sum + w, 0);
	return { first, weights: weights.map((w) => w / total) };
}

function cpuResize(input: Float32Array, output: Float32Array, p: ResizeParams): void {
	const columns = Array.from({ length: p.width }, (_, x) => triangle(x, p.inWidth, p.width));
	const row = new Float64Array(p.inWidth);
	for (let c = 0; c < p.channels; c++) {
		const gain = c === 0 ? p.gain0 : c === 1 ? p.gain1 : 1;
		for (let y = 0; y < p.height; y++) {
			const vertical = triangle(y, p.inHeight, p.height);
			row.fill(0);
			vertical.weights.forEach((w, k) => {
				const start = (c * p.inHeight + clamp(vertical.first + k, 0, p.inHeight - 1)) * p.inWidth;
				for (let x = 0; x < p.inWidth; x++) row[x] = (row[x] as number) + w * (input[start + x] as number);
			});
			const target = (c * p.height + y) * p.width;
			for (let x = 0; x < p.width; x++) {
				const { first, weights } = columns[x] as Taps;
				let sum = 0;
				for (let k = 0; k < weights.length; k++) {
					sum += (weights[k] as number) * (row[clamp(first + k, 0, p.inWidth - 1)] as number);
				}
				output[target + x] = sum * gain;
			}
		}
	}
}

/** Input: a picture; output: the same at another size. */
export const resizeOp: Op<ResizeParams> = {
	id: 'ops/resize',
	wgsl,
	uniforms: (p) => [...[p.inWidth, p.inHeight, p.width, p.height].map(u32), f32(p.gain0), f32(p.gain1)],
	dispatch: ({ width, height, channels }) => groups(width, height, channels),
	cpu: ([input], [output], params) => {
		if (input !== undefined && output !== undefined) cpuResize(input, output, params);
	},
};

/** The picture at another size; pixel centers are kept in proportion. The caller owns the result. */
export function resize(compute: Compute, picture: Picture, width: number, height: number): Picture {
	return resizeWith(compute, picture, width, height, 1, 1);
}

/** A flow (dx, dy) at another size, its vectors scaled with it. The caller owns the result. */
export function resizeFlow(compute: Compute, flow: Picture, width: number, height: number): Picture {
	return resizeWith(compute, flow, width, height, width / flow.width, height / flow.height);
}

function resizeWith(
	compute: Compute,
	picture: Picture,
	width: number,
	height: number,
	gain0: number,
	gain1: number,
): Picture {
	return produce(compute, width, height, picture.channels, (output) => {
		compute.run(resizeOp, [picture], [output], {
			inWidth: picture.width,
			inHeight: picture.height,
			width,
			height,
			channels: picture.channels,
			gain0,
			gain1,
		});
	});
}
