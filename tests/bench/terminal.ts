/** Runs of the terminal's path (`npm run restore`), timed from the outside: the same engine, browser and server as a user's. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCommandLine } from '../../cli/args.ts';
import { resolveInput } from '../../cli/input.ts';
import { runSession, type SessionReport } from '../../cli/session.ts';
import { openWork } from '../../cli/work.ts';
import { ensureChromium } from '../../scripts/ensure.ts';
import { ensureBenchBuild } from './chrome.ts';

const TELL_MS = 30_000;

/** What to run. */
export interface TerminalJob {
	readonly input: string;
	/** Output's name in a temporary folder. */
	readonly output: string;
	readonly recipe?: unknown;
	/** Further options, as on the command line. */
	readonly extra?: readonly string[];
	/** Told how far it is, every half minute. */
	readonly log: (line: string) => void;
}

/** What it took, in seconds from the start of the browser. */
export interface TerminalResult {
	readonly report: SessionReport;
	/** Until the first restored frame was with the encoder; null when no progress told of one. */
	readonly firstFrame: number | null;
	readonly seconds: number;
}

/** Runs one restore with temporary work and output folders. */
export async function terminalRun(job: TerminalJob): Promise<TerminalResult> {
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-bench-'));
	const args = parseCommandLine([job.input, '-o', join(folder, job.output), ...(job.extra ?? [])]);
	if (args.command !== 'restore') throw new Error('expected a restore');
	const dist = await ensureBenchBuild();
	const chromium = ensureChromium(console.log);
	const work = openWork(undefined);
	let firstFrame: number | null = null;
	let told = performance.now();
	const started = performance.now();
	const elapsed = (): number => (performance.now() - started) / 1000;
	try {
		const report = await runSession({
			args,
			input: resolveInput(job.input),
			mattes: [],
			recipe: job.recipe ?? { version: 1, stages: [] },
			dist,
			chromium,
			work,
			signal: new AbortController().signal,
			onEvent: (event) => {
				if (event.type !== 'progress') return;
				const now = performance.now();
				const { phase, done, total, framesPerSecond } = event.progress;
				if (phase === 'render' && done > 0) firstFrame ??= elapsed();
				if (now - told < TELL_MS) return;
				told = now;
				job.log(`${phase} ${done}/${total}, ${framesPerSecond.toFixed(1)} fps`);
			},
		});
		return { report, firstFrame, seconds: elapsed() };
	} finally {
		work.release();
		rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
	}
}
