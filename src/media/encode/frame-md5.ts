/** The MD5 of a frame's planes, equal to what `ffmpeg -f framemd5` prints for the same pixel format. */

import { type IHasher, createMD5 } from 'hash-wasm';
import type { PixelFormat, Size } from '../../core/color.ts';
import { ffmpegPlanes } from './planes.ts';

/** Hashes frames one after another with one wasm instance. */
export class FrameHasher {
	readonly #md5: IHasher;

	private constructor(md5: IHasher) {
		this.#md5 = md5;
	}

	/** Loads the hash. */
	static async create(): Promise<FrameHasher> {
		return new FrameHasher(await createMD5());
	}

	/** Hex MD5 of tightly packed planes (R, G, B order for RGB; hashed as ffmpeg's `gbrp…`). */
	hash(data: Uint8Array, format: PixelFormat, size: Size): string {
		return this.hashBytes(ffmpegPlanes(data, format, size));
	}

	/** Hex MD5 of bytes that are already in ffmpeg's order. */
	hashBytes(bytes: Uint8Array): string {
		return this.#md5.init().update(bytes).digest('hex');
	}
}
