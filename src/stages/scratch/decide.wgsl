// Which pixels lie on a line: near one of the columns, with evidence of its polarity. Twin: gpu.ts.

struct Params {
	width: u32,
	height: u32,
	count: u32,
	grow: i32,
	// half width of a line's corridor
	corridor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> lines: array<f32>;
// four values a line: polarity (0 bright, 1 dark), column at half height, lean from top to bottom, least evidence
@group(0) @binding(2) var<storage, read> columns: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let at = (f32(id.y) + 0.5) / f32(params.height) - 0.5;
	let row = id.y * params.width;
	let first = max(0, i32(id.x) - params.grow);
	let last = min(i32(params.width) - 1, i32(id.x) + params.grow);
	var best = 0.0;
	var sign = 0.0;
	for (var k = 0u; k < params.count; k++) {
		let dark = columns[4u * k] > 0.5;
		if (abs(f32(id.x) - columns[4u * k + 1u] - columns[4u * k + 2u] * at) > params.corridor) {
			continue;
		}
		let plane = select(0u, params.width * params.height, dark);
		var most = 0.0;
		for (var x = first; x <= last; x++) {
			most = max(most, lines[plane + row + u32(x)]);
		}
		if (most > columns[4u * k + 3u] && most > best) {
			best = most;
			sign = select(1.0, -1.0, dark);
		}
	}
	output[row + id.x] = sign;
}
