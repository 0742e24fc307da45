// What is replaced: surely dirt, or doubtful beside what is sure, and of the wanted polarity. Twin: gpu.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	sure: f32,
	doubtful: f32,
	// -1: dark alone, 1: bright alone, 0: both
	polarity: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mask: array<f32>;
@group(0) @binding(2) var<storage, read> near: array<f32>;
@group(0) @binding(3) var<storage, read> frame: array<f32>;
@group(0) @binding(4) var<storage, read> healed: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i >= params.area) {
		return;
	}
	var above = 0.0;
	for (var c = 0u; c < 3u; c++) {
		above += frame[c * params.area + i] - healed[c * params.area + i];
	}
	let wanted = above * params.polarity >= 0.0;
	output[i] = select(0.0, 1.0, mask[i] > params.doubtful && near[i] > params.sure && wanted);
}
