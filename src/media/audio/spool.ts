/**
 * The bytes of a film's sound between its extraction and the muxer: a few in memory, more in the origin's private file
 * system, so that two hours of PCM cost disk and no memory. A file belongs to the worker that wrote it, told by a Web Lock:
 * what a killed tab left behind is removed by the next one.
 */

import { discarded } from '../../core/buffers.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { concat } from '../mux/ebml.ts';
import type { StagedSink } from '../sinks/files.ts';
import { FolderTarget } from '../sinks/local.ts';

const FOLDER = 'sound';
const LOCK = 'emulsion-sound-';
/** Bytes that stay in memory; sound of more goes to the disk. Minutes of AAC, a minute and a half of CD sound. */
export const SPOOL_MEMORY = 16 << 20;
/** Bytes that gather before they are written. */
const BLOCK = 4 << 20;
const SMALL = 1 << 16;

/** Locks of the files that this worker holds, by name. */
const held = new Map<string, () => void>();

/** Takes the lock of a name until {@link free}; without Web Locks nobody sweeps, and nothing needs one. */
function hold(name: string): Promise<void> {
	if (!('locks' in navigator)) return Promise.resolve();
	return new Promise((taken, failed) => {
		navigator.locks
			.request(LOCK + name, () => {
				taken();
				return new Promise<void>((release) => held.set(name, release));
			})
			.catch(failed);
	});
}

function free(name: string): void {
	held.get(name)?.();
	held.delete(name);
}

/** Removes files whose worker is gone. */
async function sweep(): Promise<void> {
	if (!('locks' in navigator)) return;
	const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
	for await (const file of folder.keys()) {
		const name = file.replace(/\.part$/, '');
		await navigator.locks.request(LOCK + name, { ifAvailable: true }, async (lock) => {
			if (lock) await folder.removeEntry(file).catch(() => undefined);
		});
	}
}

/** Finished bytes. */
export interface Spooled {
	readonly blob: Blob;
	/** Name to {@link dropSound} them by once nobody reads `blob` any more; absent where they are in memory. */
	readonly stored?: string;
}

/** Removes the bytes of a finished spool. Unknown names are no error. */
export async function dropSound(stored: string): Promise<void> {
	const root = await navigator.storage.getDirectory();
	const folder = await root.getDirectoryHandle(FOLDER).catch(() => undefined);
	await folder?.removeEntry(stored).catch(() => undefined);
	free(stored);
}

/** Runs what fills a spool and finishes it; what comes of nothing, or fails, leaves nothing behind. */
export async function spooled<R>(spool: SoundSpool, make: () => Promise<R | undefined>): Promise<R | undefined> {
	let made: R | undefined;
	try {
		made = await make();
		return made;
	} finally {
		if (made === undefined) await spool.discard();
	}
}

/** Takes bytes in order. `finish` or `discard` ends it. */
export class SoundSpool {
	readonly #memory: number;
	#pending: Uint8Array<ArrayBuffer>[] = [];
	#bytes = 0;
	/** Where the browser has no private file system: Blobs, which it keeps as it sees fit. */
	#blobs: Blob[] | undefined;
	#file: { readonly name: string; readonly target: FolderTarget; readonly sink: StagedSink } | undefined;

	/** @param memory bytes that stay in memory. */
	constructor(memory = SPOOL_MEMORY) {
		this.#memory = memory;
	}

	/** Appends; `data` must not be changed afterwards. Call {@link settle} before much more is taken. */
	push(data: Uint8Array<ArrayBuffer>): void {
		this.#pending.push(data);
		this.#bytes += data.length;
	}

	/** Writes what has gathered. @throws EmulsionError `quota-exceeded`, `storage-unavailable`. */
	async settle(): Promise<void> {
		const isOpen = this.#file !== undefined || this.#blobs !== undefined;
		if (this.#bytes < (isOpen ? BLOCK : this.#memory)) return;
		if (!isOpen) await this.#open();
		await this.#spill();
	}

	async #open(): Promise<void> {
		const name = crypto.randomUUID();
		let target: FolderTarget;
		try {
			target = await FolderTarget.private(FOLDER);
		} catch {
			this.#blobs = [];
			return;
		}
		await sweep().catch(() => undefined);
		await hold(name);
		try {
			this.#file = { name, target, sink: await target.create(name) };
		} catch (error) {
			free(name);
			throw error;
		}
	}

	async #spill(): Promise<void> {
		const bytes = this.#bytes;
		// Packets are joined, for a write each would cost more than its bytes.
		const parts = bytes < SMALL * this.#pending.length ? [concat(this.#pending)] : this.#pending;
		this.#pending = [];
		this.#bytes = 0;
		if (this.#file) for (const part of parts) await this.#file.sink.write(part);
		else this.#blobs?.push(new Blob(parts));
		discarded(bytes);
	}

	/** All bytes. Nothing may be pushed afterwards. @throws as {@link settle}. */
	async finish(): Promise<Spooled> {
		if (!this.#file) return { blob: new Blob([...(this.#blobs ?? []), ...this.#pending]) };
		await this.#spill();
		const { name, target, sink } = this.#file;
		await sink.close();
		const blob = await target.read(name);
		if (!blob) throw new EmulsionError('storage-unavailable', phrase('sound-gone'));
		return { blob, stored: name };
	}

	/** Removes what was written. */
	async discard(): Promise<void> {
		this.#pending = [];
		this.#blobs = undefined;
		const file = this.#file;
		this.#file = undefined;
		if (!file) return;
		await file.sink.abort();
		await dropSound(file.name);
	}
}
