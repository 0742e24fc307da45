// Fetches each pixel from where the flow points. Twin: op.ts.

struct Params {
	width: u32,
	height: u32,
	// 0: bilinear, 1: bicubic (Catmull-Rom)
	cubic: u32,
	scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> flow: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn weights(t: f32) -> vec4f {
	if (params.cubic == 0u) {
		return vec4f(0.0, 1.0 - t, t, 0.0);
	}
	let t2 = t * t;
	let t3 = t2 * t;
	return vec4f(
		-0.5 * t3 + t2 - 0.5 * t,
		1.5 * t3 - 2.5 * t2 + 1.0,
		-1.5 * t3 + 2.0 * t2 + 0.5 * t,
		0.5 * t3 - 0.5 * t2,
	);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let area = params.width * params.height;
	let pixel = id.y * params.width + id.x;
	let size = vec2f(f32(params.width), f32(params.height));
	// Farther outside than this nothing changes; and the integer conversion stays defined.
	let shift = clamp(vec2f(flow[pixel], flow[area + pixel]) * params.scale, -2.0 * size, 2.0 * size);
	// Whole pixels are split off the vector, not off the position: float32 keeps the phase.
	let whole = floor(shift);
	let base = vec2i(id.xy) + vec2i(whole) - 1;
	let wx = weights(shift.x - whole.x);
	let wy = weights(shift.y - whole.y);
	let last = vec2i(i32(params.width), i32(params.height)) - 1;
	var sum = 0.0;
	for (var j = 0; j < 4; j++) {
		let row = id.z * area + u32(clamp(base.y + j, 0, last.y)) * params.width;
		var line = 0.0;
		for (var i = 0; i < 4; i++) {
			line += wx[i] * input[row + u32(clamp(base.x + i, 0, last.x))];
		}
		sum += wy[j] * line;
	}
	output[id.z * area + pixel] = sum;
}
