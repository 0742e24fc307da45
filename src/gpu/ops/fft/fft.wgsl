// Fourier transform of lines of a power of two, along rows or columns: Stockham's, radix 2, in workgroup memory. Twin: op.ts.

struct Params {
	width: u32,
	height: u32,
	// values a line, and lines that fit the workgroup's memory
	length: u32,
	lines: u32,
	// 0: rows, 1: columns
	axis: u32,
	// 1 forward, -1 inverse
	sign: f32,
	scale: f32,
}

const SIZE = 2048u;
const THREADS = 256u;
const EACH = 4u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
// exp(-2πik ÷ length) for k < length ÷ 2
@group(0) @binding(2) var<storage, read> twiddles: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

var<workgroup> values: array<vec2f, SIZE>;

fn times(a: vec2f, b: vec2f) -> vec2f {
	return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// Pixel of value `at` of line `line`.
fn place(line: u32, at: u32) -> u32 {
	return select(line * params.width + at, at * params.width + line, params.axis == 1u);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
	let area = params.width * params.height;
	let count = select(params.height, params.width, params.axis == 1u);
	let real = group.y * 2u * area;
	let first = group.x * params.lines;
	let used = params.lines * params.length;
	for (var e = local.x; e < used; e += THREADS) {
		// Neighboring threads read neighboring pixels.
		let line = select(e / params.length, e % params.lines, params.axis == 1u);
		let at = select(e % params.length, e / params.lines, params.axis == 1u);
		if (first + line < count) {
			let p = real + place(first + line, at);
			values[line * params.length + at] = vec2f(input[p], input[p + area]);
		}
	}
	let half = params.length / 2u;
	let butterflies = params.lines * half;
	for (var span = 1u; span < params.length; span *= 2u) {
		var sums: array<vec2f, 4>;
		var differences: array<vec2f, 4>;
		workgroupBarrier();
		for (var k = 0u; k < EACH; k++) {
			let b = local.x + k * THREADS;
			if (b < butterflies) {
				let j = b % half;
				let start = (b / half) * params.length;
				let twiddle = twiddles[(j % span) * (half / span)] * vec2f(1.0, params.sign);
				let high = times(values[start + j + half], twiddle);
				sums[k] = values[start + j] + high;
				differences[k] = values[start + j] - high;
			}
		}
		workgroupBarrier();
		for (var k = 0u; k < EACH; k++) {
			let b = local.x + k * THREADS;
			if (b < butterflies) {
				let j = b % half;
				let target_ = (b / half) * params.length + (j / span) * 2u * span + j % span;
				values[target_] = sums[k];
				values[target_ + span] = differences[k];
			}
		}
	}
	workgroupBarrier();
	for (var e = local.x; e < used; e += THREADS) {
		let line = select(e / params.length, e % params.lines, params.axis == 1u);
		let at = select(e % params.length, e / params.lines, params.axis == 1u);
		if (first + line < count) {
			let p = real + place(first + line, at);
			let value = params.scale * values[line * params.length + at];
			output[p] = value.x;
			output[p + area] = value.y;
		}
	}
}
