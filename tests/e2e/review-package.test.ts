/** A reviewer's page on a package: opened from disk and from the site, by voters, commenters and its owner, as a phone and as a desktop. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url } from '../../src/share/bytes.ts';
import type { Scratch } from '../helpers/cli.ts';
import type { E2e } from '../helpers/e2e.ts';
import { codecLoss, OPEN_REVIEW, type ReviewPackages, startReviewPackages } from '../helpers/review-packages.ts';
import { counters, painted } from '../helpers/review-page.ts';
import { type MadeReview, REVIEW_FRAMES } from '../helpers/reviews.ts';

/** Words that nobody but the owner may meet. */
const MARKERS = ['MARKERsourceXQ', 'MARKERrestoredXQ'];

let packages: ReviewPackages<'blind' | 'open'>;
let e2e: E2e;
let tmp: Scratch;
let blind: MadeReview;
let open: MadeReview;

beforeAll(async () => {
	packages = await startReviewPackages({
		blind: {
			...{ labels: MARKERS, shots: 2, minimumViewMs: 400, grain: [0.84, 0.936] },
			links: [{ role: 'voter' }, { role: 'voter', once: true }, { role: 'viewer', passphrase: 'correct horse' }],
		},
		open: OPEN_REVIEW,
	});
	({ e2e, tmp } = packages);
	({ blind, open } = packages.made);
});
afterAll(() => packages.close());

const visit: typeof packages.visit = (address, options) => packages.visit(address, options);
const packageLink: typeof packages.link = (made, index, name) => packages.link(made, index, name);

const WITHOUT_MODERN = `
	delete window.VideoDecoder; delete window.VideoEncoder; delete window.OffscreenCanvas; delete window.SharedArrayBuffer;
	Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
	if (window.StorageManager) delete StorageManager.prototype.getDirectory;
`;

/** What plays the clips, and what is taken from the browser for that. */
const ENGINES = [
	['WebCodecs', undefined],
	[
		'video elements, where WebGPU, WebCodecs, SharedArrayBuffer, OffscreenCanvas and private files are missing',
		WITHOUT_MODERN,
	],
] as const;

