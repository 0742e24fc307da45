/** Where the editor's review clips rest until they are sent: the origin's private file system; stills in memory. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { ClipPlace } from '../../services/review/work.ts';
import type { FileOf } from '../../share/making/rendered.ts';
import { opfsFolder } from '../opfs.ts';

/** All folders of reviews begin so. */
const PREFIX = 'review-';

/** A place for one review's clips; {@link PrivatePlace.remove} frees it. */
export class PrivatePlace implements ClipPlace {
	readonly #folder = `${PREFIX}${crypto.randomUUID()}`;
	readonly #pictures = new Map<string, Blob>();

	target(): ReturnType<ClipPlace['target']> {
		return { kind: 'opfs', folder: this.#folder };
	}

	written(): void {
		// The folder is removed as a whole.
	}

	read(file: string): Promise<Blob> {
		return this.fileOf(file);
	}

	put(file: string, blob: Blob): Promise<void> {
		this.#pictures.set(file, blob);
		return Promise.resolve();
	}

	/** A clip or a picture by its name. @throws EmulsionError `storage-unavailable` where it is gone. */
	readonly fileOf: FileOf = async (file) => {
		const picture = this.#pictures.get(file);
		if (picture) return picture;
		try {
			return await (await (await opfsFolder(this.#folder)).getFileHandle(file)).getFile();
		} catch (cause) {
			throw new EmulsionError('storage-unavailable', phrase('export-gone', { path: `${this.#folder}/${file}` }), {
				cause,
			});
		}
	};

	/** Frees the space. */
	async remove(): Promise<void> {
		this.#pictures.clear();
		const root = await navigator.storage.getDirectory();
		await root.removeEntry(this.#folder, { recursive: true }).catch(() => undefined);
	}
}

/**
 * Holds the right to make a review until `end` is called: one tab of this browser at a time. What killed tabs left in the private
 * file system is removed first.
 * @throws EmulsionError `usage` where another tab makes one.
 */
export async function claimMaking(): Promise<() => void> {
	let end: (() => void) | undefined;
	const held = await new Promise<boolean>((resolve) => {
		void navigator.locks.request('emulsion-review-making', { ifAvailable: true }, (lock) => {
			resolve(lock !== null);
			if (!lock) return undefined;
			return new Promise<void>((free) => {
				end = free;
			});
		});
	});
	if (!held) throw new EmulsionError('usage', phrase('making-elsewhere'));
	const root = await navigator.storage.getDirectory();
	const left: string[] = [];
	for await (const name of root.keys()) if (name.startsWith(PREFIX)) left.push(name);
	for (const name of left) await root.removeEntry(name, { recursive: true }).catch(() => undefined);
	return () => end?.();
}
