/** Power spectra of noise fields, for comparing grain with grain. */

/** Side of the blocks a spectrum is averaged over. */
const SIDE = 32;

/**
 * Mean power of blocks by spatial frequency, in `bins` rings from 0 to half a cycle a pixel, the mean taken off and a Hann window laid
 * on (Welch's method). Not normalized: noise twice as strong has four times the power.
 */
export function ringSpectrum(field: ArrayLike<number>, width: number, height: number, bins = 12): number[] {
	const cos = Float64Array.from({ length: SIDE }, (_, k) => Math.cos((2 * Math.PI * k) / SIDE));
	const sin = Float64Array.from({ length: SIDE }, (_, k) => Math.sin((2 * Math.PI * k) / SIDE));
	const hann = Float64Array.from({ length: SIDE }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (k + 0.5)) / SIDE));
	let mean = 0;
	for (let i = 0; i < width * height; i++) mean += field[i]! / (width * height);
	const sums = new Float64Array(bins);
	const counts = new Float64Array(bins);
	const [re, im] = [new Float64Array(SIDE * SIDE), new Float64Array(SIDE * SIDE)];
	for (let by = 0; by + SIDE <= height; by += SIDE / 2) {
		for (let bx = 0; bx + SIDE <= width; bx += SIDE / 2) {
			for (let y = 0; y < SIDE; y++) {
				for (let u = 0; u <= SIDE / 2; u++) {
					let [a, b] = [0, 0];
					for (let x = 0; x < SIDE; x++) {
						const v = (field[(by + y) * width + bx + x]! - mean) * hann[x]! * hann[y]!;
						a += v * cos[(u * x) % SIDE]!;
						b -= v * sin[(u * x) % SIDE]!;
					}
					re[y * SIDE + u] = a;
					im[y * SIDE + u] = b;
				}
			}
			for (let u = 0; u <= SIDE / 2; u++) {
				for (let v = 0; v < SIDE; v++) {
					let [a, b] = [0, 0];
					for (let y = 0; y < SIDE; y++) {
						const k = (v * y) % SIDE;
						a += re[y * SIDE + u]! * cos[k]! + im[y * SIDE + u]! * sin[k]!;
						b += im[y * SIDE + u]! * cos[k]! - re[y * SIDE + u]! * sin[k]!;
					}
					const frequency = Math.hypot(u, v > SIDE / 2 ? v - SIDE : v) / SIDE;
					// Below two cycles a block the window and the mean decide, not the noise.
					const bin = Math.floor(frequency * 2 * bins);
					if (frequency < 2 / SIDE || bin >= bins) continue;
					sums[bin]! += a * a + b * b;
					counts[bin]!++;
				}
			}
		}
	}
	return Array.from(sums, (v, i) => (counts[i]! > 0 ? v / counts[i]! : 0));
}

/** How far two spectra are apart: Σ|a − b| ÷ Σa over the rings, each weighted by its number of frequencies (its radius). */
export function spectrumDistance(a: readonly number[], b: readonly number[]): number {
	let [apart, all] = [0, 0];
	a.forEach((v, i) => {
		apart += (i + 0.5) * Math.abs(v - b[i]!);
		all += (i + 0.5) * v;
	});
	return apart / all;
}
