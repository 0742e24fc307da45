// a * (1 - t m) + b * t m, m being a one-channel mask. Twin: op.ts.

struct Params {
	count: u32,
	lineWidth: u32,
	amount: f32,
	area: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i < params.count) {
		let t = params.amount * mask[i % params.area];
		output[i] = a[i] * (1.0 - t) + b[i] * t;
	}
}
