// Lays a picture's light on a larger canvas whose border is unknown, with the weight that each value has. Twin: ops.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	width: u32,
	height: u32,
	left: u32,
	top: u32,
	// code values between the two lights, and the least slope that counts
	delta: f32,
	least: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> light: array<f32>;
@group(0) @binding(2) var<storage, read> brighter: array<f32>;
@group(0) @binding(3) var<storage, read_write> canvas: array<f32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let target_ = (id.z * params.height + id.y) * params.width + id.x;
	if (id.z == 3u) {
		canvas[target_] = 0.0;
		weights[target_] = 0.0;
		return;
	}
	let x = i32(id.x) - i32(params.left);
	let y = i32(id.y) - i32(params.top);
	let nearX = clamp(x, 0, i32(params.inWidth) - 1);
	let nearY = clamp(y, 0, i32(params.inHeight) - 1);
	let source = (id.z * params.inHeight + u32(nearY)) * params.inWidth + u32(nearX);
	canvas[target_] = light[source];
	let slope = max((brighter[source] - light[source]) / params.delta, params.least);
	weights[target_] = select(0.0, 1.0 / (slope * slope), x == nearX && y == nearY);
}
