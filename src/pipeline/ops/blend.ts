/** Region: outside of a matte, the input's values are put back. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import { lineGroups, produce, u32 } from '../../gpu/op.ts';

const GROUP = 64;

interface BlendParams {
	/** Pixels of a plane. */
	readonly area: number;
	readonly channels: number;
	/** 1: all of `after` wherever the matte is above 0. For planes whose values name something and cannot be mixed. */
	readonly hard: 0 | 1;
}

/** Inputs: before, after, a matte; output: blended by the matte. */
export const blendOp: Op<BlendParams> = {
	id: 'pipeline/blend-region',
	wgsl: `
struct Params { area: u32, channels: u32, hard: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> after: array<f32>;
@group(0) @binding(3) var<storage, read> matte: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
	let i = id.y * groups.x * ${GROUP}u + id.x;
	if (i >= params.area * params.channels) { return; }
	let soft = clamp(matte[i % params.area], 0.0, 1.0);
	let m = select(soft, select(0.0, 1.0, soft > 0.0), params.hard == 1u);
	output[i] = before[i] + (after[i] - before[i]) * m;
}`,
	uniforms: ({ area, channels, hard }) => [u32(area), u32(channels), u32(hard)],
	dispatch: ({ area, channels }) => lineGroups(area * channels, GROUP),
	cpu([before, after, matte], [output], { area, channels, hard }) {
		if (!before || !after || !matte || !output) return;
		for (let i = 0; i < area * channels; i++) {
			const soft = Math.min(1, Math.max(0, matte[i % area]!));
			const m = hard === 1 ? Math.ceil(soft) : soft;
			output[i] = before[i]! + (after[i]! - before[i]!) * m;
		}
	},
};

/**
 * `before` where the matte is 0, `after` where it is 1; between them blended, or (`hard`) all of `after`. All have the same size,
 * the matte one channel; all are borrowed, the caller owns the result.
 */
export function blendRegion(
	compute: Compute,
	before: Picture,
	after: Picture,
	matte: Picture,
	edge: 'soft' | 'hard',
): Picture {
	const { width, height, channels } = after;
	return produce(compute, width, height, channels, (output) => {
		const params = { area: width * height, channels, hard: edge === 'hard' ? 1 : 0 } as const;
		compute.run(blendOp, [before, after, matte], [output], params);
	});
}
