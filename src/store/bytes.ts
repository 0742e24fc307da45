/**
 * Where bytes rest between runs: OPFS with sync access handles (575 MB/s read, 139 write where measured), or IndexedDB
 * where a worker has no OPFS. One interface; a name is written once and read many times.
 */

import { createStore, del, get, keys, set, type UseStore } from 'idb-keyval';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { eachPiece } from './keys.ts';

/** Named bytes. Names hold letters, digits, `.`, `_` and `-` only. */
export interface ByteStore {
	readonly kind: 'opfs' | 'indexeddb';
	/** Replaces what was there. Throws `quota-exceeded` (retryable) when the disk or the origin's share is full. */
	write(name: string, data: Blob | Uint8Array<ArrayBuffer>): Promise<void>;
	/** The bytes as a blob that is read on demand, or undefined. */
	blob(name: string): Promise<Blob | undefined>;
	/** The bytes, or undefined. */
	read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
	/** Removes; absent names are no error. */
	remove(name: string): Promise<void>;
	names(): Promise<string[]>;
}

const NAME = /^[A-Za-z0-9._-]{1,200}$/;

function checked(name: string): string {
	if (!NAME.test(name)) throw new EmulsionError('internal', `store name "${name}": expected ${NAME.source}`);
	return name;
}

/** Full disks, in the words of each API, become one retryable error that says how much is needed. */
export function storageError(thrown: unknown, bytes: number): EmulsionError {
	const error = toEmulsionError(thrown);
	if (error.code !== 'quota-exceeded') return error;
	return new EmulsionError('quota-exceeded', phrase('storage-full', { bytes }), {
		retryable: true,
		bytesNeeded: bytes,
		cause: thrown,
	});
}

async function writeHandle(handle: FileSystemFileHandle, data: Blob | Uint8Array<ArrayBuffer>): Promise<void> {
	const access = await handle.createSyncAccessHandle();
	try {
		access.truncate(0);
		let at = 0;
		const put = (piece: Uint8Array<ArrayBuffer>) => {
			let done = 0;
			while (done < piece.length) {
				const written = access.write(piece.subarray(done), { at });
				if (written <= 0) throw new DOMException('short write', 'QuotaExceededError');
				done += written;
				at += written;
			}
		};
		if (data instanceof Uint8Array) put(data);
		else await eachPiece(data, put);
		access.flush();
	} finally {
		access.close();
	}
}

function opfsStore(folder: FileSystemDirectoryHandle): ByteStore {
	const file = async (name: string): Promise<File | undefined> => {
		try {
			return await (await folder.getFileHandle(checked(name))).getFile();
		} catch (error) {
			if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
			throw error;
		}
	};
	const remove = async (name: string) => {
		try {
			await folder.removeEntry(checked(name));
		} catch (error) {
			if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
		}
	};
	return {
		kind: 'opfs',
		async write(name, data) {
			const bytes = data instanceof Blob ? data.size : data.byteLength;
			try {
				await writeHandle(await folder.getFileHandle(checked(name), { create: true }), data);
			} catch (error) {
				await remove(name).catch(() => undefined);
				throw storageError(error, bytes);
			}
		},
		blob: file,
		async read(name) {
			const found = await file(name);
			return found && new Uint8Array(await found.arrayBuffer());
		},
		remove,
		async names() {
			const names: string[] = [];
			for await (const [name, handle] of folder.entries()) if (handle.kind === 'file') names.push(name);
			return names;
		},
	};
}

function idbStore(store: UseStore): ByteStore {
	const blob = async (name: string) => {
		const value: unknown = await get(checked(name), store);
		return value instanceof Blob ? value : undefined;
	};
	return {
		kind: 'indexeddb',
		async write(name, data) {
			const value = data instanceof Blob ? data : new Blob([data]);
			try {
				await set(checked(name), value, store);
			} catch (error) {
				throw storageError(error, value.size);
			}
		},
		blob,
		async read(name) {
			const found = await blob(name);
			return found && new Uint8Array(await found.arrayBuffer());
		},
		remove: (name) => del(checked(name), store),
		names: async () => (await keys<string>(store)).filter((k) => typeof k === 'string'),
	};
}

async function openOpfs(path: readonly string[]): Promise<ByteStore | undefined> {
	if (typeof FileSystemFileHandle === 'undefined' || !('createSyncAccessHandle' in FileSystemFileHandle.prototype))
		return undefined;
	try {
		let folder = await navigator.storage.getDirectory();
		for (const part of path) folder = await folder.getDirectoryHandle(checked(part), { create: true });
		return opfsStore(folder);
	} catch {
		// Private windows of some browsers refuse OPFS: IndexedDB serves as well, only slower.
		return undefined;
	}
}

/**
 * Opens named bytes under a path such as `['cache']`: OPFS in a worker that has it, IndexedDB otherwise.
 * `prefer` forces one of them (tests).
 */
export async function openByteStore(path: readonly string[], prefer?: ByteStore['kind']): Promise<ByteStore> {
	const opfs = prefer === 'indexeddb' ? undefined : await openOpfs(path);
	if (opfs) return opfs;
	if (prefer === 'opfs') throw new EmulsionError('storage-unavailable', phrase('no-opfs'));
	return idbStore(createStore(`emulsion-bytes-${path.map(checked).join('-')}`, 'bytes'));
}
