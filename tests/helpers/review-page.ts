/** Visits to a reviewer's page: a real Chromium with everything that it asks noted, and what the painted picture says. */

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { BITS, BLOCK, COUNTER_HEIGHT } from './counter-clips.ts';

/** A page with a review's address. */
export interface Visit {
	readonly page: Page;
	readonly context: BrowserContext;
	/** What a test must find empty: exceptions, violations of the content security policy. */
	readonly problems: string[];
	/** Everything that was requested: address, headers, body. */
	readonly requests: string[];
}

/** How a page is opened. */
export interface VisitOptions {
	readonly init?: string;
	readonly phone?: boolean;
	readonly locale?: string;
	readonly context?: BrowserContext;
}

/** Opens an address in a fresh profile, or in one that is open already. */
export async function visit(browser: Browser, address: string, options: VisitOptions = {}): Promise<Visit> {
	const shape = options.phone
		? { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
		: { viewport: { width: 1280, height: 800 } };
	const context =
		options.context ??
		(await browser.newContext({ ...shape, locale: options.locale ?? 'en-US', acceptDownloads: true }));
	if (options.init !== undefined) await context.addInitScript(options.init);
	const page = await context.newPage();
	page.setDefaultTimeout(20_000);
	const problems: string[] = [];
	const requests: string[] = [];
	page.on('pageerror', (error) => problems.push(String(error)));
	page.on('console', (message) => {
		if (/Content Security Policy|Refused to|Uncaught/i.test(message.text())) problems.push(message.text());
	});
	page.on('request', (request) => {
		requests.push(
			`${request.method()} ${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`,
		);
	});
	await page.goto(address);
	return { page, context, problems, requests };
}

/** Waits for a painted frame, of a number where one is given. */
export const painted = (page: Page, frame?: number): Promise<unknown> =>
	page.waitForFunction((wanted) => {
		const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=picture]');
		const shown = Number(canvas?.dataset['frame'] ?? -1);
		return wanted === undefined ? shown >= 0 : shown === wanted;
	}, frame);

/** Numbers in the canvas's two pictures, the number that the page says, and the frame's index. */
export interface Counters {
	readonly numbers: number[];
	readonly said: number;
	readonly index: number;
}

/** What {@link readCounters} needs to know of the clips. */
export const COUNTER_SHAPE = { bits: BITS, block: BLOCK, height: COUNTER_HEIGHT };

/** Runs in the page: numbers in the canvas's left and right halves (or upper and lower, on a phone). It uses nothing from outside. */
export function readCounters({ bits, block, height }: typeof COUNTER_SHAPE): Counters {
	const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=picture]')!;
	const context = canvas.getContext('2d')!;
	const { width: w, height: h } = canvas;
	const scale = w / canvas.clientWidth;
	const gap = 4 * scale;
	const aspect = (bits * block) / height;
	const beside = Math.min((w - gap) / 2, h * aspect);
	const above = Math.min(w, ((h - gap) / 2) * aspect);
	const wide = beside >= above;
	const width = Math.max(beside, above);
	const half = wide ? (w - gap) / 2 : (h - gap) / 2;
	const numbers = [0, 1].map((i) => {
		const x0 = wide ? i * (half + gap) + (half - width) / 2 : (w - width) / 2;
		const y0 = wide ? (h - width / aspect) / 2 : i * (half + gap) + (half - width / aspect) / 2;
		let number = 0;
		for (let bit = 0; bit < bits; bit++) {
			const x = Math.round(x0 + ((bit + 0.5) * width) / bits);
			const y = Math.round(y0 + ((block / height) * width) / aspect);
			number = number * 2 + (context.getImageData(x, y, 1, 1).data[1]! > 128 ? 1 : 0);
		}
		return number;
	});
	const said = Number(document.querySelector('[data-testid=frame]')?.textContent);
	return { numbers, said, index: Number(canvas.dataset['frame']) };
}

/** {@link readCounters} of a page. */
export const counters = (page: Page): Promise<Counters> => page.evaluate(readCounters, COUNTER_SHAPE);
