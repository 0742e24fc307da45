/** Lossless pictures one after another: the crops on which grain and dirt are judged. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { FrameSource, ReadyFrame } from './source.ts';

/** Pictures kept decoded, before and after the one in sight. */
const KEPT = 16;
/** Pictures decoded ahead. */
const AHEAD = 4;

/** A PNG as something to draw. @throws EmulsionError `review-invalid`. */
export async function decodePicture(blob: Blob): Promise<ImageBitmap> {
	try {
		return await createImageBitmap(blob);
	} catch (cause) {
		throw new EmulsionError('review-invalid', phrase('still-unreadable'), { cause });
	}
}

/** See the file's comment. */
export class PictureClip implements FrameSource {
	readonly engine = 'stills';
	readonly frames: number;
	readonly #pictures: readonly Blob[];
	readonly #decoded = new Map<number, Promise<ImageBitmap>>();
	#closed = false;

	constructor(pictures: readonly Blob[]) {
		this.#pictures = pictures;
		this.frames = pictures.length;
	}

	async prepare(index: number): Promise<ReadyFrame> {
		const picture = await this.#decode(index);
		if (this.#closed) throw new EmulsionError('aborted', 'The clip was closed.');
		for (let ahead = 1; ahead <= AHEAD; ahead++) {
			if (index + ahead < this.frames) void this.#decode(index + ahead).catch(() => undefined);
		}
		return {
			width: picture.width,
			height: picture.height,
			draw: (context) => context.drawImage(picture, 0, 0),
			close: () => this.#forget(index),
		};
	}

	close(): void {
		this.#closed = true;
		for (const index of [...this.#decoded.keys()]) this.#drop(index);
	}

	#decode(index: number): Promise<ImageBitmap> {
		let picture = this.#decoded.get(index);
		if (!picture) {
			picture = decodePicture(this.#pictures[index]!);
			this.#decoded.set(index, picture);
		}
		return picture;
	}

	/** Lets go of what lies farthest from the picture that was drawn. */
	#forget(near: number): void {
		const far = [...this.#decoded.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
		for (const index of far.slice(0, Math.max(0, far.length - KEPT))) this.#drop(index);
	}

	#drop(index: number): void {
		void this.#decoded.get(index)?.then(
			(picture) => picture.close(),
			() => undefined,
		);
		this.#decoded.delete(index);
	}
}

/** A picture on a canvas of its own: what the painter draws in place of a frame. */
export async function pictureCanvas(png: Blob): Promise<HTMLCanvasElement> {
	const bitmap = await decodePicture(png);
	const canvas = document.createElement('canvas');
	canvas.width = bitmap.width;
	canvas.height = bitmap.height;
	canvas.getContext('2d', { alpha: false })?.drawImage(bitmap, 0, 0);
	bitmap.close();
	return canvas;
}
