// Transfer functions: the twin of transfer.ts (same ids, same constants). Prepended to kernels that need light.

fn decodePositive(id: u32, v: f32) -> f32 {
	switch id {
		case 1u: {
			return select(pow((v + 0.099296827) / 1.099296827, 1.0 / 0.45), v / 4.5, v < 0.081242858);
		}
		case 2u: {
			return pow(v, 2.2);
		}
		case 3u: {
			return pow(v, 2.8);
		}
		case 4u: {
			return select(pow((v + 0.1115721) / 1.1115721, 1.0 / 0.45), v / 4.0, v < 0.0912863);
		}
		case 5u: {
			return select(pow((v + 0.055) / 1.055, 2.4), v / 12.92, v < 0.0404482);
		}
		case 6u: {
			let p = pow(min(v, 1.2), 32.0 / 2523.0);
			return pow(max(p - 3424.0 / 4096.0, 0.0) / (2413.0 / 128.0 - 2392.0 / 128.0 * p), 16384.0 / 2610.0);
		}
		case 7u: {
			return select((exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12.0, v * v / 3.0, v <= 0.5);
		}
		default: {
			return v;
		}
	}
}

fn encodePositive(id: u32, l: f32) -> f32 {
	switch id {
		case 1u: {
			return select(1.099296827 * pow(l, 0.45) - 0.099296827, l * 4.5, l < 0.018053968);
		}
		case 2u: {
			return pow(l, 1.0 / 2.2);
		}
		case 3u: {
			return pow(l, 1.0 / 2.8);
		}
		case 4u: {
			return select(1.1115721 * pow(l, 0.45) - 0.1115721, l * 4.0, l < 0.0228216);
		}
		case 5u: {
			return select(1.055 * pow(l, 1.0 / 2.4) - 0.055, l * 12.92, l < 0.0031306684);
		}
		case 6u: {
			let p = pow(l, 2610.0 / 16384.0);
			return pow((3424.0 / 4096.0 + 2413.0 / 128.0 * p) / (1.0 + 2392.0 / 128.0 * p), 2523.0 / 32.0);
		}
		case 7u: {
			// The branch not taken must not see the logarithm of a negative number.
			let high = 0.17883277 * log(max(12.0 * l - 0.28466892, 1e-6)) + 0.55991073;
			return select(high, sqrt(3.0 * l), l <= 1.0 / 12.0);
		}
		default: {
			return l;
		}
	}
}

// cineon: black code, white code, density a code, gamma.
fn logBlack(cineon: vec4f) -> f32 {
	return exp2((cineon.x - cineon.y) * cineon.z / cineon.w * 3.3219281);
}

fn toLinear(id: u32, v: f32, cineon: vec4f) -> f32 {
	if (id == 8u) {
		let black = logBlack(cineon);
		return (exp2((v * 1023.0 - cineon.y) * cineon.z / cineon.w * 3.3219281) - black) / (1.0 - black);
	}
	return sign(v) * decodePositive(id, abs(v));
}

fn fromLinear(id: u32, l: f32, cineon: vec4f) -> f32 {
	if (id == 8u) {
		let black = logBlack(cineon);
		let light = max(l * (1.0 - black) + black, 1e-6);
		return (cineon.y + log2(light) * 0.30103 * cineon.w / cineon.z) / 1023.0;
	}
	return sign(l) * encodePositive(id, abs(l));
}
