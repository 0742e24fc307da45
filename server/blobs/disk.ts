/** Blobs as files in a folder. */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobEntry, BlobError, type BlobStore, partsOfName } from './blobs.ts';

/** Names ending so are being written, or were when the process was killed: they count as no blob. */
const UNFINISHED = '.part';

/** Opens a folder as a store and makes it where there is none. */
export async function openDiskBlobs(folder: string): Promise<BlobStore> {
	await mkdir(folder, { recursive: true });
	const pathOf = (name: string): string => join(folder, ...partsOfName(name));

	async function* entries(path: string, prefix: string): AsyncGenerator<BlobEntry> {
		const listing = await opendir(path).catch((error: NodeJS.ErrnoException) => {
			if (error.code === 'ENOENT') return undefined;
			throw error;
		});
		if (!listing) return;
		for await (const entry of listing) {
			const name = `${prefix}${entry.name}`;
			if (entry.isDirectory()) yield* entries(join(path, entry.name), `${name}/`);
			else {
				const info = await stat(join(path, entry.name)).catch(() => undefined);
				if (info) yield { name, modifiedAt: info.mtimeMs };
			}
		}
	}

	return {
		kind: 'disk',
		async put(name, bytes) {
			const path = pathOf(name);
			const draft = `${path}.${randomUUID()}${UNFINISHED}`;
			await mkdir(dirname(path), { recursive: true });
			try {
				const file = await open(draft, 'wx');
				try {
					await file.writeFile(bytes);
					await file.sync();
				} finally {
					await file.close();
				}
				await rename(draft, path);
			} catch (error) {
				await rm(draft, { force: true });
				throw error;
			}
		},
		async read(name, start, end) {
			const file = await open(pathOf(name), 'r');
			try {
				const bytes = Buffer.allocUnsafe(end - start);
				let at = 0;
				while (at < bytes.length) {
					const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
					if (bytesRead === 0) throw new BlobError(`a blob is shorter than it was: ${name}`);
					at += bytesRead;
				}
				return bytes;
			} finally {
				await file.close();
			}
		},
		remove: (name) => {
			const path = name.endsWith(UNFINISHED) ? join(folder, ...unfinishedParts(name)) : pathOf(name);
			return rm(path, { force: true });
		},
		removeAll: (prefix) => rm(pathOf(prefix), { recursive: true, force: true }),
		list: () => entries(folder, ''),
		check: () => access(folder, constants.R_OK | constants.W_OK | constants.X_OK),
	};
}

function unfinishedParts(name: string): string[] {
	const parts = name.split('/');
	const last = parts.pop() ?? '';
	return [...partsOfName(parts.join('/')), ...partsOfName(last.replaceAll('.', '-')).map(() => last)];
}
