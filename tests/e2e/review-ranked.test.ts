/** A ranking of three versions on four shots: when a vote is taken, and what its owner sees of many. */

import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendFile } from '../../server/static.ts';
import { tally } from '../../src/share/statistics/results.ts';
import { type AskedPair, BallotBox } from '../helpers/ballots.ts';
import { type Scratch, scratch } from '../helpers/cli.ts';
import { type E2e, startE2e } from '../helpers/e2e.ts';
import { painted, type Visit, visit } from '../helpers/review-page.ts';
import { addressOf, type MadeReview, makeReview, writeReviewPackage } from '../helpers/reviews.ts';

let e2e: E2e;
let tmp: Scratch;
let ranked: MadeReview;

beforeAll(async () => {
	tmp = scratch();
	ranked = await makeReview(tmp, {
		...{ labels: ['Scan', 'Recipe A', 'Recipe B'], shots: 4, minimumViewMs: 2000 },
		links: [{ role: 'voter' }, { role: 'voter', once: true }],
	});
	await writeReviewPackage(tmp.path('ranked.emreview'), ranked.review);
	e2e = await startE2e([
		async (request, response, url) => {
			if (url.pathname !== '/ranked.emreview') return false;
			await sendFile(request, response, tmp.path('ranked.emreview'));
			return true;
		},
	]);
});
afterAll(async () => {
	await e2e.close();
	tmp.remove();
});

/** The page of a link; 0 is the owner's. */
const opened = (link: number): Promise<Visit> =>
	visit(e2e.browser, addressOf(e2e.server.url, ranked, link, 'ranked.emreview'));

describe('a vote', () => {
	it('is not taken before both sides were in sight for the minimum, by button or key, then is', async () => {
		const { page, context, problems } = await opened(1);
		await painted(page);
		// One side alone does not count, so the time stands still: nothing here depends on how fast this test is.
		await page.keyboard.press('t');
		await page.getByRole('radio', { name: 'Toggle', checked: true }).waitFor();
		const choices = page.getByRole('group', { name: 'Which picture is better?' }).getByRole('button');
		expect(await choices.count()).toBe(3);
		const disabled = () => choices.evaluateAll((all) => all.map((button) => (button as HTMLButtonElement).disabled));
		const untouched = async (): Promise<void> => {
			expect(await disabled()).toEqual([true, true, true]);
			await page.getByText(/Look at both sides for another [12] s/).waitFor();
			await page.getByText('0 of 12 answered').waitFor();
			await page.getByText('1 of 12', { exact: true }).waitFor();
		};
		await untouched();
		for (const key of ['1', '2', '3']) await page.keyboard.press(key);
		await page.waitForTimeout(300);
		await untouched();
		await page.getByRole('radio', { name: 'Side by side' }).click();
		await page.getByText('Choose an answer.').waitFor();
		expect(await disabled()).toEqual([false, false, false]);
		await page.keyboard.press('1');
		await page.getByText('2 of 12', { exact: true }).waitFor();
		await page.getByText('1 of 12 answered').waitFor();
		expect(problems).toEqual([]);
		await context.close();
	});
});

