/** Files on this machine: the origin's private file system, a folder or a file the restorer chose. */

import { isZero } from '../../core/buffers.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import {
	type ByteReader,
	type StagedSink,
	type StagedTarget,
	blobReader,
	checkName,
	guarded,
	NAMED_TAKEN,
} from './files.ts';

/** Renaming, which TypeScript's library does not know yet. */
interface Movable {
	move?(name: string): Promise<void>;
}

/** Removing, which TypeScript's library does not know yet. */
interface Removable {
	remove?(): Promise<void>;
}

function partName(name: string): string {
	return `${name}.part`;
}

async function existing(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
	try {
		return await (await folder.getFileHandle(name)).getFile();
	} catch (error) {
		if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
		throw error;
	}
}

/** Renames within a folder, replacing what is there; copies where the browser cannot rename. */
async function rename(folder: FileSystemDirectoryHandle, handle: FileSystemFileHandle, name: string): Promise<void> {
	const movable = handle as FileSystemFileHandle & Movable;
	if (typeof movable.move === 'function') {
		try {
			await movable.move(name);
			return;
		} catch (error) {
			// Chromium refuses to rename outside the private file system where it cannot do so safely.
			if (error instanceof DOMException && error.name === 'QuotaExceededError') throw error;
		}
	}
	const target = await folder.getFileHandle(name, { create: true });
	await (await handle.getFile()).stream().pipeTo(await target.createWritable());
	await folder.removeEntry(handle.name);
}

/** A file of the private file system, written through the synchronous handle that only workers have. */
class OpfsSink implements StagedSink {
	readonly #folder: FileSystemDirectoryHandle;
	readonly #handle: FileSystemFileHandle;
	readonly #name: string;
	#access: FileSystemSyncAccessHandle | undefined;
	#end = 0;

	constructor(
		folder: FileSystemDirectoryHandle,
		handle: FileSystemFileHandle,
		access: FileSystemSyncAccessHandle,
		name: string,
	) {
		this.#folder = folder;
		this.#handle = handle;
		this.#access = access;
		this.#name = name;
	}

	async write(data: Uint8Array<ArrayBuffer>, at = this.#end): Promise<void> {
		const access = this.#access;
		if (!access) throw new EmulsionError('internal', `${this.#name}: write after finish`);
		await guarded(this.#name, data.length, () => {
			// Zeros behind the end (silence) take no disk.
			const isHole = at >= access.getSize() && isZero(data);
			if (isHole) access.truncate(at + data.length);
			let done = isHole ? data.length : 0;
			while (done < data.length) {
				const written = access.write(data.subarray(done), { at: at + done });
				// Chromium reports a full disk by writing less.
				if (written === 0) throw new DOMException('The disk is full.', 'QuotaExceededError');
				done += written;
			}
		});
		this.#end = Math.max(this.#end, at + data.length);
	}

	async finish(): Promise<ByteReader> {
		this.#release();
		return blobReader(await this.#handle.getFile());
	}

	#release(): void {
		this.#access?.flush();
		this.#access?.close();
		this.#access = undefined;
	}

	async close(): Promise<void> {
		this.#release();
		await guarded(this.#name, 0, () => rename(this.#folder, this.#handle, this.#name));
	}

	async abort(): Promise<void> {
		this.#access?.close();
		this.#access = undefined;
		await this.#folder.removeEntry(this.#handle.name).catch(() => undefined);
	}
}

/** A file written through the File System Access stream; the browser shows it only when the stream is closed. */
class StreamSink implements StagedSink {
	readonly #handle: FileSystemFileHandle;
	readonly #name: string;
	readonly #publish: () => Promise<void>;
	readonly #remove: () => Promise<void>;
	readonly #stream: FileSystemWritableFileStream;
	#isOpen = true;
	#end = 0;

	constructor(
		handle: FileSystemFileHandle,
		stream: FileSystemWritableFileStream,
		name: string,
		publish: () => Promise<void>,
		remove: () => Promise<void>,
	) {
		this.#handle = handle;
		this.#stream = stream;
		this.#name = name;
		this.#publish = publish;
		this.#remove = remove;
	}

