/** Pictures whose figures are known by construction. */

import { gaussianTaps, type Plane, separable } from './planes.ts';

/** Deterministic standard normal values (mulberry32 and Box–Muller). */
export function normals(seed: number): () => number {
	let state = seed >>> 0;
	const uniform = (): number => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
	};
	return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A plane of a function of its pixels. */
export function planeOf(width: number, height: number, value: (x: number, y: number) => number): Plane {
	const data = Float32Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
	return { data, width, height };
}

/** Noise of standard deviation 1; `size` is the σ of the Gaussian that makes it coarse, 0 for white noise. */
export function noisePlane(width: number, height: number, seed: number, size = 0): Plane {
	const next = normals(seed);
	const white = planeOf(width, height, () => next());
	if (size === 0) return white;
	const coarse = separable(white, gaussianTaps(size));
	const deviation = Math.sqrt(coarse.data.reduce((sum, v) => sum + v * v, 0) / coarse.data.length);
	return { ...coarse, data: coarse.data.map((v) => v / deviation) };
}

/** `plane` + `codes` ÷ 255 · `noise`. */
export function plus(plane: Plane, noise: Plane, codes: number): Plane {
	return { ...plane, data: plane.data.map((v, i) => v + (codes / 255) * noise.data[i]!) };
}

/** A Gaussian blur. */
export function blurred(plane: Plane, sigma: number): Plane {
	return sigma === 0 ? plane : separable(plane, gaussianTaps(sigma));
}

/** Three equal channels. */
export function grayFrame({ data, width, height }: Plane): Plane & { readonly data: Float32Array<ArrayBuffer> } {
	const out = new Float32Array(3 * data.length);
	for (let c = 0; c < 3; c++) out.set(data, c * data.length);
	return { data: out, width, height };
}

/** A frame with grain that is new for every seed, quantized to 8 bits as a codec gets it. */
export function grainyFrame(
	frame: Plane,
	codes: number,
	size: number,
	seed: number,
): Plane & { readonly data: Float32Array<ArrayBuffer> } {
	const { width, height } = frame;
	const grain = noisePlane(width, height, seed, size).data;
	const data = Float32Array.from(frame.data, (v, i) => {
		const value = Math.round(255 * v + codes * grain[i % grain.length]!);
		return Math.min(255, Math.max(0, value)) / 255;
	});
	return { data, width, height };
}
