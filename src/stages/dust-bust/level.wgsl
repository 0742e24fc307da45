// Brings what heals to the level of its rim, by the near surroundings where there are any, else by the far. Twin: gpu.ts.

struct Params {
	area: u32,
	lineWidth: u32,
	share: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> healed: array<f32>;
@group(0) @binding(2) var<storage, read> near: array<f32>;
@group(0) @binding(3) var<storage, read> far: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
	let i = id.y * params.lineWidth + id.x;
	let area = params.area;
	if (i >= area) {
		return;
	}
	let weight = near[3u * area + i] + params.share * far[3u * area + i] + 1e-4;
	for (var c = 0u; c < 3u; c++) {
		let at = c * area + i;
		output[at] = healed[at] + (near[at] + params.share * far[at]) / weight;
	}
}
