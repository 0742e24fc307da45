/** Frames as they cross threads: tightly packed planes with exact time. Types only. */

import type { ColorTags, FieldOrder, PixelFormat, Size } from '../core/color.ts';
import type { Rational } from '../core/rational.ts';

/**
 * The planes of one picture, as decoded or as handed to an encoder. `data` holds all planes one after another without
 * padding, laid out by `planeLayouts(format, size)`; integer samples above 8 bit are little-endian 16-bit words.
 * The buffer is transferred, never copied, between workers: the receiver owns it.
 */
export interface PlanarFrame {
	readonly format: PixelFormat;
	readonly size: Size;
	readonly data: ArrayBuffer;
	readonly color: ColorTags;
	/** Field order of this frame (`progressive` unless the stream flags otherwise). */
	readonly fields: FieldOrder;
	/** Presentation time in seconds, exact. */
	readonly pts: Rational;
	/** Display duration in seconds, exact, > 0. */
	readonly duration: Rational;
	/** 0-based presentation index in its source or timeline. */
	readonly index: number;
	/** Header bytes of the file this frame was read from (DPX), to be written again with the restored picture. */
	readonly header?: ArrayBuffer;
}

/** Interleaved audio samples. */
export interface AudioChunk {
	/** Interleaved float32, −1…1. */
	readonly data: Float32Array;
	readonly channels: number;
	readonly sampleRate: number;
	/** Time of the first sample in seconds, exact. */
	readonly pts: Rational;
}

/** Half-open range of frame indices. */
export interface FrameRange {
	readonly start: number;
	readonly end: number;
}

/** Progress of a long call. `done` and `total` share a unit (frames, bytes, tiles). */
export interface Progress {
	readonly phase: string;
	readonly done: number;
	readonly total: number;
}

/** Receives progress; must not throw. */
export type OnProgress = (progress: Progress) => void;

/** A stream of frames with back-pressure: pulling is what lets the producer go on. */
export interface FrameStream extends AsyncIterable<PlanarFrame> {
	/**
	 * Gives the buffer of one of its frames back to the producer, who fills it again; nobody may read it any more. Never needed:
	 * a buffer that is kept, or transferred on, is simply not given. Absent where the producer cannot use it.
	 */
	recycle?(data: ArrayBuffer): void;
}
