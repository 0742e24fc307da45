/** Pictures whose blur is known: dead leaves (opaque disks, radii by a power law), which have a natural picture's spectrum and edges. */

import type { Kernel } from './kernels.ts';
import type { Rgb } from '../noise/match.ts';
import { fromLinear, toLinear } from '../../gpu/color/transfer.ts';

/** Reproducible numbers 0…1. */
export function uniforms(seed: number): () => number {
	let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return ((state >>> 0) + 0.5) / 4294967296;
	};
}

/** A sharp scene of `side`² pixels in sRGB codes, drawn twice as large and averaged. */
export function leaves(side: number, seed: number, transfer: 'srgb' | 'bt709' = 'srgb'): Rgb {
	const next = uniforms(seed);
	const big = 2 * side;
	const fine = new Float64Array(3 * big * big).fill(0.5);
	for (let k = 0; k < 2500; k++) {
		// From behind to front; small ones are many.
		const radius = 2.5 / Math.sqrt(next() * (1 - 0.0008) + 0.0008);
		const [x, y] = [next() * big, next() * big];
		const gray = 0.08 + 0.8 * next();
		const color = [0, 1, 2].map(() => Math.min(0.95, Math.max(0.03, gray + 0.2 * (next() - 0.5))));
		for (let j = Math.max(0, Math.ceil(y - radius)); j < Math.min(big, y + radius); j++) {
			for (let i = Math.max(0, Math.ceil(x - radius)); i < Math.min(big, x + radius); i++) {
				if ((i - x) ** 2 + (j - y) ** 2 > radius * radius) continue;
				for (let c = 0; c < 3; c++) fine[(c * big + j) * big + i] = color[c]!;
			}
		}
	}
	const data = new Float32Array(3 * side * side);
	for (let c = 0; c < 3; c++) {
		for (let y = 0; y < side; y++) {
			for (let x = 0; x < side; x++) {
				let light = 0;
				for (const [i, j] of [
					[0, 0],
					[1, 0],
					[0, 1],
					[1, 1],
				] as const) {
					light += toLinear(transfer, fine[(c * big + 2 * y + j) * big + 2 * x + i]!) / 4;
				}
				data[(c * side + y) * side + x] = fromLinear(transfer, light);
			}
		}
	}
	return { data, width: side, height: side };
}

/** A scene through a kernel in light, cut `margin` pixels inside, with white noise of `sigma` 8-bit codes, rounded to 8 bits. */
export function photographed(
	{ data, width, height }: Rgb,
	{ side, taps }: Kernel,
	{
		margin,
		sigma,
		seed = 1,
		transfer = 'srgb',
	}: { margin: number; sigma: number; seed?: number; transfer?: 'srgb' | 'bt709' },
): Rgb {
	const next = uniforms(seed);
	const reach = (side - 1) / 2;
	const [w, h] = [width - 2 * margin, height - 2 * margin];
	const light = data.map((v) => toLinear(transfer, v));
	const out = new Float32Array(3 * w * h);
	for (let c = 0; c < 3; c++) {
		for (let y = 0; y < h; y++) {
			for (let x = 0; x < w; x++) {
				let sum = 0;
				for (let j = -reach; j <= reach; j++) {
					const row = (c * height + y + margin - j) * width + x + margin;
					for (let i = -reach; i <= reach; i++) {
						const tap = taps[(j + reach) * side + i + reach]!;
						if (tap !== 0) sum += tap * light[row - i]!;
					}
				}
				const noise = sigma === 0 ? 0 : sigma * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
				const code = Math.round(255 * fromLinear(transfer, sum) + noise);
				out[(c * h + y) * w + x] = Math.min(255, Math.max(0, code)) / 255;
			}
		}
	}
	return { data: out, width: w, height: h };
}
