/** End-to-end tests: the built app, served with its real headers, in a real Chromium. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { DIST } from '../../scripts/build.ts';
import { BASE_FLAGS, CHROMIUM_FLAGS, chromiumPath } from '../../scripts/chromium.ts';
import { SECURITY_HEADERS } from '../../server/headers.ts';
import { type RequestHandler, sendFile, startStaticServer, type StaticServer } from '../../server/static.ts';

/** A running app and browser. */
export interface E2e {
	readonly server: StaticServer;
	readonly browser: Browser;
	/** A page of a fresh profile with the editor open; page errors and CSP violations end up in `problems`. */
	open(options?: {
		readonly init?: string;
		readonly width?: number;
		readonly height?: number;
		readonly backend?: 'auto' | 'wasm' | 'webgpu';
		/** A profile that is open already: a further tab of it. */
		readonly context?: BrowserContext;
	}): Promise<EditorPage>;
	close(): Promise<void>;
}

/** An open editor. */
export interface EditorPage {
	readonly page: Page;
	readonly context: BrowserContext;
	/** What a test must find empty at its end: exceptions, violations of the content security policy. */
	readonly problems: string[];
}

const isProblem = (text: string): boolean => /Content Security Policy|Refused to|Uncaught/i.test(text);

/**
 * Serves the app's scripts with a line before them, in the page and in every worker. It runs once in each: a worker is
 * several files, and one that wraps a function would wrap it again with each.
 */
export function withLine(line: string): RequestHandler {
	return (_request, response, url) => {
		if (!/^\/assets\/[\w.-]+\.js$/.test(url.pathname)) return Promise.resolve(false);
		const headers = { ...SECURITY_HEADERS.isolation, ...SECURITY_HEADERS.policy, 'Content-Type': 'text/javascript' };
		response.writeHead(200, headers);
		const once = `if (!globalThis.lineHasRun) { globalThis.lineHasRun = true; ${line} }`;
		response.end(`${once}\n${readFileSync(join(DIST, url.pathname), 'utf8')}`);
		return Promise.resolve(true);
	};
}

/** Serves the app without the headers that isolate it: no SharedArrayBuffer. */
export const withoutIsolation: RequestHandler = async (request, response, url) => {
	const name = url.pathname.endsWith('/') ? `${url.pathname}index.html` : url.pathname;
	if (request.method !== 'GET') return false;
	await sendFile(request, response, join(DIST, name));
	return true;
};

/**
 * Serves the build and starts Chromium. Close it in `afterAll`. Without a GPU unless a test is about one: a page that SwiftShader draws costs
 * half as much again of the processor (102 against 70 CPU seconds for three files of editor tests).
 */
export async function startE2e(
	handlers: readonly RequestHandler[] = [],
	gpu: 'software' | 'none' = 'none',
	executablePath = chromiumPath(),
): Promise<E2e> {
	const server = await startStaticServer({ root: DIST, port: 0, handlers });
	const args = gpu === 'software' ? [...CHROMIUM_FLAGS] : [...BASE_FLAGS, '--disable-gpu'];
	const browser = await chromium.launch({ executablePath, args });
	return {
		server,
		browser,
		async open({ init, width = 1440, height = 900, backend = 'wasm', context: given } = {}) {
			const viewport = { width, height };
			const context = given ?? (await browser.newContext({ viewport, locale: 'en-US', acceptDownloads: true }));
			if (init !== undefined) await context.addInitScript(init);
			const page = await context.newPage();
			const problems: string[] = [];
			page.on('pageerror', (error) => problems.push(String(error)));
			page.on('console', (message) => {
				if (isProblem(message.text())) problems.push(message.text());
			});
			page.setDefaultTimeout(60_000);
			await page.goto(`${server.url}?backend=${backend}`);
			await page.getByRole('banner').waitFor();
			return { page, context, problems };
		},
		async close() {
			await browser.close();
			await server.close();
		},
	};
}

/** Waits until no job runs. */
export async function idle(page: Page, timeout = 180_000): Promise<void> {
	await page.waitForFunction(
		() => document.querySelector('footer [role=progressbar]') === null && document.querySelectorAll('.shot').length > 0,
		undefined,
		{ timeout },
	);
}

/** Colors of the viewer's picture: mean of a grid of samples taken from a screenshot, `side` a row. */
export async function sampleViewer(page: Page, side = 24): Promise<number[]> {
	const png = await page.getByTestId('viewer').screenshot();
	return page.evaluate(
		async ({ base64, side }) => {
			const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
			const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
			const canvas = new OffscreenCanvas(side, side);
			const context = canvas.getContext('2d');
			context?.drawImage(bitmap, 0, 0, side, side);
			return [...(context?.getImageData(0, 0, side, side).data ?? [])].filter((_, i) => i % 4 !== 3);
		},
		{ base64: png.toString('base64'), side },
	);
}

/** Mean absolute difference of two samplings, in 8-bit code values. */
export function difference(a: readonly number[], b: readonly number[]): number {
	return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}
