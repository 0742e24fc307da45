// The mask where a pixel stands out from its cure by more than the neighbors disagree around it, and from all that lies near there, else
// 0. Twin: unrest.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	times: f32,
	// What grain alone makes of disagreement
	grain: f32,
	// Share of a pixel's difference that no shift of its cure explains
	apart: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mask: array<f32>;
@group(0) @binding(2) var<storage, read> frame: array<f32>;
@group(0) @binding(3) var<storage, read> healed: array<f32>;
@group(0) @binding(4) var<storage, read> around: array<f32>;
@group(0) @binding(5) var<storage, read> high: array<f32>;
@group(0) @binding(6) var<storage, read> low: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;

const LUMA = vec3f(0.2126, 0.7152, 0.0722);

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	if (i >= params.area) {
		return;
	}
	let area = params.area;
	let here = vec3f(frame[i], frame[area + i], frame[2u * area + i]);
	let cure = vec3f(healed[i], healed[area + i], healed[2u * area + i]);
	let difference = abs(here - cure);
	let contrast = (difference.r + difference.g + difference.b) / 3.0;
	let unrest = max(0.0, around[i] - params.grain);
	let y = dot(here, LUMA);
	let beyond = max(y - high[i], low[i] - y);
	let stands = beyond >= params.apart * abs(y - dot(cure, LUMA));
	output[i] = select(0.0, mask[i], params.times == 0.0 || (contrast >= params.times * unrest && stands));
}
