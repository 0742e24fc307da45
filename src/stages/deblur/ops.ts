/** The kernels of the deconvolution. A canvas is a picture of four channels, R, G, B and 0: two complex fields, R + iG and B. */

import type { Op } from '../../contracts/compute.ts';
import { clamp, f32, groups, lineGroups, u32 } from '../../gpu/op.ts';
import canvasWgsl from './canvas.wgsl?raw';
import graftWgsl from './graft.wgsl?raw';
import invertWgsl from './invert.wgsl?raw';
import splitWgsl from './split.wgsl?raw';

/** Channels of a canvas. */
export const CANVAS_CHANNELS = 4;
const LINE = 64;

/** A canvas, and where a smaller picture lies in it. */
export interface Place {
	/** The canvas. */
	readonly width: number;
	readonly height: number;
	/** The picture in it. */
	readonly partWidth: number;
	readonly partHeight: number;
	readonly left: number;
	readonly top: number;
}

/** Parameters of {@link canvasOp}. */
export interface CanvasParams extends Place {
	/** Code values between the two lights. */
	readonly delta: number;
	/** Slope of light by codes below which noise is not believed to get weaker. */
	readonly least: number;
}

/**
 * Inputs: a picture's light, and the light of codes `delta` higher. Outputs: a canvas whose border repeats the picture's edge; the weight
 * of each value, 1 ÷ slope² (noise of one strength in codes is that much weaker in light), 0 where the border is made up.
 */
export const canvasOp: Op<CanvasParams> = {
	id: 'deblur/canvas',
	wgsl: canvasWgsl,
	uniforms: (p) => [
		...[p.partWidth, p.partHeight, p.width, p.height, p.left, p.top].map(u32),
		f32(p.delta),
		f32(p.least),
	],
	dispatch: ({ width, height }) => groups(width, height, CANVAS_CHANNELS),
	cpu: ([light, brighter], [canvas, weights], p) => {
		if (light === undefined || brighter === undefined || canvas === undefined || weights === undefined) return;
		const area = p.width * p.height;
		canvas.fill(0, 3 * area, 4 * area);
		weights.fill(0, 0, 4 * area);
		for (let c = 0; c < 3; c++) {
			for (let y = 0; y < p.height; y++) {
				const nearY = clamp(y - p.top, 0, p.partHeight - 1);
				for (let x = 0; x < p.width; x++) {
					const nearX = clamp(x - p.left, 0, p.partWidth - 1);
					const source = (c * p.partHeight + nearY) * p.partWidth + nearX;
					const target = c * area + y * p.width + x;
					const value = light[source] as number;
					canvas[target] = value;
					if (nearX !== x - p.left || nearY !== y - p.top) continue;
					const slope = Math.max(((brighter[source] as number) - value) / p.delta, p.least);
					weights[target] = 1 / (slope * slope);
				}
			}
		}
	},
};

/** Parameters of {@link invertOp}. */
export interface InvertParams {
	/** Values a plane. */
	readonly area: number;
	readonly fields: number;
	/** Weight of the data term, and of the prior. */
	readonly rho: number;
	readonly mu: number;
}

/**
 * Inputs: spectra of what was observed, U, and of the prior's picture, Z; the kernel's K (one field). Outputs: the least-squares answer
 * F = (ρ·K*·U + μ·Z) ÷ (ρ·|K|² + μ), and K·F.
 */
export const invertOp: Op<InvertParams> = {
	id: 'deblur/invert',
	wgsl: invertWgsl,
	uniforms: ({ area, fields, rho, mu }) => [
		...[area, lineGroups(area * fields, LINE)[0] * LINE, fields].map(u32),
		f32(rho),
		f32(mu),
	],
	dispatch: ({ area, fields }) => lineGroups(area * fields, LINE),
	cpu: ([observed, prior, kernel], [sharp, blurred], { area, fields, rho, mu }) => {
		if (observed === undefined || prior === undefined || kernel === undefined) return;
		if (sharp === undefined || blurred === undefined) return;
		for (let f = 0; f < area; f++) {
			const [kr, ki] = [kernel[f] as number, kernel[f + area] as number];
			const norm = 1 / (rho * (kr * kr + ki * ki) + mu);
			for (let field = 0; field < fields; field++) {
				const re = 2 * field * area + f;
				const im = re + area;
				const [ur, ui] = [observed[re] as number, observed[im] as number];
				const a = norm * (rho * (kr * ur + ki * ui) + mu * (prior[re] as number));
				const b = norm * (rho * (kr * ui - ki * ur) + mu * (prior[im] as number));
				sharp[re] = a;
				sharp[im] = b;
				blurred[re] = kr * a - ki * b;
				blurred[im] = kr * b + ki * a;
			}
		}
	},
};

/** Parameters of {@link splitOp}. */
export interface SplitParams {
	readonly count: number;
	readonly rho: number;
}

/**
 * ADMM's step for the masked data term, value by value. Inputs: light y, weights w, the picture through the kernel Kx, the dual d.
 * With u = (w·y + ρ·(Kx + d)) ÷ (w + ρ), outputs: u − d′, which the next inversion takes for observed, and d′ = d + Kx − u.
 */
export const splitOp: Op<SplitParams> = {
	id: 'deblur/split',
	wgsl: splitWgsl,
	uniforms: ({ count, rho }) => [u32(count), u32(lineGroups(count, LINE)[0] * LINE), f32(rho)],
	dispatch: ({ count }) => lineGroups(count, LINE),
	cpu: ([light, weights, blurred, dual], [wanted, newDual], { count, rho }) => {
		if (light === undefined || weights === undefined || blurred === undefined || dual === undefined) return;
		if (wanted === undefined || newDual === undefined) return;
		for (let i = 0; i < count; i++) {
			const sum = (blurred[i] as number) + (dual[i] as number);
			const w = weights[i] as number;
			const observed = (w * (light[i] as number) + rho * sum) / (w + rho);
			newDual[i] = sum - observed;
			wanted[i] = 2 * observed - sum;
		}
	},
};

/** Inputs: a canvas, a picture of three channels; output: the canvas with the picture in its {@link Place}. */
export const graftOp: Op<Place> = {
	id: 'deblur/graft',
	wgsl: graftWgsl,
	uniforms: (p) => [p.width, p.height, p.partWidth, p.partHeight, p.left, p.top].map(u32),
	dispatch: ({ width, height }) => groups(width, height, CANVAS_CHANNELS),
	cpu: ([canvas, part], [output], p) => {
		if (canvas === undefined || part === undefined || output === undefined) return;
		output.set(canvas.subarray(0, CANVAS_CHANNELS * p.width * p.height));
		for (let c = 0; c < 3; c++) {
			for (let y = 0; y < p.partHeight; y++) {
				const row = (c * p.partHeight + y) * p.partWidth;
				const target = (c * p.height + y + p.top) * p.width + p.left;
				output.set(part.subarray(row, row + p.partWidth), target);
			}
		}
	},
};
