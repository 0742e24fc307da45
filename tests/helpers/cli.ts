/**
 * The terminal in tests: real command lines (`cli`), and a lab that runs many jobs of the terminal in one browser, since each
 * start of Chromium costs seconds. The lab uses the terminal's own code for everything but starting.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { BrowserContext, Page } from 'playwright-core';
import { parseCommandLine } from '../../cli/args.ts';
import { type GpuPolicy, launch } from '../../cli/browser.ts';
import { resolveInput, resolveMattes } from '../../cli/input.ts';
import { OutputWriter } from '../../cli/output.ts';
import type { Render } from '../../cli/review/make.ts';
import { renderInPage } from '../../cli/review/render.ts';
import { openWriter, runInPage } from '../../cli/session.ts';
import { chromiumPath } from '../../scripts/chromium.ts';
import { DIST, ROOT } from '../../scripts/build.ts';
import { type RequestHandler, startStaticServer, type StaticServer } from '../../server/static.ts';
import type { HeadlessEvent } from '../../src/contracts/headless.ts';
import type { ReportFile } from '../../src/contracts/report.ts';
import { EmulsionError } from '../../src/core/errors.ts';

/** What a command line gave. */
export interface CliResult {
	/** Exit code; null when it was killed. */
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

/** A running command line, in a process group of its own, as a shell would start it. */
export interface RunningCli {
	readonly child: ChildProcess;
	readonly done: Promise<CliResult>;
	/** Resolves once standard error or output matches; rejects when the process ends before. */
	seen(pattern: RegExp): Promise<void>;
}

/** Collects what a process says until it ends. On a terminal of its own both streams are one, and come as standard output. */
function watched(child: ChildProcess): RunningCli {
	const said = { out: '', err: '' };
	const listeners = new Set<() => void>();
	const listen = (stream: Readable | null, name: 'out' | 'err'): void => {
		stream?.on('data', (data: Buffer) => {
			said[name] += data.toString();
			for (const listener of listeners) listener();
		});
	};
	listen(child.stdout, 'out');
	listen(child.stderr, 'err');
	const done = new Promise<CliResult>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, ...said }));
	});
	const seen = (pattern: RegExp): Promise<void> =>
		new Promise((resolve, reject) => {
			const check = (): void => {
				if (!pattern.test(said.err) && !pattern.test(said.out)) return;
				listeners.delete(check);
				resolve();
			};
			listeners.add(check);
			void done.then(() => reject(new Error(`ended before ${String(pattern)}: ${said.err}${said.out}`)));
			check();
		});
	return { child, done, seen };
}

/** As `build-setup.ts` makes them. */
const BUNDLES = { restore: '.cache/restore.mjs', review: '.cache/review.mjs' } as const;
/** The terminal's commands, as npm calls them. */
type CommandName = keyof typeof BUNDLES;

/** Starts what `npm run restore -- …` starts, bundled, or npm itself (which dies of a signal where the command has an exit code). */
export function startCli(
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
	by: 'node' | 'npm' = 'node',
	name: CommandName = 'restore',
): RunningCli {
	const node = [process.execPath, BUNDLES[name]] as const;
	const [command, ...before] = by === 'npm' ? (['npm', 'run', '--silent', name, '--'] as const) : node;
	const child = spawn(command, [...before, ...args], {
		cwd: ROOT,
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, ...env },
	});
	return watched(child);
}

