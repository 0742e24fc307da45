// Takes a line's light back where it let the film's through, and puts what the sides suggest where it did not. Twin: gpu.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	bright: f32,
	dark: f32,
	opaque: f32,
	span: f32,
	// rows that the sums are means of
	rows: f32,
	doubt: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
@group(0) @binding(2) var<storage, read> bridged: array<f32>;
@group(0) @binding(3) var<storage, read> sign: array<f32>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
@group(0) @binding(5) var<storage, read_write> healed: array<f32>;
@group(0) @binding(6) var<storage, read_write> share: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	let area = params.area;
	if (i >= area) {
		return;
	}
	let fitted = sums[i] / (sums[area + i] + 1e-4);
	let witnesses = max(sums[3u * area + i] * params.rows, 1.0);
	let variance = max(sums[2u * area + i] - fitted * sums[i], 0.0) / (sums[area + i] + 1e-4) / witnesses;
	let hides = clamp(fitted * max(1.0 - params.doubt * variance / (fitted * fitted + 1e-9), 0.0), 0.0, 1.0);
	let own = clamp((params.opaque - hides) / params.span, 0.0, 1.0);
	let light = select(params.dark, params.bright, sign[i] > 0.0);
	for (var c = 0u; c < 3u; c++) {
		let at = c * area + i;
		let wanted = (frame[at] - hides * light) / max(1.0 - hides, 0.1);
		// Film is no darker than black and no brighter than white, unless the frame was.
		let below = select(min(wanted, max(frame[at], 1.0)), max(wanted, min(frame[at], 0.0)), sign[i] > 0.0);
		healed[at] = select(own * below + (1.0 - own) * bridged[at], frame[at], sign[i] == 0.0);
	}
	share[i] = select(1.0 - own, 0.0, sign[i] == 0.0);
}
