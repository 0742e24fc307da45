// A canvas with a smaller picture of three channels put into it. Twin: ops.ts.

struct Params {
	width: u32,
	height: u32,
	partWidth: u32,
	partHeight: u32,
	left: u32,
	top: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> canvas: array<f32>;
@group(0) @binding(2) var<storage, read> part: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let i = (id.z * params.height + id.y) * params.width + id.x;
	var value = canvas[i];
	let x = i32(id.x) - i32(params.left);
	let y = i32(id.y) - i32(params.top);
	if (id.z < 3u && x >= 0 && y >= 0 && x < i32(params.partWidth) && y < i32(params.partHeight)) {
		value = part[(id.z * params.partHeight + u32(y)) * params.partWidth + u32(x)];
	}
	output[i] = value;
}
