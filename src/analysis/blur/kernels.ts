/** Blurs of a lens and of a camera that moves, as kernels: what the estimator looks for and the deconvolution inverts. */

import { EmulsionError } from '../../core/errors.ts';

/** A blur. Lengths are pixels, angles degrees from the x axis towards the y axis (down). */
export type Blur =
	| { readonly cause: 'sharp' }
	/** A lens out of focus: a disk; `edge` −0.9…0.9 makes its rim darker or brighter than its middle (spherical error). */
	| { readonly cause: 'defocus'; readonly radius: number; readonly edge: number }
	/** Softness of many small causes (optics, printing): a Gaussian of standard deviation `sigma`. */
	| { readonly cause: 'soft'; readonly sigma: number }
	/** Straight motion while the shutter was open: a line. */
	| { readonly cause: 'motion'; readonly length: number; readonly angle: number };

/** A kernel of `side`² values, row by row, sum 1, `side` odd, its middle at the picture's pixel. */
export interface Kernel {
	readonly side: number;
	readonly taps: Float64Array;
}

/** Points a pixel and side with which disks are drawn. */
const OVERSAMPLE = 5;

function normalized(side: number, taps: Float64Array): Kernel {
	const sum = taps.reduce((a, b) => a + b, 0);
	return { side, taps: taps.map((v) => v / sum) };
}

function disk(radius: number, edge: number): Kernel {
	const side = 2 * Math.ceil(radius) + 1;
	const taps = new Float64Array(side * side);
	const points = side * OVERSAMPLE;
	const at = (i: number): number => (i - (points - 1) / 2) / OVERSAMPLE;
	for (let j = 0; j < points; j++) {
		for (let i = 0; i < points; i++) {
			// A soft rim of one sample keeps small disks from jumping in area.
			const distance = Math.hypot(at(i), at(j));
			const inside = Math.min(1, Math.max(0, (radius - distance) * OVERSAMPLE + 0.5));
			const light = inside * (1 + edge * (2 * Math.min(1, distance / radius) ** 2 - 1));
			taps[Math.floor(j / OVERSAMPLE) * side + Math.floor(i / OVERSAMPLE)]! += light;
		}
	}
	return normalized(side, taps);
}

function gaussian(sigma: number): Kernel {
	const reach = Math.max(1, Math.ceil(4 * sigma));
	const side = 2 * reach + 1;
	const line = Float64Array.from({ length: side }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
	return normalized(
		side,
		Float64Array.from({ length: side * side }, (_, i) => line[i % side]! * line[Math.floor(i / side)]!),
	);
}

function line(length: number, angle: number): Kernel {
	const [dx, dy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
	const points = Math.max(2, Math.ceil(length * OVERSAMPLE * 2));
	const reach = Math.max(1, Math.ceil((length / 2) * Math.max(Math.abs(dx), Math.abs(dy)) + 0.5));
	const side = 2 * reach + 1;
	const taps = new Float64Array(side * side);
	for (let p = 0; p < points; p++) {
		const t = ((p + 0.5) / points - 0.5) * length;
		const [x, y] = [t * dx + reach, t * dy + reach];
		const [i, j] = [Math.floor(x), Math.floor(y)];
		// Each point's light goes to the four pixels around it.
		for (const [a, b] of [
			[0, 0],
			[1, 0],
			[0, 1],
			[1, 1],
		] as const) {
			const weight = (1 - Math.abs(x - i - a)) * (1 - Math.abs(y - j - b));
			if (weight > 0) taps[(j + b) * side + i + a]! += weight;
		}
	}
	return normalized(side, taps);
}

/** The kernel of a blur; a single 1 for `sharp`. Sizes must be above 0, else `internal`. */
export function kernelOf(blur: Blur): Kernel {
	if (blur.cause === 'sharp') return { side: 1, taps: Float64Array.of(1) };
	const size = blur.cause === 'defocus' ? blur.radius : blur.cause === 'soft' ? blur.sigma : blur.length;
	if (!(size > 0)) throw new EmulsionError('internal', `A ${blur.cause} blur's size is above 0 px, got ${size}.`);
	if (blur.cause === 'defocus') return disk(blur.radius, blur.edge);
	return blur.cause === 'soft' ? gaussian(blur.sigma) : line(blur.length, blur.angle);
}
