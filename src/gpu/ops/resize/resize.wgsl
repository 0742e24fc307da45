// Triangle filter in both directions: bilinear going up, antialiased going down. Twin: op.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	width: u32,
	height: u32,
	gain0: f32,
	gain1: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let scale = vec2f(f32(params.inWidth) / f32(params.width), f32(params.inHeight) / f32(params.height));
	let center = (vec2f(id.xy) + 0.5) * scale - 0.5;
	let support = max(scale, vec2f(1.0));
	let lo = vec2i(ceil(center - support));
	let hi = vec2i(floor(center + support));
	let last = vec2i(i32(params.inWidth), i32(params.inHeight)) - 1;
	var sum = 0.0;
	var total = 0.0;
	for (var y = lo.y; y <= hi.y; y++) {
		let wy = max(0.0, 1.0 - abs(f32(y) - center.y) / support.y);
		let row = (id.z * params.inHeight + u32(clamp(y, 0, last.y))) * params.inWidth;
		for (var x = lo.x; x <= hi.x; x++) {
			let w = wy * max(0.0, 1.0 - abs(f32(x) - center.x) / support.x);
			sum += w * input[row + u32(clamp(x, 0, last.x))];
			total += w;
		}
	}
	let gain = select(select(1.0, params.gain1, id.z == 1u), params.gain0, id.z == 0u);
	output[(id.z * params.height + id.y) * params.width + id.x] = sum / total * gain;
}
