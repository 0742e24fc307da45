/**
 * The demo reel's pictures: two shots drawn from formulas, a street with a tram and a harbor with a boat. Linear-light RGB
 * in 0…1, evaluated at any point and time, so that the truth between two frames exists as well.
 */

/** Linear-light RGB. */
export type Rgb = readonly [number, number, number];

const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
	a[0] + (b[0] - a[0]) * t,
	a[1] + (b[1] - a[1]) * t,
	a[2] + (b[2] - a[2]) * t,
];
const clamp01 = (x: number): number => Math.min(1, Math.max(0, x));

/** 32-bit integer hash to 0…1 (after Wang). */
export function hash(n: number): number {
	let x = Math.imul(n ^ 61 ^ (n >>> 16), 9);
	x ^= x >>> 4;
	x = Math.imul(x, 0x27d4eb2d);
	return ((x ^ (x >>> 15)) >>> 0) / 4294967296;
}

/** Smooth value noise of one variable. */
function noise(x: number, seed: number): number {
	const i = Math.floor(x);
	const f = x - i;
	const s = f * f * (3 - 2 * f);
	return hash(i * 131 + seed) * (1 - s) + hash((i + 1) * 131 + seed) * s;
}

const inside = (x: number, y: number, x0: number, y0: number, x1: number, y1: number): boolean =>
	x >= x0 && x < x1 && y >= y0 && y < y1;
const disc = (x: number, y: number, cx: number, cy: number, r: number): boolean =>
	(x - cx) ** 2 + (y - cy) ** 2 < r * r;

function sky(y: number, low: Rgb, high: Rgb): Rgb {
	return mix(high, low, clamp01(y * 1.6));
}

function facade(x: number, y: number): Rgb | undefined {
	const column = Math.floor(x * 5.2);
	const top = 0.16 + 0.2 * hash(column + 7);
	if (y < top || y > 0.72) return undefined;
	const shade = 0.1 + 0.18 * hash(column + 90);
	const wall: Rgb = [shade * 1.15, shade * 0.95, shade * 0.8];
	const u = (x * 5.2 - column) * 4;
	const v = (y - top) * 14;
	const lit = hash(column * 57 + Math.floor(u) * 13 + Math.floor(v)) > 0.6;
	const window = u % 1 > 0.3 && u % 1 < 0.75 && v % 1 > 0.3 && v % 1 < 0.8 && v > 0.6;
	return window ? (lit ? [0.75, 0.55, 0.22] : [0.03, 0.035, 0.05]) : wall;
}

function tram(x: number, y: number, t: number): Rgb | undefined {
	const left = -0.62 + t * 0.62;
	const u = x - left;
	for (const axle of [0.14, 0.52]) {
		if (!disc(u, y, axle, 0.855, 0.045)) continue;
		const spoke = Math.atan2(y - 0.855, u - axle) + t * 14;
		return Math.abs(Math.sin(spoke * 3)) > 0.85 ? [0.3, 0.28, 0.25] : [0.03, 0.03, 0.03];
	}
	if (inside(u, y, 0, 0.5, 0.66, 0.84)) {
		if (y > 0.54 && y < 0.67 && (u * 9) % 1 > 0.14) return [0.62, 0.52, 0.34];
		if (y > 0.7 && y < 0.72) return [0.66, 0.5, 0.2];
		return [0.3, 0.05, 0.035];
	}
	if (inside(u, y, 0.02, 0.475, 0.64, 0.5)) return [0.1, 0.08, 0.07];
	const pole = Math.abs(u - 0.36 - (0.475 - y) * 0.25) < 0.005 && y > 0.3 && y < 0.475;
	return pole ? [0.05, 0.05, 0.05] : undefined;
}

