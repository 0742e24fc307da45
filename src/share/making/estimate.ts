/** How large a review will be and how long it takes, before anything is rendered. */

import { CONTROL_EVERY, CONTROL_FROM } from '../ballot.ts';
import { EmulsionError } from '../../core/errors.ts';
import { CROP } from '../../core/quality.ts';
import { phrase } from '../../core/phrases.ts';
import { sealedBytes } from '../objects.ts';
import { LIMITS } from '../protocol.ts';
import { CLIP_ENCODINGS, type ClipCodec } from './codec.ts';

/** Pairs that are asked at most where nobody says how many. */
export const USUAL_PAIRS = 24;

/** Compressed PNG ÷ its samples. Frames of two films that were coded before took 0.26 (gray) and 0.42 (color); grain takes more. */
const PNG_SHARE = 0.65;

/** What the size depends on. */
export interface EstimateInput {
	readonly versions: number;
	readonly shots: readonly {
		readonly frames: number;
		readonly width: number;
		readonly height: number;
		/** Frames of its lossless crops, where the codec makes them necessary. */
		readonly cropFrames: number;
	}[];
	readonly codec: ClipCodec;
	/** Stills of every clip. */
	readonly stills: number;
	/** Bits a sample of stills. */
	readonly depth: 8 | 16;
	readonly blind: boolean;
	/** Real pairs. */
	readonly pairs: number;
	/** As it was measured; null: the codec's usual figure. */
	readonly measured: ClipCost | null;
}

/** What clips cost, measured on a few frames of every version. */
export interface ClipCost {
	/** The most of the versions. */
	readonly bitsPerPixel: number;
	/** Rendering and encoding, the mean of the versions. */
	readonly secondsPerFrame: number;
	/** Comparing a clip with what was encoded, and the judge's figures where they are wanted. */
	readonly secondsPerClip: number;
	/** The codec keeps too little of the grain: all versions get lossless crops. */
	readonly asksOnCrops: boolean;
}

/** An estimate. */
export interface Estimate {
	/** Frames of all clips together. */
	readonly frames: number;
	/** Bytes that are kept by the service, or in the file. */
	readonly bytes: number;
	/** The same where the codec should keep too little of the grain and lossless crops come along; it is `bytes` once that was measured. */
	readonly bytesMost: number;
	/** Seconds of rendering and measuring; null until it was measured. */
	readonly seconds: number | null;
}

/** Control pairs that {@link EstimateInput.pairs} real ones bring along in a blind review. */
export function controlsFor(pairs: number): number {
	return pairs < CONTROL_FROM ? 0 : 2 * Math.max(1, Math.round(pairs / CONTROL_EVERY / 2));
}

/** Bytes of a picture as PNG, sealed. */
function pictureBytes(width: number, height: number, depth: number): number {
	return sealedBytes(Math.ceil((width * height * 3 * depth * PNG_SHARE) / 8));
}

/**
 * Size and time. Clips by bits a pixel; stills and crops by what PNG makes of film. In a blind review every presentation carries two
 * clips of its own, of a shot of average length.
 */
export function estimateReview(input: EstimateInput): Estimate {
	const { versions, shots, codec, stills, depth, blind, pairs, measured } = input;
	const bits = measured?.bitsPerPixel ?? CLIP_ENCODINGS[codec].bitsPerPixel;
	const copies = blind && pairs > 0 ? 2 * (pairs + controlsFor(pairs)) : 0;
	const sizeWith = (onCrops: boolean): { readonly bytes: number; readonly rendered: number } => {
		const clips = shots.map(({ frames, width, height, cropFrames }) => {
			const crops = onCrops ? cropFrames : 0;
			const side = { width: Math.min(width, CROP.width), height: Math.min(height, CROP.height) };
			const pictures = Math.min(stills, frames);
			const bytes =
				sealedBytes(Math.ceil((frames * width * height * bits) / 8)) +
				pictures * pictureBytes(width, height, depth) +
				crops * pictureBytes(side.width, side.height, depth);
			return { bytes, rendered: frames + pictures + crops };
		});
		const once = versions * clips.reduce((sum, clip) => sum + clip.bytes, 0);
		const average = clips.length === 0 ? 0 : once / versions / clips.length;
		const rendered = versions * clips.reduce((sum, clip) => sum + clip.rendered, 0);
		return { bytes: Math.ceil(once + copies * average), rendered };
	};
	const { bytes, rendered } = sizeWith(measured?.asksOnCrops === true);
	return {
		frames: versions * shots.reduce((sum, shot) => sum + shot.frames, 0),
		bytes,
		bytesMost: measured ? bytes : sizeWith(true).bytes,
		seconds: measured ? rendered * measured.secondsPerFrame + versions * shots.length * measured.secondsPerClip : null,
	};
}

/**
 * Frames that each lossless crop may have, so that the review stays within what a service keeps of one.
 * @throws EmulsionError `usage` where clips and stills alone are too many.
 */
export function cropFrameBudget({
	versions,
	shots,
	stills,
	blind,
	pairs,
}: {
	readonly versions: number;
	readonly shots: number;
	readonly stills: number;
	readonly blind: boolean;
	readonly pairs: number;
}): number {
	const presented = blind && pairs > 0 ? 2 * (pairs + controlsFor(pairs)) : 0;
	const clips = versions * shots + presented;
	// Manifest and owner's secrets are objects as well.
	const files = clips * (1 + stills) + 2;
	if (files > LIMITS.objects) {
		throw new EmulsionError('usage', phrase('making-objects', { got: files, most: LIMITS.objects }));
	}
	return Math.floor((LIMITS.objects - files) / clips);
}
