/**
 * Installs what a bare machine lacks: Chromium to run the app headless, native ffmpeg to make test clips, Postgres and an S3 server to
 * test the share service (Debian: apt; Python's packages in `.cache`).
 */

import { spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EmulsionError } from '../src/core/errors.ts';
import { findChromium, HEADLESS_SHELL } from './chromium.ts';

function has(command: string): boolean {
	return spawnSync(command, ['-version'], { stdio: 'ignore' }).status === 0;
}

/** Commands that install Debian packages, as who may. */
function aptCommands(packages: readonly string[]): readonly (readonly [string, readonly string[]])[] {
	const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
	return [
		['update', '-q'],
		['install', '-y', '-q', '--no-install-recommends', ...packages],
	].map((args) => {
		const [command = '', ...rest] = [...sudo, 'apt-get', ...args];
		return [command, rest];
	});
}

const hasApt = (): boolean => spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
const aptOptions = () => ({
	stdio: ['ignore' as const, 'ignore' as const, 'inherit' as const] satisfies StdioOptions,
	env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
});

/** Installs Debian packages; false where that cannot be done. */
export function aptInstall(packages: readonly string[]): boolean {
	const run = ([command, args]: readonly [string, readonly string[]]): boolean =>
		spawnSync(command, args, aptOptions()).status === 0;
	return hasApt() && aptCommands(packages).every(run);
}

/**
 * Installs all Debian packages that the tests need and that are missing, in one go and beside other work. Nothing is lost where it
 * fails: each `ensure…` below tries its own again and says what to do.
 */
export async function installTestPackages(log: (line: string) => void): Promise<void> {
	const wanted: readonly (readonly [string, boolean])[] = [
		['chromium', findChromium() !== undefined],
		['chromium-headless-shell', existsSync(HEADLESS_SHELL)],
		['ffmpeg', has('ffmpeg') && has('ffprobe')],
		['postgresql', findPostgres() !== undefined],
		['python3-venv', hasVenv()],
	];
	const missing = wanted.filter(([, there]) => !there).map(([name]) => name);
	if (missing.length === 0 || !hasApt()) return;
	log(`installing ${missing.join(', ')} (apt-get)…`);
	for (const [command, args] of aptCommands(missing)) {
		const ok = await new Promise<boolean>((resolve) => {
			const child = spawn(command, args, aptOptions());
			child.on('error', () => resolve(false));
			child.on('close', (code) => resolve(code === 0));
		});
		if (!ok) return;
	}
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

/** Python 3.11 or later that can make environments. */
function hasVenv(): boolean {
	const probe = ['-c', 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))'];
	return spawnSync('python3', probe, { stdio: 'ignore' }).status === 0;
}

/** Makes sure that Python 3.11 or later is there with venv (tests of `training/` only). */
export function ensurePython(log: (line: string) => void = () => undefined): void {
	if (hasVenv()) return;
	log('Python with venv is missing: installing it (apt-get install python3-venv)…');
	if (!aptInstall(['python3', 'python3-venv']) || !hasVenv()) {
		throw new EmulsionError(
			'capability-missing',
			'Python 3.11 or later with venv was not found and could not be installed: the model workshop is checked with it.',
		);
	}
}

const POSTGRES = '/usr/lib/postgresql';

/** Folder of the newest Postgres server's programs (`initdb`, `pg_ctl`, `pg_dump`); undefined where there is none. */
export function findPostgres(): string | undefined {
	const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES).filter((name) => /^\d+$/.test(name)) : [];
	const newest = versions.sort((a, b) => Number(b) - Number(a));
	return newest.map((name) => join(POSTGRES, name, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** {@link findPostgres}, installed by apt where there was none (tests and the bench `share`; no cluster of the system is used). */
export function ensurePostgres(log: (line: string) => void = () => undefined): string {
	const found = findPostgres();
	if (found !== undefined) return found;
	log('Postgres is missing: installing it (apt-get install postgresql)…');
	const installed = aptInstall(['postgresql']) ? findPostgres() : undefined;
	if (installed !== undefined) return installed;
	throw new EmulsionError(
		'capability-missing',
		'Postgres was not found and could not be installed: the share service is tested with it.',
	);
}

const MOTO = resolve(import.meta.dirname, '..', '.cache', 'moto');
/** Tested with these: the server, and the client that `docs/share-service.md` backs its blobs up with. */
const MOTO_PACKAGES = ['moto[server,s3]==5.2.5', 'awscli==1.46.3'];

/** Path of `moto_server`, an S3 server for tests, in an environment of its own, made where there was none. */
export function ensureMoto(log: (line: string) => void = () => undefined): string {
	const server = join(MOTO, 'bin', 'moto_server');
	if (existsSync(server) && existsSync(join(MOTO, 'bin', 'aws'))) return server;
	ensurePython(log);
	log(`moto is missing: installing it into ${MOTO}…`);
	const run = (command: string, args: readonly string[]): boolean =>
		spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
	const pip = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--disable-pip-version-check', ...MOTO_PACKAGES];
	if (run('python3', ['-m', 'venv', MOTO]) && run(join(MOTO, 'bin', 'python'), pip) && existsSync(server))
		return server;
	rmSync(MOTO, { recursive: true, force: true });
	throw new EmulsionError(
		'capability-missing',
		'moto was not found and could not be installed from PyPI: the share service’s S3 store is tested with it.',
	);
}
