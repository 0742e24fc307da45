/** Kernels of `dust-bust`: from a soft mask to what is replaced, and what replaces it at the level of its rim. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { f32, groups, i32, lineGroups, produce, sameSize, u32, using } from '../../gpu/op.ts';
import { resize } from '../../gpu/ops/resize/op.ts';
import decideWgsl from './decide.wgsl?raw';
import levelWgsl from './level.wgsl?raw';
import markWgsl from './mark.wgsl?raw';
import rimWgsl from './rim.wgsl?raw';
import softenWgsl from './soften.wgsl?raw';
import spreadWgsl from './spread.wgsl?raw';

const SIDE = 64;
const line = (area: number) => [u32(area), u32(lineGroups(area, SIDE)[0] * SIDE)] as const;

/** Parameters of {@link spreadOp}. */
export interface SpreadParams {
	readonly width: number;
	readonly height: number;
	readonly radius: number;
	readonly vertical: boolean;
	/** The largest value in the window, or the smallest. */
	readonly largest: boolean;
}

/** Input: 1 channel; output: the extreme value along a row or a column, up to `radius` pixels away. */
export const spreadOp: Op<SpreadParams> = {
	id: 'dust-bust/spread',
	wgsl: spreadWgsl,
	uniforms: ({ width, height, radius, vertical, largest }) => [
		u32(width),
		u32(height),
		i32(radius),
		u32(vertical ? 1 : 0),
		f32(largest ? 1 : -1),
	],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([input], [output], { width, height, radius, vertical, largest }) => {
		if (!input || !output) return;
		const [count, stride] = vertical ? [height, width] : [width, 1];
		const pick = largest ? Math.max : Math.min;
		for (let i = 0; i < width * height; i++) {
			const place = vertical ? Math.floor(i / width) : i % width;
			const end = i + Math.min(count - 1 - place, radius) * stride;
			let best = input[i]!;
			for (let k = i - Math.min(place, radius) * stride; k <= end; k += stride) best = pick(best, input[k]!);
			output[i] = best;
		}
	},
};

/** Parameters of {@link decideOp}. */
export interface DecideParams {
	readonly area: number;
	/** The mask's value above which a pixel is surely dirt. */
	readonly sure: number;
	/** The value above which it is, when something near is sure. */
	readonly doubtful: number;
	/** −1: what is darker than its cure; 1: what is brighter; 0: both. */
	readonly polarity: number;
}