describe('a link of a package', () => {
	it('opens the reviewer’s page and nothing of the editor', async () => {
		const { page, context, problems, requests } = await visit(packageLink(blind, 1, 'blind'));
		await painted(page);
		expect(requests.filter((r) => /editor|restore|onnx|ort[.-]|ffmpeg|models|\.wasm/i.test(r.split(' ')[1]!))).toEqual(
			[],
		);
		expect(problems).toEqual([]);
		await context.close();
		const editor = await e2e.open();
		const loaded = await editor.page.evaluate(() => performance.getEntriesByType('resource').map((r) => r.name));
		expect(loaded.filter((name) => /assets\/review/.test(name))).toEqual([]);
		// From one to the other in one tab: the page begins anew.
		await editor.page.evaluate(() => (location.hash = '#/review'));
		await editor.page.getByRole('heading', { name: 'Open a review' }).waitFor();
		await editor.page.evaluate(() => (location.hash = ''));
		await editor.page.getByRole('button', { name: 'CPU (wasm)' }).waitFor();
		await editor.context.close();
	});

	for (const [name, init] of ENGINES) {
		it(`shows both versions at one frame number, the one that is said, by ${name}`, async () => {
			const { page, context, problems } = await visit(
				packageLink(blind, 1, 'blind'),
				init === undefined ? {} : { init },
			);
			await painted(page);
			await page.getByText(init === undefined ? 'Decoded by WebCodecs' : 'Decoded by the video element').waitFor();
			const check = async (): Promise<void> => {
				const { numbers, said, index } = await counters(page);
				expect(numbers).toEqual([index, index]);
				expect(said).toBe(index);
			};
			await check();
			for (const [key, frame] of [
				['ArrowRight', 1],
				['Shift+ArrowRight', 11],
				['ArrowLeft', 10],
				['End', REVIEW_FRAMES - 1],
				['Home', 0],
			] as const) {
				await page.keyboard.press(key);
				await painted(page, frame);
				await check();
			}
			await page.keyboard.press('Space');
			const seen = new Set<number>();
			for (let i = 0; i < 12; i++) {
				await page.waitForTimeout(60);
				const { numbers, index } = await counters(page);
				expect(numbers).toEqual([index, index]);
				seen.add(index);
			}
			expect(seen.size).toBeGreaterThan(2);
			expect(problems).toEqual([]);
			await context.close();
		});

		it(`works on a phone of 360 px by touch, nothing wider than the screen, by ${name}`, async () => {
			const { page, context, problems } = await visit(packageLink(open, 1, 'open'), {
				phone: true,
				...(init === undefined ? {} : { init }),
			});
			await painted(page);
			await page.getByText(init === undefined ? 'Decoded by WebCodecs' : 'Decoded by the video element').waitFor();
			expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
			const small = await page.evaluate(() =>
				[...document.querySelectorAll('.review button, .review select')]
					.filter((e) => e.checkVisibility())
					.map((e) => ({ text: e.textContent, height: e.getBoundingClientRect().height }))
					.filter((e) => e.height < 40),
			);
			expect(small).toEqual([]);
			const box = (await page.getByTestId('picture').boundingBox())!;
			await page.touchscreen.tap(box.x + box.width * 0.25, box.y + box.height / 2);
			expect(Number(await page.getByRole('slider', { name: 'Wipe position' }).getAttribute('aria-valuenow'))).toBe(25);
			await page.getByRole('radio', { name: 'Side by side' }).tap();
			for (const frame of [0, 10]) {
				if (frame > 0) await page.getByRole('button', { name: 'Ten frames forward' }).tap();
				await painted(page, frame);
				expect(await counters(page)).toEqual({ numbers: [frame, frame], said: frame, index: frame });
			}
			expect(problems).toEqual([]);
			await context.close();
		});
	}

	it('asks for what is missing: a link for a package from disk, a passphrase', async () => {
		const { page, context, requests } = await visit(`${e2e.server.url}#/review`);
		await page.getByTestId('package').setInputFiles(tmp.path('blind.emreview'));
		await page.getByText('blind.emreview').waitFor();
		const secret = toBase64Url(blind.keys.links[3]!.secret);
		await page.getByLabel('Review link').fill(` ${secret}\n`);
		await page.getByRole('button', { name: 'Open', exact: true }).click();
		await page.getByLabel('Passphrase').fill('battery staple');
		await page.keyboard.press('Enter');
		await page.getByText('does not open this link').waitFor();
		await page.getByLabel('Passphrase').fill('correct horse');
		await page.keyboard.press('Enter');
		await painted(page);
		expect(await codecLoss(page)).toBe('The clips keep at least 84 % of the grain');
		await page.getByText('A of one shot need not be A of another').waitFor();
		expect(page.url()).not.toContain(secret);
		expect(requests.join('\n')).not.toContain(secret);
		await context.close();
	});

	it('that is cut, damaged, of another review or not a package says so', async () => {
		const bytes = readFileSync(tmp.path('blind.emreview'));
		writeFileSync(tmp.path('cut.emreview'), bytes.subarray(0, bytes.length - 10));
		const damaged = Buffer.from(bytes);
		// Every object loses a few bits; the head, which says where they lie, none.
		const head = 12 + damaged.readUInt32LE(8);
		for (let at = head + 8; at < damaged.length; at += 97) damaged[at]! ^= 0x55;
		writeFileSync(tmp.path('damaged.emreview'), damaged);
		writeFileSync(tmp.path('other.emreview'), 'not a review at all');
		for (const [made, index, name, text] of [
			[blind, 1, 'cut', /cut off/],
			[open, 1, 'blind', /another review/],
			[blind, 1, 'other', /not a review package/],
			[blind, 1, 'damaged', /changed or damaged/],
		] as const) {
			const { page, context } = await visit(packageLink(made, index, name));
			await page.getByRole('alert').getByText(text).first().waitFor();
			await context.close();
		}
		const cutLink = packageLink(blind, 1, 'blind').slice(0, -5);
		const { page, context } = await visit(cutLink);
		await page
			.getByRole('alert')
			.getByText(/secret is missing or cut/)
			.first()
			.waitFor();
		await context.close();
	});
});

