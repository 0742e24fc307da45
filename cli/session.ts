/** One run: server, browser, page, result. The page does all the work; media never crosses the protocol. */

import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import type { HeadlessApi, HeadlessEvent, HeadlessJob, HeadlessResult } from '../src/contracts/headless.ts';
import type { ExportReport } from '../src/contracts/report.ts';
import { EmulsionError, fromRecord } from '../src/core/errors.ts';
import { startStaticServer } from '../server/static.ts';
import type { RestoreArgs } from './args.ts';
import { type GpuPolicy, launch, MemorySampler, type ProcessMemory } from './browser.ts';
import type { ResolvedInput } from './input.ts';
import { OutputWriter } from './output.ts';
import type { WorkFolder } from './work.ts';

declare global {
	/** Present on `headless.html` only. */
	var emulsionHeadless: HeadlessApi | undefined;
}

/** What a run needs besides its arguments. */
export interface SessionOptions {
	readonly args: RestoreArgs;
	readonly input: ResolvedInput;
	readonly recipe: unknown;
	readonly dist: string;
	readonly chromium: string;
	readonly work: WorkFolder;
	readonly onEvent: (event: HeadlessEvent) => void;
	readonly signal: AbortSignal;
}

/** The report, with the processes' memory as this side measured it. */
export interface SessionReport extends ExportReport {
	/** Null where the system has no `/proc`. */
	readonly processMemory: ProcessMemory | null;
}

function outputName(output: string): string {
	return output.split(/[\\/]/).pop() ?? output;
}

function jobOf({ args, input, recipe, work }: SessionOptions, token: string): HeadlessJob {
	return {
		kind: input.kind,
		...(input.pattern === undefined ? {} : { pattern: input.pattern }),
		...(args.rate === undefined ? {} : { rate: args.rate }),
		...(args.transfer === undefined ? {} : { transfer: args.transfer }),
		recipe,
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
		name: outputName(args.output),
		token,
		resume: work.kept,
	};
}

async function openPage(context: BrowserContext, url: string, options: SessionOptions): Promise<Page> {
	const page = context.pages()[0] ?? (await context.newPage());
	await page.exposeFunction('emulsionEvent', options.onEvent);
	await page.goto(`${url}headless.html`);
	// By path: Chromium opens the files itself, whatever their size.
	await page.setInputFiles('#input', [...options.input.paths]);
	await page.waitForFunction(() => globalThis.emulsionHeadless !== undefined, undefined, { timeout: 60_000 });
	return page;
}

/** Runs the page to its end, or to a crash, or to an interrupt. */
async function drive(page: Page, job: HeadlessJob, signal: AbortSignal): Promise<HeadlessResult> {
	const cancel = (): void => void page.evaluate(() => globalThis.emulsionHeadless?.cancel()).catch(() => undefined);
	signal.addEventListener('abort', cancel, { once: true });
	if (signal.aborted) cancel();
	const crashed = new Promise<never>((_, reject) => {
		page.once('crash', () =>
			reject(
				new EmulsionError('worker-crashed', 'The browser tab crashed; run again with the same --work to go on.', {
					retryable: true,
				}),
			),
		);
		page.once('close', () =>
			reject(
				new EmulsionError('worker-crashed', 'The browser was closed; run again with the same --work to go on.', {
					retryable: true,
				}),
			),
		);
	});
	try {
		return await Promise.race([
			page.evaluate((j) => {
				const api = globalThis.emulsionHeadless;
				if (!api) throw new Error('the headless page has not loaded');
				return api.run(j);
			}, job),
			crashed,
		]);
	} finally {
		signal.removeEventListener('abort', cancel);
	}
}

async function attempt(options: SessionOptions, gpu: GpuPolicy): Promise<SessionReport> {
	const writer = new OutputWriter(options.args.output);
	const server = await startStaticServer({
		root: options.dist,
		port: options.work.port,
		handlers: [writer.handle],
	}).catch((cause: unknown) => {
		throw new EmulsionError(
			'usage',
			`--work: port ${options.work.port}, which this folder's profile belongs to, is taken; try again later`,
			{ cause },
		);
	});
	options.work.remember(server.port);
	let context: BrowserContext | undefined;
	try {
		context = await launch(options.chromium, options.work.profile, gpu);
		const memory = new MemorySampler(options.work.profile);
		const page = await openPage(context, server.url, options);
		const result = await drive(page, jobOf(options, writer.token), options.signal);
		const processMemory = memory.stop();
		if (!result.ok) throw writer.failure ? diskError(writer.failure) : fromRecord(result.error);
		await writer.publish();
		return { ...result.report, processMemory };
	} catch (error) {
		await writer.discard();
		throw error;
	} finally {
		await context?.close().catch(() => undefined);
		await server.close();
	}
}

function diskError(cause: NodeJS.ErrnoException): EmulsionError {
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
