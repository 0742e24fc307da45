/**
 * The work folder of a run: browser profile and port. An origin includes its port, so a kept profile finds its chunks
 * again only on the port it had. One run holds a folder at a time.
 */

import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EmulsionError } from '../src/core/errors.ts';

/** An opened work folder. */
export interface WorkFolder {
	/** Chromium's user-data folder. */
	readonly profile: string;
	/** Port the origin had, or 0 for a new one. */
	readonly port: number;
	/** True when the folder outlives the run. */
	readonly kept: boolean;
	/** File that remembers the finished frames of a sequence (`parts.ts`); undefined where nothing is kept. */
	readonly parts: string | undefined;
	/** Remembers the port for the next run. */
	remember(port: number): void;
	/** Gives the folder back; a temporary one is removed. */
	release(): void;
}

function alive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

function lock(path: string): void {
	for (let attempt = 0; ; attempt++) {
		try {
			const fd = openSync(path, 'wx');
			writeFileSync(fd, String(process.pid));
			closeSync(fd);
			return;
		} catch (cause) {
			if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
				throw new EmulsionError('usage', `--work: ${(cause as Error).message}`, { cause });
			const pid = Number(readFileSync(path, 'utf8'));
			if (attempt > 0 || (Number.isInteger(pid) && pid > 0 && alive(pid))) {
				throw new EmulsionError(
					'usage',
					`--work: another run (process ${pid}) is using this folder; give each run its own`,
					{ cause },
				);
			}
			rmSync(path, { force: true });
		}
	}
}

/** Opens `--work DIR`, or a temporary folder where none is given. Throws `usage` when another run holds it. */
export function openWork(dir: string | undefined): WorkFolder {
	if (dir === undefined) {
		const root = mkdtempSync(join(tmpdir(), 'emulsion-'));
		return {
			profile: join(root, 'profile'),
			port: 0,
			kept: false,
			parts: undefined,
			remember: () => undefined,
			release: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
		};
	}
	const root = resolve(dir);
	mkdirSync(root, { recursive: true });
	lock(join(root, 'lock'));
	const portFile = join(root, 'port');
	const port = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : 0;
	return {
		profile: join(root, 'profile'),
		port: Number.isInteger(port) && port > 0 && port < 65536 ? port : 0,
		kept: true,
		parts: join(root, 'parts.jsonl'),
		remember: (used) => writeFileSync(portFile, String(used)),
		release: () => rmSync(join(root, 'lock'), { force: true }),
	};
}
