/** The build in a folder of a bare static host: no header of ours, no ranges, nothing asked outside of that folder. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DIST } from '../../scripts/build.ts';
import { BASE_FLAGS, chromiumPath } from '../../scripts/chromium.ts';
import { scratch } from '../helpers/cli.ts';
import { counters, painted, visit } from '../helpers/review-page.ts';
import { addressOf, type MadeReview, makeReview, writeReviewPackage } from '../helpers/reviews.ts';

/** What every static host knows. */
const MIME: Readonly<Record<string, string>> = {
	'.html': 'text/html',
	'.js': 'text/javascript',
	'.mjs': 'text/javascript',
	'.css': 'text/css',
	'.json': 'application/json',
	'.svg': 'image/svg+xml',
	'.wasm': 'application/wasm',
};

const files = scratch();
let server: Server;
let browser: Browser;
let made: MadeReview;
let app: string;
/** Requests that were answered with anything but a file. */
const missed: string[] = [];

beforeAll(async () => {
	made = await makeReview(files, { labels: ['Scan', 'Recipe A'], blind: false, links: [{ role: 'viewer' }] });
	await writeReviewPackage(files.path('x.emreview'), made.review);
	server = createServer((request, response) => {
		const { pathname } = new URL(request.url!, 'http://host');
		const name = pathname.startsWith('/app/') ? normalize(pathname.slice('/app/'.length)) || 'index.html' : '';
		const path = name === 'x.emreview' ? files.path(name) : join(DIST, name === '.' ? 'index.html' : name);
		if (name === '' || name.startsWith('..') || !existsSync(path) || !statSync(path).isFile()) {
			missed.push(pathname);
			response.writeHead(404).end();
			return;
		}
		response.writeHead(200, { 'Content-Type': MIME[extname(path)] ?? 'application/octet-stream' });
		response.end(readFileSync(path));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	app = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app/`;
	browser = await chromium.launch({ executablePath: chromiumPath(), args: [...BASE_FLAGS, '--disable-gpu'] });
});
afterAll(async () => {
	await browser?.close();
	server?.closeAllConnections();
	server?.close();
	files.remove();
});

it('opens a package that lies beside it, and shows the same frame of both versions', async () => {
	const { page, context, problems } = await visit(browser, addressOf(app, made, 1, 'x.emreview'));
	expect(page.url()).toMatch(/\/app\/#\/review\?package=x\.emreview&link=/);
	await painted(page);
	await page.keyboard.press('ArrowRight');
	await painted(page, 1);
	await page.getByRole('radio', { name: 'Side by side' }).click();
	expect((await counters(page)).numbers).toEqual([1, 1]);
	expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
	expect(missed).toEqual([]);
	expect(problems).toEqual([]);
	await context.close();
});

it('opens the editor, whose workers and models come from that folder', async () => {
	const { page, context, problems, requests } = await visit(browser, `${app}?backend=wasm`);
	await page.getByRole('banner').waitFor();
	await page.getByRole('button', { name: 'CPU (wasm)' }).waitFor();
	expect(requests.map((line) => line.split(' ')[1]!).filter((url) => /\/models\//.test(url))).not.toEqual([]);
	// A build without the demo reel has none to name.
	expect(missed.filter((path) => path !== '/app/demo/reel.json')).toEqual([]);
	expect(problems).toEqual([]);
	await context.close();
});
