// A 3x3 matrix on the channels of every pixel. Twin: op.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	m0: f32, m1: f32, m2: f32,
	m3: f32, m4: f32, m5: f32,
	m6: f32, m7: f32, m8: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i >= params.area) {
		return;
	}
	let a = input[i];
	let b = input[params.area + i];
	let c = input[2u * params.area + i];
	output[i] = params.m0 * a + params.m1 * b + params.m2 * c;
	output[params.area + i] = params.m3 * a + params.m4 * b + params.m5 * c;
	output[2u * params.area + i] = params.m6 * a + params.m7 * b + params.m8 * c;
}
