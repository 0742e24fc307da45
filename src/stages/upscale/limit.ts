/** Keeps an enlarged picture near what the source shows around each pixel: no ringing, no exploding pixels. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { clamp, f32, groups, produce, u32 } from '../../gpu/op.ts';
import wgsl from './limit.wgsl?raw';

/** Parameters of {@link limitOp}. */
export interface LimitParams {
	readonly inWidth: number;
	readonly inHeight: number;
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** How far beyond the source's local range a value may go, as a share of that range. */
	readonly slack: number;
	/** The same as an absolute amount. */
	readonly floorSlack: number;
}

/** First of the two source pixels around an output pixel. */
function place(position: number, from: number, to: number): number {
	return Math.floor(((2 * position + 1) * from - to) / (2 * to) + 1e-4);
}

/** Inputs: source, enlarged picture; output: the enlarged picture within the range of the 4×4 source pixels around. */
export const limitOp: Op<LimitParams> = {
	id: 'upscale/limit',
	wgsl,
	uniforms: (p) => [...[p.inWidth, p.inHeight, p.width, p.height].map(u32), f32(p.slack), f32(p.floorSlack)],
	dispatch: ({ width, height, channels }) => groups(width, height, channels),
	cpu: ([source, enlarged], [output], p) => {
		if (!source || !enlarged || !output) return;
		for (let c = 0, pixel = 0; c < p.channels; c++) {
			for (let y = 0; y < p.height; y++) {
				const top = place(y, p.inHeight, p.height);
				for (let x = 0; x < p.width; x++, pixel++) {
					const left = place(x, p.inWidth, p.width);
					let [low, high] = [Infinity, -Infinity];
					for (let j = top - 1; j <= top + 2; j++) {
						const row = (c * p.inHeight + clamp(j, 0, p.inHeight - 1)) * p.inWidth;
						for (let i = left - 1; i <= left + 2; i++) {
							const v = source[row + clamp(i, 0, p.inWidth - 1)]!;
							low = Math.min(low, v);
							high = Math.max(high, v);
						}
					}
					const room = p.slack * (high - low) + p.floorSlack;
					output[pixel] = clamp(enlarged[pixel]!, low - room, high + room);
				}
			}
		}
	},
};

/** How far an enlarged picture may leave the source's local range. */
export type Room = Pick<LimitParams, 'slack' | 'floorSlack'>;

/** `enlarged` held within the local range of `source`. The caller owns the result. */
export function limit(compute: Compute, source: Picture, enlarged: Picture, room: Room): Picture {
	const { width, height, channels } = enlarged;
	return produce(compute, width, height, channels, (output) => {
		const params = { inWidth: source.width, inHeight: source.height, width, height, channels, ...room };
		compute.run(limitOp, [source, enlarged], [output], params);
	});
}
