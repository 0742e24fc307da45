/**
 * The bench page in headless Chromium. It is built apart from the product, into a folder of its own, and served with the same headers. Processor time is read here, from `/proc`, and asked for by the page.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { type GpuPolicy, launch } from '../../cli/browser.ts';
import { ROOT } from '../../scripts/build.ts';
import { ensureChromium } from '../../scripts/ensure.ts';
import { startStaticServer } from '../../server/static.ts';
import type { BenchPageApi } from './page/api.ts';

declare global {
	/** Present on the bench page. */
	var emulsionBench: BenchPageApi | undefined;
}

// A folder of its own, so that another build of the tree cannot pull files away under a running bench.
const OUT = join(ROOT, '.cache', `bench-${process.pid}`);
const PAGE = 'tests/bench/page/index.html';
const CALL_TIMEOUT_MS = 3_600_000;

let built: Promise<unknown> | undefined;

/**
 * Builds the bench page and the terminal's headless page once a run (a bench must never measure an old engine), with the
 * settings of the product's build; the folder goes with the process. Returns it.
 */
export async function ensureBenchBuild(): Promise<string> {
	if (built === undefined) process.once('exit', () => rmSync(OUT, { recursive: true, force: true }));
	built ??= build({
		root: ROOT,
		// The product's own file names its pages, which this build is not to make.
		configFile: false,
		logLevel: 'error',
		worker: { format: 'es' },
		build: {
			outDir: OUT,
			emptyOutDir: true,
			target: 'es2023',
			assetsInlineLimit: 0,
			modulePreload: { polyfill: false },
			rollupOptions: { input: { bench: PAGE, headless: 'headless.html' } },
		},
	});
	await built;
	return OUT;
}

/** Seconds of processor time that all processes of a profile's browser have used, ended threads included; null without `/proc`. */
export function cpuSeconds(profile: string): number | null {
	let pids: string[];
	try {
		pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
	} catch {
		return null;
	}
	let ticks = 0;
	for (const pid of pids) {
		try {
			if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(profile)) continue;
			// The name in parentheses may hold anything: count from its end. Fields 14 and 15 are utime and stime.
			const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
			const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			ticks += Number(fields[11]) + Number(fields[12]);
		} catch {
			// The process ended meanwhile.
		}
	}
	return ticks / clockTicks();
}

let ticksPerSecond: number | undefined;

function clockTicks(): number {
	ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
	return ticksPerSecond;
}

/** Opens the page with files in its input, hands it over, and cleans up. */
export async function withBenchPage<R>(
	gpu: GpuPolicy,
	files: readonly string[],
	use: (page: Page) => Promise<R>,
): Promise<R> {
	const dist = await ensureBenchBuild();
	const root = mkdtempSync(join(tmpdir(), 'emulsion-bench-'));
	const profile = join(root, 'profile');
	const server = await startStaticServer({ root: dist, port: 0 });
	try {
		const context = await launch(ensureChromium(console.log), profile, gpu);
		try {
			const page = context.pages()[0] ?? (await context.newPage());
			page.setDefaultTimeout(CALL_TIMEOUT_MS);
			await page.exposeFunction('benchCpu', () => cpuSeconds(profile));
			await page.goto(server.url + PAGE);
			await page.setInputFiles('#input', [...files]);
			await page.waitForFunction(() => globalThis.emulsionBench !== undefined);
			const crashed = new Promise<never>((_, reject) => {
				page.once('crash', () => reject(new Error('the bench page crashed')));
			});
			return await Promise.race([use(page), crashed]);
		} finally {
			await context.close().catch(() => undefined);
		}
	} finally {
		await server.close();
		rmSync(root, { recursive: true, force: true, maxRetries: 5 });
	}
}

/** Version line of the Chromium that is used. */
export function chromiumVersion(): string {
	const line = execFileSync(ensureChromium(), ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
	return line.trim().replace(/ built on.*$/, '');
}
