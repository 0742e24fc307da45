// Adds one motion-compensated neighbor to a running weighted sum. Twin: fuse.ts.

struct Params {
	width: u32,
	height: u32,
	// σ² of the noise, summed over the three channels
	noise: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
@group(0) @binding(2) var<storage, read> neighbor: array<f32>;
@group(0) @binding(3) var<storage, read> confidence: array<f32>;
@group(0) @binding(4) var<storage, read> before: array<f32>;
@group(0) @binding(5) var<storage, read_write> after: array<f32>;

const RADIUS: i32 = 6;
const STEP: i32 = 2;

fn weight(x: i32, y: i32, pixel: u32) -> f32 {
	let area = params.width * params.height;
	let last = vec2i(i32(params.width), i32(params.height)) - 1;
	var sum = 0.0;
	for (var j = -RADIUS; j <= RADIUS; j += STEP) {
		let row = u32(clamp(y + j, 0, last.y)) * params.width;
		for (var i = -RADIUS; i <= RADIUS; i += STEP) {
			let p = row + u32(clamp(x + i, 0, last.x));
			for (var c = 0u; c < 3u; c++) {
				let d = frame[c * area + p] - neighbor[c * area + p];
				sum += d * d;
			}
		}
	}
	let side = f32(2 * RADIUS / STEP + 1);
	let ratio = sum / (side * side) / max(2.0 * params.noise, 1e-12);
	let alike = clamp((3.0 - ratio) / 0.8, 0.0, 1.0);
	let fresh = clamp((ratio - 0.1) / 0.2, 0.0, 1.0);
	return alike * fresh * confidence[pixel];
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let area = params.width * params.height;
	let pixel = id.y * params.width + id.x;
	let w = weight(i32(id.x), i32(id.y), pixel);
	for (var c = 0u; c < 3u; c++) {
		after[c * area + pixel] = before[c * area + pixel] + w * neighbor[c * area + pixel];
	}
	after[3u * area + pixel] = before[3u * area + pixel] + w;
	after[4u * area + pixel] = before[4u * area + pixel] + w * w;
}
