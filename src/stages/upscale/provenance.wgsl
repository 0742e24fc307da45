// A provenance plane at another size, nowhere below a level. Twin: provenance.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	width: u32,
	height: u32,
	level: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let x = (2u * id.x + 1u) * params.inWidth / (2u * params.width);
	let y = (2u * id.y + 1u) * params.inHeight / (2u * params.height);
	output[id.y * params.width + id.x] = max(input[y * params.inWidth + x], params.level);
}
