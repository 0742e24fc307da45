// Source, result or a wipe of both on the canvas. Follows transfer.wgsl. Twin: cpu-viewer.ts.

struct Side {
	width: u32,
	height: u32,
	channels: u32,
	samples: u32,
	originX: f32,
	originY: f32,
	// Columns and rows of the picture a canvas pixel to the right and a canvas pixel down.
	column: vec2f,
	row: vec2f,
	pad0: f32,
	pad1: f32,
}

struct Params {
	source: Side,
	result: Side,
	// Canvas column left of which the source shows; divider drawn when 1.
	wipe: f32,
	divider: u32,
	convert: u32,
	curve: u32,
	gain: f32,
	provenance: u32,
	pad0: u32,
	pad1: u32,
	cineon: vec4f,
	repaired: vec4f,
	generated: vec4f,
	surround: vec4f,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> result: array<f32>;
@group(0) @binding(3) var<storage, read> provenance: array<f32>;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
	// One triangle that covers the canvas.
	return vec4f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn fetch(fromSource: bool, side: Side, x: u32, y: u32) -> vec3f {
	let i = y * side.width + x;
	let area = select(0u, side.width * side.height, side.channels > 1u);
	if (fromSource) {
		return vec3f(source[i], source[i + area], source[i + 2u * area]);
	}
	return vec3f(result[i], result[i + area], result[i + 2u * area]);
}

fn display(rgb: vec3f) -> vec3f {
	if (params.convert == 0u) {
		return rgb;
	}
	return vec3f(
		fromLinear(5u, toLinear(params.curve, rgb.x, params.cineon) * params.gain, params.cineon),
		fromLinear(5u, toLinear(params.curve, rgb.y, params.cineon) * params.gain, params.cineon),
		fromLinear(5u, toLinear(params.curve, rgb.z, params.cineon) * params.gain, params.cineon),
	);
}

fn tinted(rgb: vec3f, i: u32) -> vec3f {
	let kind = provenance[i];
	if (kind >= 1.5) {
		return mix(rgb, params.generated.xyz, params.generated.w);
	}
	if (kind >= 0.5) {
		return mix(rgb, params.repaired.xyz, params.repaired.w);
	}
	return rgb;
}

@fragment
fn shade(@builtin(position) place: vec4f) -> @location(0) vec4f {
	let fromSource = place.x < params.wipe;
	var side = params.result;
	if (fromSource) {
		side = params.source;
	}
	if (params.divider == 1u && abs(place.x - params.wipe) < 1.0) {
		return vec4f(0.9, 0.9, 0.9, 1.0);
	}
	var sum = vec3f(0.0);
	let n = side.samples;
	for (var j = 0u; j < n; j++) {
		for (var i = 0u; i < n; i++) {
			let at = place.xy + (vec2f(f32(i), f32(j)) + 0.5) / f32(n) - 0.5;
			let x = floor(at.x * side.column.x + at.y * side.column.y + side.originX);
			let y = floor(at.x * side.row.x + at.y * side.row.y + side.originY);
			if (x < 0.0 || y < 0.0 || x >= f32(side.width) || y >= f32(side.height)) {
				sum += params.surround.xyz;
				continue;
			}
			var rgb = display(fetch(fromSource, side, u32(x), u32(y)));
			if (!fromSource && params.provenance == 1u) {
				rgb = tinted(rgb, u32(y) * side.width + u32(x));
			}
			sum += clamp(rgb, vec3f(0.0), vec3f(1.0));
		}
	}
	return vec4f(sum / f32(n * n), 1.0);
}
