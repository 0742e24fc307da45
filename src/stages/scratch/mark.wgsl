// Provenance: a level wherever a line was mended, never below what it was. Twin: gpu.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	level: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> sign: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i < params.area) {
		output[i] = max(before[i], select(0.0, params.level, sign[i] != 0.0));
	}
}
