// Means along columns, edges repeated. Twin: gpu.ts.

struct Params {
	width: u32,
	height: u32,
	channels: u32,
	rows: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height || id.z >= params.channels) {
		return;
	}
	let plane = id.z * params.width * params.height;
	let last = i32(params.height) - 1;
	var sum = 0.0;
	for (var j = -params.rows; j <= params.rows; j++) {
		sum += input[plane + u32(clamp(i32(id.y) + j, 0, last)) * params.width + id.x];
	}
	output[plane + id.y * params.width + id.x] = sum / f32(2 * params.rows + 1);
}
