/** Deterministic dither: a hash of place and seed, the same on every backend. */

/** Half-width of the noise in code steps: below ½, so that values that lie on a code keep it. */
export const DITHER_AMPLITUDE = 0.499;

/** What column, row, plane and seed are multiplied by before they are mixed. */
export const DITHER_SCALES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;

/** White noise in ±{@link DITHER_AMPLITUDE}, rectangular: the mean of many quantized values is the value itself. */
export function ditherNoise(x: number, y: number, plane: number, seed: number): number {
	let h =
		Math.imul(x, DITHER_SCALES[0]) ^
		Math.imul(y, DITHER_SCALES[1]) ^
		Math.imul(plane, DITHER_SCALES[2]) ^
		Math.imul(seed, DITHER_SCALES[3]);
	h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
	h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
	h ^= h >>> 15;
	return ((h >>> 8) / 0x1000000 - 0.5) * 2 * DITHER_AMPLITUDE;
}
