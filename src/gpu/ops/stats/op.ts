/** Statistics of pictures and of differences: reduced where the picture lives, only a few numbers come back. */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { sameSize, u32, usingAsync } from '../../op.ts';
import wgsl from './stats.wgsl?raw';

/** Statistics of one channel. */
export interface ChannelStats {
	readonly mean: number;
	/** Mean of squares. */
	readonly meanSquare: number;
	/** Mean of magnitudes. */
	readonly meanAbs: number;
	readonly min: number;
	readonly max: number;
}

/** Parameters of {@link statsOp}. */
export interface StatsParams {
	/** Values a channel. */
	readonly area: number;
	readonly channels: number;
	/** Of a − b instead of a. */
	readonly difference: boolean;
}

/** Values that one workgroup sums. */
const CHUNK = 64 * 16;
const ROW = 6;

const groupCount = (area: number): number => Math.ceil(area / CHUNK);

/** Inputs a, b (b ignored unless `difference`); output: {@link ROW} partial numbers a channel and chunk. */
export const statsOp: Op<StatsParams> = {
	id: 'ops/stats',
	wgsl,
	uniforms: ({ area, difference }) => [u32(area), u32(groupCount(area)), u32(difference ? 1 : 0)],
	dispatch: ({ area, channels }) => [groupCount(area), channels, 1],
	cpu: ([a, b], [partial], { area, channels, difference }) => {
		if (a === undefined || b === undefined || partial === undefined) return;
		const chunks = groupCount(area);
		for (let c = 0; c < channels; c++) {
			for (let g = 0; g < chunks; g++) {
				const row = [0, 0, 0, Infinity, -Infinity, 0] as [number, number, number, number, number, number];
				const end = c * area + Math.min(area, (g + 1) * CHUNK);
				for (let i = c * area + g * CHUNK; i < end; i++) {
					const v = (a[i] as number) - (difference ? (b[i] as number) : 0);
					row[0] += v;
					row[1] += v * v;
					row[2] += Math.abs(v);
					row[3] = Math.min(row[3], v);
					row[4] = Math.max(row[4], v);
				}
				partial.set(row, (c * chunks + g) * ROW);
			}
		}
	},
};

function combine(partial: Float32Array, channel: number, chunks: number, area: number): ChannelStats {
	let [sum, square, magnitude, min, max] = [0, 0, 0, Infinity, -Infinity];
	for (let row = channel * chunks * ROW; row < (channel + 1) * chunks * ROW; row += ROW) {
		sum += partial[row] as number;
		square += partial[row + 1] as number;
		magnitude += partial[row + 2] as number;
		min = Math.min(min, partial[row + 3] as number);
		max = Math.max(max, partial[row + 4] as number);
	}
	return { mean: sum / area, meanSquare: square / area, meanAbs: magnitude / area, min, max };
}

/** Statistics of `a`, or of a − b when `b` is given, channel by channel. Reads back a few numbers. */
export async function stats(compute: Compute, a: Picture, b?: Picture): Promise<ChannelStats[]> {
	sameSize('stats', a, b ?? a);
	const area = a.width * a.height;
	const chunks = groupCount(area);
	const partial = compute.block(a.channels * chunks * ROW);
	return usingAsync([partial], async () => {
		compute.run(statsOp, [a, b ?? a], [partial], { area, channels: a.channels, difference: b !== undefined });
		const numbers = new Float32Array(await compute.readback(partial));
		return Array.from({ length: a.channels }, (_, c) => combine(numbers, c, chunks, area));
	});
}

/** Peak signal-to-noise ratio of two pictures in dB over all channels; Infinity when equal. */
export async function psnr(compute: Compute, a: Picture, b: Picture): Promise<number> {
	const channels = await stats(compute, a, b);
	const mse = channels.reduce((sum, c) => sum + c.meanSquare, 0) / channels.length;
	return mse === 0 ? Infinity : -10 * Math.log10(mse);
}
