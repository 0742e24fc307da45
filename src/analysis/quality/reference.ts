/** Full-reference figures on luma: only where there is a truth, such as an undamaged original or a synthetic scene. */

import { gaussianTaps, type Plane, separable } from './planes.ts';

/** Largest PSNR told: what an exact copy gets, so that means stay finite. */
export const PSNR_MOST = 100;
/** Window and constants of Wang, Bovik, Sheikh, Simoncelli: Image quality assessment (IEEE TIP 13, 2004), for values of 0…1. */
const WINDOW = gaussianTaps(1.5, 5);
const [C1, C2] = [0.01 ** 2, 0.03 ** 2];

/** Peak signal to noise ratio in dB for a peak of 1, at most {@link PSNR_MOST}. The planes have one size. */
export function psnr(a: Plane, b: Plane): number {
	let sum = 0;
	for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
	return Math.min(PSNR_MOST, -10 * Math.log10(sum / a.data.length));
}

/** Mean structural similarity, at most 1; null for pictures under 11 pixels on a side. The planes have one size. */
export function ssim(a: Plane, b: Plane): number | null {
	const { width, height } = a;
	const side = WINDOW.length;
	if (width < side || height < side) return null;
	const product = (p: Plane, q: Plane): Plane =>
		separable({ ...p, data: p.data.map((v, i) => v * q.data[i]!) }, WINDOW);
	const [ma, mb] = [separable(a, WINDOW).data, separable(b, WINDOW).data];
	const [aa, bb, ab] = [product(a, a).data, product(b, b).data, product(a, b).data];
	let [sum, count] = [0, 0];
	const edge = (side - 1) / 2;
	for (let y = edge; y < height - edge; y++) {
		for (let i = y * width + edge; i < (y + 1) * width - edge; i++) {
			const [u, v] = [ma[i]!, mb[i]!];
			const [va, vb, cov] = [aa[i]! - u * u, bb[i]! - v * v, ab[i]! - u * v];
			sum += ((2 * u * v + C1) * (2 * cov + C2)) / ((u * u + v * v + C1) * (va + vb + C2));
			count++;
		}
	}
	return sum / count;
}