/** Inputs: mask, the largest mask near (1 channel each), frame, healed (3); output: 1 where the pixel is replaced, else 0. */
export const decideOp: Op<DecideParams> = {
	id: 'dust-bust/decide',
	wgsl: decideWgsl,
	uniforms: ({ area, sure, doubtful, polarity }) => [...line(area), f32(sure), f32(doubtful), f32(polarity)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([mask, near, frame, healed], [output], { area, sure, doubtful, polarity }) => {
		if (!mask || !near || !frame || !healed || !output) return;
		for (let i = 0; i < area; i++) {
			let above = 0;
			for (let c = 0; c < 3; c++) above += frame[c * area + i]! - healed[c * area + i]!;
			output[i] = mask[i]! > doubtful && near[i]! > sure && above * polarity >= 0 ? 1 : 0;
		}
	},
};

/** Parameters of {@link softenOp}. */
export interface SoftenParams {
	readonly width: number;
	readonly height: number;
}

/** Input: a mask of 0 and 1; output: the same times its mean over 3×3. */
export const softenOp: Op<SoftenParams> = {
	id: 'dust-bust/soften',
	wgsl: softenWgsl,
	uniforms: ({ width, height }) => [u32(width), u32(height)],
	dispatch: ({ width, height }) => groups(width, height),
	cpu: ([mask], [output], { width, height }) => {
		if (!mask || !output) return;
		for (let y = 0, i = 0; y < height; y++) {
			for (let x = 0; x < width; x++, i++) {
				let sum = 0;
				for (let j = -1; j <= 1; j++) {
					const row = Math.min(Math.max(y + j, 0), height - 1) * width;
					for (let k = -1; k <= 1; k++) sum += mask[row + Math.min(Math.max(x + k, 0), width - 1)]!;
				}
				output[i] = (mask[i]! * sum) / 9;
			}
		}
	},
};

/** Parameters of {@link rimOp}. */
export interface RimParams {
	readonly area: number;
	/** Inverse of the squared difference (summed over the channels) at which the weight falls to 1/e. */
	readonly scale: number;
}

/** Inputs: frame, healed (3 channels), mask (1); output, 4 channels: weight × (frame − healed), weight; weight 0 in the mask. */
export const rimOp: Op<RimParams> = {
	id: 'dust-bust/rim',
	wgsl: rimWgsl,
	uniforms: ({ area, scale }) => [...line(area), f32(scale)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([frame, healed, mask], [output], { area, scale }) => {
		if (!frame || !healed || !mask || !output) return;
		for (let i = 0; i < area; i++) {
			let square = 0;
			for (let c = 0; c < 3; c++) square += (frame[c * area + i]! - healed[c * area + i]!) ** 2;
			const weight = mask[i]! > 0 ? 0 : Math.exp(-square * scale);
			for (let c = 0; c < 3; c++) output[c * area + i] = weight * (frame[c * area + i]! - healed[c * area + i]!);
			output[3 * area + i] = weight;
		}
	},
};

/** Parameters of {@link levelOp}. */
export interface LevelParams {
	readonly area: number;
	/** How much the far surroundings count beside the near. */
	readonly share: number;
}

/** Inputs: healed (3 channels), near and far means of {@link rimOp}'s output (4 each); output: healed at the rim's level. */
export const levelOp: Op<LevelParams> = {
	id: 'dust-bust/level',
	wgsl: levelWgsl,
	uniforms: ({ area, share }) => [...line(area), f32(share)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([healed, near, far], [output], { area, share }) => {
		if (!healed || !near || !far || !output) return;
		for (let i = 0; i < area; i++) {
			const weight = near[3 * area + i]! + share * far[3 * area + i]! + 1e-4;
			for (let at = i; at < 3 * area; at += area) output[at] = healed[at]! + (near[at]! + share * far[at]!) / weight;
		}
	},
};

/** Parameters of {@link markOp}. */
export interface MarkParams {
	readonly area: number;
	/** Provenance of what was replaced. */
	readonly level: number;
}

/** Inputs: provenance, mask; output: the provenance, at least `level` where the mask is above 0. */
export const markOp: Op<MarkParams> = {
	id: 'dust-bust/mark',
	wgsl: markWgsl,
	uniforms: ({ area, level }) => [...line(area), f32(level)],
	dispatch: ({ area }) => lineGroups(area, SIDE),
	cpu: ([before, mask], [output], { area, level }) => {
		if (!before || !mask || !output) return;
		for (let i = 0; i < area; i++) output[i] = Math.max(before[i]!, mask[i]! > 0 ? level : 0);
	},
};

/** The extreme value in a square window of `radius` pixels to each side. The caller owns the result. */
export function spread(compute: Compute, plane: Picture, radius: number, largest = true): Picture {
	if (radius <= 0) return plane.retain();
	const { width, height } = plane;
	const along = (input: Picture, vertical: boolean): Picture =>
		produce(compute, width, height, 1, (output) => {
			compute.run(spreadOp, [input], [output], { width, height, radius, vertical, largest });
		});
	const rows = along(plane, false);
	return using([rows], () => along(rows, true));
}

/** Reduction of the near and of the far surroundings that say how bright the rim is. */
const [NEAR, FAR] = [8, 64];
/** Far surroundings count so much beside near ones: where those are all masked, they alone do. */
const FAR_SHARE = 0.02;
/** Differences up to this and twice the noise are the exposure's; larger ones are another picture's. */
const EXPOSURE = 0.04;

/** The healed picture at the level of the frame around the mask: flicker must not show as a patch. The caller owns it. */
export function leveled(compute: Compute, frame: Picture, healed: Picture, mask: Picture, sigma: number): Picture {
	sameSize('leveled', frame, healed, mask);
	const { width, height } = frame;
	const area = width * height;
	const rim = produce(compute, width, height, 4, (output) => {
		const params = { area, scale: 1 / (3 * (EXPOSURE + 2 * sigma) ** 2) };
		compute.run(rimOp, [frame, healed, mask], [output], params);
	});
	return using([rim], () => {
		const near = mean(compute, rim, NEAR);
		return using([near], () => {
			const far = mean(compute, rim, FAR);
			return using([far], () =>
				produce(compute, width, height, 3, (output) => {
					compute.run(levelOp, [healed, near, far], [output], { area, share: FAR_SHARE });
				}),
			);
		});
	});
}

/** A picture averaged over about 2 × `factor` pixels. The caller owns it. */
export function mean(compute: Compute, picture: Picture, factor: number): Picture {
	const { width, height } = picture;
	const small = resize(
		compute,
		picture,
		Math.max(1, Math.round(width / factor)),
		Math.max(1, Math.round(height / factor)),
	);
	return using([small], () => resize(compute, small, width, height));
}
