// Packed planes of any depth and chroma layout -> planar R'G'B' in float32. Twin: planes-to-rgb.ts.

struct Params {
	width: u32,
	height: u32,
	chromaWidth: u32,
	chromaHeight: u32,
	offset1: u32,
	offset2: u32,
	// 0: u8, 1: u16, 2: f32
	sample: u32,
	// 1: gray, 3: three planes
	planes: u32,
	factorX: u32,
	cositedX: u32,
	factorY: u32,
	cositedY: u32,
	// rgb = m * (code - zero); m holds the spans
	m0: f32, m1: f32, m2: f32,
	m3: f32, m4: f32, m5: f32,
	m6: f32, m7: f32, m8: f32,
	zero0: f32, zero1: f32, zero2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> planes: array<u32>;
@group(0) @binding(2) var<storage, read_write> rgb: array<f32>;

// Sample `index` of the packed frame; planes need not start on a word.
fn sampleAt(index: u32) -> f32 {
	if (params.sample == 0u) {
		return f32((planes[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu);
	}
	if (params.sample == 1u) {
		return f32((planes[index >> 1u] >> ((index & 1u) * 16u)) & 0xffffu);
	}
	return bitcast<f32>(planes[index]);
}

// Weights of four samples around a pixel, the first for sample floor(pixel / factor) - 1: see siting.ts.
fn taps(pixel: u32, size: u32, factor: u32, cosited: u32) -> vec4f {
	if (factor == 1u) {
		return vec4f(0.0, 1.0, 0.0, 0.0);
	}
	let start = (pixel / factor) * factor;
	let phase = f32(pixel - start);
	if (cosited == 1u) {
		let t = phase / f32(factor);
		let t2 = t * t;
		let t3 = t2 * t;
		return vec4f(
			-0.5 * t3 + t2 - 0.5 * t,
			1.5 * t3 - 2.5 * t2 + 1.0,
			-1.5 * t3 + 2.0 * t2 + 0.5 * t,
			0.5 * t3 - 0.5 * t2,
		);
	}
	let pixels = f32(min(factor, size - start));
	let offset = (phase - (pixels - 1.0) / 2.0) / f32(factor) / 2.0;
	return vec4f(-offset, 1.0, offset, 0.0);
}

fn chroma(plane: u32, x: u32, y: u32) -> f32 {
	if (params.factorX == 1u && params.factorY == 1u) {
		return sampleAt(plane + y * params.width + x);
	}
	let wx = taps(x, params.width, params.factorX, params.cositedX);
	let wy = taps(y, params.height, params.factorY, params.cositedY);
	let sx = i32(x / params.factorX) - 1;
	let sy = i32(y / params.factorY) - 1;
	var sum = 0.0;
	for (var j = 0; j < 4; j++) {
		if (wy[j] == 0.0) {
			continue;
		}
		let row = plane + u32(clamp(sy + j, 0, i32(params.chromaHeight) - 1)) * params.chromaWidth;
		var line = 0.0;
		for (var i = 0; i < 4; i++) {
			line += wx[i] * sampleAt(row + u32(clamp(sx + i, 0, i32(params.chromaWidth) - 1)));
		}
		sum += wy[j] * line;
	}
	return sum;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let pixel = id.y * params.width + id.x;
	let area = params.width * params.height;
	let a = sampleAt(pixel) - params.zero0;
	var b = 0.0;
	var c = 0.0;
	if (params.planes == 3u) {
		b = chroma(params.offset1, id.x, id.y) - params.zero1;
		c = chroma(params.offset2, id.x, id.y) - params.zero2;
	}
	rgb[pixel] = params.m0 * a + params.m1 * b + params.m2 * c;
	rgb[area + pixel] = params.m3 * a + params.m4 * b + params.m5 * c;
	rgb[2u * area + pixel] = params.m6 * a + params.m7 * b + params.m8 * c;
}
