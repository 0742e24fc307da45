/**
 * Backup and restore of a service's folder: database and blobs, with a list of every file and its SHA-256, which restoring checks. The
 * service has to be stopped: the lock of its folder says so. A service on Postgres and S3 is backed up by their own tools
 * (docs/share-service.md).
 */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { takeFolder } from './database/folder-lock.ts';
import { FOLDERS } from './share/service.ts';

/** Thrown where a backup cannot be made or does not hold what its list says. */
export class BackupError extends Error {
	override readonly name = 'BackupError';
}

const LIST = 'backup.json';
const BackupList = v.object({
	version: v.literal(1),
	madeAt: v.string(),
	/** SHA-256 by path; empty folders, which Postgres needs, end with a slash and have an empty sum. */
	files: v.record(v.string(), v.string()),
});

/** What was written or read. */
export interface BackupReport {
	readonly files: number;
	readonly bytes: number;
}

async function* walk(root: string, below = ''): AsyncGenerator<string> {
	const entries = await readdir(join(root, below), { withFileTypes: true });
	if (entries.length === 0 && below !== '') yield `${below}/`;
	for (const entry of entries) {
		const path = below === '' ? entry.name : `${below}/${entry.name}`;
		if (entry.isDirectory()) yield* walk(root, path);
		else if (entry.isFile()) yield path;
	}
}

/** Copies a file. @returns Its SHA-256 and length. */
async function copy(from: string, to: string): Promise<{ sum: string; bytes: number }> {
	const hash = createHash('sha256');
	let bytes = 0;
	const measure = new Transform({
		transform(chunk: Buffer, _encoding, done) {
			hash.update(chunk);
			bytes += chunk.length;
			done(null, chunk);
		},
	});
	await mkdir(dirname(to), { recursive: true });
	await pipeline(createReadStream(from), measure, createWriteStream(to, { flags: 'wx', mode: 0o600 }));
	return { sum: hash.digest('hex'), bytes };
}

/** The lock is of this run, not of the data. */
const isData = (path: string): boolean => !path.startsWith(`${FOLDERS.database}/in-use`);

/**
 * Copies a stopped service's folder into a new folder.
 * @throws DatabaseError where the service runs, BackupError where `to` exists.
 */
export async function backup(folder: string, to: string): Promise<BackupReport> {
	if (!existsSync(join(folder, FOLDERS.database, 'data'))) throw new BackupError(`${folder} holds no share service.`);
	if (existsSync(to)) throw new BackupError(`${to} exists already: name a new folder.`);
	const free = takeFolder(join(folder, FOLDERS.database));
	const draft = `${to}.part`;
	try {
		await rm(draft, { recursive: true, force: true });
		const files: Record<string, string> = {};
		let total = 0;
		for await (const path of walk(folder)) {
			if (!isData(path)) continue;
			if (path.endsWith('/')) {
				await mkdir(join(draft, path), { recursive: true });
				files[path] = '';
				continue;
			}
			const { sum, bytes } = await copy(join(folder, path), join(draft, path));
			files[path] = sum;
			total += bytes;
		}
		const list: v.InferOutput<typeof BackupList> = { version: 1, madeAt: new Date().toISOString(), files };
		await writeFile(join(draft, LIST), `${JSON.stringify(list, null, '\t')}\n`);
		await rename(draft, to);
		return { files: Object.keys(files).length, bytes: total };
	} finally {
		free();
		await rm(draft, { recursive: true, force: true });
	}
}

async function readList(from: string): Promise<v.InferOutput<typeof BackupList>> {
	const text = await readFile(join(from, LIST), 'utf8').catch(() => undefined);
	if (text === undefined) throw new BackupError(`${from} is no backup: it has no ${LIST}.`);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		throw new BackupError(`${join(from, LIST)} is damaged: take another backup.`);
	}
	const parsed = v.safeParse(BackupList, value);
	if (parsed.success) return parsed.output;
	throw new BackupError(`${join(from, LIST)} is not a list of this version: take another backup.`);
}

/**
 * Makes a service's folder of a backup. All or nothing: a file that is missing or changed leaves no folder.
 * @throws BackupError
 */
export async function restore(from: string, folder: string): Promise<BackupReport> {
	const { files } = await readList(from);
	if (existsSync(folder) && (await readdir(folder)).length > 0) {
		throw new BackupError(`${folder} is not empty: move it away, or name another by EMULSION_SHARE_DIR.`);
	}
	const draft = `${folder}.part`;
	await rm(draft, { recursive: true, force: true });
	let total = 0;
	try {
		for (const [path, sum] of Object.entries(files)) {
			if (path.split('/').includes('..') || path.startsWith('/'))
				throw new BackupError(`${path} leads out of the backup.`);
			if (path.endsWith('/')) {
				await mkdir(join(draft, path), { recursive: true });
				continue;
			}
			const copied = await copy(join(from, path), join(draft, path)).catch((cause: unknown) => {
				throw new BackupError(`${path} cannot be read from the backup: take another one.`, { cause });
			});
			if (copied.sum !== sum) throw new BackupError(`${path} was changed or damaged: take another backup.`);
			total += copied.bytes;
		}
		await rm(folder, { recursive: true, force: true });
		await rename(draft, folder);
		return { files: Object.keys(files).length, bytes: total };
	} finally {
		await rm(draft, { recursive: true, force: true });
	}
}
