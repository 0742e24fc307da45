/** The grain of a clip in short: the luma of what `src/analysis/grain` measures, as strength by brightness and power by spatial frequency. */

import type { Size } from '../../core/color.ts';
import { GRAIN_BANDS, type GrainSummary } from '../../core/quality.ts';
import { GrainMeter } from '../grain/measure.ts';
import { ACF_RADIUS, ACF_SIDE, type GrainProfile, LEVELS } from '../grain/profile.ts';
import type { Rgb } from '../noise/match.ts';
import { LUMA } from './planes.ts';

/** A summary of grain without the size of its picture. */
type Shape = Omit<GrainSummary, 'size'>;

/** Frequencies a side at which the power spectrum is taken. */
const GRID = 32;

/** Strength of the luma at each level, 8-bit codes. */
function lumaSigma({ sigma, correlation }: GrainProfile): number[] {
	return Array.from({ length: LEVELS }, (_, k) => {
		let variance = 0;
		for (let c = 0; c < 3; c++) {
			for (let d = 0; d < 3; d++) {
				variance += LUMA[c]! * LUMA[d]! * correlation[c * 3 + d]! * sigma[c]![k]! * sigma[d]![k]!;
			}
		}
		return 255 * Math.sqrt(Math.max(0, variance));
	});
}

/** Power in each of {@link GRAIN_BANDS}: the autocorrelation's Fourier transform (Wiener–Khinchin), long lags tapered (Hann). Sum 1. */
function bandPower(acf: readonly number[]): number[] {
	const sums = GRAIN_BANDS.map(() => 0);
	const window = (lag: number): number => 0.5 + 0.5 * Math.cos((Math.PI * lag) / (ACF_RADIUS + 1));
	for (let v = -GRID / 2; v < GRID / 2; v++) {
		for (let u = 0; u <= GRID / 2; u++) {
			let power = 0;
			for (let y = -ACF_RADIUS; y <= ACF_RADIUS; y++) {
				for (let x = -ACF_RADIUS; x <= ACF_RADIUS; x++) {
					const value = acf[(y + ACF_RADIUS) * ACF_SIDE + x + ACF_RADIUS]! * window(x) * window(y);
					power += value * Math.cos((2 * Math.PI * (u * x + v * y)) / GRID);
				}
			}
			const frequency = Math.hypot(u, v) / GRID;
			// Columns 0 and n/2 stand for themselves, the others for their mirror image as well.
			const share = u === 0 || u === GRID / 2 ? 1 : 2;
			const band = GRAIN_BANDS.findIndex((end) => frequency <= end);
			// Measured lags need not be a spectrum's: what falls below 0 is chance.
			sums[band < 0 ? sums.length - 1 : band]! += share * Math.max(0, power);
		}
	}
	const all = sums.reduce((a, b) => a + b, 0);
	return sums.map((v) => (all > 0 ? v / all : 0));
}

/** A profile in short, whatever picture it is of. */
function summarize(profile: GrainProfile): Shape {
	const weights = LUMA.map((w, c) => w * w * profile.sigma[c]!.reduce((sum, s) => sum + s * s, 0));
	const all = weights.reduce((a, b) => a + b, 0);
	const acf = profile.acf[0]!.map((_, i) => weights.reduce((sum, w, c) => sum + (w / all) * profile.acf[c]![i]!, 0));
	return { sigma: lumaSigma(profile), spectrum: bandPower(acf) };
}

const NONE: Shape = {
	sigma: Array.from({ length: LEVELS }, () => 0),
	spectrum: GRAIN_BANDS.map(() => 0),
};

/** Collects pairs of neighboring frames, each measured by itself so that no clip's blocks have to be kept. */
export class ClipGrain {
	readonly #pairs: Shape[] = [];

	/** Takes two neighboring frames of one size. */
	add(before: Rgb, frame: Rgb): void {
		const meter = new GrainMeter();
		// A repeated frame says nothing: its grain is no new sample.
		if (!meter.add(before, frame) || meter.blocks === 0) return;
		const profile = meter.profile();
		if (profile) this.#pairs.push(summarize(profile));
		else if (meter.blocks > 0) this.#pairs.push(NONE);
	}

	/**
	 * Mean power of the pairs; null where none could be compared.
	 * @param size of the clip's picture, of which the frames may have been parts
	 */
	summary(size: Size): GrainSummary | null {
		if (this.#pairs.length === 0) return null;
		const mean = (values: (pair: Shape) => number): number =>
			this.#pairs.reduce((sum, pair) => sum + values(pair), 0) / this.#pairs.length;
		const strength = (pair: Shape): number => pair.sigma.reduce((sum, s) => sum + s * s, 0);
		const spectrum = GRAIN_BANDS.map((_, k) => mean((pair) => strength(pair) * pair.spectrum[k]!));
		const all = spectrum.reduce((a, b) => a + b, 0);
		return {
			size,
			sigma: Array.from({ length: LEVELS }, (_, k) => Math.sqrt(mean((pair) => pair.sigma[k]! ** 2))),
			spectrum: spectrum.map((v) => (all > 0 ? v / all : 0)),
		};
	}
}
