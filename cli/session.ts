/** One run: server, browser, page, result. The page does all the work; media never crosses the protocol. */

import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import type { HeadlessApi, HeadlessEvent, HeadlessJob, HeadlessResult } from '../src/contracts/headless.ts';
import type { ReportFile } from '../src/contracts/report.ts';
import { EmulsionError, fromRecord, throwIfAborted, toEmulsionError } from '../src/core/errors.ts';
import { startStaticServer } from '../server/static.ts';
import type { RestoreArgs } from './args.ts';
import { type GpuPolicy, launch, MemorySampler, type ProcessMemory } from './browser.ts';
import type { ResolvedInput, ResolvedMatte } from './input.ts';
import { OutputWriter, type SentOutput } from './output.ts';
import { PartsLedger } from './parts.ts';
import type { WorkFolder } from './work.ts';

declare global {
	/** Present on `headless.html` only. */
	var emulsionHeadless: HeadlessApi | undefined;
}

/** Time an interrupted page has to come to a halt before its browser is closed. */
const CANCEL_MS = 10_000;
/** Time that the app has to load. */
const LOAD_MS = 60_000;
/** Time by which a crash is told after the calls into the tab have failed. */
const REASON_MS = 1000;

/** What a run needs besides its arguments. */
export interface SessionOptions {
	readonly args: RestoreArgs;
	readonly input: ResolvedInput;
	/** What regions of the recipe may name. */
	readonly mattes: readonly ResolvedMatte[];
	readonly recipe: unknown;
	readonly dist: string;
	readonly chromium: string;
	readonly work: WorkFolder;
	readonly onEvent: (event: HeadlessEvent) => void;
	readonly signal: AbortSignal;
}

/** One job for an open page. */
export interface PageRun extends Pick<SessionOptions, 'args' | 'input' | 'mattes' | 'recipe' | 'onEvent' | 'signal'> {
	/** Goes on with an interrupted export where the browser profile holds one. */
	readonly resume: boolean;
}

/** The report, with the processes' memory as this side measured it. */
export interface SessionReport extends ReportFile {
	/** Null where the system has no `/proc`. */
	readonly processMemory: ProcessMemory | null;
}

function outputName(output: string): string {
	return output.split(/[\\/]/).pop() ?? output;
}

function jobOf(
	{ args, input, mattes, recipe, resume }: Pick<PageRun, 'args' | 'input' | 'mattes' | 'recipe' | 'resume'>,
	token: string,
): HeadlessJob {
	return {
		kind: input.kind,
		...(input.pattern === undefined ? {} : { pattern: input.pattern }),
		...(args.rate === undefined ? {} : { rate: args.rate }),
		...(args.transfer === undefined ? {} : { transfer: args.transfer }),
		recipe,
		...(mattes.length === 0
			? {}
			: {
					mattes: mattes.map(({ id, kind, pattern }) => ({ id, kind, ...(pattern === undefined ? {} : { pattern }) })),
				}),
		...(args.edl === undefined ? {} : { edl: readFileSync(args.edl, 'utf8') }),
		...(args.range === undefined ? {} : { range: args.range }),
		backend: args.backend,
		...(args.threads === undefined ? {} : { threads: args.threads }),
		container: args.container,
		...(args.codec === undefined ? {} : { codec: args.codec }),
		...(args.encoder === undefined ? {} : { engine: args.encoder }),
		...(args.depth === undefined ? {} : { depth: args.depth }),
		...(args.chroma === undefined ? {} : { chroma: args.chroma }),
		...(args.quality === undefined ? {} : { quality: args.quality }),
		...(args.audio === undefined ? {} : { audio: args.audio }),
		...(args.stretchMode === undefined ? {} : { stretchMode: args.stretchMode }),
		...(args.chunk === undefined ? {} : { chunkFrames: args.chunk }),
		name: outputName(args.output),
		folder: basename(dirname(resolve(args.output))),
		token,
		resume,
	};
}

