/**
 * Commands that Chromium tests call on the node side, to check written files with native ffmpeg: `nativeWrite` stores a
 * file in a scratch folder, `nativeRun` runs `ffmpeg` or `ffprobe` there. Bytes travel as base64.
 */

import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { BrowserCommand } from 'vitest/node';

const DIR = resolve('.cache/native');

function scratch(name: string): string {
	mkdirSync(DIR, { recursive: true });
	return resolve(DIR, basename(name));
}

/** Stores (or appends to) a scratch file. */
const nativeWrite: BrowserCommand<[name: string, base64: string, append?: boolean]> = (_ctx, name, base64, append) => {
	const bytes = Buffer.from(base64, 'base64');
	(append ? appendFileSync : writeFileSync)(scratch(name), bytes);
};

/** Bytes of a scratch file, which is removed. */
const nativeTake: BrowserCommand<[name: string]> = (_ctx, name) => {
	const path = scratch(name);
	const bytes = readFileSync(path);
	rmSync(path);
	return bytes.toString('base64');
};

/** Runs a tool in the scratch folder; standard output as base64, or the error text. */
const nativeRun: BrowserCommand<[tool: 'ffmpeg' | 'ffprobe', args: string[]]> = (_ctx, tool, args) => {
	mkdirSync(DIR, { recursive: true });
	const quiet = tool === 'ffmpeg' ? ['-nostdin', '-v', 'error', '-y'] : ['-v', 'error'];
	const out = execFileSync(tool, [...quiet, ...args], {
		cwd: DIR,
		maxBuffer: 1 << 30,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	return out.toString('base64');
};

/** Registered in `vitest.config.ts`. */
export const nativeCommands = { nativeWrite, nativeTake, nativeRun };
