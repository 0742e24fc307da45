// One term of a separable filter along rows, another for each channel. Twin: field.ts.

struct Params {
	width: u32,
	height: u32,
	radius: u32,
	// first tap of channel 0
	first: u32,
	// taps from one channel's to the next one's
	step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> taps: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let start = (id.z * params.height + id.y) * (params.width + 2u * params.radius) + id.x;
	let tap = params.first + id.z * params.step;
	var sum = 0.0;
	for (var k = 0u; k <= 2u * params.radius; k++) {
		sum += taps[tap + k] * input[start + k];
	}
	output[(id.z * params.height + id.y) * params.width + id.x] = sum;
}
