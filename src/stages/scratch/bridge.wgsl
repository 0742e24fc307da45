// What the nearest sound pixels of a row suggest for a line, and what its opacity is fitted from. Twin: gpu.ts.

struct Params {
	width: u32,
	height: u32,
	reach: i32,
	bright: f32,
	dark: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> frame: array<f32>;
@group(0) @binding(2) var<storage, read> sign: array<f32>;
@group(0) @binding(3) var<storage, read_write> bridged: array<f32>;
// four planes: (frame − bridged)·(line − bridged), (line − bridged)² and (frame − bridged)², summed over the channels; 1 on a line
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
	if (id.x >= params.width || id.y >= params.height) {
		return;
	}
	let area = params.width * params.height;
	let row = id.y * params.width;
	let i = row + id.x;
	let own = vec3f(frame[i], frame[area + i], frame[2u * area + i]);
	var value = own;
	var hidden = 0.0;
	var could = 0.0;
	var differs = 0.0;
	if (sign[i] != 0.0) {
		let x = i32(id.x);
		var left = 1;
		while (left <= params.reach && x - left >= 0 && sign[row + u32(x - left)] != 0.0) {
			left++;
		}
		var right = 1;
		while (right <= params.reach && x + right < i32(params.width) && sign[row + u32(x + right)] != 0.0) {
			right++;
		}
		let hasLeft = left <= params.reach && x - left >= 0;
		let hasRight = right <= params.reach && x + right < i32(params.width);
		let l = row + u32(max(x - left, 0));
		let r = row + u32(min(x + right, i32(params.width) - 1));
		let a = vec3f(frame[l], frame[area + l], frame[2u * area + l]);
		let b = vec3f(frame[r], frame[area + r], frame[2u * area + r]);
		if (hasLeft && hasRight) {
			value = a + (b - a) * (f32(left) / f32(left + right));
		} else if (hasLeft) {
			value = a;
		} else if (hasRight) {
			value = b;
		}
		let away = vec3f(select(params.dark, params.bright, sign[i] > 0.0)) - value;
		hidden = dot(own - value, away);
		differs = dot(own - value, own - value);
		could = dot(away, away);
	}
	bridged[i] = value.x;
	bridged[area + i] = value.y;
	bridged[2u * area + i] = value.z;
	sums[i] = hidden;
	sums[area + i] = could;
	sums[2u * area + i] = differs;
	sums[3u * area + i] = select(0.0, 1.0, sign[i] != 0.0);
}
