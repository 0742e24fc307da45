// Writes a rectangle of one picture into another, fading in over `feather` pixels at the left and top. Twin: op.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	outWidth: u32,
	outHeight: u32,
	fromX: u32,
	fromY: u32,
	toX: u32,
	toY: u32,
	width: u32,
	height: u32,
	featherX: u32,
	featherY: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

fn ramp(i: u32, feather: u32) -> f32 {
	return min(1.0, (f32(i) + 0.5) / max(f32(feather), 0.5));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let source = (id.z * params.inHeight + id.y + params.fromY) * params.inWidth + id.x + params.fromX;
	let target_ = (id.z * params.outHeight + id.y + params.toY) * params.outWidth + id.x + params.toX;
	let alpha = ramp(id.x, params.featherX) * ramp(id.y, params.featherY);
	if (alpha >= 1.0) {
		output[target_] = input[source];
	} else {
		output[target_] = output[target_] * (1.0 - alpha) + input[source] * alpha;
	}
}
