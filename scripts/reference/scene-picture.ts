/** Pictures of the demo reel's scenes, for tests and stored references: made of formulas, free of damage. */

import { scene } from '../demo/scene.ts';

/** Side of the grid of samples averaged for a pixel. */
const SAMPLES = 2;

/**
 * One moment of a scene as planar R′G′B′ in 0…1 (gamma 2.2), rounded to 8-bit codes.
 * @param shot 0 (street with a tram) or 1 (harbor with a boat)
 * @param time seconds since the shot began
 */
export function scenePicture(shot: 0 | 1, width: number, height: number, time: number): Float32Array<ArrayBuffer> {
	const area = width * height;
	const out = new Float32Array(3 * area);
	const sum = [0, 0, 0];
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			sum.fill(0);
			for (let k = 0; k < SAMPLES * SAMPLES; k++) {
				const u = x + ((k % SAMPLES) + 0.5) / SAMPLES;
				const v = y + (Math.floor(k / SAMPLES) + 0.5) / SAMPLES;
				scene(shot, u / height, v / height, time).forEach((light, c) => (sum[c]! += light));
			}
			sum.forEach((light, c) => {
				const code = Math.min(1, Math.max(0, light / (SAMPLES * SAMPLES))) ** (1 / 2.2);
				out[c * area + y * width + x] = Math.round(code * 255) / 255;
			});
		}
	}
	return out;
}

/** The pair of which `tests/fixtures/rife-mid.rgb8` is the middle: size and the two moments of the street. */
export const RIFE_REFERENCE = { width: 256, height: 192, times: [0.8, 0.8 + 1 / 12] } as const;
