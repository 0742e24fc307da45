// The weighted mean of a frame and its neighbors, and the noise that is left in it. Twin: fuse.ts.

struct Params {
	width: u32,
	height: u32,
	sigma: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> level: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let area = params.width * params.height;
	let pixel = id.y * params.width + id.x;
	let total = 1.0 + sums[3u * area + pixel];
	for (var c = 0u; c < 3u; c++) {
		mean[c * area + pixel] = (frame[c * area + pixel] + sums[c * area + pixel]) / total;
	}
	level[pixel] = params.sigma * sqrt(1.0 + sums[4u * area + pixel]) / total;
}
