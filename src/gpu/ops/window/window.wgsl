// A window of a picture: crop, pad with repeated edges, pick channels. Twin: op.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	width: u32,
	height: u32,
	x: i32,
	y: i32,
	firstChannel: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let x = u32(clamp(i32(id.x) + params.x, 0, i32(params.inWidth) - 1));
	let y = u32(clamp(i32(id.y) + params.y, 0, i32(params.inHeight) - 1));
	let source = ((id.z + params.firstChannel) * params.inHeight + y) * params.inWidth + x;
	output[(id.z * params.height + id.y) * params.width + id.x] = input[source];
}
