/** Simulated film damage for the demo reel, in film order: weave and softness of the lens, grain in density, dirt and a scratch, flicker. */

import { hash } from './scene.ts';

/** Standard normal from two hashes (Box–Muller). */
function normal(n: number): number {
	return Math.sqrt(-2 * Math.log(hash(n) + 1e-9)) * Math.cos(2 * Math.PI * hash(n ^ 0x5bd1e995));
}

/** Offset of the picture in the gate at a frame, in fractions of the picture's height. */
export function weave(frame: number): readonly [number, number] {
	return [0.0016 * Math.sin(frame * 1.7) + 0.0011 * normal(frame + 900), 0.0012 * Math.sin(frame * 2.3 + 1)];
}

/** Exposure flicker of a frame, a factor around 1. */
export function flicker(frame: number): number {
	return 1 + 0.025 * Math.sin(frame * 2.9) + 0.012 * normal(frame + 77);
}

/**
 * Grain of one frame: `width·height` values of unit variance, correlated over about a pixel as scanned film is
 * (white noise through a 3×3 binomial kernel, renormalized).
 */
export function grain(width: number, height: number, seed: number): Float32Array {
	const white = new Float32Array((width + 2) * (height + 2));
	for (let i = 0; i < white.length; i++) white[i] = normal(seed * 1_000_003 + i);
	const weights = [0.35, 1, 0.35];
	const norm = weights.reduce((s, w) => s + w * w, 0);
	const out = new Float32Array(width * height);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			let sum = 0;
			for (let j = 0; j < 3; j++) {
				for (let i = 0; i < 3; i++) sum += weights[i]! * weights[j]! * white[(y + j) * (width + 2) + x + i]!;
			}
			out[y * width + x] = sum / norm;
		}
	}
	return out;
}

/** Opacity (0…1) and brightness of dirt at a pixel: specks of one frame, and one scratch that wanders. */
export function dirt(frame: number, x: number, y: number, width: number): readonly [opacity: number, value: number] {
	const scratch = width * 0.71 + 1.6 * Math.sin(frame * 0.4) + 0.6 * Math.sin(y * 0.05 + frame);
	const line = Math.max(0, 1 - Math.abs(x - scratch) / 0.8) * (hash(frame * 7 + Math.floor(y / 9)) > 0.25 ? 0.55 : 0.1);
	if (line > 0) return [line, 0.85];
	for (let k = 0; k < 4; k++) {
		const id = frame * 17 + k;
		if (hash(id + 5000) < 0.35) continue;
		const dx = x - hash(id) * width;
		const dy = y - hash(id + 333) * width * 0.75;
		const radius = 0.8 + 2.2 * hash(id + 666) ** 2;
		const wobble = 1 + 0.35 * Math.sin(3 * Math.atan2(dy, dx) + id);
		const distance = Math.hypot(dx, dy) / (radius * wobble);
		if (distance < 1) return [1 - distance ** 4, hash(id + 999) > 0.6 ? 0.95 : 0.03];
	}
	return [0, 0];
}