describe('a blind vote on a package', () => {
	it('is cast after both sides were in sight, changes, survives a reload, returns as a file; nothing tells which side is which', async () => {
		const noted = `(() => {
			const made = URL.createObjectURL;
			window.objectUrls = [];
			URL.createObjectURL = (o) => { const u = made.call(URL, o); window.objectUrls.push(u + ' ' + (o.name ?? '')); return u; };
			window.texts = new Set();
			new MutationObserver((all) => { for (const m of all) window.texts.add(m.target.outerHTML ?? m.target.data); })
				.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
		})()`;
		const { page, context, problems, requests } = await visit(packageLink(blind, 1, 'blind'), { init: noted });
		await painted(page);
		expect(await codecLoss(page)).toBe('The clips keep at least 84 % of the grain');
		await page.getByText('Choose an answer.').waitFor();
		await page.getByText('Reason (optional)').click();
		await page.getByRole('textbox', { name: 'Reason (optional)' }).fill('REASONTEXT alive grain');
		await page.getByRole('button', { name: 'Left is better' }).click();
		await page.getByText('2 of 2', { exact: true }).waitFor();
		await painted(page);
		await page.getByText('Choose an answer.').waitFor();
		await page.keyboard.press('2');
		await page.getByRole('heading', { name: /every pair is answered/ }).waitFor();
		await page.reload();
		await page.getByText('2 of 2 answered').waitFor();
		await page.getByRole('button', { name: /Left is better/ }).click();
		await painted(page);
		await page.getByRole('button', { name: 'Right is better', pressed: false }).click();
		await page.getByRole('button', { name: 'Right is better', pressed: true }).waitFor();
		// A reason that comes after the answer: the click on the next pair is the first that the page hears of it.
		await page.getByText('Reason (optional)').click();
		await page.getByText('A reason came with your answer').waitFor();
		await page.getByRole('textbox', { name: 'Reason (optional)' }).fill('REASONTEXT come late');
		await page.getByRole('button', { name: 'Next' }).click();
		await page.getByRole('button', { name: 'Back', exact: true }).click();
		expect(await page.getByRole('textbox', { name: 'Reason (optional)' }).inputValue()).toBe('REASONTEXT come late');
		await page.getByRole('button', { name: 'Next' }).click();
		await page.getByRole('button', { name: 'Next' }).click();
		const download = page.waitForEvent('download');
		await page.getByRole('button', { name: 'Save my votes' }).click();
		const file = await download;
		await file.saveAs(tmp.path('returned'));
		expect(file.suggestedFilename()).toMatch(/^votes-The-Lost-Reel-[a-z]{4}\.emulsion-votes$/);
		await page.getByText('save them again').waitFor();
		expect(await page.getByText('until voting is closed').count()).toBe(0);

		const everything = await page.evaluate(async () => {
			const databases = await Promise.all(
				(await indexedDB.databases()).map(
					({ name }) =>
						new Promise<unknown[]>((resolve) => {
							const request = indexedDB.open(name!);
							request.onsuccess = () => {
								const stores = [...request.result.objectStoreNames];
								const found: unknown[] = [name];
								let left = stores.length;
								if (left === 0) resolve(found);
								for (const store of stores) {
									const os = request.result.transaction(store).objectStore(store);
									os.getAll().onsuccess = (e) => {
										found.push(store, (e.target as IDBRequest).result);
										os.getAllKeys().onsuccess = (k) => {
											found.push((k.target as IDBRequest).result);
											if (--left === 0) resolve(found);
										};
									};
								}
							};
						}),
				),
			);
			const w = window as unknown as { objectUrls: string[]; texts: Set<string> };
			return JSON.stringify([
				...[document.documentElement.outerHTML, [...w.texts], w.objectUrls, document.title, databases],
				...[{ ...localStorage }, { ...sessionStorage }, history.length, performance.getEntries().map((e) => e.name)],
			]);
		});
		const secret = toBase64Url(blind.keys.links[1]!.secret);
		const said = [
			everything.replaceAll(encodeURIComponent(location_(page)), ''),
			...requests,
			file.suggestedFilename(),
		].join('\n');
		for (const marker of MARKERS) expect(said).not.toContain(marker);
		for (const version of Object.values(blind.versions)) expect(said).not.toContain(version);
		expect(requests.join('\n')).not.toContain(secret);
		expect(requests.join('\n')).not.toContain('REASONTEXT');
		// The address bar's own entry is the fragment; nothing else holds the secret.
		expect(everything.split(secret).length - 1).toBe(everything.split(`link=${secret}`).length - 1);
		expect(await page.title()).not.toContain('Lost Reel');
		expect(readFileSync(tmp.path('returned'), 'utf8')).not.toMatch(/REASONTEXT|left|right/);
		expect(problems).toEqual([]);
		await context.close();
	});

	it('of two one-time links on one device are two ballots, and two tabs at once show the conflict', async () => {
		const first = await visit(packageLink(blind, 2, 'blind'));
		const second = await visit(packageLink(blind, 2, 'blind'), { context: first.context });
		for (const { page } of [first, second]) {
			await page.bringToFront();
			await painted(page);
			await page.getByText('Choose an answer.').waitFor();
		}
		await second.page.getByRole('button', { name: 'Right is better' }).click();
		await second.page.getByText('2 of 2', { exact: true }).waitFor();
		await first.page.bringToFront();
		await first.page.getByRole('button', { name: 'Left is better' }).click();
		await first.page
			.getByRole('alert')
			.getByText(/in another window/)
			.waitFor();
		await first.page.getByRole('button', { name: 'Right is better', pressed: true }).waitFor();
		await first.page.getByRole('button', { name: 'Left is better' }).click();
		await first.page.getByRole('button', { name: 'Left is better', pressed: true }).waitFor();
		const third = await visit(packageLink(blind, 1, 'blind'), { context: first.context });
		await third.page.getByText('0 of 2 answered').waitFor();
		await first.context.close();
	});

	it('comes back to its owner: counted once however often its file is opened, reasons unsealed, exported', async () => {
		const { page, context, problems } = await visit(packageLink(blind, 0, 'blind'));
		await page.getByRole('tab', { name: 'Results' }).waitFor();
		await page.getByText('No votes yet.').waitFor();
		for (let i = 0; i < 2; i++) await page.getByTestId('votes-files').setInputFiles(tmp.path('returned'));
		await page.getByText('2 files of votes opened').waitFor();
		expect(await page.getByTestId('votes').textContent()).toBe('2');
		expect(await page.getByTestId('voters').textContent()).toBe('1');
		await page.getByText('No difference shown yet').waitFor();
		await page.getByTestId('pair').getByText(MARKERS[0]!).first().waitFor();
		await page.getByTestId('reason').getByText('REASONTEXT come late').waitFor();
		expect(await page.getByTestId('reason').count()).toBe(1);
		const download = page.waitForEvent('download');
		await page.getByRole('button', { name: 'CSV' }).click();
		await (await download).saveAs(tmp.path('results.csv'));
		const csv = readFileSync(tmp.path('results.csv'), 'utf8').trim().split('\r\n');
		expect(csv).toHaveLength(3);
		const preferred = csv.slice(1).map((line) => line.split(',')[9]);
		expect([...preferred].sort()).toEqual(['', expect.stringMatching(/^MARKER/)].sort());
		await page.reload();
		await page.getByText('2 files of votes opened').waitFor();
		await page.getByTestId('votes-files').setInputFiles(tmp.path('blind.emreview'));
		await page
			.getByRole('alert')
			.getByText(/not a file of votes/)
			.waitFor();
		// Each clip's own figure is in the owner's secrets alone.
		await page.getByRole('tab', { name: 'Compare and notes' }).click();
		await painted(page);
		expect(await codecLoss(page)).toBe('The clips keep 84 / 93 % of the grain');
		expect(problems).toEqual([]);
		await context.close();
	});
});

