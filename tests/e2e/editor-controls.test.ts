/** What the pointer does to the keyboard, and what "Restore" says it will do. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, type Scratch, scratch } from '../helpers/cli.ts';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

let e2e: E2e;
let tmp: Scratch;

beforeAll(async () => {
	tmp = scratch();
	// Two shots of 5 frames.
	const filter =
		'testsrc2=size=96x64:rate=24,trim=end_frame=5[a];smptebars=size=96x64:rate=24,trim=end_frame=5,setsar=1[b];[a][b]concat=n=2:v=1,format=yuv420p[v]';
	ffmpeg('-filter_complex', filter, '-map', '[v]', '-c:v', 'ffv1', '-color_trc', 'bt709', tmp.path('clip.mkv'));
	e2e = await startE2e();
});
afterAll(async () => {
	await e2e.close();
	tmp.remove();
});

const frameNumber = (page: Page): Promise<string> => page.getByLabel('Frame number').innerText();
const wipe = (page: Page) => page.getByRole('slider', { name: 'Wipe' });
const wipeAt = async (page: Page): Promise<number> => Number(await wipe(page).getAttribute('aria-valuenow'));

async function openClip(page: Page): Promise<void> {
	await page.getByTestId('open').setInputFiles(tmp.path('clip.mkv'));
	await expect.poll(() => page.getByTestId('shot').count(), { timeout: 60_000 }).toBe(2);
	await idle(page);
}

async function dragWipe(page: Page, by: number): Promise<void> {
	const box = (await wipe(page).boundingBox())!;
	const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
	await page.mouse.move(x, y);
	await page.mouse.down();
	await page.mouse.move(x + by, y, { steps: 4 });
	await page.mouse.up();
}

describe('keys', () => {
	it('stay with the player when the pointer was used, and go to what Tab reached', async () => {
		const { page, problems } = await e2e.open();
		await openClip(page);
		await page.getByRole('radio', { name: 'Wipe' }).click();
		await dragWipe(page, 120);
		const there = await wipeAt(page);
		expect(there).toBeGreaterThan(55);
		await page.keyboard.press('ArrowRight');
		await expect.poll(() => frameNumber(page)).toBe('1');
		expect(await wipeAt(page)).toBe(there);
		// Also when something else had the keyboard before.
		await page.getByLabel('Zoom', { exact: true }).focus();
		await dragWipe(page, -60);
		await page.keyboard.press('ArrowRight');
		await expect.poll(() => frameNumber(page)).toBe('2');
		expect(await page.getByLabel('Zoom', { exact: true }).inputValue()).toBe('fit');
		// A button that was clicked does not keep Space: J, K, L and Space are the player's.
		await page.getByRole('radio', { name: 'Wipe' }).click();
		await page.keyboard.press('Space');
		await expect.poll(() => frameNumber(page), { timeout: 20_000 }).toBe('9');
		// Nor does the strip keep the arrows that go from shot to shot.
		const lane = (await page.getByRole('slider', { name: 'Playhead' }).boundingBox())!;
		await page.mouse.click(lane.x + 3, lane.y + lane.height / 2);
		await expect.poll(() => frameNumber(page)).toBe('0');
		await page.keyboard.press('ArrowDown');
		await expect.poll(() => frameNumber(page)).toBe('5');

		// By Tab the wipe takes its arrows, from where it is.
		const before = await wipeAt(page);
		await page.getByLabel('Zoom', { exact: true }).focus();
		for (let i = 0; i < 3 && !(await wipe(page).evaluate((e) => e === document.activeElement)); i++) {
			await page.keyboard.press('Tab');
		}
		expect(await wipe(page).evaluate((e) => e === document.activeElement)).toBe(true);
		await page.keyboard.press('Shift+ArrowRight');
		await expect.poll(() => wipeAt(page)).toBe(before + 10);
		expect(await frameNumber(page)).toBe('5');
		expect(problems).toEqual([]);
		await page.context().close();
	});
});

describe('restore', () => {
	it('says what it will do, and offers the shot, in to out and the reel', async () => {
		const { page, problems } = await e2e.open();
		const usual = page.getByRole('group', { name: 'Restore' }).getByRole('button').first();
		expect(await usual.innerText()).toBe('Restore reel');
		expect(await usual.isDisabled()).toBe(true);
		await openClip(page);
		await page.getByRole('button', { name: 'Add stage' }).click();
		await page.getByRole('menuitem', { name: 'Identity', exact: true }).click();
		await expect.poll(() => usual.innerText()).toBe('Restore shot 1');
		expect(await usual.getAttribute('title')).toContain('5 frames');
		await page.keyboard.press('ArrowDown');
		await expect.poll(() => usual.innerText()).toBe('Restore shot 2');
		const done = page.locator('.renders .done');
		const covers = async (): Promise<number> =>
			(await done.first().boundingBox())!.width / (await page.locator('.renders').boundingBox())!.width;
		await usual.click();
		await expect.poll(() => done.count()).toBe(1);
		await idle(page);
		expect(await covers()).toBeCloseTo(0.5, 1);

		const others = page.getByRole('button', { name: 'Other ranges' });
		await others.click();
		const names = page.getByRole('menuitem');
		expect(await names.allInnerTexts()).toEqual(['Restore in to out', 'Restore shot 2\nR', 'Restore reel']);
		expect(await names.first().isDisabled()).toBe(true);
		await page.getByRole('menuitem', { name: 'Restore reel' }).click();
		await expect.poll(covers, { timeout: 60_000 }).toBeCloseTo(1, 1);
		await idle(page);

		// In and out come first once they are set; R does what the button says.
		await page.keyboard.press('Home');
		await page.keyboard.press('i');
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('o');
		await expect.poll(() => usual.innerText()).toBe('Restore in to out');
		expect(await usual.getAttribute('title')).toContain('2 frames');
		expect(problems).toEqual([]);
		await page.context().close();
	});
});
