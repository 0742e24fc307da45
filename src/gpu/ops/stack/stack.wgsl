// The planes of one picture, then those of another. Twin: op.ts.

struct Params {
	count: u32,
	lineWidth: u32,
	first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i >= params.count) {
		return;
	}
	if (i < params.first) {
		output[i] = a[i];
	} else {
		output[i] = b[i - params.first];
	}
}