/** Starts the same on a pseudoterminal of `columns` (util-linux `script`); what is written to its standard input is typed. */
export function startOnTerminal(args: readonly string[], columns: number): RunningCli {
	const quoted = [process.execPath, BUNDLES.restore, ...args]
		.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`)
		.join(' ');
	const command = `stty cols ${columns} rows 24 && exec ${quoted}`;
	return watched(
		spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
			cwd: ROOT,
			stdio: ['pipe', 'pipe', 'pipe'],
			env: { ...process.env, SHELL: '/bin/sh' },
		}),
	);
}

/** Runs `npm run restore -- …` to its end, or another of the terminal's commands. */
export function cli(
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
	by: 'node' | 'npm' = 'node',
	name: CommandName = 'restore',
): Promise<CliResult> {
	return startCli(args, env, by, name).done;
}

/** A temporary folder; `remove` in `afterAll`. */
export interface Scratch {
	readonly dir: string;
	/** A path in it. */
	path(...parts: string[]): string;
	/** Writes a JSON file and returns its path. */
	json(name: string, value: unknown): string;
	/** Names in a folder of it, sorted; none where there is no such folder. */
	names(...parts: string[]): string[];
	remove(): void;
}

/** Makes a temporary folder. */
export function scratch(): Scratch {
	const dir = mkdtempSync(join(tmpdir(), 'emulsion-e2e-'));
	const path = (...parts: string[]): string => join(dir, ...parts);
	return {
		dir,
		path,
		json: (name, value) => {
			writeFileSync(path(name), JSON.stringify(value));
			return path(name);
		},
		names: (...parts) => (existsSync(path(...parts)) ? readdirSync(path(...parts)).sort() : []),
		remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }),
	};
}

/** Native ffmpeg; returns its standard output. */
export function ffmpeg(...args: string[]): Buffer {
	return execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], {
		maxBuffer: 1 << 30,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
}

/** Makes a small moving picture with noise, coded without loss (FFV1 4:2:0 8 bit), with a tone where asked; returns its path. */
export function noisyFilm(path: string, frames: number, sound = false): string {
	const tone = `sine=frequency=440:sample_rate=48000:duration=${frames / 24}`;
	ffmpeg(
		...['-f', 'lavfi', '-i', `testsrc2=size=64x48:rate=24,trim=end_frame=${frames},noise=alls=9:allf=t`],
		...(sound ? ['-f', 'lavfi', '-i', tone] : []),
		...['-pix_fmt', 'yuv420p', '-c:v', 'ffv1', '-level', '3', ...(sound ? ['-c:a', 'flac'] : []), path],
	);
	return path;
}

/** The error a run ends with; throws where it ends well. */
export async function failureOf(run: Promise<unknown>): Promise<EmulsionError> {
	let result: unknown;
	try {
		result = await run;
	} catch (error) {
		if (error instanceof EmulsionError) return error;
		throw error;
	}
	throw new Error(`was accepted: ${JSON.stringify((result as Partial<ReportFile>).output ?? result)}`);
}

/** Native ffprobe's JSON of one section. */
export function ffprobe<T>(file: string, ...args: string[]): T {
	return JSON.parse(
		execFileSync('ffprobe', ['-v', 'error', ...args, '-of', 'json', file], { maxBuffer: 1 << 28 }).toString(),
	) as T;
}

/** Samples of all frames as native ffmpeg decodes them, in their own pixel format or a given one. */
export function nativePlanes(file: string, pixelFormat?: string, ...input: string[]): Buffer {
	const format = pixelFormat === undefined ? [] : ['-pix_fmt', pixelFormat];
	return ffmpeg(...input, '-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough', ...format, '-f', 'rawvideo', '-');
}

/** MD5 of every frame's planes as native ffmpeg decodes them. */
export function nativeFrameMd5(file: string, pixelFormat?: string): string[] {
	const format = pixelFormat === undefined ? [] : ['-pix_fmt', pixelFormat];
	return ffmpeg('-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough', ...format, '-f', 'framemd5', '-')
		.toString()
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => line.split(',').at(-1)!.trim());
}

/** Presentation times of the video frames in ticks, in order, with the time base (`1/1000`). */
export function nativeTimes(file: string): { readonly pts: number[]; readonly timebase: string } {
	const { packets, streams } = ffprobe<{ packets: { pts: number }[]; streams: { time_base: string }[] }>(
		file,
		...['-select_streams', 'v:0', '-show_entries', 'packet=pts:stream=time_base'],
	);
	return { pts: packets.map((p) => p.pts).sort((a, b) => a - b), timebase: streams[0]!.time_base };
}

/** PSNR in dB of two equally long runs of samples. */
export function psnr(a: Uint8Array | Uint16Array, b: Uint8Array | Uint16Array, peak: number): number {
	if (a.length !== b.length || a.length === 0) throw new Error(`${a.length} samples against ${b.length}`);
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
	return sum === 0 ? Infinity : 10 * Math.log10(peak ** 2 / (sum / a.length));
}

/** Little-endian 16-bit samples of a buffer. */
export function words(bytes: Buffer): Uint16Array {
	return new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** SHA-256 of a file's bytes. */
export function sha256(path: string): string {
	return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Options of {@link Lab.open}. */
export interface LabOptions {
	readonly gpu?: GpuPolicy;
	/** Script that runs in every page and frame before the app's own. */
	readonly before?: () => void;
	/** Asked before the app's files. */
	readonly handlers?: readonly RequestHandler[];
	/** Browser profile to use and keep. */
	readonly profile?: string;
	readonly port?: number;
}

/** Hooks of one run. */
export interface LabRun {
	readonly recipe?: unknown;
	readonly signal?: AbortSignal;
	readonly onEvent?: (event: HeadlessEvent) => void;
	/** The page, before the job starts. */
	readonly onPage?: (page: Page) => void | Promise<void>;
	readonly resume?: boolean;
}

/** Many of the terminal's jobs in one browser. */
export class Lab {
	readonly context: BrowserContext;
	readonly server: StaticServer;
	readonly #profile: string;
	readonly #writers: Map<string, OutputWriter>;
	readonly #keep: boolean;

	private constructor(
		context: BrowserContext,
		server: StaticServer,
		profile: string,
		keep: boolean,
		writers: Map<string, OutputWriter>,
	) {
		this.context = context;
		this.server = server;
		this.#profile = profile;
		this.#keep = keep;
		this.#writers = writers;
	}

	/** Starts server and browser; close it in `afterAll`. */
	static async open(options: LabOptions = {}): Promise<Lab> {
		const profile = options.profile ?? mkdtempSync(join(tmpdir(), 'emulsion-lab-'));
		const writers = new Map<string, OutputWriter>();
		const write: RequestHandler = async (request, response, url) => {
			const writer = writers.get(String(request.headers['x-emulsion-token']));
			return writer ? writer.handle(request, response, url) : false;
		};
		const server = await startStaticServer({
			root: DIST,
			port: options.port ?? 0,
			handlers: [...(options.handlers ?? []), write],
		});
		const context = await launch(chromiumPath(), profile, options.gpu ?? 'none');
		if (options.before) await context.addInitScript(options.before);
		return new Lab(context, server, profile, options.profile !== undefined, writers);
	}

	/** Runs `npm run restore -- argv` but for its start; throws what the terminal would report. */
	async run(argv: readonly string[], hooks: LabRun = {}): Promise<ReportFile> {
		const args = parseCommandLine(['--backend', 'wasm', ...argv]);
		if (args.command !== 'restore') throw new Error('expected a restore run');
		const input = resolveInput(args.input);
		const file = args.recipe === undefined ? undefined : (JSON.parse(readFileSync(args.recipe, 'utf8')) as unknown);
		const mattes = resolveMattes(args.mattes);
		const work = { args, input, mattes, recipe: hooks.recipe ?? file ?? { version: 1, stages: [] } };
		const writer = openWriter(work, hooks.resume === true ? join(this.#profile, 'parts.jsonl') : undefined);
		this.#writers.set(writer.token, writer);
		const page = await this.context.newPage();
		try {
			await hooks.onPage?.(page);
			return await runInPage(page, this.server.url, writer, {
				...work,
				onEvent: (event) => hooks.onEvent?.(event),
				signal: hooks.signal ?? new AbortController().signal,
				resume: hooks.resume ?? false,
			});
		} finally {
			this.#writers.delete(writer.token);
			await page.close().catch(() => undefined);
		}
	}

	/** Renders reviews as `npm run review -- make` does, but for its start. */
	readonly renderReview: Render = async (options) => {
		const writer = new OutputWriter(join(options.folder, 'clips'));
		this.#writers.set(writer.token, writer);
		const page = await this.context.newPage();
		try {
			return await renderInPage(page, this.server.url, writer, options);
		} finally {
			this.#writers.delete(writer.token);
			await page.close().catch(() => undefined);
		}
	};

	/** Ends browser and server. */
	async close(): Promise<void> {
		await this.context.close().catch(() => undefined);
		await this.server.close();
		if (!this.#keep) rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
	}
}
