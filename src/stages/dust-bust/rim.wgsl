// How far the frame lies from what heals it where it is sound, weighted. Twin: gpu.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
@group(0) @binding(2) var<storage, read> healed: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	let area = params.area;
	if (i >= area) {
		return;
	}
	let d = vec3f(frame[i] - healed[i], frame[area + i] - healed[area + i], frame[2u * area + i] - healed[2u * area + i]);
	let weight = select(exp(-dot(d, d) * params.scale), 0.0, mask[i] > 0.0);
	output[i] = weight * d.x;
	output[area + i] = weight * d.y;
	output[2u * area + i] = weight * d.z;
	output[3u * area + i] = weight;
}
