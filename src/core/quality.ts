/**
 * What the automatic judge measures of a clip, as plain data: measured by `src/analysis/quality` in a worker, kept in a review's owner
 * object, compared and plotted in the owner's tab. All values are of a shot as one version shows it.
 */

import type { Size } from './color.ts';
import type { Rect } from './tiles.ts';

/** Share of a version's grain power that a clip keeps at least; below it grain and dirt are judged on lossless crops. */
export const GRAIN_KEPT_LEAST = 0.9;
/** Largest size of a lossless crop, at 100 %. */
export const CROP: Size = { width: 320, height: 240 };
/** Seconds that a lossless crop shows. */
export const CROP_SECONDS = 2.5;

/** Version of the methods: figures of different versions are not compared. */
export const QUALITY_METHOD = 1;

/** What a metric is. */
export interface MetricInfo {
	/** Written after a value; empty for figures without a unit. */
	readonly unit: '' | 'codes' | 'dB' | '%';
	/** Which values are the better ones; `none` where neither is by itself: noise may be the film's own grain. */
	readonly better: 'higher' | 'lower' | 'none';
	/** Decimals that mean something. */
	readonly digits: number;
	/** A score without a reference, which grain moves as well: it never ranks versions whose grain differs. */
	readonly grainBound: boolean;
	/** Told in pixels: pictures of different sizes are not compared by it. */
	readonly pixelBound: boolean;
	/** May be part of a verdict; PSNR may not. */
	readonly ranks: boolean;
}

/** The metrics, in the order in which they are shown; `src/analysis/quality/README.md` says how each is measured. */
export const METRICS = {
	/** Power that the slopes of edges lose by a further blur: 5.1 dB for ideal edges, less for soft ones, more for fine texture. */
	sharpness: { unit: 'dB', better: 'higher', digits: 2, grainBound: true, pixelBound: true, ranks: true },
	/** Standard deviation of noise and grain, 8-bit codes. */
	noise: { unit: 'codes', better: 'none', digits: 2, grainBound: false, pixelBound: true, ranks: true },
	/** Root mean square over brightness of how much stronger or weaker the grain is than the source's. */
	grainAmplitude: { unit: 'dB', better: 'lower', digits: 1, grainBound: false, pixelBound: true, ranks: true },
	/** Share of grain power that lies at other spatial frequencies than the source's, 0…1. */
	grainSpectrum: { unit: '', better: 'lower', digits: 3, grainBound: false, pixelBound: true, ranks: true },
	/** Brightness that comes and goes in a ninth of the picture or all of it, standard deviation in 8-bit codes. */
	flicker: { unit: 'codes', better: 'lower', digits: 2, grainBound: false, pixelBound: false, ranks: true },
	/** What changes beyond motion and grain between neighboring frames, 8-bit codes. */
	instability: { unit: 'codes', better: 'lower', digits: 2, grainBound: false, pixelBound: false, ranks: true },
	/** How much steeper the picture is across the lines of an 8×8 grid than between them. */
	blockiness: { unit: '%', better: 'lower', digits: 1, grainBound: true, pixelBound: true, ranks: true },
	/** Distance of the picture's local statistics from those of sharp, clean photographs. */
	niqe: { unit: '', better: 'lower', digits: 2, grainBound: true, pixelBound: true, ranks: true },
	/** Structural similarity to the truth, at most 1. Only where there is a truth. */
	ssim: { unit: '', better: 'higher', digits: 4, grainBound: false, pixelBound: true, ranks: true },
	/** Peak signal to noise ratio against the truth. Only where there is a truth; never a verdict. */
	psnr: { unit: 'dB', better: 'higher', digits: 2, grainBound: false, pixelBound: true, ranks: false },
} as const satisfies Readonly<Record<string, MetricInfo>>;

/** See {@link METRICS}. */
export type MetricId = keyof typeof METRICS;
/** All metrics in order. */
export const METRIC_IDS = Object.keys(METRICS) as readonly MetricId[];

/** Metrics of the version alone (and its truth); the others compare its grain with the source's. */
export type MeasuredId = Exclude<MetricId, 'grainAmplitude' | 'grainSpectrum'>;
/** See {@link MeasuredId}. */
export const MEASURED_IDS = METRIC_IDS.filter(
	(id): id is MeasuredId => id !== 'grainAmplitude' && id !== 'grainSpectrum',
);

/** Levels of brightness in {@link GrainSummary.sigma}: the middles of equal parts of 0…1. */
export const GRAIN_LEVELS = 8;
/** Upper ends of the bands of {@link GrainSummary.spectrum} in cycles a pixel; the last one holds the corners as well. */
export const GRAIN_BANDS = [0.0625, 0.125, 0.1875, 0.25, 0.3125, 0.375, 0.4375, 0.7072] as const;

/** The luma grain of a clip, small enough to be kept and compared with any other version's. */
export interface GrainSummary {
	/** Of the picture it was measured in: grain is told in pixels, so only pictures of one size compare. */
	readonly size: Size;
	/** Standard deviation at {@link GRAIN_LEVELS} levels of brightness, 8-bit codes. */
	readonly sigma: readonly number[];
	/** Share of the power in each of {@link GRAIN_BANDS}, their sum 1; all 0 where there is no grain. */
	readonly spectrum: readonly number[];
}

/** What was measured of one clip: a shot as a version shows it. */
export interface ClipMetrics {
	/** {@link QUALITY_METHOD} at the time. */
	readonly method: number;
	readonly size: Size;
	readonly frames: number;
	/** One figure a metric, null where it could not be measured (too small, too short, no truth, nothing to see). */
	readonly values: Readonly<Record<MeasuredId, number | null>>;
	/** For each metric one value a frame, null where this frame was not measured. */
	readonly series: Readonly<Record<MeasuredId, readonly (number | null)[]>>;
	/** Null where no two frames could be compared. */
	readonly grain: GrainSummary | null;
}

/** How much of a version's grain an encoded clip has kept. */
export interface CodecLoss {
	/** Pairs of neighboring frames that were compared. */
	readonly pairs: number;
	/** Standard deviation of the version's grain in the blocks looked at, 8-bit codes. */
	readonly sigma: number;
	/**
	 * Share of the version's grain power that the clip keeps: the smaller one of `power` and `own`; null where the version has too little
	 * grain to lose.
	 */
	readonly kept: number | null;
	/** Grain power of the clip ÷ the version's; may exceed 1 where a codec lays noise of its own. */
	readonly power: number | null;
	/** Share of the version's own grain that is still there (its projection), at most about 1: grain made anew by a decoder has none. */
	readonly own: number | null;
	/** `power` and `own` by spatial frequency. */
	readonly bands: readonly {
		/** Cycles a pixel. */
		readonly from: number;
		readonly to: number;
		readonly power: number;
		readonly own: number;
	}[];
	/** True where less than 90 % is kept: questions about grain and dirt are asked on lossless crops. */
	readonly asksOnCrops: boolean;
}

/** Where lossless crops are cut from, the same in every version. */
export interface CropChoice {
	readonly rect: Rect;
	/** 0…1: how flat, mid-toned and grainy the place is; 0 where nothing of it is. */
	readonly score: number;
}
