/** A matte from a picture: the mean of its channels, inverted where asked, kept to 0…1. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { lineGroups, produce, u32 } from '../../gpu/op.ts';

const GROUP = 64;

interface MatteParams {
	/** Pixels of a plane. */
	readonly area: number;
	readonly inverted: 0 | 1;
}

/** Input: a 3-channel picture; output: one channel 0…1. */
export const matteOp: Op<MatteParams> = {
	id: 'pipeline/matte',
	wgsl: `
struct Params { area: u32, inverted: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
	let i = id.y * groups.x * ${GROUP}u + id.x;
	if (i >= params.area) { return; }
	let mean = clamp((input[i] + input[params.area + i] + input[2u * params.area + i]) / 3.0, 0.0, 1.0);
	output[i] = select(mean, 1.0 - mean, params.inverted == 1u);
}`,
	uniforms: ({ area, inverted }) => [u32(area), u32(inverted)],
	dispatch: ({ area }) => lineGroups(area, GROUP),
	cpu([input], [output], { area, inverted }) {
		if (!input || !output) return;
		for (let i = 0; i < area; i++) {
			const mean = Math.min(1, Math.max(0, (input[i]! + input[area + i]! + input[2 * area + i]!) / 3));
			output[i] = inverted === 1 ? 1 - mean : mean;
		}
	},
};

/** One channel 0…1 from a 3-channel picture, which is borrowed. The caller owns the result. */
export function matteOf(compute: Compute, picture: Picture, inverted: boolean): Picture {
	return produce(compute, picture.width, picture.height, 1, (output) => {
		compute.run(matteOp, [picture], [output], {
			area: picture.width * picture.height,
			inverted: inverted ? 1 : 0,
		});
	});
}