describe('the results of three versions on four shots', () => {
	/** Rows of a table, cell by cell. */
	const cells = (rows: Locator): Promise<string[][]> =>
		rows.evaluateAll((all) =>
			all.map((row) => [...row.children].map((cell) => cell.textContent.replace(/\s+/g, ' ').trim())),
		);

	it('are counts, rates and scores with their intervals, exact tests, what was left out and why, by shot, in plots', async () => {
		const box = await BallotBox.open(tmp.path('ranked.emreview'), ranked);
		const sideOf = (pair: AskedPair, version: string) => (pair.left === version ? 'left' : 'right');
		const isOf = (pair: AskedPair, version: string): boolean => [pair.left, pair.right].includes(version);
		/** Everybody prefers recipe B; two do not on the last shot, and one sees no difference to the scan on the first. */
		const answers =
			(device: number) =>
			(pair: AskedPair): 'left' | 'right' | 'tie' => {
				if (!isOf(pair, 'Recipe B')) return sideOf(pair, device < 4 ? 'Scan' : 'Recipe A');
				if (device < 2 && pair.shot === 3 && isOf(pair, 'Recipe A')) return sideOf(pair, 'Recipe A');
				if (device === 7 && pair.shot === 0 && isOf(pair, 'Scan')) return 'tie';
				return sideOf(pair, 'Recipe B');
			};
		const undecided = (pair: AskedPair) => (isOf(pair, 'Recipe B') ? sideOf(pair, 'Recipe B') : ('tie' as const));
		const files = await Promise.all([
			...Array.from({ length: 8 }, (_, i) => box.vote({ link: 1, viewedMs: 5000, answers: answers(i) })),
			box.vote({ link: 2, viewedMs: 5000, answers: undecided }),
			box.vote({ link: 1, viewedMs: 5000, answers: () => 'left' }),
			box.vote({ link: 1, viewedMs: 1999, answers: answers(0), most: 3 }),
		]);
		const results = tally({ ...box, votes: await box.votes(files) });
		const { page, context, problems } = await opened(0);
		await page.getByTestId('votes-files').setInputFiles(
			files.map((bytes, i) => ({
				...{ name: `${i}.emulsion-votes`, mimeType: 'application/json', buffer: Buffer.from(bytes) },
			})),
		);
		await page.getByText('11 files of votes opened').waitFor();
		const sums = await page.locator('.sum dl > div').allTextContents();
		expect(sums.map((text) => text.replace(/\s+/g, ' ').trim())).toEqual([
			'Voters 11',
			'by one-time link 1',
			'by device 10',
			'Votes 123',
			'Votes that count 108',
			'Control pairs failed 0 / 0',
		]);
		await page.getByText('Recipe B beats every other version.').waitFor();

		const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
		/** Of the second version's share, which the table and the plot are about. */
		const between = ([low, high]: readonly [number, number]): string => `${percent(1 - high)} – ${percent(1 - low)}`;
		const pairs = page.getByTestId('pair');
		expect(await pairs.count()).toBe(3);
		for (const [at, verdict, all, last, test] of [
			[
				0,
				'No difference shown yet. That is not the same as no difference.',
				['16', '4', '16', '50.0%'],
				['4', '1', '4', '50.0%'],
				'Persons who prefer Scan: 4; Recipe A: 4; undecided: 1. Exact binomial test over persons: p = 1.000. Corrected for all pairs: 1.000.',
			],
			[
				1,
				'Recipe B is preferred to Scan.',
				['0', '1', '35', '98.6%'],
				['0', '0', '9', '100.0%'],
				'Persons who prefer Scan: 0; Recipe B: 9; undecided: 0. Exact binomial test over persons: p = 0.004. Corrected for all pairs: 0.012.',
			],
			[
				2,
				'Recipe B is preferred to Recipe A.',
				['2', '0', '34', '94.4%'],
				['2', '0', '7', '77.8%'],
				'Persons who prefer Recipe A: 0; Recipe B: 9; undecided: 0. Exact binomial test over persons: p = 0.004. Corrected for all pairs: 0.012.',
			],
		] as [number, string, string[], string[], string][]) {
			const pair = pairs.nth(at);
			await pair.getByText(verdict).waitFor();
			await pair.getByText(test).waitFor();
			const rows = await cells(pair.locator('tbody tr'));
			expect(rows.map(([name]) => name)).toEqual(['All shots', 'Shot 1', 'Shot 2', 'Shot 3', 'Shot 4']);
			const { interval, rate } = results.pairs[at]!;
			expect(interval[0]).toBeLessThanOrEqual(rate);
			expect(interval[1]).toBeGreaterThan(rate);
			expect(rows[0]).toEqual(['All shots', ...all, between(interval)]);
			expect(rows[4]).toEqual(['Shot 4', ...last, between(results.shots[3]!.pairs[at]!.interval)]);
			// The plot: to the right of the middle is the second version's side, as its ends and the table's share say.
			const names = [
				['Scan', 'Recipe A'],
				['Scan', 'Recipe B'],
				['Recipe A', 'Recipe B'],
			][at]!;
			expect(await pair.locator('svg text.end').allTextContents()).toEqual([`← ${names[0]}`, `${names[1]} →`]);
			await pair.getByRole('columnheader', { name: `Preferred ${names[1]}` }).waitFor();
			expect(await pair.locator('svg circle').count()).toBe(5);
			const [dot, zero, from, to] = await pair.locator('svg').evaluate((svg) =>
				[
					['circle', 'cx'],
					['line.zero', 'x1'],
					['line.bar', 'x1'],
					['line.bar', 'x2'],
				].map(([of, name]) => Number(svg.querySelector(of!)!.getAttribute(name!))),
			);
			expect(Math.sign(Math.round(dot! - zero!))).toBe(at === 0 ? 0 : 1);
			expect([from! <= dot!, to! >= dot!, to! > from!]).toEqual([true, true, true]);
		}

		const scores = page.locator('section', { has: page.getByRole('heading', { name: 'Scores of all versions' }) });
		const signed = (value: number): string => value.toFixed(2).replace('-', '−');
		const label = new Map(box.secrets.versions.map(({ id, label }) => [id, label]));
		const rows = await cells(scores.locator('tbody tr'));
		expect(rows[0]![0]).toBe('Recipe B');
		expect(rows).toEqual(
			results.scores!.map(({ version, score, interval }) => {
				const spread = `${signed(interval[0])} … ${signed(interval[1])}`;
				return [label.get(version), signed(score), spread];
			}),
		);
		expect(await scores.locator('svg circle').count()).toBe(3);
		expect((await cells(page.getByTestId('excluded').locator('tr'))).map((row) => row.slice(1)).sort()).toEqual([
			['12', 'The same side every time'],
			['3', 'Both sides were in sight for less than the minimum'],
		]);
		await page.getByText(/A one-time link is one voter .* On an open link each device is one voter/).waitFor();
		expect(problems).toEqual([]);
		await context.close();
	});
});
