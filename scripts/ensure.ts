/** Installs what a bare machine lacks: Chromium to run the app headless, native ffmpeg to make test clips (Debian: apt). */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { EmulsionError } from '../src/core/errors.ts';
import { findChromium } from './chromium.ts';

function has(command: string): boolean {
	return spawnSync(command, ['-version'], { stdio: 'ignore' }).status === 0;
}

function aptInstall(packages: readonly string[]): boolean {
	if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return false;
	const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
	const run = (...args: string[]): boolean => {
		const [command = '', ...rest] = [...sudo, 'apt-get', ...args];
		return (
			spawnSync(command, rest, {
				stdio: ['ignore', 'ignore', 'inherit'],
				env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
			}).status === 0
		);
	};
	return run('update', '-q') && run('install', '-y', '-q', '--no-install-recommends', ...packages);
}

/** Path of a Chromium, installed by apt where there was none. Throws `backend-unavailable` with what to do. */
export function ensureChromium(log: (line: string) => void = () => undefined): string {
	const named = process.env['EMULSION_CHROMIUM'];
	if (named !== undefined && named !== '' && !existsSync(named)) {
		throw new EmulsionError('backend-unavailable', `EMULSION_CHROMIUM: ${named} does not exist.`);
	}
	const found = findChromium();
	if (found !== undefined) return found;
	log('Chromium is missing: installing it (apt-get install chromium)…');
	if (aptInstall(['chromium'])) {
		const installed = findChromium();
		if (installed !== undefined) return installed;
	}
	throw new EmulsionError(
		'backend-unavailable',
		'Chromium was not found and could not be installed. Install Chromium or Chrome, or set EMULSION_CHROMIUM to its path.',
	);
}

/** Makes sure that native ffmpeg is there (tests only: the app has its own). */
export function ensureFfmpeg(log: (line: string) => void = () => undefined): void {
	if (has('ffmpeg') && has('ffprobe')) return;
	log('ffmpeg is missing: installing it (apt-get install ffmpeg)…');
	if (!aptInstall(['ffmpeg']) || !has('ffmpeg')) {
		throw new EmulsionError(
			'capability-missing',
			'ffmpeg was not found and could not be installed: the tests make their clips with it.',
		);
	}
}

/** Makes sure that Python 3.11 or later is there with venv (tests of `training/` only). */
export function ensurePython(log: (line: string) => void = () => undefined): void {
	const probe = ['-c', 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))'];
	const works = (): boolean => spawnSync('python3', probe, { stdio: 'ignore' }).status === 0;
	if (works()) return;
	log('Python with venv is missing: installing it (apt-get install python3-venv)…');
	if (!aptInstall(['python3', 'python3-venv']) || !works()) {
		throw new EmulsionError(
			'capability-missing',
			'Python 3.11 or later with venv was not found and could not be installed: the model workshop is checked with it.',
		);
	}
}
