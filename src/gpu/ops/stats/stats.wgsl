// Partial sums of a channel, or of the difference of two: one row of six numbers a workgroup. Twin: op.ts.

struct Params {
	area: u32,
	groups: u32,
	difference: u32,
}

const EACH = 16u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial_: array<f32>;

var<workgroup> sums: array<vec3f, 64>;
var<workgroup> ranges: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
	let channel = group.y * params.area;
	var sum = vec3f(0.0);
	var range = vec2f(3e38, -3e38);
	for (var k = 0u; k < EACH; k++) {
		let i = (group.x * EACH + k) * 64u + local.x;
		if (i < params.area) {
			var v = a[channel + i];
			if (params.difference == 1u) {
				v -= b[channel + i];
			}
			sum += vec3f(v, v * v, abs(v));
			range = vec2f(min(range.x, v), max(range.y, v));
		}
	}
	sums[local.x] = sum;
	ranges[local.x] = range;
	for (var stride = 32u; stride > 0u; stride >>= 1u) {
		workgroupBarrier();
		if (local.x < stride) {
			sums[local.x] += sums[local.x + stride];
			let other = ranges[local.x + stride];
			ranges[local.x] = vec2f(min(ranges[local.x].x, other.x), max(ranges[local.x].y, other.y));
		}
	}
	if (local.x == 0u) {
		let row = (group.y * params.groups + group.x) * 6u;
		partial_[row] = sums[0].x;
		partial_[row + 1u] = sums[0].y;
		partial_[row + 2u] = sums[0].z;
		partial_[row + 3u] = ranges[0].x;
		partial_[row + 4u] = ranges[0].y;
		partial_[row + 5u] = 0.0;
	}
}
