/** Files in and out of the tab: pickers, drops, folders, downloads, same-origin addresses. */

import type { InputFile, SourceInput } from '../contracts/media.ts';
import { EmulsionError, throwIfAborted } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { isSameOriginPath } from '../project/validate.ts';

const IMAGE = /\.(?:png|tiff?|dpx|exr|cin)$/i;

/** What a set of files is, by their names. */
export type Opened =
	| { readonly kind: 'source'; readonly input: SourceInput }
	| { readonly kind: 'project'; readonly file: File }
	| { readonly kind: 'edl'; readonly file: File }
	| { readonly kind: 'recipe'; readonly file: File };

function folderOf(path: string): string {
	return path.slice(0, path.lastIndexOf('/') + 1);
}

/**
 * Sorts out what was opened: one project, EDL or recipe file, one film file, or the images of a sequence.
 * @throws EmulsionError `usage` for nothing, or for several films at once.
 */
export function classify(files: readonly InputFile[]): Opened {
	const visible = files.filter((f) => !/(?:^|\/)(?:\.|Thumbs\.db$)/i.test(f.path));
	const [first] = visible;
	if (!first) throw new EmulsionError('usage', phrase('nothing-chosen'));
	if (visible.length === 1 && first.path === first.file.name) {
		const name = first.file.name.toLowerCase();
		if (name.endsWith('.emulsion')) return { kind: 'project', file: first.file };
		if (name.endsWith('.edl')) return { kind: 'edl', file: first.file };
		if (name.endsWith('.json')) return { kind: 'recipe', file: first.file };
		return { kind: 'source', input: { kind: IMAGE.test(name) ? 'sequence' : 'file', files: [first] } };
	}
	const images = visible.filter((f) => IMAGE.test(f.path));
	if (images.length === 0) {
		if (visible.length === 1) return { kind: 'source', input: { kind: 'file', files: [first] } };
		throw new EmulsionError('usage', phrase('several-files', { count: visible.length }));
	}
	// Images of subfolders are other sequences: the folder with the most images is meant.
	const counts = new Map<string, number>();
	for (const f of images) counts.set(folderOf(f.path), (counts.get(folderOf(f.path)) ?? 0) + 1);
	const [folder] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
	return { kind: 'source', input: { kind: 'sequence', files: images.filter((f) => folderOf(f.path) === folder) } };
}

/** Files of an `<input type="file">`, with their relative paths where a folder was chosen. */
export function inputFiles(list: FileList | readonly File[]): InputFile[] {
	return [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function readDirectory(handle: FileSystemDirectoryHandle, prefix: string): Promise<InputFile[]> {
	const found: InputFile[] = [];
	for await (const entry of handle.values()) {
		if (entry.kind === 'directory') continue;
		found.push({ path: `${prefix}${entry.name}`, file: await (entry as FileSystemFileHandle).getFile() });
	}
	return found;
}

interface PickerWindow {
	showDirectoryPicker?: (options: { mode: 'read' | 'readwrite' }) => Promise<FileSystemDirectoryHandle>;
	showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

/** The browser's pickers, where it has them. */
export function pickers(): PickerWindow {
	return window as unknown as PickerWindow;
}

/** Lets the restorer choose a folder; `aborted` where they change their mind. Undefined where the browser has no picker. */
export async function pickFolder(): Promise<InputFile[] | undefined> {
	const pick = pickers().showDirectoryPicker;
	if (!pick) return undefined;
	const handle = await pick.call(window, { mode: 'read' });
	return readDirectory(handle, `${handle.name}/`);
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
	return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function walk(entry: FileSystemEntry): Promise<InputFile[]> {
	if (entry.isFile) return [{ path: entry.fullPath.slice(1), file: await fileOf(entry as FileSystemFileEntry) }];
	const reader = (entry as FileSystemDirectoryEntry).createReader();
	const found: InputFile[] = [];
	// A reader gives at most a hundred entries a call.
	for (;;) {
		const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
		if (batch.length === 0) return found;
		for (const child of batch) {
			const file = child.isFile ? await fileOf(child as FileSystemFileEntry) : undefined;
			if (file) found.push({ path: child.fullPath.slice(1), file });
		}
	}
}

/** Files of a drop, folders read one level deep. The transfer's items are read before the first wait, as browsers require. */
export async function droppedFiles(transfer: DataTransfer): Promise<InputFile[]> {
	const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
	if (entries.length === 0) return inputFiles(transfer.files);
	return (await Promise.all(entries.map(walk))).flat();
}

/** Fetches a film of this origin. @throws EmulsionError `usage` for other origins, `input-unreadable` where it is not there. */
export async function fetchFile(
	url: string,
	onProgress: (done: number, total: number) => void,
	signal: AbortSignal,
): Promise<InputFile> {
	const path = samePath(url);
	const response = await fetch(path, { signal });
	const missing = !response.ok || (response.headers.get('content-type') ?? '').startsWith('text/html');
	if (missing || !response.body) {
		throw new EmulsionError('input-unreadable', phrase('not-served', { path, status: response.status }));
	}
	const total = Number(response.headers.get('content-length') ?? 0);
	const parts: Uint8Array<ArrayBuffer>[] = [];
	let done = 0;
	const reader = response.body.getReader();
	for (;;) {
		throwIfAborted(signal);
		const { value, done: ended } = await reader.read();
		if (ended) break;
		parts.push(value);
		onProgress((done += value.byteLength), total);
	}
	const name =
		decodeURIComponent(
			path
				.replace(/[?#].*$/, '')
				.split('/')
				.at(-1) ?? '',
		) || 'film';
	return { path: name, file: new File(parts, name) };
}

/** The path of an address of this origin; throws `usage` for others. */
export function samePath(url: string): string {
	let parsed: URL;
	try {
		parsed = new URL(url, location.href);
	} catch (cause) {
		throw new EmulsionError('usage', phrase('no-address', { url }), { cause });
	}
	const path = `${parsed.pathname}${parsed.search}`;
	if (parsed.origin !== location.origin || !isSameOriginPath(path)) {
		throw new EmulsionError('usage', phrase('other-origin', { origin: location.origin, got: parsed.origin }));
	}
	return path;
}

/** Saves bytes under a name, through the browser's download. */
export function download(blob: Blob, name: string): void {
	const url = URL.createObjectURL(blob);
	const link = document.createElement('a');
	link.href = url;
	link.download = name;
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
