// R'G'B' (and horizontally reduced chroma) -> packed planes, quantized and dithered. One thread writes one word.
// Twin: rgb-to-planes.ts.

struct Params {
	width: u32,
	height: u32,
	chromaWidth: u32,
	chromaHeight: u32,
	offset1: u32,
	offset2: u32,
	// First sample of the alpha plane, or of what lies behind the last plane.
	offset3: u32,
	// Samples in all.
	end: u32,
	sample: u32,
	planes: u32,
	// 1 when chroma comes from the second input.
	reduced: u32,
	factorY: u32,
	cositedY: u32,
	words: u32,
	lineWidth: u32,
	seed: u32,
	dither: f32,
	maxCode: f32,
	m0: f32, m1: f32, m2: f32,
	m3: f32, m4: f32, m5: f32,
	m6: f32, m7: f32, m8: f32,
	zero0: f32, zero1: f32, zero2: f32,
	span0: f32, span1: f32, span2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rgb: array<f32>;
@group(0) @binding(2) var<storage, read> chroma: array<f32>;
@group(0) @binding(3) var<storage, read_write> packed: array<u32>;

fn noise(x: u32, y: u32, plane: u32) -> f32 {
	var h = (x * 0x9e3779b1u) ^ (y * 0x85ebca77u) ^ (plane * 0xc2b2ae3du) ^ (params.seed * 0x27d4eb2fu);
	h = (h ^ (h >> 15u)) * 0x2c1b3c6du;
	h = (h ^ (h >> 12u)) * 0x297a2d39u;
	h = h ^ (h >> 15u);
	return (f32(h >> 8u) / 16777216.0 - 0.5) * 2.0 * params.dither;
}

fn column(plane: u32, x: u32, y: i32) -> f32 {
	let row = u32(clamp(y, 0, i32(params.height) - 1));
	return chroma[((plane - 1u) * params.height + row) * params.chromaWidth + x];
}

fn keptRow(plane: u32, x: u32, sample: i32) -> f32 {
	return column(plane, x, clamp(sample, 0, i32(params.chromaHeight) - 1) * i32(params.factorY));
}

// Chroma brought down vertically: see siting.ts.
fn reducedChroma(plane: u32, x: u32, y: u32) -> f32 {
	let factor = i32(params.factorY);
	let start = i32(y) * factor;
	let height = i32(params.height);
	var sum = column(plane, x, start);
	if (params.cositedY == 0u) {
		let pixels = min(factor, height - start);
		for (var k = 1; k < pixels; k++) {
			sum += column(plane, x, start + k);
		}
		return sum / f32(pixels);
	}
	for (var k = 1 - factor; k < factor; k++) {
		let pixel = start + k;
		if (k == 0 || pixel < 0 || pixel >= height) {
			continue;
		}
		let above = select(i32(y), i32(y) - 1, k < 0);
		let t = f32(pixel - above * factor) / f32(factor);
		let t2 = t * t;
		let t3 = t2 * t;
		let predicted = (-0.5 * t3 + t2 - 0.5 * t) * keptRow(plane, x, above - 1)
			+ (1.5 * t3 - 2.5 * t2 + 1.0) * keptRow(plane, x, above)
			+ (-1.5 * t3 + 2.0 * t2 + 0.5 * t) * keptRow(plane, x, above + 1)
			+ (0.5 * t3 - 0.5 * t2) * keptRow(plane, x, above + 2);
		sum += f32(factor - abs(k)) / f32(factor * factor) * (column(plane, x, pixel) - predicted);
	}
	return sum;
}

fn pixelValue(plane: u32, i: u32) -> f32 {
	let area = params.width * params.height;
	let r = rgb[i];
	let g = rgb[area + i];
	let b = rgb[2u * area + i];
	switch plane {
		case 0u: {
			return params.m0 * r + params.m1 * g + params.m2 * b;
		}
		case 1u: {
			return params.m3 * r + params.m4 * g + params.m5 * b;
		}
		default: {
			return params.m6 * r + params.m7 * g + params.m8 * b;
		}
	}
}

// The code (or float) of sample `index` of the packed frame.
fn codeAt(index: u32) -> f32 {
	if (index >= params.offset3) {
		return params.maxCode;
	}
	var plane = 0u;
	var local = index;
	var width = params.width;
	if (params.planes == 3u && index >= params.offset1) {
		plane = select(1u, 2u, index >= params.offset2);
		local = index - select(params.offset1, params.offset2, plane == 2u);
		width = params.chromaWidth;
	}
	let x = local % width;
	let y = local / width;
	var value = 0.0;
	if (plane > 0u && params.reduced == 1u) {
		value = reducedChroma(plane, x, y);
	} else {
		value = pixelValue(plane, y * params.width + x);
	}
	let zero = select(select(params.zero0, params.zero1, plane == 1u), params.zero2, plane == 2u);
	let span = select(select(params.span0, params.span1, plane == 1u), params.span2, plane == 2u);
	let code = value * span + zero;
	if (params.sample == 2u) {
		return code;
	}
	return clamp(floor(code + noise(x, y, plane) + 0.5), 0.0, params.maxCode);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let word = id.y * params.lineWidth + id.x;
	if (word >= params.words) {
		return;
	}
	if (params.sample == 2u) {
		packed[word] = bitcast<u32>(codeAt(word));
		return;
	}
	let per = select(2u, 4u, params.sample == 0u);
	let bits = 32u / per;
	var result = 0u;
	for (var k = 0u; k < per; k++) {
		let index = word * per + k;
		if (index < params.end) {
			result |= u32(codeAt(index)) << (k * bits);
		}
	}
	packed[word] = result;
}
