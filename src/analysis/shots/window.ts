/** What the judges of boundaries share: access to the neighborhood, and how much of a pair's pictures is unexplained. */
import type { FrameFeatures, PairFeatures } from './features.ts';
import type { ShotDetectorOptions } from './options.ts';

/** Read access to what the detector still holds, by frame index; undefined where it does not exist (any more). */
export interface Window {
	frame(index: number): FrameFeatures | undefined;
	/** The pair of frames `index − 1` and `index`. */
	pair(index: number): PairFeatures | undefined;
}

/** Contrast under which a difference is noise rather than a share of the picture. */
const MIN_CONTRAST = 0.08;

/**
 * Structure (0…1) that neither direction explains: motion, uncovered background and new objects leave one side explained.
 * Smooth pictures explain each other's blocks by chance, so a difference as large as the pictures' own contrast may double it.
 */
export function mutualMismatch(pair: PairFeatures): number {
	const structure = Math.min(pair.forward, pair.backward);
	return Math.max(structure, Math.min(2 * structure, unexplainedShare(pair)));
}

/** The compensated difference as a share (0…1) of the pictures' contrast. */
export function unexplainedShare(pair: PairFeatures): number {
	return Math.min(1, pair.residual / Math.max(pair.contrast, MIN_CONTRAST));
}

/** True for a frame without any picture: black, white, leader. */
export function isBlank(frame: FrameFeatures, options: ShotDetectorOptions): boolean {
	return frame.deviation < options.blankDeviation;
}

/** The frame at `index`, unless it is blank: a frame that shows nothing neither links nor parts two pictures. */
export function pictureAt(window: Window, index: number, options: ShotDetectorOptions): FrameFeatures | undefined {
	const frame = window.frame(index);
	return frame && !isBlank(frame, options) ? frame : undefined;
}
