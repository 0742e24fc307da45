/**
 * The pooled spectrum of a shot: mean periodogram of luma in linear light over windows with detail. Blur multiplies it in light and in light
 * alone; in codes the curve fills the gaps that a kernel leaves.
 */

import type { Transfer } from '../../core/color.ts';
import { toLinear } from '../../gpu/color/transfer.ts';
import { fftOp, twiddles } from '../../gpu/ops/fft/op.ts';
import type { Rgb } from '../noise/match.ts';
import { BINS, SIDE } from './frequencies.ts';

/** Mean periodogram at the frequencies looked at, and the noise's share of it; the mean power is 1. */
export interface Spectrum {
	readonly power: Float64Array;
	readonly noise: Float64Array;
	/** Windows in it. */
	readonly windows: number;
}

const LUMA = [0.2126, 0.7152, 0.0722] as const;
/** Windows with a larger share of clipped pixels are left out: what clips is not a blur's sum any more. */
const CLIPPED = { code: 0.985, share: 0.02 };
/** The share of the windows that is used: those with most detail. In a picture with depth they are its sharpest. */
const SHARE = 0.4;
/** Detail below this share of the noise says nothing. */
const LEAST_DETAIL = 0.3;
/** What rounding to 8 bits adds. */
const ROUNDING = 0.29 / 255;
const SLOPE_DELTA = 1 / 1024;
const AREA = SIDE * SIDE;

const HANN = Float64Array.from({ length: SIDE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / SIDE));
const WINDOW = Float64Array.from({ length: AREA }, (_, i) => HANN[i % SIDE]! * HANN[Math.floor(i / SIDE)]!);
const WINDOW_SUM = WINDOW.reduce((sum, v) => sum + v, 0);
const ENERGY = WINDOW.reduce((sum, v) => sum + v * v, 0);
const TABLE = twiddles(SIDE);
const FINE = BINS.map(({ u, v }) => Math.hypot(u, v) / SIDE > 0.1);

const HIGHEST = BINS.map(({ u, v }) => Math.hypot(u, v) / SIDE > 0.42);

/** Noise said to be this much stronger than the highest frequencies is not white: a codec or the grain itself has smoothed it. The
 * measured σ is up to 7 % too high, which is 1.15 here: less than this is taken for the highest frequencies' own. */
const COLORED = 1.2;
/** Its floor is then unknown. A low one makes the picture, not a blur, answer for the fall: of the highest frequencies' power. */
const FLOOR = 0.1;

/** Mean power of the highest frequencies. */
function highest(power: Float64Array): number {
	const band = power.filter((_, i) => HIGHEST[i]);
	return band.reduce((sum, v) => sum + v, 0) / band.length;
}

interface Planes {
	readonly luma: Float64Array;
	readonly variance: Float64Array;
	readonly clipped: Uint8Array;
}

/** Luma of light, the variance of its noise, and what is clipped. */
function planesOf({ data, width, height }: Rgb, transfer: Transfer, sigma: number): Planes {
	const area = width * height;
	const luma = new Float64Array(area);
	const variance = new Float64Array(area);
	const clipped = new Uint8Array(area);
	const white = sigma ** 2 + ROUNDING ** 2;
	for (let c = 0; c < 3; c++) {
		const weight = LUMA[c]!;
		for (let i = 0; i < area; i++) {
			const code = data[c * area + i]!;
			const light = toLinear(transfer, code);
			const slope = (toLinear(transfer, code + SLOPE_DELTA) - light) / SLOPE_DELTA;
			luma[i]! += weight * light;
			variance[i]! += white * (weight * slope) ** 2;
			if (code > CLIPPED.code) clipped[i] = 1;
		}
	}
	return { luma, variance, clipped };
}

/** Collects windows of pictures; {@link SpectrumMeter.spectrum} pools them. */
export class SpectrumMeter {
	readonly #found: { readonly detail: number; readonly power: Float64Array; readonly floor: number }[] = [];
	readonly #field = new Float32Array(2 * AREA);
	readonly #rows = new Float32Array(2 * AREA);
	readonly #columns = new Float32Array(2 * AREA);

	/**
	 * Adds a picture (R′G′B′ codes).
	 * @param sigma standard deviation of its noise on the scale of the picture
	 */
	add(picture: Rgb, transfer: Transfer, sigma: number): void {
		const planes = planesOf(picture, transfer, sigma);
		const { width, height } = picture;
		for (let top = 0; top + SIDE <= height; top += SIDE / 2) {
			for (let left = 0; left + SIDE <= width; left += SIDE / 2) this.#window(planes, width, left, top);
		}
	}

	#window({ luma, variance, clipped }: Planes, width: number, left: number, top: number): void {
		let [mean, floor, lost] = [0, 0, 0];
		for (let y = 0; y < SIDE; y++) {
			for (let x = 0; x < SIDE; x++) {
				const [w, i] = [WINDOW[y * SIDE + x]!, (top + y) * width + left + x];
				mean += w * luma[i]!;
				floor += w * w * variance[i]!;
				lost += clipped[i]!;
			}
		}
		if (lost > CLIPPED.share * AREA) return;
		mean /= WINDOW_SUM;
		floor /= ENERGY;
		for (let y = 0; y < SIDE; y++) {
			for (let x = 0; x < SIDE; x++) {
				const k = y * SIDE + x;
				this.#field[k] = WINDOW[k]! * (luma[(top + y) * width + left + x]! - mean);
			}
		}
		const size = { width: SIDE, height: SIDE, fields: 1, inverse: false };
		fftOp.cpu([this.#field, TABLE], [this.#rows], { ...size, axis: 0 });
		fftOp.cpu([this.#rows, TABLE], [this.#columns], { ...size, axis: 1 });
		let [detail, fine] = [0, 0];
		const power = Float64Array.from(BINS, ({ u, v }, i) => {
			const at = ((v + SIDE) % SIDE) * SIDE + u;
			const p = (this.#columns[at]! ** 2 + this.#columns[at + AREA]! ** 2) / ENERGY;
			if (FINE[i]) {
				detail += Math.max(0, p - floor);
				fine++;
			}
			return p;
		});
		detail /= fine;
		if (detail > LEAST_DETAIL * floor) this.#found.push({ detail, power, floor });
	}

	/** What was collected; undefined where no two windows had detail. Each window counts alike, whatever its contrast. */
	spectrum(): Spectrum | undefined {
		if (this.#found.length < 2) return undefined;
		const sorted = [...this.#found].sort((a, b) => b.detail - a.detail);
		const kept = sorted.slice(0, Math.max(2, Math.ceil(SHARE * sorted.length)));
		const power = new Float64Array(BINS.length);
		let level = 0;
		for (const window of kept) {
			const scale = BINS.length / window.power.reduce((sum, v) => sum + v, 0);
			window.power.forEach((v, i) => (power[i]! += (scale * v) / kept.length));
			level += (scale * window.floor) / kept.length;
		}
		const top = highest(power);
		const noise = level > COLORED * top ? FLOOR * top : Math.min(level, top);
		return { power, noise: new Float64Array(BINS.length).fill(noise), windows: kept.length };
	}
}
