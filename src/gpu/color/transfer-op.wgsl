// Applies a transfer function to every value. Follows transfer.wgsl.

struct Params {
	count: u32,
	width: u32,
	id: u32,
	inverse: u32,
	black: f32,
	white: f32,
	density: f32,
	gamma: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.width + id.x;
	if (i >= params.count) {
		return;
	}
	let cineon = vec4f(params.black, params.white, params.density, params.gamma);
	if (params.inverse == 1u) {
		output[i] = fromLinear(params.id, input[i], cineon);
	} else {
		output[i] = toLinear(params.id, input[i], cineon);
	}
}
