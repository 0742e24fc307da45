/** Region: outside of a matte, the input's values are put back. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { lineGroups, produce, u32 } from '../../gpu/op.ts';

const GROUP = 64;

interface BlendParams {
	/** Pixels of a plane. */
	readonly area: number;
	readonly channels: number;
}

/** Inputs: before, after, a matte; output: blended by the matte. */
export const blendOp: Op<BlendParams> = {
	id: 'pipeline/blend-region',
	wgsl: `
struct Params { area: u32, channels: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> after: array<f32>;
@group(0) @binding(3) var<storage, read> matte: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
	let i = id.y * groups.x * ${GROUP}u + id.x;
	if (i >= params.area * params.channels) { return; }
	let m = clamp(matte[i % params.area], 0.0, 1.0);
	output[i] = before[i] + (after[i] - before[i]) * m;
}`,
	uniforms: ({ area, channels }) => [u32(area), u32(channels)],
	dispatch: ({ area, channels }) => lineGroups(area * channels, GROUP),
	cpu([before, after, matte], [output], { area, channels }) {
		if (!before || !after || !matte || !output) return;
		for (let i = 0; i < area * channels; i++) {
			const m = Math.min(1, Math.max(0, matte[i % area]!));
			output[i] = before[i]! + (after[i]! - before[i]!) * m;
		}
	},
};

/**
 * `before` where the matte is 0, `after` where it is 1. All have the same size, the matte one channel; all are borrowed,
 * the caller owns the result.
 */
export function blendRegion(compute: Compute, before: Picture, after: Picture, matte: Picture): Picture {
	const { width, height, channels } = after;
	return produce(compute, width, height, channels, (output) => {
		compute.run(blendOp, [before, after, matte], [output], { area: width * height, channels });
	});
}
