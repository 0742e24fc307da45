import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findUsersChromium } from '../../scripts/chromium.ts';
import { difference, type E2e, idle, sampleViewer, startE2e } from '../helpers/e2e.ts';

let e2e: E2e;
let folder: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-editor-'));
	// Two shots of 5 frames: a hard cut from a moving pattern to bars, with a tone, tagged, at 24 fps.
	const filter =
		'testsrc2=size=96x64:rate=24,trim=end_frame=5[a];smptebars=size=96x64:rate=24,trim=end_frame=5,setsar=1[b];[a][b]concat=n=2:v=1,noise=alls=12:allf=t,format=yuv420p[v]';
	execFileSync('ffmpeg', [
		...['-v', 'error', '-y', '-filter_complex', filter, '-f', 'lavfi', '-i', 'sine=frequency=440:duration=0.417'],
		...['-map', '[v]', '-map', '0:a', '-c:v', 'libx264', '-crf', '8', '-bf', '0', '-c:a', 'aac'],
		...['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709', '-timecode', '01:00:00:00'],
		join(folder, 'clip.mov'),
	]);
	// In the browser that users have; most tests take a lighter build of the same engine.
	e2e = await startE2e([], 'none', findUsersChromium());
});

afterAll(async () => {
	await e2e.close();
	rmSync(folder, { recursive: true, force: true });
});

const frameNumber = (page: Page): Promise<string> => page.getByLabel('Frame number').innerText();
const shots = (page: Page) => page.getByTestId('shot');

async function openClip(page: Page): Promise<void> {
	await page.getByTestId('open').setInputFiles(join(folder, 'clip.mov'));
	await expect.poll(() => shots(page).count(), { timeout: 60_000 }).toBe(2);
	await idle(page);
}

async function addStage(page: Page, name: string): Promise<void> {
	await page.getByRole('button', { name: 'Add stage' }).click();
	await page.getByRole('menuitem', { name, exact: true }).click();
}

