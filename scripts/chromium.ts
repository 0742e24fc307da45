/** Where Chromium is and how tests and the terminal start it. */

import { existsSync } from 'node:fs';

/** Flags without a GPU policy: sandboxless (root in containers), silent on the network. */
export const BASE_FLAGS: readonly string[] = [
	'--no-sandbox',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--disable-quic',
	'--no-first-run',
	'--disable-dev-shm-usage',
];

/** SwiftShader as the WebGPU adapter; without all of these together a WebGPU canvas kills the device. */
export const SOFTWARE_GPU_FLAGS: readonly string[] = [
	'--enable-unsafe-webgpu',
	'--use-webgpu-adapter=swiftshader',
	'--use-vulkan=swiftshader',
	'--enable-features=Vulkan',
	'--use-angle=swiftshader',
];

/** What tests start Chromium with. */
export const CHROMIUM_FLAGS: readonly string[] = [...BASE_FLAGS, ...SOFTWARE_GPU_FLAGS];

const CANDIDATES = [
	'/usr/bin/chromium',
	'/usr/bin/chromium-browser',
	'/usr/bin/google-chrome',
	'/usr/bin/google-chrome-stable',
	'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
	'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Path of an installed Chromium or Chrome as users have it, or undefined. */
export function findUsersChromium(): string | undefined {
	return CANDIDATES.find((path) => existsSync(path));
}

/** Like {@link findUsersChromium}; `EMULSION_CHROMIUM` overrides. */
export function findChromium(): string | undefined {
	const named = process.env['EMULSION_CHROMIUM'];
	return named !== undefined && named !== '' && existsSync(named) ? named : findUsersChromium();
}

/** Chromium without windows, tabs and extensions (Debian: `chromium-headless-shell`). The script in /usr/bin is a process more. */
export const HEADLESS_SHELL = '/usr/lib/chromium/chromium-headless-shell';

/**
 * From here on, and in every process that is started from here, {@link findChromium} is the headless shell, where there is one and nothing
 * else was named. For tests: the same engine starts with a page for 0.96 CPU seconds instead of 2.55 (means of three).
 */
export function preferHeadlessShell(): void {
	if (existsSync(HEADLESS_SHELL)) process.env['EMULSION_CHROMIUM'] ||= HEADLESS_SHELL;
}

/** Like {@link findChromium}, but the usual Debian path where there is none yet (the set-up installs it there). */
export function chromiumPath(): string {
	return findChromium() ?? '/usr/bin/chromium';
}