function street(x: number, y: number, t: number): Rgb {
	if (Math.abs(x - 1.12) < 0.012 && y > 0.2) return [0.02, 0.02, 0.02];
	if (disc(x, y, 1.12, 0.2, 0.035)) return [0.95, 0.85, 0.55];
	const car = tram(x, y, t);
	if (car) return car;
	if (Math.abs(y - 0.3) < 0.003) return [0.04, 0.04, 0.04];
	if (y > 0.72) {
		if (Math.abs(y - 0.9) < 0.008 || Math.abs(y - 0.95) < 0.008) return [0.32, 0.31, 0.3];
		const stone = hash(Math.floor(x * 30 + (Math.floor(y * 40) % 2) * 0.5) * 71 + Math.floor(y * 40));
		return [0.1 + 0.06 * stone, 0.1 + 0.055 * stone, 0.1 + 0.05 * stone];
	}
	return facade(x, y) ?? sky(y, [0.75, 0.6, 0.42], [0.2, 0.3, 0.45]);
}

function boat(x: number, y: number, t: number): Rgb | undefined {
	const bob = 0.012 * Math.sin(t * 3.1);
	const u = x - (1.0 - t * 0.32);
	const v = y - bob;
	if (v > 0.56 && v < 0.66 && u > -0.22 + (v - 0.56) * 0.8 && u < 0.24 - (v - 0.56) * 1.1)
		return v < 0.585 ? [0.62, 0.58, 0.5] : [0.07, 0.05, 0.045];
	if (Math.abs(u) < 0.006 && v > 0.12 && v < 0.56) return [0.1, 0.07, 0.05];
	const height = (v - 0.14) / 0.4;
	if (height > 0 && height < 1) {
		const swell = 0.02 * Math.sin(t * 2.3 + height * 3);
		if (u > 0.015 && u < 0.015 + height * (0.2 + swell))
			return mix([0.85, 0.8, 0.68], [0.6, 0.52, 0.42], Math.sin(u * 60) * 0.25 + 0.3);
		if (u < -0.012 && u > -0.012 - height * (0.13 + swell)) return [0.72, 0.66, 0.55];
	}
	return undefined;
}

function harbor(x: number, y: number, t: number): Rgb {
	const ship = boat(x, y, t);
	if (ship) return ship;
	if (y < 0.62) {
		const hill = 0.5 - 0.09 * noise(x * 3 + 4, 5) - 0.03 * noise(x * 11, 9);
		if (y > hill) return mix([0.09, 0.12, 0.12], [0.22, 0.24, 0.24], clamp01((y - hill) * 4));
		if (disc(x, y, 0.3, 0.24, 0.085)) return [0.98, 0.86, 0.62];
		const cloud = noise(x * 4 - t * 0.25, 21) * noise(y * 16 + 3, 33);
		return mix(sky(y, [0.85, 0.62, 0.42], [0.24, 0.34, 0.52]), [0.85, 0.8, 0.75], clamp01(cloud * 1.4 - 0.35));
	}
	const depth = (y - 0.62) / 0.38;
	const wave =
		Math.sin(y * 150 - t * 5 + 2.5 * noise(x * (14 - 8 * depth) + t * 0.9, 3)) *
		(0.3 + 0.7 * noise(x * 9 - t * 0.7, Math.floor(y * 60)));
	const glint = Math.exp(-(((x - 0.3) / (0.05 + depth * 0.2)) ** 2)) * clamp01(wave) * 0.7;
	return mix([0.07, 0.13, 0.17], [0.3, 0.36, 0.38], clamp01(0.35 + wave * 0.3 + glint)).map(
		(c, i) => c + glint * ([0.6, 0.45, 0.25][i] ?? 0),
	) as unknown as Rgb;
}

/** First frame of the second shot. */
export const CUT = 14;

/**
 * The scene at a point. `x` runs from 0 to the aspect ratio, `y` from 0 (top) to 1; `time` in seconds since the shot
 * began; `shot` 0 (street) or 1 (harbor).
 */
export function scene(shot: 0 | 1, x: number, y: number, time: number): Rgb {
	return shot === 0 ? street(x, y, time) : harbor(x, y, time);
}
