/** From the bytes of clips to sources that play together. */

import { type EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { type ClipIndex, indexClip } from './clip-index.ts';
import type { FrameSource } from './source.ts';
import { VideoClip } from './video-clip.ts';
import { WebCodecsClip } from './webcodecs-clip.ts';

/** A clip to open. */
export interface ClipToOpen {
	readonly blob: Blob;
	/** As the manifest names it; for the error. */
	readonly codec: string;
}

/** Sources of one engine, so that no side is decoded otherwise than the other. */
export interface OpenedClips {
	readonly sources: readonly FrameSource[];
	/** Why WebCodecs is not used though the browser has it; undefined where it is used or missing. */
	readonly refused: EmulsionError | undefined;
}

/**
 * Opens clips with WebCodecs where it decodes all of them (each one's first frame is tried), otherwise with `<video>` elements.
 * @param frames That every clip must have.
 * @throws EmulsionError `review-invalid`, `unsupported-format`.
 */
export async function openClips(clips: readonly ClipToOpen[], frames: number): Promise<OpenedClips> {
	const indexes = await indexAll(clips, frames);
	let refused: EmulsionError | undefined;
	const supported = await Promise.all(indexes.map((index) => WebCodecsClip.supports(index)));
	if (supported.every(Boolean)) {
		const sources = indexes.map((index) => new WebCodecsClip(index));
		try {
			await Promise.all(sources.map(async (source) => (await source.prepare(0)).close()));
			return { sources, refused };
		} catch (thrown) {
			refused = toEmulsionError(thrown);
			for (const source of sources) source.close();
			return { sources: await openElements(clips, await indexAll(clips, frames)), refused };
		}
	}
	return { sources: await openElements(clips, indexes), refused };
}

async function indexAll(clips: readonly ClipToOpen[], frames: number): Promise<readonly ClipIndex[]> {
	return allOrNone(clips.map(({ blob }) => indexClip(blob, frames)));
}

function openElements(clips: readonly ClipToOpen[], indexes: readonly ClipIndex[]): Promise<readonly FrameSource[]> {
	return allOrNone(clips.map(({ blob, codec }, i) => VideoClip.open(blob, indexes[i]!, codec)));
}

/** All of them; where one fails, the others are closed. */
export async function allOrNone<T extends { close(): void }>(work: readonly Promise<T>[]): Promise<readonly T[]> {
	const results = await Promise.allSettled(work);
	const failed = results.find((r) => r.status === 'rejected');
	const done = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
	if (!failed) return done;
	for (const item of done) item.close();
	throw failed.reason as Error;
}
