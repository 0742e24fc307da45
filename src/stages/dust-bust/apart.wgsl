// How far two pictures differ, the mean over the channels. Twin: unrest.ts.

struct Params {
	area: u32,
	lineWidth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> early: array<f32>;
@group(0) @binding(2) var<storage, read> late: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i >= params.area) {
		return;
	}
	var sum = 0.0;
	for (var c = 0u; c < 3u; c++) {
		sum += abs(early[c * params.area + i] - late[c * params.area + i]);
	}
	output[i] = sum / 3.0;
}
