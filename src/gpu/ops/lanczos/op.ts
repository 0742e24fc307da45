/** Lanczos resampling, separable; in linear light where asked. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import type { Transfer } from '../../../core/color.ts';
import { delinearize, linearize } from '../../color/transfer-op.ts';
import { clamp, f32, groups, produce, u32, using } from '../../op.ts';
import wgsl from './lanczos.wgsl?raw';

/** Parameters of {@link lanczosOp}. */
export interface LanczosParams {
	readonly inWidth: number;
	readonly inHeight: number;
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** 0 resamples along x (heights must agree), 1 along y (widths must agree). */
	readonly axis: 0 | 1;
	/** Lobes of the kernel; 3 is usual. */
	readonly lobes: number;
}

function sinc(x: number): number {
	return Math.abs(x) < 1e-5 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Weights of one output position: the input index of the first, normalized weights. */
function taps(position: number, from: number, to: number, lobes: number): { first: number; weights: Float64Array } {
	const stretch = Math.max(from / to, 1);
	const numerator = (2 * position + 1) * from;
	const base = Math.floor(numerator / (2 * to));
	const phase = (numerator % (2 * to)) / (2 * to) - 0.5;
	const reach = Math.ceil(lobes * stretch) + 1;
	const weights = new Float64Array(2 * reach + 1);
	let total = 0;
	for (let k = -reach; k <= reach; k++) {
		const d = (k - phase) / stretch;
		const w = Math.abs(d) < lobes ? sinc(d) * sinc(d / lobes) : 0;
		weights[k + reach] = w;
		total += w;
	}
	return { first: base - reach, weights: weights.map((w) => w / total) };
}

function cpuLanczos(input: Float32Array, output: Float32Array, p: LanczosParams): void {
	if (p.axis === 0) alongX(input, output, p);
	else alongY(input, output, p);
}

function alongX(input: Float32Array, output: Float32Array, p: LanczosParams): void {
	const all = Array.from({ length: p.width }, (_, i) => taps(i, p.inWidth, p.width, p.lobes));
	const count = all[0]?.weights.length ?? 0;
	const weights = Float64Array.from(all.flatMap((t) => [...t.weights]));
	const indices = Int32Array.from(
		all.flatMap(({ first }) => Array.from({ length: count }, (_, k) => clamp(first + k, 0, p.inWidth - 1))),
	);
	for (let row = 0; row < p.channels * p.height; row++) {
		const start = row * p.inWidth;
		for (let x = 0, k = 0; x < p.width; x++) {
			let sum = 0;
			for (const end = k + count; k < end; k++) {
				sum += (weights[k] as number) * (input[start + (indices[k] as number)] as number);
			}
			output[row * p.width + x] = sum;
		}
	}
}

function alongY(input: Float32Array, output: Float32Array, p: LanczosParams): void {
	const sum = new Float64Array(p.width);
	for (let y = 0; y < p.height; y++) {
		const { first, weights } = taps(y, p.inHeight, p.height, p.lobes);
		for (let c = 0; c < p.channels; c++) {
			sum.fill(0);
			for (let k = 0; k < weights.length; k++) {
				const w = weights[k] as number;
				if (w === 0) continue;
				const start = (c * p.inHeight + clamp(first + k, 0, p.inHeight - 1)) * p.width;
				for (let x = 0; x < p.width; x++) sum[x] = (sum[x] as number) + w * (input[start + x] as number);
			}
			output.set(sum, (c * p.height + y) * p.width);
		}
	}
}

/** Input: a picture; output: the same, resampled along one axis. */
export const lanczosOp: Op<LanczosParams> = {
	id: 'ops/lanczos',
	wgsl,
	uniforms: (p) => [...[p.inWidth, p.inHeight, p.width, p.height, p.axis].map(u32), f32(p.lobes)],
	dispatch: ({ width, height, channels }) => groups(width, height, channels),
	cpu: ([input], [output], params) => {
		if (input !== undefined && output !== undefined) cpuLanczos(input, output, params);
	},
};

/** Options of {@link lanczos}. */
export interface LanczosOptions {
	/** Resamples light instead of codes: edges keep their brightness. Absent: codes as they are. */
	readonly linearLight?: Transfer;
	/** Default 3. */
	readonly lobes?: number;
}

function resample(compute: Compute, picture: Picture, width: number, height: number, lobes: number): Picture {
	const { channels } = picture;
	const from = { inWidth: picture.width, inHeight: picture.height, channels, lobes };
	const wide = produce(compute, width, picture.height, channels, (output) => {
		compute.run(lanczosOp, [picture], [output], { ...from, width, height: picture.height, axis: 0 });
	});
	return using([wide], () =>
		produce(compute, width, height, channels, (output) => {
			compute.run(lanczosOp, [wide], [output], { ...from, inWidth: width, width, height, axis: 1 });
		}),
	);
}

/** The picture at another size. Overshoot beyond 0…1 survives, as everywhere. The caller owns the result. */
export function lanczos(
	compute: Compute,
	picture: Picture,
	width: number,
	height: number,
	{ linearLight, lobes = 3 }: LanczosOptions = {},
): Picture {
	if (linearLight === undefined || linearLight === 'linear') return resample(compute, picture, width, height, lobes);
	const light = linearize(compute, picture, linearLight);
	const resized = using([light], () => resample(compute, light, width, height, lobes));
	return using([resized], () => delinearize(compute, resized, linearLight));
}
