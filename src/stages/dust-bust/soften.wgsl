// A mask that is soft within its own outermost pixels and 0 outside. Twin: gpu.ts.

struct Params {
	width: u32,
	height: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mask: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let last = vec2i(i32(params.width), i32(params.height)) - 1;
	var sum = 0.0;
	for (var j = -1; j <= 1; j++) {
		let row = u32(clamp(i32(id.y) + j, 0, last.y)) * params.width;
		for (var k = -1; k <= 1; k++) {
			sum += mask[row + u32(clamp(i32(id.x) + k, 0, last.x))];
		}
	}
	let i = id.y * params.width + id.x;
	output[i] = mask[i] * sum / 9.0;
}
