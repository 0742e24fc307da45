/** Comparing and noting on a package: pictures, wipe, loupe, notes, approvals, as commenters, viewers and voters of an open review meet them. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scratch } from '../helpers/cli.ts';
import { codecLoss, OPEN_REVIEW, type ReviewPackages, startReviewPackages } from '../helpers/review-packages.ts';
import { counters, painted } from '../helpers/review-page.ts';
import type { MadeReview } from '../helpers/reviews.ts';

let packages: ReviewPackages<'open'>;
let tmp: Scratch;
let open: MadeReview;

beforeAll(async () => {
	packages = await startReviewPackages({ open: OPEN_REVIEW });
	({ tmp } = packages);
	({ open } = packages.made);
});
afterAll(() => packages.close());

const visit: typeof packages.visit = (address, options) => packages.visit(address, options);
const packageLink: typeof packages.link = (made, index, name) => packages.link(made, index, name);

describe('comparing and noting on a package', () => {
	it('shows lossless stills where it rests on one, crops on demand, and says so', async () => {
		const { page, context, problems } = await visit(packageLink(open, 2, 'open'));
		await painted(page);
		expect(await codecLoss(page)).toBe('The clips keep 84 / 93 % of the grain');
		expect(await page.getByTestId('lossless').count()).toBe(0);
		for (let i = 0; i < 7; i++) await page.keyboard.press('ArrowRight');
		await page.getByText('Lossless still').waitFor();
		await page.keyboard.press('ArrowRight');
		await page.getByText('Encoded clip').waitFor();
		await page.getByRole('checkbox', { name: /Lossless crop/ }).check();
		await page.getByText('Pictures decoded one by one').waitFor();
		await painted(page, 0);
		expect(await page.getByTestId('frame').textContent()).toBe('4');
		await page.getByRole('radio', { name: 'Side by side' }).click();
		expect((await counters(page)).numbers).toEqual([4, 4]);
		expect(await page.getByRole('button', { name: 'New note' }).count()).toBe(0);
		expect(problems).toEqual([]);
		await context.close();
	});

	it('wipes by drag, toggles by key in one place, magnifies 1:1, says the timecode', async () => {
		const { page, context, problems } = await visit(packageLink(open, 2, 'open'));
		await painted(page);
		const timecode = page.getByLabel('Timecode', { exact: true });
		expect(await timecode.textContent()).toBe('01:00:00:00');
		for (let i = 0; i < 2; i++) await page.keyboard.press('Shift+ArrowRight');
		for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
		await painted(page, 25);
		expect(await timecode.textContent()).toBe('01:00:01:01');

		const box = (await page.getByTestId('picture').boundingBox())!;
		/** Gray of the canvas at shares of its sides. Grounds of versions differ by 40 codes. */
		const gray = (x: number, y: number): Promise<number> =>
			page
				.getByTestId('picture')
				.evaluate(
					(canvas: HTMLCanvasElement, [x, y]) =>
						canvas.getContext('2d')!.getImageData(Math.round(canvas.width * x!), Math.round(canvas.height * y!), 1, 1)
							.data[1]!,
					[x, y],
				);
		/** Within the ground of the picture, which is four times as wide as high and in the middle. */
		const ground = 0.5 + (0.3 * box.width) / 4 / box.height;
		const slider = page.getByRole('slider', { name: 'Wipe position' });
		expect(await slider.getAttribute('aria-valuenow')).toBe('50');
		const [second, first] = [await gray(0.6, ground), await gray(0.4, ground)];
		expect(second - first).toBeGreaterThan(30);
		await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2, { steps: 4 });
		await page.mouse.up();
		await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
		expect(await slider.getAttribute('aria-valuenow')).toBe('70');
		expect(await gray(0.6, ground)).toBe(first);
		expect(await gray(0.8, ground)).toBe(second);

		await page.keyboard.press('t');
		await page.getByRole('radio', { name: 'Scan', checked: true }).waitFor();
		expect([await gray(0.2, ground), await gray(0.8, ground)]).toEqual([first, first]);
		await page.keyboard.press('t');
		await page.getByRole('radio', { name: 'Recipe A', checked: true }).waitFor();
		expect([await gray(0.2, ground), await gray(0.8, ground)]).toEqual([second, second]);

		const loupe = page.getByRole('combobox', { name: 'Loupe' });
		await page.keyboard.press('z');
		expect(await loupe.inputValue()).toBe('1');
		await page.keyboard.press('z');
		expect(await loupe.inputValue()).toBe('2');
		expect(problems).toEqual([]);
		await context.close();
	});

	it('votes on lossless crops where the clip is not to be trusted, full screen as well', async () => {
		const { page, context, problems } = await visit(packageLink(open, 3, 'open'));
		await painted(page);
		await page.getByTestId('lossless').getByText('Lossless crop').waitFor();
		// One figure: versions have no names here, and are to have no other.
		expect(await codecLoss(page)).toMatch(/^Seen without loss; the clips may keep only (84|93) % of the grain$/);
		expect((await counters(page)).numbers).toEqual([4, 4]);
		await page.keyboard.press('f');
		await page.getByRole('button', { name: 'Full screen', pressed: true }).waitFor();
		await page.keyboard.press('ArrowRight');
		await painted(page, 1);
		expect((await counters(page)).numbers).toEqual([5, 5]);
		await page.keyboard.press('3');
		await page.getByText('2 of 3', { exact: true }).waitFor();
		expect(problems).toEqual([]);
		await context.close();
	});

	it('notes on a range with an arrow, which is in sight on the range’s frames', async () => {
		const { page, context, problems } = await visit(packageLink(open, 1, 'open'));
		await painted(page);
		for (const [key, frame] of [
			['i', 10],
			['o', 20],
		] as const) {
			await page.keyboard.press('Shift+ArrowRight');
			await painted(page, frame);
			await page.keyboard.press(key);
		}
		await page.keyboard.press('n');
		await page.getByText('Frame 20', { exact: true }).waitFor();
		// The playhead goes on; the note stays where it is until it is told otherwise.
		expect(await page.getByRole('button', { name: /Use current frame/ }).count()).toBe(0);
		for (const [frame, said] of [
			[21, 20],
			[20, 21],
		]) {
			await page.getByRole('button', { name: said === 20 ? 'One frame forward' : 'One frame back' }).click();
			await painted(page, frame);
			expect(await page.getByTestId('note-place').textContent()).toBe(`Frame ${said}`);
			await page.getByRole('button', { name: `Use current frame (${frame})` }).click();
			expect(await page.getByTestId('note-place').textContent()).toBe(`Frame ${frame}`);
		}
		expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
		await page.getByText('To send it, write what you see and your name.').waitFor();
		await page.getByRole('checkbox', { name: 'From in to out' }).check();
		await page.getByText('Frames 10 – 20', { exact: true }).waitFor();
		await page.getByRole('textbox', { name: 'What do you see?' }).fill('a hair');
		await page.getByText('To send it, write your name.').waitFor();
		await page.getByRole('textbox', { name: 'Your name' }).last().fill('Ada');
		await page.getByRole('button', { name: 'Arrow' }).click();
		const box = (await page.getByTestId('picture').boundingBox())!;
		const [from, to] = [0.25, 0.75].map((share) => box.width * share) as [number, number];
		await page.mouse.move(box.x + from, box.y + box.height / 2);
		await page.mouse.down();
		await page.mouse.move(box.x + to, box.y + box.height / 2, { steps: 3 });
		await page.mouse.up();
		await page.getByRole('button', { name: 'Send' }).click();
		const note = page.getByTestId('note');
		await note.getByText('01:00:00:10 +10').waitFor();
		// The arrow is the sent note's alone once the form is gone.
		await page.getByRole('textbox', { name: 'What do you see?' }).waitFor({ state: 'detached' });
		const arrow = page.locator('svg line.over');
		const ends = await arrow.evaluate((line) => ['x1', 'x2'].map((name) => Number(line.getAttribute(name))));
		expect(Math.abs(ends[0]! - from)).toBeLessThan(2);
		expect(Math.abs(ends[1]! - to)).toBeLessThan(2);
		// Its head is where the pointer was let go.
		expect(await page.locator('svg polyline.over').getAttribute('points')).toContain(` ${ends[1]!},`);
		await page.keyboard.press('x');
		const arrowsAt = async (frame: number): Promise<number> => {
			await painted(page, frame);
			return arrow.count();
		};
		expect(await arrowsAt(20)).toBe(1);
		await page.keyboard.press('ArrowRight');
		expect(await arrowsAt(21)).toBe(0);
		await note.getByRole('button', { name: 'Go to frame 10' }).click();
		expect(await arrowsAt(10)).toBe(1);
		await page.keyboard.press('ArrowLeft');
		expect(await arrowsAt(9)).toBe(0);
		expect(problems).toEqual([]);
		await context.close();
	});

	it('notes on a frame with a box, answers, resolves, approves with a signature; hostile words stay words', async () => {
		const hostile =
			'<img src=x onerror="document.title=1"> \u202Egnirts\u202C <script>alert(1)</script>\nline \u0007two';
		const { page, context, problems, requests } = await visit(packageLink(open, 1, 'open'));
		await painted(page);
		await page.keyboard.press('Shift+ArrowRight');
		await painted(page, 10);
		await page.keyboard.press('n');
		await page.getByRole('textbox', { name: 'What do you see?' }).fill(hostile);
		await page.getByRole('textbox', { name: 'Your name' }).last().fill('Ada <b>');
		await page.getByRole('button', { name: 'Box' }).click();
		const box = (await page.getByTestId('picture').boundingBox())!;
		await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.48);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.52, { steps: 3 });
		await page.mouse.up();
		// Whatever a note says between being sent and having arrived.
		await page.evaluate(() => {
			const w = window as unknown as { said: string[] };
			w.said = [];
			new MutationObserver(() => {
				for (const note of document.querySelectorAll('[data-testid=note]')) w.said.push(note.textContent);
			}).observe(document.body, { subtree: true, childList: true, characterData: true });
		});
		await page.getByRole('button', { name: 'Send' }).click();
		const note = page.getByTestId('note');
		await note.getByText('<script>alert(1)</script>').waitFor();
		const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
		expect(said.length).toBeGreaterThan(0);
		expect(said.join('\n')).not.toMatch(/[\u202a-\u202e\u0007]/);
		expect(await note.textContent()).not.toMatch(/[\u202a-\u202e\u0007]/);
		// The box is the sent note's alone once the form is gone.
		await page.getByRole('textbox', { name: 'What do you see?' }).waitFor({ state: 'detached' });
		expect(await page.locator('svg rect.over').count()).toBe(1);
		await note.getByRole('button', { name: 'Answer' }).click();
		await note.getByRole('textbox', { name: 'Answer' }).fill('I see it too');
		await note.getByRole('button', { name: 'Send' }).click();
		await note.getByText('I see it too').waitFor();
		await note.getByRole('button', { name: 'Resolve' }).click();
		await note.getByText('resolved', { exact: true }).waitFor();
		await page.keyboard.press('Home');
		await painted(page, 0);
		await note.getByRole('button', { name: 'Go to frame 10' }).click();
		await painted(page, 10);
		await page.getByText('Approve or reject…').click();
		expect(await page.getByRole('button', { name: 'Approve', exact: true }).isDisabled()).toBe(true);
		await page.getByRole('combobox', { name: 'Version' }).selectOption('Recipe A');
		await page.getByRole('button', { name: 'Approve', exact: true }).click();
		await page.getByTestId('approval').getByText('Signature valid').waitFor();
		await page.reload();
		await page.getByTestId('approval').getByText('Signature valid').waitFor();
		await note.getByText('I see it too').waitFor();
		expect(requests.join('\n')).not.toMatch(/I see it too|Ada/);
		const download = page.waitForEvent('download');
		await page.getByRole('button', { name: 'Save my notes' }).click();
		await (await download).saveAs(tmp.path('noted'));
		expect(readFileSync(tmp.path('noted'), 'utf8')).not.toMatch(/I see it too|Ada/);
		const owner = await visit(packageLink(open, 0, 'open'));
		await owner.page.getByTestId('votes-files').setInputFiles(tmp.path('noted'));
		await owner.page.getByRole('tab', { name: 'Compare and notes' }).click();
		await owner.page.getByTestId('note').getByText('I see it too').waitFor();
		await owner.page.getByTestId('approval').getByText('Signature valid').waitFor();
		await owner.context.close();
		expect(problems).toEqual([]);
		await context.close();
	});
});
