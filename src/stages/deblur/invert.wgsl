// The data step in the Fourier domain: F = (ρ·K*·U + μ·Z) ÷ (ρ·|K|² + μ), and K·F. Twin: ops.ts.

struct Params {
	area: u32,
	stride: u32,
	fields: u32,
	rho: f32,
	mu: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> observed: array<f32>;
@group(0) @binding(2) var<storage, read> prior: array<f32>;
@group(0) @binding(3) var<storage, read> kernel: array<f32>;
@group(0) @binding(4) var<storage, read_write> sharp: array<f32>;
@group(0) @binding(5) var<storage, read_write> blurred: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.stride + id.x;
	if (i >= params.area * params.fields) {
		return;
	}
	let f = i % params.area;
	let re = i / params.area * 2u * params.area + f;
	let im = re + params.area;
	let k = vec2f(kernel[f], kernel[f + params.area]);
	let norm = 1.0 / (params.rho * dot(k, k) + params.mu);
	let a = norm * (params.rho * (k.x * observed[re] + k.y * observed[im]) + params.mu * prior[re]);
	let b = norm * (params.rho * (k.x * observed[im] - k.y * observed[re]) + params.mu * prior[im]);
	sharp[re] = a;
	sharp[im] = b;
	blurred[re] = k.x * a - k.y * b;
	blurred[im] = k.x * b + k.y * a;
}
