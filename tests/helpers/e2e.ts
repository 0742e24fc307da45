/** End-to-end tests: the built app, served with its real headers, in a real Chromium. */

import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { DIST } from '../../scripts/build.ts';
import { CHROMIUM_FLAGS, chromiumPath } from '../../scripts/chromium.ts';
import { startStaticServer, type StaticServer } from '../../server/static.ts';

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

/** Serves the build and starts Chromium. Close it in `afterAll`. */
export async function startE2e(): Promise<E2e> {
	const server = await startStaticServer({ root: DIST, port: 0 });
	const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...CHROMIUM_FLAGS] });
	return {
		server,
		browser,
		async open({ init, width = 1440, height = 900, backend = 'wasm' } = {}) {
			const context = await browser.newContext({ viewport: { width, height }, locale: 'en-US', acceptDownloads: true });
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
