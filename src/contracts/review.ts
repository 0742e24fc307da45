/** Clips of a review: what is to be rendered, and what was. Plain JSON: it crosses the browser's protocol. Types only. */

import type { Size } from '../core/color.ts';
import type { ErrorRecord } from '../core/errors.ts';
import type { ClipMetrics, GrainSummary } from '../core/quality.ts';
import type { Rational } from '../core/rational.ts';
import type { FrameRange } from './frames.ts';
import type { BackendWish } from './workers.ts';

/** How clips and stills are made. */
export interface ClipSettings {
	readonly codec: 'h264' | 'vp9' | 'av1';
	/** On the codec's own scale; absent: visually lossless (`src/share/making/codec.ts`). */
	readonly quality?: number;
	/** Lossless pictures of each clip: this many frames, spread from first to last; 0 to 16. */
	readonly stills: number;
	/** Most frames of a lossless crop, taken where a codec eats grain; 0 takes none. */
	readonly cropFrames: number;
	/** Measure every clip for the automatic judge. */
	readonly judge: boolean;
	/** Version (0 first) that shows what the others should look like: they are measured against it, frame by frame. Absent: none is known. */
	readonly truth?: number;
	/** Version (0 first) that the others were made of, where they are films of their own: their grain is compared with its grain. */
	readonly source?: number;
}

/** A still that was written. */
export interface RenderedStill {
	/** Frame of the shot, 0 first. */
	readonly frame: number;
	readonly file: string;
}

/** Lossless pictures of one place that were written. */
export interface RenderedCrop {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
	readonly firstFrame: number;
	readonly files: readonly string[];
}

/** One version of one shot. */
export interface RenderedClip {
	/** Name of the clip's file where it was put. */
	readonly file: string;
	readonly bytes: number;
	/** Share of grain power that the clip keeps; null where it was not measured. */
	readonly grainKept: number | null;
	readonly stills: readonly RenderedStill[];
	readonly crop: RenderedCrop | null;
	/** The judge's figures; null where they were not asked for. */
	readonly metrics: ClipMetrics | null;
}

/** A shot, with a clip of every version in their order. */
export interface RenderedShot {
	/** Source frames. */
	readonly range: FrameRange;
	readonly frames: number;
	/** Of the encoded picture: even sides. */
	readonly size: Size;
	readonly pixelAspect: Rational;
	readonly rate: Rational;
	/** Of the film that all versions were made of; null where there is none, or it was not measured. */
	readonly sourceGrain: GrainSummary | null;
	readonly clips: readonly RenderedClip[];
}

/** How far rendering is, in frames of all clips and stills together. */
export interface ClipProgress {
	readonly phase: 'check' | 'clips' | 'stills' | 'grain';
	/** Shot and version at work, 0 first. */
	readonly shot: number;
	readonly version: number;
	readonly done: number;
	readonly total: number;
	readonly remainingSeconds: number | null;
}

/** A film that is a version: its files are in the page's `#version-<index>` element. */
export interface HeadlessVersion {
	readonly name: string;
	readonly kind: 'file' | 'sequence';
	readonly pattern?: string;
}

/** A review to be rendered by the headless page. */
export interface HeadlessReviewJob {
	readonly versions: readonly HeadlessVersion[];
	readonly rate?: string;
	readonly transfer?: string;
	/** Source frames of each shot; absent: the shots of the first version are detected. */
	readonly shots?: readonly FrameRange[];
	/** At most so many of the detected shots, the longest. */
	readonly mostShots: number;
	readonly settings: Omit<ClipSettings, 'cropFrames'>;
	/** What the number of its files depends on; `pairs` undefined for the usual number. */
	readonly budget: { readonly blind: boolean; readonly pairs?: number };
	readonly backend: BackendWish;
	readonly token: string;
}

/** How frames of the first version are numbered. */
export interface RenderedNumbering {
	readonly firstFrame: number;
	readonly base: number;
	readonly drop: boolean;
}

/** How a review's rendering ended. */
export type HeadlessReviewResult =
	| {
			readonly ok: true;
			readonly shots: readonly RenderedShot[];
			readonly numbering: RenderedNumbering;
			/** Bytes of all files that were written. */
			readonly bytes: number;
	  }
	| { readonly ok: false; readonly error: ErrorRecord };
