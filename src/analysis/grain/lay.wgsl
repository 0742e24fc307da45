// Adds a field of unit variance, as strong as the picture's own level says. Twin: field.ts.

struct Params {
	width: u32,
	height: u32,
	levels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> picture: array<f32>;
@group(0) @binding(2) var<storage, read> field: array<f32>;
@group(0) @binding(3) var<storage, read> strengths: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let i = (id.z * params.height + id.y) * params.width + id.x;
	let value = picture[i];
	let at = clamp(value * f32(params.levels) - 0.5, 0.0, f32(params.levels - 1u));
	let low = u32(floor(at));
	let high = min(low + 1u, params.levels - 1u);
	let base = id.z * params.levels;
	let strength = mix(strengths[base + low], strengths[base + high], at - f32(low));
	output[i] = value + strength * field[i];
}
