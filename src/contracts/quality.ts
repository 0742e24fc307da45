/** Measuring clips: what `src/analysis/quality` takes and gives. Types only; the figures themselves are in `src/core/quality.ts`. */

import type { Size } from '../core/color.ts';
import type { Rect } from '../core/tiles.ts';
import type { FrameRange, OnProgress } from './frames.ts';
import type { SourceId } from './workers.ts';

/** A frame to be measured: R′, G′, B′ planes one after the other, 0…1, source-referred (as working frames are). Only read. */
export interface QualityFrame extends Size {
	readonly data: Float32Array;
}

/** Frames in order; what is iterated over is pulled. */
export type QualityFrames = AsyncIterable<QualityFrame> | Iterable<QualityFrame>;

/** How a clip is measured. */
export interface MeasureOptions {
	/** The truth, frame for frame, of the same size: adds SSIM and PSNR. */
	readonly truth?: QualityFrames;
	/** Frames between two of the costly measurements (noise, grain, NIQE, SSIM, PSNR); default 12, at least 1. */
	readonly every?: number;
	/** Frames to come, for progress; default unknown (0). */
	readonly total?: number;
	readonly onProgress?: OnProgress;
	/** Asked at every frame; throws `aborted`. */
	readonly signal?: AbortSignal;
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

/** A part of an open source to be measured by the analyze worker. */
export interface MeasureRequest {
	readonly source: SourceId;
	readonly range: FrameRange;
	/** An open source that is the truth, and where its first frame for `range` lies; the sizes must be equal. */
	readonly truth?: { readonly source: SourceId; readonly start: number };
	/** See {@link MeasureOptions.every}. */
	readonly every?: number;
}

/** Two open sources that show the same frames, before and after encoding. */
export interface CodecLossRequest {
	readonly before: SourceId;
	readonly beforeStart: number;
	readonly after: SourceId;
	readonly afterStart: number;
	/** Frames of both. */
	readonly frames: number;
}
