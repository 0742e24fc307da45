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
	const [from, to] = p.axis === 0 ? [p.inWidth, p.width] : [p.inHeight, p.height];
	const step = p.axis === 0 ? 1 : p.inWidth;
	const all = Array.from({ length: to }, (_, i) => taps(i, from, to, p.lobes));
	for (let c = 0; c < p.channels; c++) {
		for (let y = 0; y < p.height; y++) {
			for (let x = 0; x < p.width; x++) {
				const { first, weights } = all[p.axis === 0 ? x : y] as { first: number; weights: Float64Array };
				const start = p.axis === 0 ? (c * p.inHeight + y) * p.inWidth : c * p.inHeight * p.inWidth + x;
				let sum = 0;
				for (let k = 0; k < weights.length; k++) {
					const w = weights[k] as number;
					if (w !== 0) sum += w * (input[start + clamp(first + k, 0, from - 1) * step] as number);
				}
				output[(c * p.height + y) * p.width + x] = sum;
			}
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
