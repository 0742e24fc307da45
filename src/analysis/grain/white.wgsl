// White noise by pixel, mixed between channels. Twin: field.ts.

struct Params {
	width: u32,
	height: u32,
	x: i32,
	y: i32,
	seed: u32,
	m0: f32, m1: f32, m2: f32, m3: f32, m4: f32, m5: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

fn hash(value: u32) -> u32 {
	var h = value;
	h ^= h >> 16u;
	h *= 0x7feb352du;
	h ^= h >> 15u;
	h *= 0x846ca68bu;
	return h ^ (h >> 16u);
}

fn bytes(word: u32) -> f32 {
	return f32((word & 255u) + ((word >> 8u) & 255u) + ((word >> 16u) & 255u) + (word >> 24u));
}

fn normal(x: u32, y: u32, layer: u32) -> f32 {
	let place = hash(hash(x) + params.seed) ^ hash(y + 0x2545f491u);
	let first = hash(place + layer * 0x9e3779b9u);
	let second = hash(first + 0x85ebca6bu);
	return (bytes(first) + bytes(second) - 1020.0) * 0.0047842;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let x = bitcast<u32>(i32(id.x) + params.x);
	let y = bitcast<u32>(i32(id.y) + params.y);
	let a = normal(x, y, 0u);
	let b = normal(x, y, 1u);
	let c = normal(x, y, 2u);
	let area = params.width * params.height;
	let i = id.y * params.width + id.x;
	output[i] = params.m0 * a;
	output[area + i] = params.m1 * a + params.m2 * b;
	output[2u * area + i] = params.m3 * a + params.m4 * b + params.m5 * c;
}
