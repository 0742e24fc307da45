// The mask where a pixel stands out from its cure by more than the neighbors disagree around it, else 0. Twin: unrest.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	times: f32,
	// What grain alone makes of disagreement
	grain: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mask: array<f32>;
@group(0) @binding(2) var<storage, read> frame: array<f32>;
@group(0) @binding(3) var<storage, read> healed: array<f32>;
@group(0) @binding(4) var<storage, read> around: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i >= params.area) {
		return;
	}
	var sum = 0.0;
	for (var c = 0u; c < 3u; c++) {
		sum += abs(frame[c * params.area + i] - healed[c * params.area + i]);
	}
	let unrest = max(0.0, around[i] - params.grain);
	output[i] = select(0.0, mask[i], sum / 3.0 >= params.times * unrest);
}
