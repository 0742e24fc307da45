/** Builds the app into `dist/` when a source is newer than the last build. */

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Root of the repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Where the build goes. */
export const DIST = join(ROOT, 'dist');

const STAMP = join(DIST, '.built');
const SOURCES = [
	'src',
	'workers',
	'public',
	'server/headers.ts',
	'index.html',
	'headless.html',
	'vite.config.ts',
	'package-lock.json',
];

/** Newest modification time below a path, in milliseconds. */
function newest(path: string): number {
	const info = statSync(path);
	if (!info.isDirectory()) return info.mtimeMs;
	return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), info.mtimeMs);
}

/** True when `dist/` is missing or older than any source. */
export function buildIsStale(): boolean {
	if (!existsSync(STAMP)) return true;
	const built = statSync(STAMP).mtimeMs;
	return SOURCES.some((source) => newest(join(ROOT, source)) > built);
}

/** Builds into a folder. Says nothing unless something is amiss. */
export async function buildInto(outDir: string): Promise<void> {
	await build({ root: ROOT, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
}

/** Builds if needed; returns the folder to serve. */
export async function ensureBuild(log: (line: string) => void = () => undefined): Promise<string> {
	if (buildIsStale()) {
		log('Building the app…');
		await buildInto(DIST);
		writeFileSync(STAMP, '');
	}
	return DIST;
}
