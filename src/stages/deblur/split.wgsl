// ADMM's other half: what was observed, known pixel by pixel, against what the kernel makes of the picture. Twin: ops.ts.

struct Params {
	count: u32,
	stride: u32,
	rho: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> light: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> blurred: array<f32>;
@group(0) @binding(4) var<storage, read> dual: array<f32>;
@group(0) @binding(5) var<storage, read_write> wanted: array<f32>;
@group(0) @binding(6) var<storage, read_write> newDual: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.stride + id.x;
	if (i >= params.count) {
		return;
	}
	let sum = blurred[i] + dual[i];
	let w = weights[i];
	let observed = (w * light[i] + params.rho * sum) / (w + params.rho);
	newDual[i] = sum - observed;
	wanted[i] = 2.0 * observed - sum;
}
