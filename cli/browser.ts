/** Starts headless Chromium on the app's page and measures its processes. */

import { readdirSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { chromium, type BrowserContext } from 'playwright-core';
import { BASE_FLAGS, SOFTWARE_GPU_FLAGS } from '../scripts/chromium.ts';
import { EmulsionError } from '../src/core/errors.ts';

/** Time that Chromium has to start, in milliseconds. */
const START_MS = 60_000;

/** Which GPU Chromium may see. `none` starts fastest; `software` is SwiftShader. */
export type GpuPolicy = 'hardware' | 'software' | 'none';

const HARDWARE_GPU_FLAGS: readonly string[] = [
	'--enable-unsafe-webgpu',
	'--enable-features=Vulkan',
	'--use-angle=vulkan',
	'--ignore-gpu-blocklist',
];

const FLAGS: Readonly<Record<GpuPolicy, readonly string[]>> = {
	hardware: HARDWARE_GPU_FLAGS,
	software: SOFTWARE_GPU_FLAGS,
	none: ['--disable-gpu'],
};

/** Why Chromium did not start, by what it or the system said, and what to do about it. */
const STARTS: readonly (readonly [RegExp, string])[] = [
	[/error while loading shared libraries/, 'A library is missing: install Chromium by the system’s package manager'],
	[
		/SingletonLock|ProcessSingleton|profile .*in use/i,
		'End the Chromium that uses this profile, or give another --work',
	],
	[/ENOSPC|No space left/i, 'Free some space, or give --work on another disk'],
	[/EACCES|Permission denied/i, 'Give its file the right to be executed, or set EMULSION_CHROMIUM to another'],
];
const ANY_START = 'Start it by hand to see why, or set EMULSION_CHROMIUM to one that works';

/** Playwright's long report as one line that says what happened and one that says what to do. */
function startFailure(executablePath: string, cause: Error): EmulsionError {
	const lines = stripVTControlCharacters(cause.message).split('\n');
	const known = STARTS.find(([pattern]) => pattern.test(cause.message));
	// What the browser itself said last tells more than that it is gone.
	const said = lines.filter((line) => line.includes('[err]')).at(-1);
	const line = (known && lines.find((l) => known[0].test(l))) ?? said ?? lines[0] ?? '';
	const words = line
		.replace(/^(browserType\.\w+: |- |\[pid=\d+\]|\[err\]|\s)+/, '')
		.replace(/^Target page, context or browser has been closed/, 'it ended at once')
		.trim();
	return new EmulsionError(
		'backend-unavailable',
		`Chromium (${executablePath}) did not start: ${words}\n${known?.[1] ?? ANY_START}.`,
		{ cause },
	);
}

/**
 * Collected early rather than seldom: what a film leaves behind in six threads (frames, packets, lists of times) is short-lived
 * and large, and left to themselves their heaps grow by hundreds of megabytes with the film's length. It costs no speed.
 * `gc` is for what even that does not catch (`src/core/buffers.ts`).
 */
const HEAP_FLAGS = '--max-old-space-size=4096 --max-semi-space-size=2 --heap-growing-percent=30 --expose-gc';

/**
 * A running browser. `profile` is its user-data folder: storage lives and dies with it.
 * @throws EmulsionError `backend-unavailable` with what to do where it does not start.
 */
export async function launch(executablePath: string, profile: string, gpu: GpuPolicy): Promise<BrowserContext> {
	try {
		return await chromium.launchPersistentContext(profile, {
			executablePath,
			headless: true,
			args: [...BASE_FLAGS, ...FLAGS[gpu], `--js-flags=${HEAP_FLAGS}`],
			handleSIGINT: false,
			handleSIGTERM: false,
			serviceWorkers: 'block',
			timeout: START_MS,
		});
	} catch (cause) {
		throw startFailure(executablePath, cause as Error);
	}
}

/** Peak proportional set sizes in bytes, by kind of process. */
export interface ProcessMemory {
	readonly rendererPss: number;
	readonly browserPss: number;
	readonly gpuPss: number;
}

function commandLine(pid: string): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
	} catch {
		return '';
	}
}

function pss(pid: string): number {
	try {
		const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
		return match ? Number(match[1]) * 1024 : 0;
	} catch {
		return 0;
	}
}

function parentOf(pid: string): string {
	try {
		// The name, in parentheses, may hold anything: the fields begin after the last one.
		return /.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
	} catch {
		return '';
	}
}

type ProcessKind = 'renderer' | 'browser' | 'gpu' | 'other';

/** A profile's browser, which alone names it on its command line in every build of Chromium, and its descendants. Linux only. */
function processes(profile: string): { pid: string; kind: ProcessKind }[] {
	let pids: string[];
	try {
		pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
	} catch {
		return [];
	}
	const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
	const browsers = new Set(
		pids.filter((pid) => {
			const line = commandLine(pid);
			return line.includes(profile) && line.includes('--remote-debugging') && !line.includes('--type=');
		}),
	);
	const isBelow = (pid: string): boolean => {
		for (let at: string | undefined = pid; at !== undefined && at !== ''; at = parents.get(at)) {
			if (browsers.has(at)) return true;
		}
		return false;
	};
	return pids.filter(isBelow).map((pid) => {
		const type = /--type=([a-z-]+)/.exec(commandLine(pid))?.[1];
		if (browsers.has(pid)) return { pid, kind: 'browser' };
		return { pid, kind: type === 'renderer' ? 'renderer' : type === 'gpu-process' ? 'gpu' : 'other' };
	});
}

/** Samples memory until stopped. On systems without `/proc` the figures stay 0 and the report says null. */
export class MemorySampler {
	#peak = { renderer: 0, browser: 0, gpu: 0 };
	readonly #timer: NodeJS.Timeout;

	constructor(profile: string, intervalMs = 500) {
		this.#timer = setInterval(() => {
			const sum = { renderer: 0, browser: 0, gpu: 0, other: 0 };
			for (const { pid, kind } of processes(profile)) {
				// The tab's renderer is the largest one; spare renderers are not added up.
				sum[kind] = kind === 'renderer' ? Math.max(sum[kind], pss(pid)) : sum[kind] + pss(pid);
			}
			this.#peak = {
				renderer: Math.max(this.#peak.renderer, sum.renderer),
				browser: Math.max(this.#peak.browser, sum.browser),
				gpu: Math.max(this.#peak.gpu, sum.gpu),
			};
		}, intervalMs);
		this.#timer.unref();
	}

	/** Stops sampling and returns the peaks, or null where nothing could be measured. */
	stop(): ProcessMemory | null {
		clearInterval(this.#timer);
		const { renderer, browser, gpu } = this.#peak;
		return renderer === 0 ? null : { rendererPss: renderer, browserPss: browser, gpuPss: gpu };
	}
}
