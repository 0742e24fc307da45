/**
 * Clips made by native ffmpeg at test time, cached in `.cache/fixtures` by recipe. Add a line to {@link FIXTURES} and
 * read it as `/@fixtures/<name>` in Chromium or `fixturePath(name)` in node.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIXTURES } from './fixture-list.ts';

/** Where made clips live. */
export const FIXTURE_DIR = resolve(dirname(fileURLToPath(import.meta.url)), '../../.cache/fixtures');

/** Absolute path of a made clip. */
export function fixturePath(name: string): string {
	return resolve(FIXTURE_DIR, name);
}

/** Makes every clip whose recipe changed since it was made. Fails loudly when ffmpeg does. */
export function makeFixtures(): void {
	mkdirSync(FIXTURE_DIR, { recursive: true });
	for (const [name, args] of Object.entries(FIXTURES)) {
		const target = fixturePath(name);
		const stamp = `${target}.recipe`;
		const key = createHash('sha256').update(JSON.stringify(args)).digest('hex');
		if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) continue;
		mkdirSync(dirname(target), { recursive: true });
		const part = resolve(dirname(target), `part-${process.pid}-${target.split('/').pop() ?? ''}`);
		const isPattern = name.includes('%');
		try {
			execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, isPattern ? target : part], {
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			if (isPattern) writeFileSync(target, '');
			else renameSync(part, target);
		} finally {
			rmSync(part, { force: true });
		}
		writeFileSync(stamp, key);
	}
}
