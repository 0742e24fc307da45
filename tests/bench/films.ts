/** Benches of whole films on the terminal's path: the demo reel, and memory over a long run. */

import { join } from 'node:path';
import { DEMO_DIR, DEMO_RECIPE, ensureDemoReel } from '../../scripts/demo/make.ts';
import type { ProcessMemory } from '../../cli/browser.ts';
import { h264Clip } from './clips.ts';
import { terminalRun } from './terminal.ts';
import type { BenchOptions, BenchRow } from './types.ts';

const FIRST_FRAME_SECONDS = 10;
const WHOLE_SECONDS = 60;

/** The demo reel with its recipe on wasm: from the start of the browser to the first restored frame, and to the file. */
export async function demoBench(options: BenchOptions): Promise<BenchRow[]> {
	ensureDemoReel(options.log);
	const { report, firstFrame, seconds } = await terminalRun({
		input: join(DEMO_DIR, 'reel.avi'),
		output: 'reel.mp4',
		recipe: DEMO_RECIPE,
		extra: ['--backend', 'wasm', '--threads', '2'],
		log: options.log,
	});
	const data = { firstFrame, seconds, report: report.seconds, models: report.models };
	const stages = report.seconds.stages.map((s) => `${s.stage} ${s.computeSeconds.toFixed(1)} s`).join(', ');
	return [
		{
			bench: 'demo',
			name: 'demo reel, first restored frame (wasm, 2 threads, browser start included)',
			target: `≤ ${FIRST_FRAME_SECONDS} s`,
			figure: firstFrame === null ? 'no frame was told of' : `${firstFrame.toFixed(1)} s`,
			pass: firstFrame !== null && firstFrame <= FIRST_FRAME_SECONDS,
			data,
		},
		{
			bench: 'demo',
			name: `demo reel, all of it written and verified (${report.output.frames} frames)`,
			target: `≤ ${WHOLE_SECONDS} s`,
			figure: `${seconds.toFixed(1)} s (${stages})`,
			pass: seconds <= WHOLE_SECONDS,
			data: {},
		},
	];
}

const MEMORY_LIMIT = 700e6;
const MEMORY_GROWTH = 1.1;
const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Rows of two runs; the short one is a minute. */
export function memoryRows(short: ProcessMemory, long: ProcessMemory, minutes: number, what: string): BenchRow[] {
	const growth = long.rendererPss / short.rendererPss;
	const row = (name: string, target: string, figure: string, pass: boolean | null): BenchRow => ({
		bench: 'memory',
		name,
		target,
		figure,
		pass,
		data: { short, long, minutes },
	});
	const others = (key: 'browserPss' | 'gpuPss'): string =>
		`${mb(short[key])} after 1 minute, ${mb(long[key])} after ${minutes}`;
	return [
		row(
			`peak PSS of the tab’s renderer, ${minutes} minutes against 1 (${what})`,
			'within 10 %',
			`${growth.toFixed(2)} × (${mb(short.rendererPss)}, then ${mb(long.rendererPss)})`,
			growth <= MEMORY_GROWTH,
		),
		row(
			`peak PSS of the tab’s renderer, ${minutes} minutes`,
			`< ${mb(MEMORY_LIMIT)}`,
			mb(long.rendererPss),
			long.rendererPss < MEMORY_LIMIT,
		),
		row('peak PSS of the browser process', '—', others('browserPss'), null),
		row('peak PSS of the GPU process', '—', others('gpuPss'), null),
	];
}

async function peak(options: BenchOptions, minutes: number): Promise<{ memory: ProcessMemory; backend: string }> {
	const { fps, path, encoder, backend, threads, log } = options;
	log(`memory: ${minutes} min of 720p…`);
	const clip = h264Clip(1280, 720, minutes * 60 * fps, fps, 'ultrafast');
	const { report } = await terminalRun({
		input: clip,
		output: 'long.mp4',
		recipe: { version: 1, stages: path === 'working' ? [{ stage: 'identity' }] : [] },
		extra: ['--backend', backend, '--threads', String(threads), '--audio', 'none', '--encoder', encoder],
		log: (line) => log(`memory: ${line}`),
	});
	if (report.processMemory === null) throw new Error('memory cannot be measured here: there is no /proc');
	return { memory: report.processMemory, backend: report.backend.name };
}

/** A long pass-through against one of a minute. */
export async function memoryBench(options: BenchOptions): Promise<BenchRow[]> {
	const short = await peak(options, 1);
	const long = await peak(options, options.minutes);
	const way = options.path === 'working' ? 'through the working format' : 'planes copied';
	const encoder = options.encoder === 'software' ? 'ffmpeg.wasm' : 'WebCodecs';
	const what = `720p at ${options.fps} fps, ${way}, H.264 by ${encoder}, ${long.backend}`;
	return memoryRows(short.memory, long.memory, options.minutes, what);
}
