// The frame, dimmed, with a rail to each side of every column: of what is mended, and of what was taken for the picture's own. Twin: gpu.ts.

struct Params {
	width: u32,
	height: u32,
	count: u32,
	corridor: f32,
	thick: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
// five values a line: column at half height, lean from top to bottom, red, green, blue
@group(0) @binding(2) var<storage, read> rails: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let area = params.width * params.height;
	let i = id.y * params.width + id.x;
	let at = (f32(id.y) + 0.5) / f32(params.height) - 0.5;
	var color = 0.75 * vec3f(frame[i], frame[area + i], frame[2u * area + i]);
	for (var k = 0u; k < params.count; k++) {
		let away = abs(f32(id.x) - rails[5u * k] - rails[5u * k + 1u] * at);
		if (away > params.corridor && away <= params.corridor + params.thick) {
			color = vec3f(rails[5u * k + 2u], rails[5u * k + 3u], rails[5u * k + 4u]);
		}
	}
	output[i] = color.x;
	output[area + i] = color.y;
	output[2u * area + i] = color.z;
}
