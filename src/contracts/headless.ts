/** What the terminal and the headless page say to each other. Plain JSON only: it crosses the browser's protocol; media never does. */

import type { ErrorRecord } from '../core/errors.ts';
import type { FrameRange } from './frames.ts';
import type { ContainerId, EncodeCodec, StretchMode } from './media.ts';
import type { ReportFile } from './report.ts';
import type { HeadlessReviewJob, HeadlessReviewResult } from './review.ts';
import type { BackendWish, ExportProgress } from './workers.ts';

/** A matte of a run, in the order of their file inputs. */
export interface HeadlessMatte {
	readonly id: string;
	readonly kind: 'file' | 'sequence';
	readonly pattern?: string;
}

/** One run. The input files are already in the page's `#input` element. */
export interface HeadlessJob {
	readonly kind: 'file' | 'sequence';
	readonly pattern?: string;
	/** Frames a second of a sequence, `24` or `24000/1001`. */
	readonly rate?: string;
	readonly transfer?: string;
	/** Parsed recipe JSON, validated in the page. */
	readonly recipe: unknown;
	/** Mattes: the files of each are in the page's `#matte-<index>` element. */
	readonly mattes?: readonly HeadlessMatte[];
	/** EDL text that gives the cuts instead of detection. */
	readonly edl?: string;
	/** Source frames, half-open; an open end is −1. */
	readonly range?: FrameRange;
	readonly backend: BackendWish;
	readonly threads?: number;
	readonly container: ContainerId;
	readonly codec?: EncodeCodec;
	readonly engine?: 'software' | 'webcodecs';
	readonly depth?: number;
	readonly chroma?: '420' | '422' | '444' | 'rgb' | 'gray';
	readonly quality?: number;
	readonly audio?: number | 'none';
	readonly stretchMode?: StretchMode;
	/** Frames a stored chunk; chosen by cost where absent. */
	readonly chunkFrames?: number;
	/** File name, or the pattern of a sequence's names (`*` stands for the source's own name). */
	readonly name: string;
	/** Name of the folder that OUTPUT lies in. */
	readonly folder: string;
	readonly token: string;
	/** Goes on with an interrupted job of the same plan where the profile holds one. */
	readonly resume: boolean;
}

/** How a run ended. */
export type HeadlessResult =
	{ readonly ok: true; readonly report: ReportFile } | { readonly ok: false; readonly error: ErrorRecord };

/** Progress and notices as the page sends them. */
export type HeadlessEvent =
	| { readonly type: 'progress'; readonly progress: ExportProgress }
	| { readonly type: 'notice'; readonly message: string };

/** The page's side. */
export interface HeadlessApi {
	run(job: HeadlessJob): Promise<HeadlessResult>;
	/** Renders the clips and stills of a review. */
	review(job: HeadlessReviewJob): Promise<HeadlessReviewResult>;
	cancel(): void;
}
