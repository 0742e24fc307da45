// offset + gainA * a + gainB * b, or the magnitude of that. Twin: op.ts.

struct Params {
	count: u32,
	lineWidth: u32,
	magnitude: u32,
	gainA: f32,
	gainB: f32,
	offset: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i < params.count) {
		let v = params.offset + params.gainA * a[i] + params.gainB * b[i];
		output[i] = select(v, abs(v), params.magnitude == 1u);
	}
}
