// Keeps an enlarged picture near what the source shows around each pixel. Twin: limit.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	width: u32,
	height: u32,
	slack: f32,
	floorSlack: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> enlarged: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let plane = id.z * params.inWidth * params.inHeight;
	let last = vec2i(i32(params.inWidth), i32(params.inHeight)) - 1;
	// The pixel's place in the source, by integers: centers are at halves.
	let base = vec2i(
		(2 * i32(id.x) + 1) * i32(params.inWidth) - i32(params.width),
		(2 * i32(id.y) + 1) * i32(params.inHeight) - i32(params.height),
	);
	let place = vec2i(floor(vec2f(base) / (2.0 * vec2f(f32(params.width), f32(params.height))) + 1e-4));
	var low = 3.4e38;
	var high = -3.4e38;
	for (var j = -1; j <= 2; j++) {
		let row = plane + u32(clamp(place.y + j, 0, last.y)) * params.inWidth;
		for (var i = -1; i <= 2; i++) {
			let v = source[row + u32(clamp(place.x + i, 0, last.x))];
			low = min(low, v);
			high = max(high, v);
		}
	}
	let room = params.slack * (high - low) + params.floorSlack;
	let pixel = (id.z * params.height + id.y) * params.width + id.x;
	output[pixel] = clamp(enlarged[pixel], low - room, high + room);
}
