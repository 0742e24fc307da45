// The largest (or smallest) value along a row or a column around each pixel. Twin: gpu.ts.

struct Params {
	width: u32,
	height: u32,
	radius: i32,
	vertical: u32,
	// 1: largest, -1: smallest
	direction: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let last = select(params.width, params.height, params.vertical == 1u) - 1u;
	let place = select(id.x, id.y, params.vertical == 1u);
	let stride = select(1u, params.width, params.vertical == 1u);
	let start = id.y * params.width + id.x - place * stride;
	let first = u32(max(0, i32(place) - params.radius));
	let end = min(last, place + u32(params.radius));
	var best = input[start + first * stride] * params.direction;
	for (var i = first + 1u; i <= end; i++) {
		best = max(best, input[start + i * stride] * params.direction);
	}
	output[id.y * params.width + id.x] = best * params.direction;
}
