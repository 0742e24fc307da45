/** Mattes in the editor: added by the file chooser, named by a region, kept by the project and chosen again after a reload. */

import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, nativePlanes, type Scratch, scratch } from '../helpers/cli.ts';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

const [WIDTH, HEIGHT, FRAMES] = [64, 48, 4];
const AREA = WIDTH * HEIGHT;
let e2e: E2e;
let tmp: Scratch;
let film: string;
let source: Buffer;

beforeAll(async () => {
	tmp = scratch();
	film = tmp.path('film.mkv');
	const picture = `testsrc2=size=${WIDTH}x${HEIGHT}:rate=24,trim=end_frame=${FRAMES},format=gbrp,noise=alls=25:allf=t`;
	ffmpeg('-f', 'lavfi', '-i', picture, '-c:v', 'ffv1', '-level', '3', '-color_trc', 'iec61966-2-1', film);
	source = nativePlanes(film, 'gbrp');
	e2e = await startE2e();
});
afterAll(async () => {
	await e2e.close();
	tmp.remove();
});

/** A gray film or sequence from ffmpeg's `geq`. */
function matte(name: string, luma: string, frames = FRAMES): string {
	const path = tmp.path(name);
	const picture = `color=black:size=${WIDTH}x${HEIGHT}:rate=24,trim=end_frame=${frames},format=gray,geq=lum='${luma}',format=gray`;
	ffmpeg('-f', 'lavfi', '-i', picture, ...(name.endsWith('.png') ? [] : ['-c:v', 'ffv1']), path);
	return path;
}

const panel = (page: Page) => page.getByRole('region', { name: 'Source' });
const region = (page: Page) => page.getByLabel('Region', { exact: true });

async function openFilm(page: Page): Promise<void> {
	await page.getByTestId('open').setInputFiles(film);
	// A project that was kept shows its shots before its film is open again.
	await panel(page).getByText('24 fps').waitFor();
	await idle(page);
}

async function addStage(page: Page, name: string): Promise<void> {
	await page.getByRole('button', { name: 'Add stage' }).click();
	await page.getByRole('menuitem', { name, exact: true }).click();
}

/** Uses the button as a restorer does: it opens the file chooser. */
async function choose(page: Page, button: string, path: string): Promise<void> {
	const choosing = page.waitForEvent('filechooser');
	await panel(page).getByRole('button', { name: button }).click();
	await (await choosing).setFiles(path);
}