/** Puts files into a file input of its own, by path: Chromium opens them itself, whatever their size. */
export async function giveFiles(page: Page, id: string, paths: readonly string[]): Promise<void> {
	await page.evaluate((name) => {
		document.body.append(Object.assign(document.createElement('input'), { id: name, type: 'file', multiple: true }));
	}, id);
	await page.setInputFiles(`#${id}`, [...paths]);
}

async function preparePage(page: Page, url: string, { input, mattes, onEvent }: PageRun): Promise<void> {
	await openHeadless(page, url, onEvent);
	await page.setInputFiles('#input', [...input.paths]);
	for (const [index, matte] of mattes.entries()) await giveFiles(page, `matte-${index}`, matte.paths);
}

/** Opens the headless page; resolves when the app can be called. @throws EmulsionError `backend-unavailable`. */
export async function openHeadless(page: Page, url: string, onEvent: SessionOptions['onEvent']): Promise<void> {
	await page.exposeFunction('emulsionEvent', onEvent);
	await page.goto(`${url}headless.html`);
	await page
		.waitForFunction(() => globalThis.emulsionHeadless !== undefined, undefined, { timeout: LOAD_MS })
		.catch((cause: unknown) => {
			if ((cause as Error).name !== 'TimeoutError') throw cause;
			const advice = 'Use a newer Chromium (EMULSION_CHROMIUM), or remove dist/ so that the app is built again';
			throw new EmulsionError('backend-unavailable', `The app did not load within ${LOAD_MS / 1000} s. ${advice}.`, {
				cause,
			});
		});
}

function crashed(what: string, resume: boolean): EmulsionError {
	const advice = resume ? 'run again with the same --work to go on' : 'with --work, a further run could have gone on';
	return new EmulsionError('worker-crashed', `${what}; ${advice}.`, { retryable: true });
}

/** Rejects when the tab or the browser goes away, or when an interrupted page does not come back in time. */
export function failures(
	page: Page,
	{ signal, resume }: Pick<PageRun, 'signal' | 'resume'>,
): { readonly failed: Promise<never>; end(): void } {
	let end = (): void => undefined;
	const failed = new Promise<never>((_, reject) => {
		let timer: NodeJS.Timeout | undefined;
		const onCrash = (): void => reject(crashed('The browser tab crashed', resume));
		const onClose = (): void => reject(crashed('The browser was closed', resume));
		const cancel = (): void => {
			page.evaluate(() => globalThis.emulsionHeadless?.cancel()).catch(() => undefined);
			timer = setTimeout(() => reject(new EmulsionError('aborted', 'Interrupted.')), CANCEL_MS);
		};
		page.once('crash', onCrash);
		page.once('close', onClose);
		signal.addEventListener('abort', cancel, { once: true });
		end = () => {
			clearTimeout(timer);
			page.off('crash', onCrash);
			page.off('close', onClose);
			signal.removeEventListener('abort', cancel);
		};
	});
	failed.catch(() => undefined);
	return { failed, end };
}

/** Runs the page to its end, or to a crash, or to an interrupt. */
async function drive(page: Page, url: string, run: PageRun, token: string): Promise<HeadlessResult> {
	const { failed, end } = failures(page, run);
	const work = async (): Promise<HeadlessResult> => {
		await preparePage(page, url, run);
		throwIfAborted(run.signal);
		return page.evaluate(
			(j) => {
				const api = globalThis.emulsionHeadless;
				if (!api) throw new Error('the headless page has not loaded');
				return api.run(j);
			},
			jobOf(run, token),
		);
	};
	try {
		// A call into a tab that is gone fails too, in other words: the reason is the one worth telling.
		const worked = work().catch(async (error: unknown) => {
			await Promise.race([failed, delay(REASON_MS)]);
			throw error;
		});
		return await Promise.race([worked, failed]);
	} finally {
		end();
	}
}

function isFilm({ container }: RestoreArgs): boolean {
	return ['mp4', 'webm', 'mov', 'mkv'].includes(container);
}

/** A film's sum is of its file; a sequence's is of a list, and its files are held against what came. */
function sentOutput({ output }: ReportFile, args: RestoreArgs): SentOutput {
	return { bytes: output.bytes, ...(isFilm(args) ? { sha256: output.sha256 } : {}) };
}

