// One axis of a Lanczos resampling. Twin: op.ts.

struct Params {
	inWidth: u32,
	inHeight: u32,
	width: u32,
	height: u32,
	// 0: along x, 1: along y
	axis: u32,
	lobes: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// sin(pi x) by a polynomial on -1/2...1/2: WGSL's own sin may be off by 5e-4.
fn sinPi(x: f32) -> f32 {
	let turn = round(x);
	let p = 3.14159265359 * (x - turn);
	let q = p * p;
	let s = p * (1.0 + q * (-1.6666667e-1 + q * (8.3333333e-3 + q * (-1.984127e-4 + q * (2.7557319e-6 - q * 2.5052108e-8)))));
	return select(s, -s, (i32(turn) & 1) == 1);
}

fn sinc(x: f32) -> f32 {
	if (abs(x) < 1e-5) {
		return 1.0;
	}
	return sinPi(x) / (3.14159265359 * x);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let along = params.axis == 0u;
	let source = select(params.inHeight, params.inWidth, along);
	let goal = select(params.height, params.width, along);
	let scale = f32(source) / f32(goal);
	let stretch = max(scale, 1.0);
	// The integer part is split off first: float32 would lose the phase of far pixels.
	let numerator = (2u * select(id.y, id.x, along) + 1u) * source;
	let base = i32(numerator / (2u * goal));
	let phase = f32(numerator % (2u * goal)) / f32(2u * goal) - 0.5;
	let reach = i32(ceil(params.lobes * stretch)) + 1;
	let start = select((id.z * params.inHeight) * params.inWidth + id.x, (id.z * params.inHeight + id.y) * params.inWidth, along);
	let step = select(params.inWidth, 1u, along);
	var sum = 0.0;
	var total = 0.0;
	for (var k = -reach; k <= reach; k++) {
		let d = (f32(k) - phase) / stretch;
		if (abs(d) < params.lobes) {
			let w = sinc(d) * sinc(d / params.lobes);
			sum += w * input[start + u32(clamp(base + k, 0, i32(source) - 1)) * step];
			total += w;
		}
	}
	output[(id.z * params.height + id.y) * params.width + id.x] = sum / total;
}
