/** Versions against each other: how alike their grain is, and which figures may rank them. */

import type { Size } from './color.ts';
import { type ClipMetrics, type GrainSummary, METRICS, type MetricId } from './quality.ts';

/** How one clip's grain differs from another's (mostly the source's). */
export interface GrainDistance {
	/** Mean over levels of brightness in dB: how much stronger (+) or weaker (−) it is. */
	readonly gain: number;
	/** Root mean square over levels, dB: see `METRICS.grainAmplitude`. */
	readonly amplitude: number;
	/** Half of the sum of the differences of both spectra's shares, 0…1: see `METRICS.grainSpectrum`. */
	readonly spectrum: number;
}

/** Codes added to each strength: what is far below the step of 8 bits counts as none, and none is finite in dB. */
const FLOOR = 0.25;
/** Grain under this strength (8-bit codes, root mean square over the levels) has no spectrum to compare. */
const FAINT = 0.5;

/** Strength of grain, root mean square over the levels; 8-bit codes. */
export function grainStrength({ sigma }: GrainSummary): number {
	return Math.sqrt(sigma.reduce((sum, s) => sum + s * s, 0) / sigma.length);
}

const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** How `clip`'s grain differs from `source`'s; null where they were measured in pictures of different sizes. */
export function grainDistance(clip: GrainSummary, source: GrainSummary): GrainDistance | null {
	if (!sameSize(clip.size, source.size)) return null;
	const steps = clip.sigma.map((s, k) => 20 * Math.log10((s + FLOOR) / (source.sigma[k]! + FLOOR)));
	const faint = Math.min(grainStrength(clip), grainStrength(source)) < FAINT;
	return {
		gain: steps.reduce((a, b) => a + b, 0) / steps.length,
		amplitude: Math.sqrt(steps.reduce((sum, d) => sum + d * d, 0) / steps.length),
		spectrum: faint ? 0 : clip.spectrum.reduce((sum, v, k) => sum + Math.abs(v - source.spectrum[k]!), 0) / 2,
	};
}

/**
 * Up to here two measurements, made at the same frames of a shot, are of one grain: one grain laid by two seeds over real film differs by up to 0.9 dB
 * and 0.05, grain 20 % weaker by 1.4 dB or more, grain 20 % coarser by 0.07 or more (`src/analysis/quality/README.md`).
 */
export const SAME_GRAIN = { amplitude: 1, spectrum: 0.05 } as const;

/** Why two clips' figures cannot be compared. */
export type Incomparable =
	/** One of them could not be measured. */
	| 'missing'
	/** A score without a reference, and grain that differs: it would reward or punish the grain. */
	| 'grain-differs'
	/** A score without a reference, and grain that could not be measured. */
	| 'grain-unknown'
	/** Measured by other versions of the methods. */
	| 'method-differs'
	/** Pictures of different sizes: what a pixel shows differs. */
	| 'size-differs';

/** The outcome of a comparison by one metric. */
export type Comparison =
	| {
			readonly comparable: true;
			/** a − b, in the metric's own unit. */
			readonly difference: number;
			/** Which one the metric favors; `none` where it favors nothing by itself or may not rank. */
			readonly better: 'a' | 'b' | 'none';
	  }
	| { readonly comparable: false; readonly why: Incomparable };

/** One clip with the grain of its source, where that is known. */
export interface ComparedClip {
	readonly metrics: ClipMetrics;
	readonly source: GrainSummary | null;
}

/** A metric's value; the two of grain follow from the source's. */
export function metricValue({ metrics, source }: ComparedClip, id: MetricId): number | null {
	if (id !== 'grainAmplitude' && id !== 'grainSpectrum') {
		const value = metrics.values[id];
		return value !== null && Number.isFinite(value) ? value : null;
	}
	const distance = metrics.grain && source && grainDistance(metrics.grain, source);
	if (!distance) return null;
	return id === 'grainAmplitude' ? distance.amplitude : distance.spectrum;
}

/** True where two clips have one grain, as far as it can be measured; null where it could not be. */
export function sameGrain(a: ClipMetrics, b: ClipMetrics): boolean | null {
	const distance = a.grain && b.grain && grainDistance(a.grain, b.grain);
	if (!distance) return null;
	return distance.amplitude <= SAME_GRAIN.amplitude && distance.spectrum <= SAME_GRAIN.spectrum;
}

/** Compares two versions of one shot by one metric. Scores without a reference never rank versions whose grain differs. */
export function compareBy(id: MetricId, a: ComparedClip, b: ComparedClip): Comparison {
	if (a.metrics.method !== b.metrics.method) return { comparable: false, why: 'method-differs' };
	const { grainBound, pixelBound, better, ranks } = METRICS[id];
	if (pixelBound && !sameSize(a.metrics.size, b.metrics.size)) return { comparable: false, why: 'size-differs' };
	const [valueA, valueB] = [metricValue(a, id), metricValue(b, id)];
	if (valueA === null || valueB === null) return { comparable: false, why: 'missing' };
	if (grainBound) {
		const same = sameGrain(a.metrics, b.metrics);
		if (same !== true) return { comparable: false, why: same === null ? 'grain-unknown' : 'grain-differs' };
	}
	const difference = valueA - valueB;
	const favored =
		!ranks || better === 'none' || difference === 0 ? 'none' : difference > 0 === (better === 'higher') ? 'a' : 'b';
	return { comparable: true, difference, better: favored };
}