describe('the editor', () => {
	it('opens, restores, compares, exports and keeps a clip', async () => {
		const { page, problems } = await e2e.open();
		await openClip(page);

		// The strip: every frame of both shots has room.
		const shown = () =>
			page
				.locator('[data-testid=shot] canvas')
				.evaluateAll((all) => all.map((canvas) => Number((canvas as HTMLElement).dataset['frame'])));
		await expect.poll(shown, { timeout: 30_000 }).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

		// The probe sheet.
		const sheet = page.getByRole('region', { name: 'Source' });
		for (const text of ['96 × 64', '24 fps', '4:2:0 8 bit', 'BT.709', '01:00:00:00']) {
			await sheet.getByText(text, { exact: false }).first().waitFor();
		}
		expect(await page.getByTestId('backend').innerText()).toMatch(/CPU \(wasm\)\s*.*thread/);

		// Numbering, steps, in and out, shots by keyboard.
		await expect.poll(() => frameNumber(page)).toBe('86400');
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowRight');
		await expect.poll(() => frameNumber(page)).toBe('86402');
		await page.keyboard.press('i');
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('o');
		await page.keyboard.press('ArrowDown');
		await expect.poll(() => frameNumber(page)).toBe('86405');
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('ArrowRight');
		const first = await sampleViewer(page);
		expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(60);

		// A stage changes the result, and only the result.
		await page.keyboard.press('1');
		await idle(page);
		const source = await sampleViewer(page, 64);
		await addStage(page, 'Degrain');
		// What auto stands for is shown once a frame of the shot was rendered, and is where setting it by hand begins.
		await page.keyboard.press('3');
		const inUse = page
			.getByTestId('in-use')
			.filter({ hasText: /^auto: \d+\.\d 8-bit code values measured in shot 1$/ });
		await inUse.waitFor();
		const measured = (await inUse.innerText()).split(' ')[1] ?? '';
		await page.keyboard.press('1');
		await page.getByRole('checkbox', { name: 'auto' }).uncheck();
		expect(await page.getByRole('spinbutton', { name: 'Sigma' }).inputValue()).toBe(measured);
		const sigma = page.getByRole('spinbutton', { name: 'Sigma' });
		await sigma.fill('75');
		await sigma.press('Enter');
		await page.getByRole('radio', { name: 'Result' }).click();
		await expect
			.poll(async () => difference(source, await sampleViewer(page, 64)), { timeout: 60_000 })
			.toBeGreaterThan(2);
		const result = await sampleViewer(page, 64);
		// The viewer and the report say the same of it.
		await expect.poll(() => page.getByTestId('provenance').innerText()).toBe('repaired');
		await page.getByRole('radio', { name: 'Wipe' }).click();
		const wipe = page.getByRole('slider', { name: 'Wipe' });
		await wipe.focus();
		await page.keyboard.press('End');
		await expect
			.poll(async () => difference(source, await sampleViewer(page, 64)), { timeout: 20_000 })
			.toBeLessThan(1.5);
		await page.keyboard.press('Home');
		await expect
			.poll(async () => difference(result, await sampleViewer(page, 64)), { timeout: 20_000 })
			.toBeLessThan(1.5);

		// Restore in to out: two frames.
		await page.getByRole('button', { name: 'Restore' }).click();
		await idle(page);
		expect(await page.locator('.renders .done').count()).toBe(1);

		// Export, proven and downloaded.
		await page.getByRole('button', { name: 'Export…' }).click();
		const dialog = page.getByRole('dialog');
		// In and out are set: they are what an export begins with.
		expect(await dialog.getByLabel('Range').inputValue()).toBe('marks');
		await dialog.getByLabel('Range').selectOption('all');
		await dialog.getByLabel('Container').selectOption('mkv');
		const download = page.waitForEvent('download', { timeout: 120_000 });
		await dialog.getByRole('button', { name: 'Export', exact: true }).click();
		await (await download).saveAs(join(folder, 'out.mkv'));
		await dialog.getByTestId('invariants').waitFor();
		expect(await dialog.locator('[data-ok=false]').count()).toBe(0);
		expect(await dialog.locator('[data-ok=true]').count()).toBeGreaterThanOrEqual(3);
		expect(await dialog.locator('dt:text-is("Provenance") + dd').innerText()).toBe('repaired');
		const report = page.waitForEvent('download');
		await dialog.getByRole('button', { name: 'Save report' }).click();
		await (await report).saveAs(join(folder, 'report.json'));
		const json = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as { output: { frames: number } };
		expect(json.output.frames).toBe(10);
		const probed = execFileSync('ffprobe', [
			...['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', 'stream=codec_name,nb_read_frames'],
			...['-of', 'csv=p=0', join(folder, 'out.mkv')],
		]);
		expect(probed.toString().trim()).toBe('ffv1,10');
		await page.keyboard.press('Escape');
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('never leaves the picture of another frame, or of another recipe: the source stands in while a result is rendered', async () => {
		const { page, problems } = await e2e.open();
		await openClip(page);
		const slow = (sigma: number): string => {
			const stages = [
				{ stage: 'degrain', params: { sigma, temporal: 2 } },
				{ stage: 'upscale', params: { factor: 4, character: 'vivid' } },
			];
			const path = join(folder, `slow-${sigma}.json`);
			writeFileSync(path, JSON.stringify({ version: 1, stages }));
			return path;
		};
		await page.getByTestId('open').setInputFiles(slow(25));
		await expect.poll(() => page.locator('[data-stage]').count()).toBe(2);
		await page.getByText('384 × 256').first().waitFor();
		await expect.poll(() => page.getByTestId('provenance').innerText(), { timeout: 60_000 }).toMatch(/generated/);
		await page.keyboard.press('End');
		await page.getByText('Rendering: source shown').waitFor({ timeout: 15_000 });
		// The bars of the second shot, not the pattern of the first: the source's own picture of this frame.
		const standIn = await sampleViewer(page);
		await page.getByText('Rendering: source shown').waitFor({ state: 'detached' });
		await expect.poll(async () => difference(standIn, await sampleViewer(page))).toBeLessThan(16);
		expect(await page.getByTestId('provenance').innerText()).not.toBe('original');
		// Another recipe: the picture of the old one does not stay as if it were the new one's.
		await page.getByTestId('open').setInputFiles(slow(30));
		await page.getByText('Rendering: source shown').waitFor({ timeout: 15_000 });
		// A stand-in says nothing of what the result will be.
		expect(await page.getByTestId('provenance').count()).toBe(0);
		await page.getByText('Rendering: source shown').waitFor({ state: 'detached' });
		expect(await page.getByTestId('provenance').innerText()).not.toBe('original');
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('takes a film out by undo and brings it back open by redo', async () => {
		const { page, problems } = await e2e.open();
		await openClip(page);
		const undo = page.getByRole('region', { name: 'Source' }).getByText('No source is open.');
		for (let steps = 0; steps < 6 && (await undo.count()) === 0; steps++) await page.keyboard.press('Control+z');
		await undo.waitFor();
		for (let steps = 0; steps < 6; steps++) await page.keyboard.press('Control+Shift+z');
		await expect.poll(() => shots(page).count()).toBe(2);
		await page.getByRole('region', { name: 'Source' }).getByText('96 × 64').first().waitFor();
		expect(await page.getByRole('button', { name: 'Choose the file…' }).count()).toBe(0);
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('cuts shots by hand, undoes and redoes, saves and reopens the project, and checks the fingerprint', async () => {
		const { page, problems } = await e2e.open();
		await openClip(page);
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('s');
		await expect.poll(() => shots(page).count()).toBe(3);
		await page.keyboard.press('Control+z');
		await expect.poll(() => shots(page).count()).toBe(2);
		await page.keyboard.press('Control+Shift+z');
		await expect.poll(() => shots(page).count()).toBe(3);
		await addStage(page, 'Identity');
		await page.getByLabel('Project name').fill('Test reel');
		await page.getByLabel('Project name').press('Enter');
		const saved = page.waitForEvent('download');
		await page.getByRole('button', { name: 'File' }).click();
		await page.getByRole('menuitem', { name: 'Save project to file' }).click();
		const file = await saved;
		expect(file.suggestedFilename()).toBe('Test reel.emulsion');
		await file.saveAs(join(folder, 'test.emulsion'));

		// The autosave brings it back in the same browser.
		await page.getByText('Saved in this browser').waitFor();
		await page.reload();
		await page.getByRole('button', { name: 'Choose the file…' }).waitFor();
		expect(await page.getByLabel('Project name').inputValue()).toBe('Test reel');
		expect(await shots(page).count()).toBe(3);
		expect(await page.locator('[data-stage]').count()).toBe(1);

		// Another browser opens the file; a different film is told apart by its fingerprint.
		const other = await e2e.open();
		await other.page.getByTestId('open').setInputFiles(join(folder, 'test.emulsion'));
		await other.page.getByRole('button', { name: 'Choose the file…' }).waitFor();
		execFileSync('ffmpeg', [
			...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=24:duration=0.25', '-c:v', 'ffv1'],
			join(folder, 'other.mkv'),
		]);
		const choosing = other.page.waitForEvent('filechooser');
		await other.page.getByRole('button', { name: 'Choose the file…' }).click();
		await (await choosing).setFiles(join(folder, 'other.mkv'));
		await other.page.getByRole('heading', { name: 'A different file' }).waitFor();
		expect(await other.page.getByRole('button', { name: 'Link anyway' }).isDisabled()).toBe(true);
		await other.page.getByRole('button', { name: 'Cancel' }).click();
		const again = other.page.waitForEvent('filechooser');
		await other.page.getByRole('button', { name: 'Choose the file…' }).click();
		await (await again).setFiles(join(folder, 'clip.mov'));
		await other.page.getByRole('button', { name: 'Choose the file…' }).waitFor({ state: 'detached' });
		expect(await shots(other.page).count()).toBe(3);
		expect(problems.concat(other.problems)).toEqual([]);
		await other.page.context().close();
		await page.context().close();
	});

	it('asks before shots set by hand are found anew; undo brings them back', async () => {
		const { page, problems } = await e2e.open();
		await openClip(page);
		const find = page.getByRole('button', { name: 'Find shots' });
		const question = page.getByRole('heading', { name: 'Replace shots set by hand?' });
		const starts = (): Promise<string[]> =>
			shots(page).evaluateAll((all) => all.map((shot) => String(shot.getAttribute('title'))));
		const found = await starts();
		expect(found).toEqual([expect.stringContaining('5 frames'), expect.stringContaining('5 frames')]);

		// What was found is found again without a question. A search that has not begun yet looks like one that has ended.
		await find.click();
		await page
			.locator('footer [role=progressbar]')
			.waitFor({ timeout: 2000 })
			.catch(() => undefined);
		await idle(page);
		expect(await question.count()).toBe(0);
		expect(await starts()).toEqual(found);

		// A cut by hand: canceled, the list stays; replaced, it is what was found; undone, the cut is there again.
		for (let step = 0; step < 2; step++) await page.keyboard.press('ArrowRight');
		await page.keyboard.press('s');
		await expect.poll(() => shots(page).count()).toBe(3);
		const cut = await starts();
		await find.click();
		await page.getByText('1 of 3 shots were set by hand or by an EDL.').waitFor();
		await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
		await question.waitFor({ state: 'detached' });
		expect(await starts()).toEqual(cut);
		await find.click();
		await page.getByRole('button', { name: 'Replace them' }).click();
		await expect.poll(starts).toEqual(found);
		await idle(page);
		await page.keyboard.press('Control+z');
		await expect.poll(starts).toEqual(cut);

		// A cut that was taken away counts as well.
		await page.keyboard.press('Control+z');
		await expect.poll(starts).toEqual(found);
		await page.keyboard.press('End');
		await page.keyboard.press('m');
		await expect.poll(() => shots(page).count()).toBe(1);
		await find.click();
		await page.getByRole('button', { name: 'Replace them' }).click();
		await expect.poll(starts).toEqual(found);
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('refuses hostile projects and unreadable files with a message, and loses nothing', async () => {
		const { page, problems } = await e2e.open();
		const good = readFileSync(join(folder, 'test.emulsion'), 'utf8');
		const hostile = {
			'proto.emulsion': good.replace('{', '{"__proto__": {"polluted": 1},'),
			'deep.emulsion': '['.repeat(200_000),
			'type.emulsion': good.replace('"reels": [', '"reels": 7, "x": ['),
		};
		await page.getByTestId('open').setInputFiles(join(folder, 'test.emulsion'));
		await page.getByRole('button', { name: 'Choose the file…' }).waitFor();
		for (const [name, text] of Object.entries(hostile)) {
			writeFileSync(join(folder, name), text);
			await page.getByTestId('open').setInputFiles(join(folder, name));
			await page.getByRole('alert').filter({ hasText: 'not valid' }).first().waitFor();
			await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).first().click();
			await page.getByRole('alert').first().waitFor({ state: 'detached' });
		}
		writeFileSync(join(folder, 'noise.mp4'), Buffer.from('this is no film'));
		await page.getByTestId('open').setInputFiles(join(folder, 'noise.mp4'));
		await page.getByRole('alert').first().waitFor();
		expect(await page.getByLabel('Project name').inputValue()).toBe('Test reel');
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('says what a browser lacks, and works on', async () => {
		const init = `
			delete Navigator.prototype.gpu;
			delete window.VideoDecoder; delete window.VideoEncoder;
			delete window.showDirectoryPicker; delete window.showSaveFilePicker;
			StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('denied', 'SecurityError'));
			IDBFactory.prototype.open = () => { throw new DOMException('denied', 'SecurityError'); };`;
		const { page } = await e2e.open({ init });
		for (const id of ['webgpu', 'webcodecs', 'private-files', 'database', 'file-pickers']) {
			await page.locator(`[data-missing="${id}"]`).waitFor();
		}
		await page.getByText('Autosave off').waitFor();
		await page.getByRole('alert').filter({ hasText: 'storage cannot be used' }).first().waitFor();
		await page.getByTestId('backend').click();
		await page.getByRole('dialog').locator('[data-capability="webgpu"][data-available="false"]').waitFor();
		await page.keyboard.press('Escape');
		await page.context().close();
	});

	it('speaks both languages, shows its keys, and fits small and large screens', async () => {
		const { page, problems } = await e2e.open({ width: 1280, height: 720 });
		await page.keyboard.press('?');
		await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Play forward').waitFor();
		await page.keyboard.press('Escape');
		await page.getByLabel('Language').selectOption('zh-Hans');
		await page.getByRole('button', { name: '打开帧文件夹…' }).waitFor();
		expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-Hans');
		for (const [width, height] of [
			[1280, 720],
			[3840, 2160],
		] as const) {
			await page.setViewportSize({ width, height });
			const over = await page.evaluate(() => {
				const root = document.documentElement;
				const clipped = [...document.querySelectorAll('header button, header select')].filter(
					(e) => e.getBoundingClientRect().right > innerWidth,
				);
				return [root.scrollWidth - innerWidth, root.scrollHeight - innerHeight, clipped.length];
			});
			expect(over.every((value) => value <= 0)).toBe(true);
		}
		expect(problems).toEqual([]);
		await page.context().close();
	});
});