/** The address, which a page's own markup does not repeat. */
function location_(page: Page): string {
	return page.url();
}

describe('in 简体中文', () => {
	/** Texts and labels in sight, without what people and programs named, that hold a Latin word. */
	const foreign = (page: Page): Promise<string[]> =>
		page.evaluate(() => {
			const NAMES =
				/\b(?:Emulsion|WebCodecs|English|The Lost Reel|Which picture is better|Shot \d|Scan|Recipe [AB]|MARKER\w+|CSV|JSON|Home|End|Shift|Space|[A-Z])\b|“[^”]*”/g;
			const texts = document.body.innerText.split('\n');
			for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [aria-valuetext]')) {
				for (const name of ['aria-label', 'title', 'placeholder', 'aria-valuetext'])
					texts.push(element.getAttribute(name) ?? '');
			}
			return texts.filter((text) => /[A-Za-z]{2,}/.test(text.replace(NAMES, '')));
		});

	it('voter, commenter and owner read every word in it', async () => {
		const voter = await visit(packageLink(blind, 1, 'blind'), { locale: 'zh-CN' });
		await painted(voter.page);
		await voter.page.getByText('请选择答案。').waitFor();
		expect(await foreign(voter.page)).toEqual([]);
		await voter.page.keyboard.press('?');
		await voter.page.getByRole('dialog').waitFor();
		expect(await foreign(voter.page)).toEqual([]);
		await voter.context.close();
		const commenter = await visit(packageLink(open, 1, 'open'), { locale: 'zh-CN' });
		await painted(commenter.page);
		await commenter.page.keyboard.press('n');
		await commenter.page.getByText('通过或否决…').click();
		await commenter.page.getByRole('radio', { name: '差异' }).click();
		expect(await foreign(commenter.page)).toEqual([]);
		await commenter.context.close();
		const owner = await visit(packageLink(blind, 0, 'blind'), { locale: 'zh-CN' });
		await owner.page.getByTestId('votes-files').setInputFiles(tmp.path('returned'));
		await owner.page.getByText('已打开 1 个投票文件').waitFor();
		expect((await foreign(owner.page)).filter((text) => !text.includes('REASONTEXT'))).toEqual([]);
		await owner.page.getByRole('tab', { name: '链接' }).click();
		expect(await foreign(owner.page)).toEqual([]);
		await owner.context.close();
	});
});
