/** Every way into the editor and out of it: dropped files and folders, pickers, folders of the disk. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestHandler } from '../../server/static.ts';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

const FRAMES = 5;
const FIRST = 86_410;
let e2e: E2e;
let folder: string;
let clip: string;
let scan: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-files-'));
	clip = join(folder, 'clip.mkv');
	scan = join(folder, 'reel-7');
	mkdirSync(scan);
	const picture = ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=48x32:rate=24,trim=end_frame=${FRAMES}`];
	execFileSync('ffmpeg', [...picture, '-pix_fmt', 'yuv420p', '-c:v', 'ffv1', '-level', '3', clip]);
	execFileSync('ffmpeg', [
		...[...picture, '-pix_fmt', 'rgb48be', '-start_number', String(FIRST)],
		join(scan, 'reel7_%06d.png'),
	]);
	e2e = await startE2e();
});

afterAll(async () => {
	await e2e.close();
	rmSync(folder, { recursive: true, force: true });
});

/** Holds back what the editor looks for before it starts the engine. */
const slowDemo: RequestHandler = async (_request, _response, url) => {
	if (url.pathname === '/demo/reel.json') await new Promise((resolve) => setTimeout(resolve, 4000));
	return false;
};

describe('before the editor has started its engine', () => {
	it('a film is opened all the same, and stays', async () => {
		const slow = await startE2e([slowDemo]);
		try {
			const { page, problems } = await slow.open();
			await page.getByTestId('open').setInputFiles(clip);
			await expect.poll(() => page.getByTestId('backend').innerText(), { timeout: 30_000 }).toMatch(/CPU/);
			await idle(page, 30_000);
			await source(page).getByText('clip.mkv').first().waitFor();
			expect(await page.getByRole('alert').count()).toBe(0);
			expect(problems).toEqual([]);
		} finally {
			await slow.close();
		}
	});
});

const source = (page: Page) => page.getByRole('region', { name: 'Source' });

/** Drags files or folders of the disk onto the window, as a file manager does. */
async function drop(page: Page, files: readonly string[]): Promise<void> {
	const cdp = await page.context().newCDPSession(page);
	const data = { items: [], files: [...files], dragOperationsMask: 1 };
	const at = { x: 700, y: 400, data };
	const send = (type: 'dragEnter' | 'dragOver' | 'drop' | 'dragCancel') =>
		cdp.send('Input.dispatchDragEvent', { type, ...at });
	const held = () => page.locator('div.drop').count();
	// The protocol loses drags now and then, and a drop counts only once the page has answered that it takes it: again from the start.
	await expect
		.poll(
			async () => {
				await send('dragEnter');
				await send('dragOver');
				await page.waitForTimeout(200);
				await send('dragOver');
				await page.waitForTimeout(200);
				if ((await held()) === 0) return 'the drag was lost';
				await send('drop');
				await page.mouse.move(at.x + 1, at.y);
				await page.waitForTimeout(200);
				if ((await held()) === 0) return 'dropped';
				await send('dragCancel');
				return 'the drop was lost';
			},
			{ timeout: 60_000 },
		)
		.toBe('dropped');
	await cdp.detach();
}

/** Answers the question that an untagged scan raises. */
async function answerTransfer(page: Page): Promise<void> {
	const dialog = page.getByRole('dialog', { name: 'How do code values map to light?' });
	await dialog.getByRole('radio', { name: /^sRGB/ }).check();
	await dialog.getByRole('button', { name: 'Use this transfer' }).click();
}

async function isScan(page: Page): Promise<void> {
	await answerTransfer(page);
	await idle(page);
	await source(page).getByText('48 × 32').first().waitFor();
	await expect.poll(() => page.getByLabel('Frame number').innerText()).toBe(String(FIRST));
	await page.keyboard.press('End');
	await expect.poll(() => page.getByLabel('Frame number').innerText()).toBe(String(FIRST + FRAMES - 1));
}

async function isClip(page: Page): Promise<void> {
	await idle(page);
	await source(page).getByText('clip.mkv').first().waitFor();
	await source(page).getByText('4:2:0 8 bit').first().waitFor();
}

/** A folder of the private file system stands in for the one a dialog would give; headless browsers show none. */
const PICKED = `
	window.pickedFolder = async (name) => (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
	window.showDirectoryPicker = () => window.pickedFolder('picked');
	window.showSaveFilePicker = async ({ suggestedName }) =>
		(await window.pickedFolder('saved')).getFileHandle(suggestedName, { create: true });`;

/** Names and sizes of a folder of the private file system. */
function listed(page: Page, name: string): Promise<readonly (readonly [string, number])[]> {
	return page.evaluate(async (name) => {
		const root = await navigator.storage.getDirectory();
		const found: [string, number][] = [];
		for await (const entry of (await root.getDirectoryHandle(name)).values()) {
			if (entry.kind === 'file') found.push([entry.name, (await (entry as FileSystemFileHandle).getFile()).size]);
		}
		return found.sort(([a], [b]) => a.localeCompare(b));
	}, name);
}