/** Exports losslessly; tells the share of pixels in columns `from` to `to` of a frame that differ from the film. */
async function exported(page: Page, name: string): Promise<(frame: number, from: number, to: number) => number> {
	await page.getByRole('button', { name: 'Export…' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Container').selectOption('mkv');
	const download = page.waitForEvent('download', { timeout: 120_000 });
	await dialog.getByRole('button', { name: 'Export', exact: true }).click();
	await (await download).saveAs(tmp.path(name));
	await dialog.getByTestId('invariants').waitFor();
	expect(await dialog.locator('[data-ok=false]').count()).toBe(0);
	await page.keyboard.press('Escape');
	const planes = nativePlanes(tmp.path(name), 'gbrp');
	expect(planes.length).toBe(source.length);
	return (frame, from, to) => {
		let count = 0;
		for (let y = 0; y < HEIGHT; y++) {
			for (let x = from; x < to; x++) {
				const differs = [0, 1, 2].some((c) => {
					const i = (frame * 3 + c) * AREA + y * WIDTH + x;
					return planes[i] !== source[i];
				});
				if (differs) count++;
			}
		}
		return count / (HEIGHT * (to - from));
	};
}

describe('mattes in the editor', () => {
	it('a region keeps a stage to its matte; after a reload the matte is asked for and works again', async () => {
		const half = matte('half.mkv', '255*lt(X,W/2)');
		const { page, problems } = await e2e.open();
		await openFilm(page);
		await addStage(page, 'Degrain');
		// Without mattes there is nothing to choose.
		expect(await region(page).count()).toBe(0);
		await choose(page, 'Add matte…', half);
		await panel(page).getByText('4 frames').waitFor();
		expect(await panel(page).getByRole('textbox', { name: 'Name of matte half' }).inputValue()).toBe('half');
		// A matte has no transfer to be asked for.
		expect(await page.getByRole('dialog').count()).toBe(0);
		expect(await region(page).getByRole('option').allInnerTexts()).toEqual([
			'Whole picture',
			'Inside half',
			'Outside half',
		]);
		await region(page).selectOption('Outside half');
		const outside = await exported(page, 'outside.mkv');
		for (const frame of [0, FRAMES - 1]) {
			expect(outside(frame, 0, 32)).toBe(0);
			expect(outside(frame, 32, WIDTH)).toBeGreaterThan(0.9);
		}

		// Renaming takes the region along; what a stage names cannot be removed; undo takes the name back.
		const name = panel(page).getByRole('textbox', { name: 'Name of matte half' });
		await name.fill('left');
		await name.press('Enter');
		expect(await region(page).inputValue()).toBe('outside:left');
		await panel(page).getByRole('button', { name: 'Remove matte left' }).click();
		await page.getByRole('alert').filter({ hasText: 'is the region of degrain-1' }).waitFor();
		await page.getByRole('button', { name: 'Undo rename matte' }).click();
		expect(await region(page).inputValue()).toBe('outside:half');
		await region(page).selectOption('Inside half');
		await page.getByText('Saved in this browser').waitFor();

		await page.reload();
		await panel(page).getByText('“half.mkv” is not open. Choose it again.').waitFor();
		await openFilm(page);
		// The film is there; what the recipe wants is said in words.
		const said = page
			.getByRole('alert')
			.filter({ hasText: 'degrain-1 acts within matte “half”, whose file “half.mkv”' });
		await said.first().waitFor();
		await choose(page, 'Choose the file of matte half', half);
		await expect.poll(() => panel(page).getByText('is not open').count()).toBe(0);
		await expect.poll(() => said.count()).toBe(0);
		await page.getByRole('article', { name: 'Degrain' }).getByRole('button', { name: 'Degrain', exact: true }).click();
		expect(await region(page).inputValue()).toBe('half');
		const inside = await exported(page, 'inside.mkv');
		for (const frame of [0, FRAMES - 1]) {
			expect(inside(frame, 0, 32)).toBeGreaterThan(0.9);
			expect(inside(frame, 32, WIDTH)).toBe(0);
		}
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('refuses what does not fit, asks about another file, takes folders, and undo brings a matte back open', async () => {
		const { page, problems } = await e2e.open({ init: 'delete window.showDirectoryPicker' });
		await openFilm(page);
		await choose(page, 'Add matte…', matte('short.mkv', '255', 3));
		await page.getByRole('alert').filter({ hasText: '“short.mkv” has 3 frames; expected 4 as the film has' }).waitFor();
		expect(
			await panel(page)
				.getByRole('textbox', { name: /^Name of matte/ })
				.count(),
		).toBe(0);

		mkdirSync(tmp.path('sky'));
		matte('sky/sky_%04d.png', '255*gte(X,W/2)');
		await choose(page, 'Add matte from folder…', tmp.path('sky'));
		await panel(page).getByRole('textbox', { name: 'Name of matte sky' }).waitFor();
		await addStage(page, 'Upscale');
		// A stage that changes the size has no region, and says why.
		expect(await region(page).isDisabled()).toBe(true);
		await page.getByText('This stage changes the picture’s size').waitFor();
		await page.getByRole('button', { name: 'Remove Upscale' }).click();

		await panel(page).getByRole('button', { name: 'Remove matte sky' }).click();
		await expect.poll(() => panel(page).getByRole('textbox', { name: 'Name of matte sky' }).count()).toBe(0);
		await page.getByRole('button', { name: 'Undo remove matte' }).click();
		await panel(page).getByRole('textbox', { name: 'Name of matte sky' }).waitFor();
		await expect.poll(() => panel(page).getByText('is not open').count()).toBe(0);

		// Another file under the same name is asked about.
		await page.getByText('Saved in this browser').waitFor();
		await page.reload();
		await openFilm(page);
		mkdirSync(tmp.path('other'));
		matte('other/sky_%04d.png', '255*lt(Y,H/2)');
		await choose(page, 'Choose the file of matte sky', tmp.path('other'));
		const dialog = page.getByRole('dialog', { name: 'A different file' });
		await dialog.getByText('the one this matte was made with').waitFor();
		expect(await dialog.getByRole('button', { name: 'Add as another reel' }).count()).toBe(0);
		await dialog.getByRole('button', { name: 'Link anyway' }).click();
		await expect.poll(() => panel(page).getByText('is not open').count()).toBe(0);

		// A recipe may name a matte that the reel does not have: said, and taken back in the card.
		const recipe = { version: 1, stages: [{ stage: 'degrain', id: 'clean', region: 'outside:ghost' }] };
		await page.getByTestId('open').setInputFiles(tmp.json('ghost.json', recipe));
		const said = page
			.getByRole('alert')
			.filter({ hasText: 'clean acts within matte “ghost”, which this reel does not have' });
		await said.first().waitFor();
		await page.getByRole('button', { name: 'Degrain', exact: true }).click();
		expect(await region(page).locator('option:checked').innerText()).toBe('Outside ghost (no such matte)');
		await region(page).selectOption('Inside sky');
		await expect.poll(() => said.count()).toBe(0);
		await expect.poll(() => region(page).getByRole('option').count()).toBe(3);
		expect(problems).toEqual([]);
		await page.context().close();
	});
});