	async write(data: Uint8Array<ArrayBuffer>, at?: number): Promise<void> {
		const position = at ?? this.#end;
		await guarded(this.#name, data.length, () => this.#stream.write({ type: 'write', position, data }));
		this.#end = Math.max(this.#end, position + data.length);
	}

	async #settle(): Promise<void> {
		if (!this.#isOpen) return;
		await guarded(this.#name, this.#end, () => this.#stream.close());
		this.#isOpen = false;
	}

	async finish(): Promise<ByteReader> {
		await this.#settle();
		return blobReader(await this.#handle.getFile());
	}

	async close(): Promise<void> {
		await this.#settle();
		await guarded(this.#name, 0, () => this.#publish());
	}

	async abort(): Promise<void> {
		if (this.#isOpen) await this.#stream.abort().catch(() => undefined);
		this.#isOpen = false;
		await this.#remove().catch(() => undefined);
	}
}

/** A folder the restorer chose, or (with synchronous handles) one of the private file system. */
export class FolderTarget implements StagedTarget {
	readonly #folder: FileSystemDirectoryHandle;
	readonly #isPrivate: boolean;

	constructor(folder: FileSystemDirectoryHandle, isPrivate = false) {
		this.#folder = folder;
		this.#isPrivate = isPrivate;
	}

	/** The origin's private folder of that name, made where missing. */
	static async private(path: string): Promise<FolderTarget> {
		let folder = await navigator.storage.getDirectory();
		for (const part of path.split('/').filter((p) => p !== '')) {
			folder = await folder.getDirectoryHandle(checkName(part), { create: true });
		}
		return new FolderTarget(folder, true);
	}

	/** See {@link StagedTarget.claim}. A private folder is an export's own. */
	async claim(names: readonly string[]): Promise<void> {
		if (this.#isPrivate) return;
		const wanted = new Set(names.map(checkName));
		const taken: string[] = [];
		await guarded(this.#folder.name, 0, async () => {
			for await (const name of this.#folder.keys()) if (wanted.has(name)) taken.push(name);
		});
		if (taken.length === 0) return;
		const values = { names: taken.sort().slice(0, NAMED_TAKEN), count: taken.length, total: names.length };
		throw new EmulsionError('usage', phrase('folder-has', { ...values, folder: this.#folder.name }));
	}

	/** See {@link StagedTarget.create}: bytes go to `name.part`. */
	async create(name: string): Promise<StagedSink> {
		checkName(name);
		const folder = this.#folder;
		return guarded(name, 0, async () => {
			const handle = await folder.getFileHandle(partName(name), { create: true });
			if (this.#isPrivate && 'createSyncAccessHandle' in handle) {
				const access = await handle.createSyncAccessHandle();
				access.truncate(0);
				return new OpfsSink(folder, handle, access, name);
			}
			const publish = (): Promise<void> => rename(folder, handle, name);
			const remove = (): Promise<void> => folder.removeEntry(partName(name));
			return new StreamSink(handle, await handle.createWritable(), name, publish, remove);
		});
	}

	/** See `OutputTarget.read`. */
	read(name: string): Promise<Blob | undefined> {
		return existing(this.#folder, checkName(name));
	}
}

/** The one file the restorer chose; its name is the restorer's, whatever is asked for. */
export class FileTarget implements StagedTarget {
	readonly #handle: FileSystemFileHandle;

	constructor(handle: FileSystemFileHandle) {
		this.#handle = handle;
	}

	/** Replaces the file's contents once closed; until then the old ones stay. */
	async create(name: string): Promise<StagedSink> {
		const handle = this.#handle as FileSystemFileHandle & Removable;
		const remove = async (): Promise<void> => {
			if (handle.remove) await handle.remove();
			else await (await handle.createWritable()).close();
		};
		const publish = (): Promise<void> => Promise.resolve();
		return guarded(name, 0, async () => new StreamSink(handle, await handle.createWritable(), name, publish, remove));
	}

	/** The file as it is now; undefined when it is empty. */
	async read(): Promise<Blob | undefined> {
		const file = await this.#handle.getFile();
		return file.size > 0 ? file : undefined;
	}
}
