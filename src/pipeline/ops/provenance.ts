/** Ops on provenance planes: raise, count. Each has its WGSL kernel beside its CPU twin. */

import type { Compute, Op, Picture } from '../../contracts/compute.ts';
import type { WorkingFrame } from '../../contracts/stage.ts';
import type { ProvenanceShares } from '../../core/provenance.ts';
import { filled } from '../../gpu/ops/fill/op.ts';
import { f32, lineGroups, produce, u32 } from '../../gpu/op.ts';

const GROUP = 64;
/** Groups of the counting kernel: each writes its own two partial counts, so that no atomics are needed. */
const PARTS = 256;

interface RaiseParams {
	readonly count: number;
	readonly value: number;
}

const LINE = `
fn line(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x * ${GROUP}u + id.x; }
`;

/** Input: a provenance plane; output: the same, at least `value`. */
export const raiseOp: Op<RaiseParams> = {
	id: 'pipeline/raise',
	wgsl: `
struct Params { count: u32, value: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
${LINE}
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
	let i = line(id, groups);
	if (i < params.count) { output[i] = max(input[i], params.value); }
}`,
	uniforms: ({ count, value }) => [u32(count), f32(value)],
	dispatch: ({ count }) => lineGroups(count, GROUP),
	cpu([input], [output], { count, value }) {
		if (!input || !output) return;
		for (let i = 0; i < count; i++) output[i] = Math.max(input[i]!, value);
	},
};

/** Input: a provenance plane; output: pairs of counts, repaired and generated, to be summed. */
const countOp: Op<{ readonly count: number }> = {
	id: 'pipeline/count-provenance',
	wgsl: `
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>) {
	var repaired = 0u;
	var generated = 0u;
	for (var i = group.x; i < params.count; i += ${PARTS}u) {
		if (input[i] >= 1.5) { generated += 1u; } else if (input[i] >= 0.5) { repaired += 1u; }
	}
	output[group.x * 2u] = repaired;
	output[group.x * 2u + 1u] = generated;
}`,
	uniforms: ({ count }) => [u32(count)],
	dispatch: () => [PARTS, 1, 1],
	cpu([input], [output], { count }) {
		if (!input || !output) return;
		const counts = new Uint32Array(output.buffer, output.byteOffset, PARTS * 2);
		counts.fill(0);
		for (let i = 0; i < count; i++) {
			if (input[i]! >= 1.5) counts[1]!++;
			else if (input[i]! >= 0.5) counts[0]!++;
		}
	},
};

/** A provenance plane at least `value` everywhere; `before` is borrowed. The caller owns the result. */
export function raiseProvenance(
	compute: Compute,
	size: { readonly width: number; readonly height: number },
	value: number,
	before: Picture | undefined,
): Picture {
	const { width, height } = size;
	if (!before) return filled(compute, width, height, 1, value);
	return produce(compute, width, height, 1, (output) => {
		compute.run(raiseOp, [before], [output], { count: width * height, value });
	});
}

/** What a frame's pixels are; all original where it has no provenance plane. */
export async function provenanceShares(compute: Compute, { sides }: WorkingFrame): Promise<ProvenanceShares> {
	const { provenance } = sides;
	if (!provenance) return { original: 1, repaired: 0, generated: 0 };
	const area = provenance.width * provenance.height;
	const { repaired, generated } = await countProvenance(compute, provenance);
	return { original: 1 - (repaired + generated) / area, repaired: repaired / area, generated: generated / area };
}

/** Pixels marked repaired and generated (values between them count by nearest, as resized planes have them). */
export async function countProvenance(
	compute: Compute,
	plane: Picture,
): Promise<{ readonly repaired: number; readonly generated: number }> {
	const parts = compute.block(PARTS * 2);
	try {
		compute.run(countOp, [plane], [parts], { count: plane.width * plane.height });
		const counts = new Uint32Array(await compute.readback(parts), 0, PARTS * 2);
		let repaired = 0;
		let generated = 0;
		for (let i = 0; i < PARTS; i++) {
			repaired += counts[i * 2]!;
			generated += counts[i * 2 + 1]!;
		}
		return { repaired, generated };
	} finally {
		parts.release();
	}
}
