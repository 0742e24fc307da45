/** Browsers that lack something: the editor says so in plain words, and works or refuses with a typed message. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type E2e, type EditorPage, idle, sampleViewer, startE2e, withLine, withoutIsolation } from '../helpers/e2e.ts';
import type { RequestHandler } from '../../server/static.ts';

let folder: string;
let clip: string;
let mp4: string;

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-limits-'));
	clip = join(folder, 'clip.mkv');
	mp4 = join(folder, 'clip.mp4');
	const picture = ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=24,trim=end_frame=6'];
	execFileSync('ffmpeg', [...picture, '-pix_fmt', 'yuv420p', '-c:v', 'ffv1', '-level', '3', clip]);
	execFileSync('ffmpeg', [...picture, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-qp', '0', mp4]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function inBrowser(
	handler: RequestHandler,
	test: (editor: EditorPage, e2e: E2e) => Promise<void>,
	options: Parameters<E2e['open']>[0] = {},
): Promise<void> {
	const e2e = await startE2e([handler], 'software');
	try {
		await test(await e2e.open(options), e2e);
	} finally {
		await e2e.close();
	}
}

async function open(page: Page, path: string): Promise<void> {
	await page.getByTestId('open').setInputFiles(path);
	await idle(page);
	await expect
		.poll(
			async () => {
				const values = await sampleViewer(page);
				return Math.max(...values) - Math.min(...values);
			},
			{ timeout: 60_000 },
		)
		.toBeGreaterThan(60);
}

/** Exports as FFV1 and gives the MD5 of the written frames. */
async function exportMkv(page: Page, name: string): Promise<string> {
	await page.getByRole('button', { name: 'Export…' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Container').selectOption('mkv');
	const download = page.waitForEvent('download', { timeout: 120_000 });
	await dialog.getByRole('button', { name: 'Export', exact: true }).click();
	await (await download).saveAs(join(folder, name));
	expect(await dialog.locator('[data-ok=false]').count()).toBe(0);
	await page.keyboard.press('Escape');
	return md5(join(folder, name));
}

const md5 = (path: string): string =>
	execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-map', '0:v', '-f', 'framemd5', '-']).toString();

async function missing(page: Page, capability: string, words: RegExp): Promise<void> {
	const line = page.locator(`[data-missing="${capability}"]`);
	await line.waitFor();
	expect(await line.innerText()).toMatch(words);
}

describe('the editor without', () => {
	it('SharedArrayBuffer (a server without COOP and COEP): slower, said, and the same frames', async () => {
		await inBrowser(withoutIsolation, async ({ page, problems }) => {
			expect(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer])).toEqual([false, 'undefined']);
			await missing(page, 'shared-memory', /one thread, much slower.*COOP and COEP/s);
			await expect.poll(() => page.getByTestId('backend').innerText()).toMatch(/1 thread/);
			await open(page, clip);
			const panel = page.locator('section.panel').first();
			await panel.getByText('decoding runs in short pieces').waitFor();
			// What the media worker says is said in the reader's language.
			const language = page.locator('header select');
			await language.selectOption('zh-Hans');
			await panel.getByText('解码分成小段进行').waitFor();
			await language.selectOption('en');
			expect(await exportMkv(page, 'no-sab.mkv')).toBe(md5(clip));
			expect(problems).toEqual([]);
		});
	});

	it('WebCodecs: ffmpeg reads the film, and a codec that only browsers write is refused by name', async () => {
		const gone = ['VideoDecoder', 'VideoEncoder', 'AudioDecoder', 'AudioEncoder'];
		const line = `for (const n of ${JSON.stringify(gone)}) delete globalThis[n];`;
		await inBrowser(withLine(line), async ({ page, problems }) => {
			await missing(page, 'webcodecs', /ffmpeg in software/);
			await open(page, mp4);
			await page
				.getByRole('region', { name: 'Source' })
				.getByText(/^ffmpeg \(wasm\)/)
				.waitFor();
			await page.getByRole('button', { name: 'Export…' }).click();
			const dialog = page.getByRole('dialog');
			await dialog.getByLabel('Container').selectOption('webm');
			await dialog.getByRole('button', { name: 'Export', exact: true }).click();
			const refusal = dialog.getByRole('alert');
			await refusal.waitFor();
			expect(await refusal.innerText()).toMatch(/vp9|WebCodecs/i);
			// Nothing is lost: the dialog keeps its settings, and another container goes.
			await page.keyboard.press('Escape');
			expect(await exportMkv(page, 'no-wc.mkv')).toBe(md5(mp4));
			expect(problems).toEqual([]);
		});
	});

	it('WebGPU: the CPU, said openly; asked for by name, it is refused and the project stays', async () => {
		const line =
			'if (globalThis.Navigator) delete Navigator.prototype.gpu; if (globalThis.WorkerNavigator) delete WorkerNavigator.prototype.gpu;';
		await inBrowser(
			withLine(line),
			async ({ page, problems }, e2e) => {
				await missing(page, 'webgpu', /the same result, much slower/);
				await expect.poll(() => page.getByTestId('backend').innerText()).toMatch(/CPU \(wasm\)/);
				await page.getByTestId('backend').click();
				const system = page.getByRole('dialog', { name: 'System' });
				await system
					.getByText(/no WebGPU|WebGPU is not|without WebGPU|navigator\.gpu/i)
					.first()
					.waitFor();
				await page.keyboard.press('Escape');
				await open(page, clip);
				expect(await exportMkv(page, 'no-gpu.mkv')).toBe(md5(clip));
				expect(problems).toEqual([]);

				const asked = await e2e.open({ backend: 'webgpu', context: page.context() });
				await asked.page.getByRole('alert').filter({ hasText: 'The computing backend cannot be started.' }).waitFor();
				await expect.poll(() => asked.page.getByTestId('backend').innerText()).toMatch(/Backend failed/);
				expect(await asked.page.getByLabel('Project name').inputValue()).toBe('clip');
			},
			{ backend: 'auto' },
		);
	});

	it('a canvas for workers: the viewer says so, the film is still exported', async () => {
		const line = 'if (globalThis.HTMLCanvasElement) delete HTMLCanvasElement.prototype.transferControlToOffscreen;';
		await inBrowser(withLine(line), async ({ page, problems }) => {
			await missing(page, 'offscreen-canvas', /viewer cannot draw/);
			await page.getByTestId('open').setInputFiles(clip);
			await idle(page);
			await page.getByRole('alert').filter({ hasText: 'This browser lacks something that step needs.' }).waitFor();
			expect(await exportMkv(page, 'no-canvas.mkv')).toBe(md5(clip));
			expect(readFileSync(join(folder, 'no-canvas.mkv')).length).toBeGreaterThan(1000);
			expect(problems).toEqual([]);
		});
	});
});
