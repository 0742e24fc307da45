/**
 * `npx tsx scripts/screenshot.ts [OUT]`: makes the README's screenshot (`docs/screenshot.png`) from the demo reel, in the
 * built editor: opens it, restores the shot under the playhead, wipes source against result. `EMULSION_BACKEND` chooses
 * the backend (default `wasm`, which every machine has).
 */

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { startStaticServer } from '../server/static.ts';
import { ensureBuild, ROOT } from './build.ts';
import { BASE_FLAGS, chromiumPath } from './chromium.ts';
import { ensureDemoReel } from './demo/make.ts';

const SIZE = { width: 1440, height: 900 };
/** A machine without a GPU has to look at every frame first. */
const PATIENCE_MS = 900_000;

/** Waits until no job has been running for a moment. */
async function settled(page: Page): Promise<void> {
	let quiet = 0;
	const started = Date.now();
	while (quiet < 4) {
		if (Date.now() - started > PATIENCE_MS) throw new Error('The editor is still busy.');
		await page.waitForTimeout(500);
		const busy = await page.locator('footer [role=progressbar], .chip').count();
		quiet = busy === 0 ? quiet + 1 : 0;
	}
}

async function capture(page: Page, url: string, out: string): Promise<void> {
	page.setDefaultTimeout(PATIENCE_MS);
	await page.goto(`${url}?backend=${process.env['EMULSION_BACKEND'] ?? 'wasm'}`);
	await page.getByRole('button', { name: 'Open the demo reel' }).click();
	await page.getByTestId('shot').nth(1).waitFor();
	await settled(page);
	await page.getByRole('button', { name: 'Restore' }).click();
	await settled(page);
	for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight');
	await page.getByRole('radio', { name: 'Wipe' }).click();
	await settled(page);
	for (const notice of await page.getByRole('button', { name: 'Dismiss' }).all()) await notice.click();
	await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
	await page.mouse.move(SIZE.width / 2, 2);
	mkdirSync(dirname(out), { recursive: true });
	await page.screenshot({ path: out });
}

async function main(): Promise<void> {
	const out = process.argv[2] ?? join(ROOT, 'docs', 'screenshot.png');
	ensureDemoReel(console.log);
	const server = await startStaticServer({ root: await ensureBuild(console.log), port: 0 });
	const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...BASE_FLAGS] });
	try {
		await capture(await browser.newPage({ viewport: SIZE, locale: 'en-US' }), server.url, out);
		console.log(out);
	} finally {
		await browser.close();
		await server.close();
	}
}

await main();
