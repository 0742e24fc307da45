import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

let e2e: E2e;
let folder: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-sources-'));
	execFileSync('ffmpeg', [
		...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=48x32:rate=24,trim=end_frame=6,format=rgb48le'],
		...['-start_number', '86400', join(folder, 'reel1.%06d.tif')],
	]);
	e2e = await startE2e();
});

afterAll(async () => {
	await e2e.close();
	rmSync(folder, { recursive: true, force: true });
});

const frameNumber = (page: Page): Promise<string> => page.getByLabel('Frame number').innerText();
const scan = (): string[] =>
	Array.from({ length: 6 }, (_, i) => join(folder, `reel1.${String(86_400 + i).padStart(6, '0')}.tif`));

/** Opens the scan and answers its question. */
async function openScan(page: Page): Promise<void> {
	await page.getByTestId('open').setInputFiles(scan());
	const dialog = page.getByRole('dialog', { name: 'How do code values map to light?' });
	await dialog.waitFor();
	// Nothing is chosen for the restorer.
	expect(await dialog.getByRole('radio', { checked: true }).count()).toBe(0);
	expect(await dialog.getByRole('button', { name: 'Use this transfer' }).isDisabled()).toBe(true);
	await dialog.getByRole('radio', { name: /^Cineon log/ }).check();
	await dialog.getByRole('button', { name: 'Use this transfer' }).click();
	await page.getByRole('region', { name: 'Source' }).getByText('Cineon log').first().waitFor();
	await idle(page);
}

describe('sources in the editor', () => {
	it('asks an untagged scan for its transfer, keeps its numbers, and takes another rate and an EDL', async () => {
		const { page, problems } = await e2e.open();
		await openScan(page);
		await expect.poll(() => frameNumber(page)).toBe('86400');
		expect(await page.getByLabel('Timecode; type one to go there').inputValue()).toBe('01:00:00:00');
		await page.getByRole('combobox', { name: 'Rate' }).selectOption('18');
		await page.getByText('18 fps').first().waitFor();

		const edl = [
			'TITLE: REEL 1',
			'FCM: NON-DROP FRAME',
			'001  AX V C 00:00:00:00 00:00:00:02 01:00:00:00 01:00:00:02',
			'002  AX V C 00:00:00:02 00:00:00:06 01:00:00:02 01:00:00:06',
			'',
		].join('\n');
		writeFileSync(join(folder, 'cuts.edl'), edl);
		await page.getByTestId('open').setInputFiles(join(folder, 'cuts.edl'));
		await expect.poll(() => page.getByTestId('shot').count()).toBe(2);

		// A cut becomes a dissolve and, undone, a cut again. A list keeps its arrow keys while it has the focus.
		await page.getByRole('combobox', { name: 'Rate' }).blur();
		await page.keyboard.press('ArrowDown');
		await expect.poll(() => frameNumber(page)).toBe('86402');
		await page.keyboard.press('d');
		await page.getByRole('button', { name: 'Make cut' }).waitFor();
		await page.keyboard.press('Control+z');
		await page.getByRole('button', { name: 'Make dissolve' }).waitFor();
		await page.keyboard.press('m');
		await expect.poll(() => page.getByTestId('shot').count()).toBe(1);
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('plays, shuttles, stops, and goes to a typed timecode', async () => {
		const { page } = await e2e.open();
		await page.getByRole('button', { name: 'Open the demo reel' }).click();
		await expect.poll(() => page.getByTestId('shot').count(), { timeout: 60_000 }).toBe(2);
		await page
			.locator('footer')
			.getByRole('button', { name: 'Cancel' })
			.click({ timeout: 5000 })
			.catch(() => undefined);
		for (const name of ['Interpolate', 'Upscale', 'Degrain']) {
			await page.getByRole('button', { name: `Remove ${name}` }).click();
		}
		await idle(page);
		// The plan without stages has replaced the one before; a new plan under a running playback stops it.
		await page.getByText('192 × 144').first().waitFor();
		await page.waitForTimeout(1500);
		await page.keyboard.press('l');
		await expect.poll(async () => Number(await frameNumber(page)), { timeout: 20_000 }).toBeGreaterThan(3);
		await page.keyboard.press('k');
		const stopped = await frameNumber(page);
		await page.waitForTimeout(400);
		expect(await frameNumber(page)).toBe(stopped);
		await page.keyboard.press('j');
		await expect.poll(async () => Number(await frameNumber(page)), { timeout: 20_000 }).toBeLessThan(Number(stopped));
		await page.keyboard.press('k');
		const field = page.getByLabel('Timecode; type one to go there');
		await field.fill('00:00:01:02');
		await field.press('Enter');
		await expect.poll(() => frameNumber(page)).toBe('14');
		await page.context().close();
	});

	it('opens an address of this server and refuses another', async () => {
		const { page } = await e2e.open();
		const openAddress = async (address: string): Promise<void> => {
			await page.getByRole('button', { name: 'File' }).click();
			await page.getByRole('menuitem', { name: 'Open address…' }).click();
			await page.getByLabel('Address of a film on this server').fill(address);
			await page.getByRole('dialog').getByRole('button', { name: 'Open' }).click();
		};
		await openAddress('https://example.org/film.mov');
		await page.getByRole('alert').filter({ hasText: 'Only addresses of' }).waitFor();
		await openAddress('/demo/reel.avi');
		await expect.poll(() => page.getByTestId('shot').count(), { timeout: 60_000 }).toBe(2);
		await page.context().close();
	});
});
