// How far the two halves of the middle differ, and how fast things move there. Twin: gpu.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	// pixels a frame that count as half of the greatest haste
	haste: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> early: array<f32>;
@group(0) @binding(2) var<storage, read> late: array<f32>;
@group(0) @binding(3) var<storage, read> back: array<f32>;
@group(0) @binding(4) var<storage, read> forth: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	let area = params.area;
	if (i >= area) {
		return;
	}
	var apart = 0.0;
	for (var c = 0u; c < 3u; c++) {
		apart += abs(early[c * area + i] - late[c * area + i]);
	}
	let x = forth[i] - back[i];
	let y = forth[area + i] - back[area + i];
	let speed = sqrt(x * x + y * y) / 2.0;
	output[i] = clamp(apart / 3.0, 0.0, 1.0);
	output[area + i] = speed / (speed + params.haste);
}