/** Exports what is open into a place that a picker gives. */
async function exportTo(page: Page, container: string, destination: 'file' | 'folder'): Promise<void> {
	await page.getByRole('button', { name: 'Export…' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Container').selectOption(container);
	await dialog.getByLabel('Destination').selectOption(destination);
	await dialog.getByRole('button', { name: 'Export', exact: true }).click();
	await dialog.getByTestId('invariants').waitFor();
	expect(await dialog.locator('[data-ok=false]').count()).toBe(0);
	await page.keyboard.press('Escape');
}

describe('dropped on the window', () => {
	it('a film opens', async () => {
		const { page, problems } = await e2e.open();
		await drop(page, [clip]);
		await isClip(page);
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('a folder of numbered frames opens as one sequence', async () => {
		const { page, problems } = await e2e.open();
		await drop(page, [scan]);
		await isScan(page);
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('several films at once are refused in words, and what is open stays', async () => {
		const { page } = await e2e.open();
		await drop(page, [clip]);
		await isClip(page);
		await drop(page, [clip, clip]);
		await page.getByRole('alert').filter({ hasText: 'Expected one film' }).waitFor();
		await isClip(page);
		await page.context().close();
	});
});

describe('pickers', () => {
	it('Open… takes a film from the file dialog', async () => {
		const { page } = await e2e.open();
		const choosing = page.waitForEvent('filechooser');
		await page.getByRole('button', { name: 'Open…', exact: true }).click();
		const chooser = await choosing;
		expect(chooser.isMultiple()).toBe(true);
		await chooser.setFiles(clip);
		await isClip(page);
		await page.context().close();
	});

	it('Open folder… takes a folder where the browser has no folder access', async () => {
		const { page } = await e2e.open({ init: 'delete window.showDirectoryPicker' });
		const choosing = page.waitForEvent('filechooser');
		await page.getByRole('button', { name: 'Open folder of frames…' }).click();
		await (await choosing).setFiles(scan);
		await isScan(page);
		await page.context().close();
	});

	it('Open folder… reads a folder handle, and exports go into a folder and a file handle', async () => {
		const { page, problems } = await e2e.open({ init: PICKED });
		const frames = Array.from({ length: FRAMES }, (_, i) => {
			const name = `reel7_0${FIRST + i}.png`;
			return { name, base64: readFileSync(join(scan, name)).toString('base64') };
		});
		await page.evaluate(async (frames) => {
			const root = await navigator.storage.getDirectory();
			const picked = await root.getDirectoryHandle('picked', { create: true });
			for (const { name, base64 } of frames) {
				const writable = await (await picked.getFileHandle(name, { create: true })).createWritable();
				await writable.write(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
				await writable.close();
			}
		}, frames);
		await page.getByRole('button', { name: 'Open folder of frames…' }).click();
		await isScan(page);

		await page.evaluate(() => {
			Object.assign(window, {
				showDirectoryPicker: async () =>
					(await navigator.storage.getDirectory()).getDirectoryHandle('restored', { create: true }),
			});
		});
		await exportTo(page, 'tiff', 'folder');
		const restored = await listed(page, 'restored');
		expect(restored.map(([name]) => name)).toEqual(
			Array.from({ length: FRAMES }, (_, i) => `reel7_0${FIRST + i}.tiff`),
		);
		expect(Math.min(...restored.map(([, bytes]) => bytes))).toBeGreaterThan(48 * 32 * 6);

		// The same again: what lies there stays, the original frames first of all.
		for (const [container, folder] of [
			['tiff', 'restored'],
			['png', 'picked'],
		] as const) {
			await page.evaluate((name) => {
				Object.assign(window, {
					showDirectoryPicker: async () =>
						(await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true }),
				});
			}, folder);
			const before = await listed(page, folder);
			await page.getByRole('button', { name: 'Export…' }).click();
			const dialog = page.getByRole('dialog');
			await dialog.getByLabel('Container').selectOption(container);
			await dialog.getByLabel('Destination').selectOption('folder');
			await dialog.getByRole('button', { name: 'Export', exact: true }).click();
			const all = `${FRAMES} of the ${FRAMES} files to be written exist already in the folder ${folder}`;
			await dialog.getByRole('alert').getByText(all).first().waitFor();
			expect(await listed(page, folder)).toEqual(before);
			await page.keyboard.press('Escape');
		}

		await exportTo(page, 'mkv', 'file');
		const saved = await listed(page, 'saved');
		expect(saved.map(([name]) => name)).toEqual(['picked-restored.mkv']);
		expect(saved[0]?.[1]).toBeGreaterThan(1000);
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('a dialog that is closed without a choice changes nothing and says nothing', async () => {
		const init = `window.showDirectoryPicker = () => Promise.reject(new DOMException('closed', 'AbortError'));`;
		const { page, problems } = await e2e.open({ init });
		await page.getByRole('button', { name: 'Open folder of frames…' }).click();
		await page.waitForTimeout(300);
		expect(await page.getByRole('alert').count()).toBe(0);
		await page.getByRole('heading', { name: 'Restore the old as old' }).waitFor();
		expect(problems).toEqual([]);
		await page.context().close();
	});
});