/**
 * The writer of a run. Chunks of a film are kept in the browser's profile, frames of a sequence lie where they belong already:
 * `parts` is the file that remembers them for the next run of the same command, undefined where there will be none.
 */
export function openWriter(
	run: Pick<PageRun, 'args' | 'input' | 'mattes' | 'recipe'>,
	parts: string | undefined,
): OutputWriter {
	const { args, input, mattes } = run;
	const overwrite = args.overwrite === true;
	if (parts === undefined || isFilm(args)) return new OutputWriter(args.output, { overwrite });
	const files = [input, ...mattes]
		.flatMap(({ paths }) => paths)
		.map((path) => [path, statSync(path).size, statSync(path).mtimeMs]);
	const command = [jobOf({ ...run, resume: true }, ''), files];
	const ledger = new PartsLedger(parts, command, dirname(resolve(args.output)));
	return new OutputWriter(args.output, { ledger, overwrite });
}

/**
 * One job in an open page: loads the headless page from `url`, gives it the input, and publishes what it wrote. On any
 * failure nothing stays where OUTPUT goes.
 */
export async function runInPage(page: Page, url: string, writer: OutputWriter, run: PageRun): Promise<ReportFile> {
	try {
		const result = await drive(page, url, run, writer.token);
		if (!result.ok) throw writer.failure ? diskError(writer.failure) : aboutInput(fromRecord(result.error), run.args);
		const onDisk = await writer.verify(sentOutput(result.report, run.args), run.signal);
		await writer.publish();
		return { ...result.report, invariants: [...result.report.invariants, onDisk] };
	} catch (error) {
		await writer.discard(toEmulsionError(error).code !== 'invariant-failed');
		throw error;
	}
}

async function attempt(options: SessionOptions, gpu: GpuPolicy): Promise<SessionReport> {
	const { args, input, mattes, recipe, work, onEvent, signal } = options;
	const writer = openWriter(options, work.parts);
	const server = await startStaticServer({
		root: options.dist,
		port: work.port,
		handlers: [writer.handle],
	}).catch((cause: unknown) => {
		throw new EmulsionError(
			'usage',
			`--work: port ${work.port}, which this folder's profile belongs to, is taken; try again later`,
			{ cause },
		);
	});
	work.remember(server.port);
	let context: BrowserContext | undefined;
	try {
		context = await launch(options.chromium, work.profile, gpu);
		throwIfAborted(signal);
		const memory = new MemorySampler(work.profile);
		const page = context.pages()[0] ?? (await context.newPage());
		try {
			const run: PageRun = { args, input, mattes, recipe, resume: work.kept, onEvent, signal };
			const report = await runInPage(page, server.url, writer, run);
			return { ...report, processMemory: memory.stop() };
		} finally {
			memory.stop();
		}
	} finally {
		await context?.close().catch(() => undefined);
		await server.close();
	}
}

/** Errors about INPUT name it: a terminal shows many runs. */
function aboutInput(error: EmulsionError, { input }: RestoreArgs): EmulsionError {
	const isAboutInput = error.code.startsWith('input-') && !error.message.includes(basename(input));
	return isAboutInput ? new EmulsionError(error.code, `${input}: ${error.message}`, error.details) : error;
}

/** Why the writer could not write. */
export function diskError(cause: NodeJS.ErrnoException): EmulsionError {
	const full = cause.code === 'ENOSPC' || cause.code === 'EDQUOT';
	return new EmulsionError(
		full ? 'quota-exceeded' : 'internal',
		full
			? 'No space left where OUTPUT goes; free some and run again.'
			: `OUTPUT could not be written: ${cause.message}`,
		{ retryable: full, cause },
	);
}

/** Runs a restore. `--backend webgpu` tries hardware first and takes SwiftShader only when there is none. */
export async function runSession(options: SessionOptions): Promise<SessionReport> {
	const wish = options.args.backend;
	if (wish === 'wasm') return attempt(options, 'none');
	try {
		return await attempt(options, 'hardware');
	} catch (error) {
		if (wish !== 'webgpu' || !(error instanceof EmulsionError) || error.code !== 'backend-unavailable') throw error;
		return attempt(options, 'software');
	}
}
