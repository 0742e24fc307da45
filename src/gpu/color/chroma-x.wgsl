// R'G'B' -> two chroma planes, brought down horizontally. Twin: rgb-to-planes.ts.

struct Params {
	width: u32,
	height: u32,
	chromaWidth: u32,
	factor: u32,
	cosited: u32,
	b0: f32, b1: f32, b2: f32,
	c0: f32, c1: f32, c2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rgb: array<f32>;
@group(0) @binding(2) var<storage, read_write> chroma: array<f32>;

fn value(plane: u32, x: i32, y: u32) -> f32 {
	let i = y * params.width + u32(clamp(x, 0, i32(params.width) - 1));
	let area = params.width * params.height;
	let r = rgb[i];
	let g = rgb[area + i];
	let b = rgb[2u * area + i];
	if (plane == 0u) {
		return params.b0 * r + params.b1 * g + params.b2 * b;
	}
	return params.c0 * r + params.c1 * g + params.c2 * b;
}

fn kept(plane: u32, sample: i32, y: u32) -> f32 {
	return value(plane, clamp(sample, 0, i32(params.chromaWidth) - 1) * i32(params.factor), y);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.chromaWidth || id.y >= params.height) {
		return;
	}
	let factor = i32(params.factor);
	let start = i32(id.x) * factor;
	let width = i32(params.width);
	var sum = value(id.z, start, id.y);
	if (params.cosited == 0u) {
		let pixels = min(factor, width - start);
		for (var k = 1; k < pixels; k++) {
			sum += value(id.z, start + k, id.y);
		}
		sum /= f32(pixels);
	} else {
		for (var k = 1 - factor; k < factor; k++) {
			let pixel = start + k;
			if (k == 0 || pixel < 0 || pixel >= width) {
				continue;
			}
			let left = select(i32(id.x), i32(id.x) - 1, k < 0);
			let t = f32(pixel - left * factor) / f32(factor);
			let t2 = t * t;
			let t3 = t2 * t;
			let predicted = (-0.5 * t3 + t2 - 0.5 * t) * kept(id.z, left - 1, id.y)
				+ (1.5 * t3 - 2.5 * t2 + 1.0) * kept(id.z, left, id.y)
				+ (-1.5 * t3 + 2.0 * t2 + 0.5 * t) * kept(id.z, left + 1, id.y)
				+ (0.5 * t3 - 0.5 * t2) * kept(id.z, left + 2, id.y);
			let share = f32(factor - abs(k)) / f32(factor * factor);
			sum += share * (value(id.z, pixel, id.y) - predicted);
		}
	}
	chroma[(id.z * params.height + id.y) * params.chromaWidth + id.x] = sum;
}
