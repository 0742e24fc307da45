/** Clips and stills of films, rendered by the headless page into a folder. */

import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { HeadlessEvent } from '../../src/contracts/headless.ts';
import type { HeadlessReviewJob, HeadlessReviewResult } from '../../src/contracts/review.ts';
import { EmulsionError, fromRecord, throwIfAborted } from '../../src/core/errors.ts';
import type { FileOf } from '../../src/share/making/rendered.ts';
import { startStaticServer } from '../../server/static.ts';
import { type GpuPolicy, launch } from '../browser.ts';
import type { ResolvedInput } from '../input.ts';
import { OutputWriter } from '../output.ts';
import { diskError, failures, giveFiles, openHeadless } from '../session.ts';

/** What is rendered, and where. */
export interface RenderOptions {
	readonly inputs: readonly ResolvedInput[];
	readonly job: Omit<HeadlessReviewJob, 'token'>;
	/** Empty folder that the files go into. */
	readonly folder: string;
	readonly dist: string;
	readonly chromium: string;
	/** Browser profile. */
	readonly profile: string;
	readonly onEvent: (event: HeadlessEvent) => void;
	readonly signal: AbortSignal;
}

/** What was rendered. */
export type Rendered = Extract<HeadlessReviewResult, { ok: true }>;

/** Renders in an open page. @param writer Takes the page's writes; its handler is in the server behind `url`. */
export async function renderInPage(
	page: Page,
	url: string,
	writer: OutputWriter,
	options: Pick<RenderOptions, 'inputs' | 'job' | 'onEvent' | 'signal'>,
): Promise<Rendered> {
	const { inputs, job, onEvent, signal } = options;
	const { failed, end } = failures(page, { signal, resume: false });
	const work = async (): Promise<HeadlessReviewResult> => {
		await openHeadless(page, url, onEvent);
		for (const [index, { paths }] of inputs.entries()) await giveFiles(page, `version-${index}`, paths);
		throwIfAborted(signal);
		return page.evaluate(
			(j) => {
				const api = globalThis.emulsionHeadless;
				if (!api) throw new Error('the headless page has not loaded');
				return api.review(j);
			},
			{ ...job, token: writer.token },
		);
	};
	try {
		// A call into a tab that is gone fails too, in other words: the reason is the one worth telling.
		const worked = work().catch(async (error: unknown) => {
			await Promise.race([failed, delay(1000)]);
			throw error;
		});
		const result = await Promise.race([worked, failed]);
		if (!result.ok) throw writer.failure ? diskError(writer.failure) : fromRecord(result.error);
		await writer.verify({ bytes: result.bytes }, signal);
		await writer.publish();
		return result;
	} catch (error) {
		await writer.discard(false);
		throw error;
	} finally {
		end();
	}
}

async function attempt(options: RenderOptions, gpu: GpuPolicy): Promise<Rendered> {
	const writer = new OutputWriter(join(options.folder, 'clips'));
	const server = await startStaticServer({ root: options.dist, port: 0, handlers: [writer.handle] });
	try {
		const context = await launch(options.chromium, options.profile, gpu);
		try {
			const page = context.pages()[0] ?? (await context.newPage());
			return await renderInPage(page, server.url, writer, options);
		} finally {
			await context.close().catch(() => undefined);
		}
	} finally {
		await server.close();
	}
}

/** Renders; `webgpu` tries hardware first and takes SwiftShader only when there is none, as `npm run restore` does. */
export async function renderReview(options: RenderOptions): Promise<Rendered> {
	const wish = options.job.backend;
	if (wish === 'wasm') return attempt(options, 'none');
	try {
		return await attempt(options, 'hardware');
	} catch (error) {
		if (wish !== 'webgpu' || !(error instanceof EmulsionError) || error.code !== 'backend-unavailable') throw error;
		return attempt(options, 'software');
	}
}

/** Files of a folder by name, read when they are needed. */
export function filesIn(folder: string): FileOf {
	return (name) => openAsBlob(join(folder, name), { type: name.endsWith('.png') ? 'image/png' : '' });
}
