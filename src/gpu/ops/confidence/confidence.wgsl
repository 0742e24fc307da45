// Forward-backward check of two flows. Twin: op.ts.

struct Params {
	width: u32,
	height: u32,
	absolute: f32,
	relative: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> forward: array<f32>;
@group(0) @binding(2) var<storage, read> backward: array<f32>;
@group(0) @binding(3) var<storage, read_write> confidence: array<f32>;

fn fetch(x: i32, y: i32) -> vec2f {
	let i = u32(clamp(y, 0, i32(params.height) - 1)) * params.width + u32(clamp(x, 0, i32(params.width) - 1));
	return vec2f(backward[i], backward[params.width * params.height + i]);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let pixel = id.y * params.width + id.x;
	let size = vec2f(f32(params.width), f32(params.height));
	let flow = vec2f(forward[pixel], forward[params.width * params.height + pixel]);
	let shift = clamp(flow, -2.0 * size, 2.0 * size);
	let whole = floor(shift);
	let base = vec2i(id.xy) + vec2i(whole);
	let t = shift - whole;
	let back = mix(
		mix(fetch(base.x, base.y), fetch(base.x + 1, base.y), t.x),
		mix(fetch(base.x, base.y + 1), fetch(base.x + 1, base.y + 1), t.x),
		t.y,
	);
	let miss = flow + back;
	let allowed = params.absolute + params.relative * (dot(flow, flow) + dot(back, back));
	let place = vec2f(id.xy) + flow;
	let outside = any(place < vec2f(-0.5)) || any(place > size - 0.5);
	confidence[pixel] = select(exp(-dot(miss, miss) / allowed), 0.0, outside);
}
