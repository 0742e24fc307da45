/** Backward warp: each pixel is fetched from where its flow vector points; edges repeat. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { clamp, f32, groups, produce, sameSize, u32, using } from '../../op.ts';
import { resizeFlow } from '../resize/op.ts';
import wgsl from './warp.wgsl?raw';

/** Parameters of {@link warpOp}. */
export interface WarpParams {
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** Bicubic is Catmull-Rom: sharper, with slight overshoot. */
	readonly filter: 'bilinear' | 'bicubic';
	/** Factor on the vectors: 2 doubles a mid-flow, −1 reverses. */
	readonly scale: number;
}

function fillWeights(weights: Float64Array, t: number, cubic: boolean): void {
	const t2 = t * t;
	const t3 = t2 * t;
	weights[0] = cubic ? -0.5 * t3 + t2 - 0.5 * t : 0;
	weights[1] = cubic ? 1.5 * t3 - 2.5 * t2 + 1 : 1 - t;
	weights[2] = cubic ? -1.5 * t3 + 2 * t2 + 0.5 * t : t;
	weights[3] = cubic ? 0.5 * t3 - 0.5 * t2 : 0;
}

function cpuWarp(input: Float32Array, flow: Float32Array, output: Float32Array, p: WarpParams): void {
	const { width, height } = p;
	const area = width * height;
	const cubic = p.filter === 'bicubic';
	const [wx, wy] = [new Float64Array(4), new Float64Array(4)];
	for (let y = 0, pixel = 0; y < height; y++) {
		for (let x = 0; x < width; x++, pixel++) {
			const dx = clamp((flow[pixel] as number) * p.scale, -2 * width, 2 * width);
			const dy = clamp((flow[area + pixel] as number) * p.scale, -2 * height, 2 * height);
			const [bx, by] = [Math.floor(dx), Math.floor(dy)];
			fillWeights(wx, dx - bx, cubic);
			fillWeights(wy, dy - by, cubic);
			const [left, top] = [x + bx - 1, y + by - 1];
			const inside = left >= 0 && top >= 0 && left + 3 < width && top + 3 < height;
			const fetch = inside ? fetchInside : fetchClamped;
			for (let c = 0; c < p.channels; c++) {
				output[c * area + pixel] = fetch(input, c * area, left, top, width, height, wx, wy);
			}
		}
	}
}

/** The weighted sum of the 4×4 pixels whose first is (left, top), all inside the picture. */
function fetchInside(
	input: Float32Array,
	base: number,
	left: number,
	top: number,
	width: number,
	_height: number,
	wx: Float64Array,
	wy: Float64Array,
): number {
	const [w0, w1, w2, w3] = [wx[0] as number, wx[1] as number, wx[2] as number, wx[3] as number];
	let sum = 0;
	for (let j = 0, i = base + top * width + left; j < 4; j++, i += width) {
		const weight = wy[j] as number;
		if (weight === 0) continue;
		sum +=
			weight *
			(w0 * (input[i] as number) +
				w1 * (input[i + 1] as number) +
				w2 * (input[i + 2] as number) +
				w3 * (input[i + 3] as number));
	}
	return sum;
}

/** The same where some of them lie outside: the edge is repeated. */
function fetchClamped(
	input: Float32Array,
	base: number,
	left: number,
	top: number,
	width: number,
	height: number,
	wx: Float64Array,
	wy: Float64Array,
): number {
	let sum = 0;
	for (let j = 0; j < 4; j++) {
		const row = base + clamp(top + j, 0, height - 1) * width;
		let line = 0;
		for (let i = 0; i < 4; i++) line += (wx[i] as number) * (input[row + clamp(left + i, 0, width - 1)] as number);
		sum += (wy[j] as number) * line;
	}
	return sum;
}

/** Inputs: a picture and a 2-channel flow in pixels; output: the warped picture. All of one size. */
export const warpOp: Op<WarpParams> = {
	id: 'ops/warp',
	wgsl,
	uniforms: (p) => [u32(p.width), u32(p.height), u32(p.filter === 'bicubic' ? 1 : 0), f32(p.scale)],
	dispatch: ({ width, height, channels }) => groups(width, height, channels),
	cpu: ([input, flow], [output], params) => {
		if (input !== undefined && flow !== undefined && output !== undefined) cpuWarp(input, flow, output, params);
	},
};

/** Options of {@link warp}. */
export interface WarpOptions {
	/** Default `bicubic`. */
	readonly filter?: 'bilinear' | 'bicubic';
	/** Factor on the vectors; default 1. */
	readonly scale?: number;
}

/**
 * `picture` as seen through `flow`: output(p) = picture(p + flow(p)). A flow of another size is resized first, its
 * vectors with it. The caller owns the result.
 */
export function warp(
	compute: Compute,
	picture: Picture,
	flow: Picture,
	{ filter = 'bicubic', scale = 1 }: WarpOptions = {},
): Picture {
	const { width, height, channels } = picture;
	const fits = flow.width === width && flow.height === height;
	const full = fits ? flow.retain() : resizeFlow(compute, flow, width, height);
	return using([full], () => {
		sameSize('warp', picture, full);
		return produce(compute, width, height, channels, (output) => {
			compute.run(warpOp, [picture, full], [output], { width, height, channels, filter, scale });
		});
	});
}
