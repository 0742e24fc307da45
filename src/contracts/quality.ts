/** Measuring clips: what `src/analysis/quality` takes and gives. Types only; the figures themselves are in `src/core/quality.ts`. */

import type { Size } from '../core/color.ts';
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
	/** Frames to come: for progress, and so that noise and grain are measured in about six pairs of any clip; default unknown (0). */
	readonly total?: number;
	readonly onProgress?: OnProgress;
	/** Asked at every frame; throws `aborted`. */
	readonly signal?: AbortSignal;
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
