/** The files of a folder, however the browser hands it over; read when needed, never copied. */
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { InputFile } from '../../contracts/media.ts';

/** Folders within folders that are looked into. */
const MAX_DEPTH = 4;

/**
 * All files of a directory handle (File System Access, OPFS, a dropped folder), with paths relative to it and starting with
 * its name. Throws `input-unreadable` where permission is missing or a file vanished.
 */
export async function filesOfDirectory(handle: FileSystemDirectoryHandle, signal?: AbortSignal): Promise<InputFile[]> {
	const files: InputFile[] = [];
	try {
		await walk(handle, handle.name, 0, files, signal);
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		if (error.code !== 'internal') throw error;
		throw new EmulsionError('input-unreadable', phrase('folder-unreadable', { name: handle.name, why: error.said }), {
			cause: thrown,
		});
	}
	return files;
}

async function walk(
	handle: FileSystemDirectoryHandle,
	path: string,
	depth: number,
	files: InputFile[],
	signal: AbortSignal | undefined,
): Promise<void> {
	for await (const entry of handle.values()) {
		throwIfAborted(signal);
		const at = path === '' ? entry.name : `${path}/${entry.name}`;
		if (isFile(entry)) files.push({ path: at, file: await entry.getFile() });
		else if (isDirectory(entry) && depth < MAX_DEPTH) await walk(entry, at, depth + 1, files, signal);
	}
}

function isFile(handle: FileSystemHandle): handle is FileSystemFileHandle {
	return handle.kind === 'file';
}

function isDirectory(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
	return handle.kind === 'directory';
}

/** The files of `<input type="file" webkitdirectory>` or of a drop, with their relative paths. */
export function filesOfList(list: Iterable<File>): InputFile[] {
	return Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}
