/** Every threshold of shot detection, once, with what it means. Values were measured on real clips: see README.md. */
export interface ShotDetectorOptions {
	/** A cut: share (0…1) of structure that motion cannot explain, in both directions. */
	readonly cutMismatch: number;
	/** A cut's mismatch stands out from the median of its neighbors by this factor, else it is fast motion. */
	readonly cutContrast: number;
	/** A jump cut (same place, other moment; see `jumps.ts`) leaves at least this mismatch (0…1) … */
	readonly jumpMismatch: number;
	/** … and this compensated difference (0…1), … */
	readonly jumpResidual: number;
	/** … is seen in at least this share (0…1) of every half of the picture, … */
	readonly jumpSpread: number;
	/** … and parts any two frames across it by this factor more than any two on one side of it. */
	readonly jumpContrast: number;
	/** Neighbors on each side that a cut is measured against, frames. */
	readonly neighborhood: number;
	/** The longest flash, dropout or damaged stretch that does not split a shot, frames. */
	readonly flashFrames: number;
	/** A pair across a cut that mismatches less than this share of the cut's own mismatch proves that the picture went on. */
	readonly bridgeShare: number;
	/** Luma standard deviation (0…1) under which a frame shows nothing. */
	readonly blankDeviation: number;
	/** Mean difference (0…1) of a cut to or from a frame that shows nothing. */
	readonly blankDifference: number;
	/** Longest dissolve, frames. */
	readonly maxDissolve: number;
	/** Mismatch (0…1) that a dissolve's two pictures must have. */
	readonly dissolveMismatch: number;
	/** Share (0…1) of a mixed frame that the two pictures leave unexplained, at most, on average. */
	readonly dissolveResidual: number;
	/** Largest step (0…1) of the mix between two neighboring frames; a larger one is a cut. */
	readonly dissolveStep: number;
}

/** Defaults: found on the labeled clips and their joins (README.md), where classes are apart by the margins told there. */
export const SHOT_DETECTOR_DEFAULTS: ShotDetectorOptions = {
	cutMismatch: 0.42,
	cutContrast: 2.5,
	jumpMismatch: 0.06,
	jumpResidual: 0.02,
	jumpSpread: 0.1,
	jumpContrast: 1.1,
	neighborhood: 4,
	flashFrames: 3,
	bridgeShare: 0.6,
	blankDeviation: 0.02,
	blankDifference: 0.04,
	maxDissolve: 84,
	dissolveMismatch: 0.4,
	dissolveResidual: 0.35,
	dissolveStep: 0.45,
};
