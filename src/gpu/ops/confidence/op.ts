/**
 * How far a flow can be trusted: going there and back must end where it began (Sundaram, Brox, Keutzer 2010:
 * |f + b|² < 0.01 (|f|² + |b|²) + 0.5). Here softly: exp(−miss² ÷ allowed); vectors that leave the picture get 0.
 */

import type { Compute, Op, Picture } from '../../../contracts/compute.ts';
import { clamp, f32, groups, produce, sameSize, u32 } from '../../op.ts';
import wgsl from './confidence.wgsl?raw';

/** Parameters of {@link confidenceOp}. */
export interface ConfidenceParams {
	readonly width: number;
	readonly height: number;
	/** Squared pixels always allowed. */
	readonly absolute: number;
	/** Share of the squared lengths allowed on top. */
	readonly relative: number;
}

function cpuConfidence(f: Float32Array, b: Float32Array, output: Float32Array, p: ConfidenceParams): void {
	const { width, height } = p;
	const area = width * height;
	const at = (channel: number, x: number, y: number): number =>
		b[channel * area + clamp(y, 0, height - 1) * width + clamp(x, 0, width - 1)] as number;
	for (let y = 0, i = 0; y < height; y++) {
		for (let x = 0; x < width; x++, i++) {
			const fx = f[i] as number;
			const fy = f[area + i] as number;
			const dx = clamp(fx, -2 * width, 2 * width);
			const dy = clamp(fy, -2 * height, 2 * height);
			const [bx, by] = [x + Math.floor(dx), y + Math.floor(dy)];
			const [tx, ty] = [dx - Math.floor(dx), dy - Math.floor(dy)];
			const back = (c: number): number =>
				(at(c, bx, by) * (1 - tx) + at(c, bx + 1, by) * tx) * (1 - ty) +
				(at(c, bx, by + 1) * (1 - tx) + at(c, bx + 1, by + 1) * tx) * ty;
			const [ux, uy] = [back(0), back(1)];
			const miss = (fx + ux) ** 2 + (fy + uy) ** 2;
			const allowed = p.absolute + p.relative * (fx * fx + fy * fy + ux * ux + uy * uy);
			const [px, py] = [x + fx, y + fy];
			const outside = px < -0.5 || py < -0.5 || px > width - 0.5 || py > height - 0.5;
			output[i] = outside ? 0 : Math.exp(-miss / allowed);
		}
	}
}

/** Inputs: forward and backward flow (2 channels each); output: 1 channel, 0…1. */
export const confidenceOp: Op<ConfidenceParams> = {
	id: 'ops/confidence',
	wgsl,
	uniforms: (p) => [u32(p.width), u32(p.height), f32(p.absolute), f32(p.relative)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([f, b], [output], params) => {
		if (f !== undefined && b !== undefined && output !== undefined) cpuConfidence(f, b, output, params);
	},
};

/** Confidence of `forward` (a→b) by `backward` (b→a), both of one size. The caller owns the result. */
export function flowConfidence(compute: Compute, forward: Picture, backward: Picture): Picture {
	sameSize('flowConfidence', forward, backward);
	const { width, height } = forward;
	return produce(compute, width, height, 1, (output) => {
		compute.run(confidenceOp, [forward, backward], [output], { width, height, absolute: 0.5, relative: 0.01 });
	});
}
