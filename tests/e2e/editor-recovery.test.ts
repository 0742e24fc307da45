/** What the editor does when the tab, the device or the browser's leave to keep things is gone. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, type E2e, idle, sampleViewer, startE2e, withLine } from '../helpers/e2e.ts';

/** Three chunks of at most 480 frames. */
const FRAMES = 1200;
let e2e: E2e;
let folder: string;
let film: string;
let clip: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-recovery-'));
	film = join(folder, 'film.mkv');
	clip = join(folder, 'clip.mkv');
	const make = (path: string, filter: string): void => {
		execFileSync('ffmpeg', [
			...['-v', 'error', '-y', '-f', 'lavfi', '-i', filter, '-pix_fmt', 'yuv420p', '-c:v', 'ffv1', '-level', '3'],
			path,
		]);
	};
	make(film, `testsrc2=size=64x48:rate=24,trim=end_frame=${FRAMES},noise=alls=9:allf=t`);
	make(clip, 'testsrc2=size=64x48:rate=24,trim=end_frame=6');
	e2e = await startE2e();
});

afterAll(async () => {
	await e2e.close();
	rmSync(folder, { recursive: true, force: true });
});

async function open(page: Page, path: string): Promise<void> {
	await page.getByTestId('open').setInputFiles(path);
	await idle(page);
}

async function startExport(page: Page): Promise<void> {
	await page.getByRole('button', { name: 'Export…' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Container').selectOption('mkv');
	await dialog.getByRole('button', { name: 'Export', exact: true }).click();
}

describe('a crashed tab', () => {
	it('offers its interrupted export, which goes on to the same bytes', async () => {
		const whole = await e2e.open();
		await open(whole.page, film);
		const reference = whole.page.waitForEvent('download', { timeout: 180_000 });
		await startExport(whole.page);
		await (await reference).saveAs(join(folder, 'whole.mkv'));
		await whole.page.context().close();

		const { page, context } = await e2e.open();
		await open(page, film);
		await page.getByText('Saved in this browser').waitFor();
		await startExport(page);
		// Beyond the first chunk, and not done: one chunk at least is stored.
		const count = page.getByRole('dialog').locator('.count');
		await expect
			.poll(async () => Number((await count.innerText()).replace(/,/g, '').split('/')[0]), {
				timeout: 120_000,
				interval: 20,
			})
			.toBeGreaterThan(600);
		const cdp = await context.newCDPSession(page);
		const crashed = page.waitForEvent('crash');
		// The answer never comes: the tab is gone.
		cdp.send('Page.crash').catch(() => undefined);
		await crashed;
		await page.close();

		const again = await e2e.open({ context });
		const offer = again.page.getByRole('region', { name: 'Interrupted exports' });
		await offer.getByText('film-restored.mkv').waitFor();
		expect(await offer.innerText()).toMatch(/interrupted at [12] of 3/);
		const resume = offer.getByRole('button', { name: 'Resume…' });
		// The project is back, its film has to be chosen again.
		expect(await resume.isDisabled()).toBe(true);
		const choosing = again.page.waitForEvent('filechooser');
		await again.page.getByRole('button', { name: 'Choose the file…' }).click();
		await (await choosing).setFiles(film);
		await idle(again.page);
		await resume.click();
		const dialog = again.page.getByRole('dialog', { name: 'Resume export' });
		const download = again.page.waitForEvent('download', { timeout: 180_000 });
		await dialog.getByRole('button', { name: 'Resume export' }).click();
		await (await download).saveAs(join(folder, 'resumed.mkv'));
		await again.page.getByText(/[12] of 3 from before the interruption/).waitFor();
		expect(readFileSync(join(folder, 'resumed.mkv')).equals(readFileSync(join(folder, 'whole.mkv')))).toBe(true);
		await again.page.keyboard.press('Escape');
		expect(await offer.count()).toBe(0);
		expect(again.problems).toEqual([]);
		await context.close();
	});
});

describe('a lost device', () => {
	it('is replaced while the viewer shows a frame: the picture comes back, the badge stays true', async () => {
		// A driver's reset, as the page sees one: the device of the restore worker is destroyed when told to.
		const line = `if (globalThis.GPUAdapter && typeof window === 'undefined') {
			const request = GPUAdapter.prototype.requestDevice;
			GPUAdapter.prototype.requestDevice = async function (...options) {
				const device = await request.apply(this, options);
				const channel = new BroadcastChannel('devices');
				channel.onmessage = ({ data }) => { if (data === 'lose') { device.destroy(); channel.close(); } };
				channel.postMessage('made');
				return device;
			};
		}`;
		const losing = await startE2e([withLine(line)], 'software');
		try {
			const init = `window.devices = 0; window.deviceChannel = new BroadcastChannel('devices');
				deviceChannel.onmessage = ({ data }) => { if (data === 'made') window.devices++; };`;
			const { page, problems } = await losing.open({ backend: 'webgpu', init });
			const made = (): Promise<number> => page.evaluate('window.devices');
			await open(page, clip);
			const shown = (): Promise<string> => page.getByTestId('backend').innerText();
			await expect.poll(shown, { timeout: 60_000 }).toMatch(/WebGPU/);
			const badge = await shown();
			await expect.poll(async () => spread(await sampleViewer(page)), { timeout: 60_000 }).toBeGreaterThan(60);
			const before = await sampleViewer(page);
			expect(await made()).toBe(1);
			await page.evaluate('window.deviceChannel.postMessage("lose")');
			await page.keyboard.press('ArrowRight');
			await expect.poll(made, { timeout: 60_000 }).toBe(2);
			await page.keyboard.press('ArrowLeft');
			await expect.poll(async () => difference(before, await sampleViewer(page)), { timeout: 60_000 }).toBeLessThan(1);
			expect(await page.getByTestId('backend').innerText()).toBe(badge);
			expect(await page.getByRole('alert').count()).toBe(0);
			expect(problems).toEqual([]);
			await page.context().close();
		} finally {
			await losing.close();
		}
	});
});

describe('a browser that will not promise to keep things', () => {
	it('is told of once, and the project is still there after a reload', async () => {
		const init = `StorageManager.prototype.persisted = () => Promise.resolve(false);
			StorageManager.prototype.persist = () => Promise.resolve(false);`;
		const { page, problems } = await e2e.open({ init });
		await open(page, clip);
		await page.getByText('may clear its storage').waitFor();
		await page.getByText('Saved in this browser').waitFor();
		await page.reload();
		await page.getByRole('button', { name: 'Choose the file…' }).waitFor();
		expect(await page.getByLabel('Project name').inputValue()).toBe('clip');
		await page.getByLabel('Project name').fill('Kept');
		await page.getByLabel('Project name').press('Enter');
		await page.getByText('Saved in this browser').waitFor();
		expect(await page.getByText('may clear its storage').count()).toBe(0);
		expect(problems).toEqual([]);
		await page.context().close();
	});
});

const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
