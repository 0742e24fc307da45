// How well a denoised neighbor agrees with the denoised frame. Twin: agree.ts.

struct Params {
	width: u32,
	height: u32,
	scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
@group(0) @binding(2) var<storage, read> neighbor: array<f32>;
@group(0) @binding(3) var<storage, read> confidence: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let area = params.width * params.height;
	let last = vec2i(i32(params.width), i32(params.height)) - 1;
	var sum = 0.0;
	for (var j = -2; j <= 2; j++) {
		let row = u32(clamp(i32(id.y) + j, 0, last.y)) * params.width;
		for (var i = -2; i <= 2; i++) {
			let p = row + u32(clamp(i32(id.x) + i, 0, last.x));
			for (var c = 0u; c < 3u; c++) {
				let d = frame[c * area + p] - neighbor[c * area + p];
				sum += d * d;
			}
		}
	}
	let pixel = id.y * params.width + id.x;
	output[pixel] = confidence[pixel] * exp(-sum / 75.0 * params.scale);
}
