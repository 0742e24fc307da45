/** Provenance of a stage that acts in a region: the stage's where the matte reaches, the input's elsewhere. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { lineGroups, produce, u32 } from '../../gpu/op.ts';

const GROUP = 64;

/** Inputs: before, after, a matte; output: after where the matte is above 0. */
export const withinOp: Op<{ readonly area: number }> = {
	id: 'pipeline/within-region',
	wgsl: `
struct Params { area: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> after: array<f32>;
@group(0) @binding(3) var<storage, read> matte: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
	let i = id.y * groups.x * ${GROUP}u + id.x;
	if (i >= params.area) { return; }
	output[i] = select(before[i], after[i], matte[i] > 0.0);
}`,
	uniforms: ({ area }) => [u32(area)],
	dispatch: ({ area }) => lineGroups(area, GROUP),
	cpu([before, after, matte], [output], { area }) {
		if (!before || !after || !matte || !output) return;
		for (let i = 0; i < area; i++) output[i] = matte[i]! > 0 ? after[i]! : before[i]!;
	},
};

/** `after` where the matte is above 0, `before` elsewhere; all of one channel and one size, all borrowed. The caller owns the result. */
export function withinRegion(compute: Compute, before: Picture, after: Picture, matte: Picture): Picture {
	return produce(compute, after.width, after.height, 1, (output) => {
		compute.run(withinOp, [before, after, matte], [output], { area: after.width * after.height });
	});
}
