/** Rendered clips as the review is assembled of them, wherever their files lie. */

import type { ClipMetrics, GrainSummary } from '../../core/quality.ts';
import type { Rational } from '../../core/rational.ts';
import type { MadeClip, MadeShot } from './assemble.ts';
import { CLIP_ENCODINGS, type ClipCodec, codecString } from './codec.ts';

/** A clip's files by name (`RenderedClip` of the contracts has this shape). */
export interface ClipFiles {
	readonly file: string;
	readonly grainKept: number | null;
	readonly metrics: ClipMetrics | null;
	readonly stills: readonly { readonly frame: number; readonly file: string }[];
	readonly crop: {
		readonly x: number;
		readonly y: number;
		readonly width: number;
		readonly height: number;
		readonly firstFrame: number;
		readonly files: readonly string[];
	} | null;
}

/** A shot's files (`RenderedShot`). */
export interface ShotFiles {
	readonly range: { readonly start: number; readonly end: number };
	readonly frames: number;
	readonly size: { readonly width: number; readonly height: number };
	readonly pixelAspect: Rational;
	readonly rate: Rational;
	readonly sourceGrain: GrainSummary | null;
	readonly clips: readonly ClipFiles[];
}

/** How the reel's frames are numbered. */
export interface Numbering {
	readonly firstFrame: number;
	readonly base: number;
	readonly drop: boolean;
}

/** Gives a file by its name. */
export type FileOf = (name: string) => Promise<Blob>;

async function madeClip(clip: ClipFiles, codec: ClipCodec, size: ShotFiles['size'], fileOf: FileOf): Promise<MadeClip> {
	const blob = await fileOf(clip.file);
	const stills = await Promise.all(clip.stills.map(async ({ frame, file }) => ({ frame, blob: await fileOf(file) })));
	const { mime } = CLIP_ENCODINGS[codec];
	const base = {
		blob,
		mime,
		codec: await codecString(blob, codec, size),
		...{ grainKept: clip.grainKept, metrics: clip.metrics, stills },
	};
	if (!clip.crop) return { ...base, crop: null };
	const { files, ...place } = clip.crop;
	return { ...base, crop: { ...place, frames: await Promise.all(files.map(fileOf)) } };
}

/** The shots of a review. @param names One a shot. */
export function madeShots(
	shots: readonly ShotFiles[],
	names: readonly string[],
	codec: ClipCodec,
	numbering: Numbering,
	fileOf: FileOf,
): Promise<MadeShot[]> {
	return Promise.all(
		shots.map(async ({ range, frames, size, pixelAspect, rate, sourceGrain, clips }, i) => ({
			name: names[i] ?? String(i + 1),
			width: size.width,
			height: size.height,
			pixelAspect,
			rate,
			frames,
			firstNumber: numbering.firstFrame + range.start,
			base: numbering.base,
			drop: numbering.drop,
			sourceFrame: range.start,
			sourceGrain,
			clips: await Promise.all(clips.map((clip) => madeClip(clip, codec, size, fileOf))),
		})),
	);
}
