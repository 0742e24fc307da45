/** Finished exports in the origin's private file system, on their way to a download. */

import { Zip, ZipPassThrough } from 'fflate';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

/** A folder of the private file system, by path. Throws `storage-unavailable`. */
export async function opfsFolder(path: string): Promise<FileSystemDirectoryHandle> {
	try {
		let folder = await navigator.storage.getDirectory();
		for (const part of path.split('/').filter((p) => p !== '')) folder = await folder.getDirectoryHandle(part);
		return folder;
	} catch (cause) {
		throw new EmulsionError('storage-unavailable', phrase('export-gone', { path }), {
			cause,
		});
	}
}

async function filesOf(folder: FileSystemDirectoryHandle): Promise<File[]> {
	const files: File[] = [];
	for await (const entry of folder.values()) {
		if (entry.kind === 'file') files.push(await (entry as FileSystemFileHandle).getFile());
	}
	return files.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The one file of a folder, or all of them stored in a ZIP archive without compression or clock. */
export async function packFolder(
	folder: FileSystemDirectoryHandle,
	name: string,
): Promise<{ readonly blob: Blob; readonly name: string }> {
	const files = await filesOf(folder);
	const [only] = files;
	if (!only) throw new EmulsionError('storage-unavailable', phrase('export-empty'));
	if (files.length === 1) return { blob: only, name: only.name };
	const parts: Uint8Array<ArrayBuffer>[] = [];
	const zip = new Zip((error, chunk) => {
		if (error) throw error;
		parts.push(chunk as Uint8Array<ArrayBuffer>);
	});
	for (const file of files) {
		const entry = new ZipPassThrough(file.name);
		entry.mtime = '1980-01-01T00:00:00';
		zip.add(entry);
		entry.push(new Uint8Array(await file.arrayBuffer()), true);
	}
	zip.end();
	return { blob: new Blob(parts, { type: 'application/zip' }), name: `${name}.zip` };
}
