// Sampling positions -1...1, first to last pixel center: channel 0 is x, channel 1 is y. Twin: op.ts.

struct Params {
	width: u32,
	height: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let i = id.y * params.width + id.x;
	output[i] = -1.0 + 2.0 * f32(id.x) / f32(params.width - 1u);
	output[params.width * params.height + i] = -1.0 + 2.0 * f32(id.y) / f32(params.height - 1u);
}
