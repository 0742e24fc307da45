/** A review on the share service: two browsers at once, votes and notes that meet a broken network, and the owner's page, live. */

import { mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_FLAGS, chromiumPath } from '../../scripts/chromium.ts';
import { shareConfig } from '../../server/share/config.ts';
import { jsonLog } from '../../server/share/log.ts';
import { shareHandler, type ShareHandler } from '../../server/share/handler.ts';
import { seedPglite } from '../../server/share/stores.testkit.ts';
import { toBase64Url } from '../../src/share/bytes.ts';
import { Sending } from '../../src/share/publish.ts';
import { type Scratch, scratch } from '../helpers/cli.ts';
import { type E2e, startE2e } from '../helpers/e2e.ts';
import { counters, painted, type Visit, visit, type VisitOptions } from '../helpers/review-page.ts';
import { addressOf, type MadeReview, makeReview, type ReviewWish } from '../helpers/reviews.ts';

let e2e: E2e;
let other: Browser;
let share: ShareHandler;
let tmp: Scratch;

beforeAll(async () => {
	tmp = scratch();
	const config = shareConfig({ EMULSION_SHARE_DIR: tmp.path('share') }, tmp.path('.'));
	mkdirSync(config.folder, { recursive: true });
	await seedPglite(config.folder);
	share = shareHandler(
		config,
		jsonLog(() => undefined, false),
	);
	e2e = await startE2e([share.handle]);
	other = await chromium.launch({ executablePath: chromiumPath(), args: [...CHROMIUM_FLAGS] });
});
afterAll(async () => {
	await other?.close();
	await e2e?.close();
	await share?.close();
	tmp.remove();
});

async function send(wish: ReviewWish): Promise<MadeReview> {
	const made = await makeReview(tmp, wish);
	await new Sending(e2e.server.url, made.review).send({});
	return made;
}

const go = (browser: Browser, made: MadeReview, index: number, options: VisitOptions = {}): Promise<Visit> =>
	visit(browser, addressOf(e2e.server.url, made, index), options);
const ready = async (page: Page): Promise<void> => {
	await painted(page);
	await page.getByText('Choose an answer.').waitFor();
};
const VOTES = /\/api\/v1\/votes\/[^?]/;
const chosen = (page: Page, name: string) => page.getByRole('button', { name, pressed: true });

describe('two browsers at once', () => {
	it('read each other’s notes, answers and approvals; a viewer reads and cannot write', async () => {
		const made = await send({
			...{ labels: ['Scan', 'Recipe A'], blind: false, pairs: false },
			links: [{ role: 'commenter' }, { role: 'viewer' }, { role: 'commenter' }],
		});
		const [ada, grace, viewer] = await Promise.all([go(e2e.browser, made, 1), go(other, made, 3), go(other, made, 2)]);
		await Promise.all([ada, grace, viewer].map(({ page }) => painted(page)));
		await ada.page.keyboard.press('n');
		await ada.page.getByRole('textbox', { name: 'What do you see?' }).fill('SECRETNOTE a hair in the gate');
		await ada.page.getByRole('textbox', { name: 'Your name' }).last().fill('Ada');
		await ada.page.getByRole('button', { name: 'Send' }).click();
		const seen = grace.page.getByTestId('note');
		await seen.getByText('SECRETNOTE').waitFor();
		await seen.getByRole('button', { name: 'Answer' }).click();
		await seen.getByRole('textbox', { name: 'Your name' }).fill('Grace');
		await seen.getByRole('textbox', { name: 'Answer' }).fill('It moves');
		await seen.getByRole('button', { name: 'Send' }).click();
		await ada.page.getByTestId('note').getByText('It moves').waitFor();
		await viewer.page.getByTestId('note').getByText('It moves').waitFor();
		expect(await viewer.page.getByRole('button', { name: /Answer|New note|Resolve|Remove/ }).count()).toBe(0);
		await grace.page.getByText('Approve or reject…').click();
		await grace.page.getByRole('combobox', { name: 'Version' }).selectOption({ index: 1 });
		await grace.page.getByRole('button', { name: 'Reject', exact: true }).click();
		await viewer.page.getByTestId('approval').getByText('Signature valid').waitFor();
		const sent = [...ada.requests, ...grace.requests].join('\n');
		expect(sent).not.toMatch(/SECRETNOTE|It moves|Ada|Grace|Scan|Recipe/);
		for (const { secret } of made.keys.links) expect(sent).not.toContain(toBase64Url(secret));
		for (const { problems, context } of [ada, grace, viewer]) {
			expect(problems).toEqual([]);
			await context.close();
		}
	});

	it('vote on one review, in step, while its owner watches the results', async () => {
		const made = await send({ labels: ['Source', 'Restored'], links: [{ role: 'voter' }] });
		const owner = await go(e2e.browser, made, 0);
		await owner.page.getByText('No votes yet.').waitFor();
		const voters = await Promise.all([go(e2e.browser, made, 1, { phone: true }), go(other, made, 1)]);
		for (const { page } of voters) {
			await page.bringToFront();
			await ready(page);
			const { numbers, index } = await counters(page);
			expect(numbers).toEqual([index, index]);
			await page.getByRole('button', { name: 'Left is better' }).click();
			await page.getByText('All your votes have arrived.').waitFor();
		}
		await owner.page.bringToFront();
		await owner.page.waitForFunction(() => document.querySelector('[data-testid=voters]')?.textContent === '2');
		await owner.page.getByText('No difference shown yet').waitFor();
		for (const { problems, context } of [owner, ...voters]) {
			expect(problems).toEqual([]);
			await context.close();
		}
	});

	it('on one one-time link are one voter: the second sees the first’s answer and decides again', async () => {
		const made = await send({ labels: ['Source', 'Restored'], links: [{ role: 'voter', once: true }] });
		const [first, second] = await Promise.all([go(e2e.browser, made, 1), go(other, made, 1)]);
		await Promise.all([ready(first.page), ready(second.page)]);
		await first.page.getByRole('button', { name: 'Left is better' }).click();
		await first.page.getByText('All your votes have arrived.').waitFor();
		await second.page.getByRole('button', { name: 'Right is better' }).click();
		await second.page
			.getByRole('alert')
			.getByText(/on another device/)
			.waitFor();
		await chosen(second.page, 'Left is better').waitFor();
		await second.page.getByRole('button', { name: 'Right is better' }).click();
		await second.page.getByText('Your answer has arrived').waitFor();
		const owner = await go(other, made, 0);
		await owner.page.waitForFunction(() => document.querySelector('[data-testid=votes]')?.textContent === '1');
		for (const { context } of [first, second, owner]) await context.close();
	});
});

describe('a broken network', () => {
	it('in the middle of a vote loses nothing: kept, said, there after a reload, sent when it is back, counted once', async () => {
		const made = await send({ labels: ['Source', 'Restored'], shots: 2, links: [{ role: 'voter' }] });
		const { page, context, requests } = await go(e2e.browser, made, 1);
		await ready(page);
		await page.route(VOTES, (route) => route.abort('internetdisconnected'));
		await page.getByRole('button', { name: 'Left is better' }).click();
		await page.getByText('2 of 2', { exact: true }).waitFor();
		await page.getByText('The service does not answer').waitFor();
		await page.reload();
		await painted(page);
		await page.getByText('1 of 2 answered').waitFor();
		await page.getByRole('button', { name: 'Back', exact: true }).click();
		await page.getByText('Kept here, sent when').waitFor();
		await chosen(page, 'Left is better').waitFor();
		await page.unrouteAll({ behavior: 'wait' });
		// The service takes the vote and its answer is lost: the same key comes again.
		let lost = 0;
		await page.route(VOTES, async (route) => {
			if (lost++ > 0) return route.continue();
			await route.fetch();
			return route.abort('connectionreset');
		});
		await page.evaluate(() => window.dispatchEvent(new Event('online')));
		await page.getByText('Your answer has arrived').waitFor();
		expect(lost).toBeGreaterThan(1);
		const keys = requests
			.filter((r) => r.startsWith('PUT') && VOTES.test(r))
			.map((r) => /"idempotency-key":"([^"]+)"/.exec(r)?.[1]);
		expect(new Set(keys).size).toBe(1);
		expect(keys.length).toBeGreaterThan(2);
		await page.unrouteAll({ behavior: 'wait' });
		// A changed vote is taken and its answer lost, and the voter changes it once more: the last word counts, and is nobody else's.
		await page.route(VOTES, async (route) => {
			await route.fetch();
			return route.abort('connectionreset');
		});
		await page.getByRole('button', { name: 'Right is better' }).click();
		await page.getByText('Kept here, sent when').waitFor();
		await page.getByRole('button', { name: 'No difference' }).click();
		await chosen(page, 'No difference').waitFor();
		await page.unrouteAll({ behavior: 'wait' });
		await page.evaluate(() => window.dispatchEvent(new Event('online')));
		await page.getByText('Your answer has arrived').waitFor();
		await chosen(page, 'No difference').waitFor();
		expect(await page.getByText('You answered this pair in an').count()).toBe(0);
		const owner = await go(e2e.browser, made, 0);
		await owner.page.waitForFunction(() => document.querySelector('[data-testid=votes]')?.textContent === '1');
		await owner.context.close();
		await page.unrouteAll({ behavior: 'wait' });
		await context.close();
	});

	it('keeps a note and sends it later, once', async () => {
		const made = await send({ labels: ['Scan', 'A'], blind: false, pairs: false, links: [{ role: 'commenter' }] });
		const { page, context } = await go(e2e.browser, made, 1);
		await painted(page);
		let delivered = 0;
		const NOTES = /\/api\/v1\/notes\/[^?]/;
		await page.route(NOTES, async (route) => {
			if (delivered++ > 0) return route.abort('connectionreset');
			await route.fetch();
			return route.abort('connectionreset');
		});
		await page.keyboard.press('n');
		await page.getByRole('textbox', { name: 'What do you see?' }).fill('kept words');
		await page.getByRole('textbox', { name: 'Your name' }).last().fill('Ada');
		await page.getByRole('button', { name: 'Send' }).click();
		await page.getByTestId('note').getByText('kept words').waitFor();
		await page.getByText('not sent yet').first().waitFor();
		await page.unrouteAll({ behavior: 'wait' });
		await page.reload();
		await page.getByTestId('note').getByText('kept words').waitFor();
		await page.waitForFunction(() => !document.body.textContent?.includes('not sent yet'));
		expect(await page.getByTestId('note').count()).toBe(1);
		await context.close();
	});

	it('or a service that changes bytes on their way is told; so is a clock that is wrong by a year', async () => {
		const made = await send({ labels: ['Source', 'Restored'], links: [{ role: 'voter' }] });
		const changed = await go(e2e.browser, made, 1, { init: '' });
		await changed.page.route(/\/content$/, async (route) => {
			const response = await route.fetch();
			const body = await response.body();
			body[body.length >> 1]! ^= 1;
			await route.fulfill({ response, body });
		});
		await changed.page.reload();
		await changed.page
			.getByRole('alert')
			.getByText(/changed or damaged/)
			.first()
			.waitFor();
		await changed.context.close();
		const skew = `const now = Date.now; Date.now = () => now() + 366 * 86400e3;`;
		const late = await go(e2e.browser, made, 1, { init: skew });
		await ready(late.page);
		await late.page.getByRole('button', { name: 'Right is better' }).click();
		await late.page.getByText('All your votes have arrived.').waitFor();
		await late.context.close();
	});
});

describe('the owner', () => {
	it('closes and reopens voting, adds and withdraws links, deletes the review', async () => {
		const made = await send({ labels: ['Source', 'Restored'], links: [{ role: 'voter' }] });
		const phone = await go(e2e.browser, made, 0, { phone: true });
		await phone.page.getByRole('tab', { name: 'Links' }).tap();
		await phone.page.getByTestId('link').first().waitFor();
		expect(await phone.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
		expect(await phone.page.evaluate(() => document.querySelector('#panel')!.scrollWidth)).toBeLessThanOrEqual(360);
		await phone.context.close();
		const owner = await go(e2e.browser, made, 0);
		const voter = await go(other, made, 1);
		await ready(voter.page);
		await owner.page.getByRole('button', { name: 'Close voting' }).click();
		await owner.page.getByRole('dialog').getByRole('button', { name: 'Close voting' }).click();
		await owner.page.getByRole('button', { name: 'Open voting again' }).waitFor();
		// The voter's page has not asked since: the service refuses, and the page says what became of the vote.
		await voter.page.getByRole('button', { name: 'Left is better' }).click();
		await voter.page.getByText('did not arrive before voting was closed').waitFor();
		await voter.page.reload();
		await voter.page.getByText('Voting is closed.').waitFor();
		await owner.page.getByRole('button', { name: 'Open voting again' }).click();
		await owner.page.getByRole('button', { name: 'Close voting' }).waitFor();

		await owner.page.getByRole('tab', { name: 'Links' }).click();
		await owner.page.getByLabel('Your name for it').fill('Jury');
		await owner.page.getByRole('checkbox', { name: /One voter only/ }).check();
		await owner.page.getByRole('button', { name: 'Make link' }).click();
		const link = await owner.page.getByTestId('made-link').inputValue();
		const row = owner.page.getByTestId('link').filter({ hasText: 'Jury' });
		await row.getByText('one voter').waitFor();
		await row.getByText(', with the review').waitFor();
		await owner.page.getByRole('button', { name: 'QR code' }).last().click();
		await owner.page.getByRole('img', { name: 'QR code of the link: Voter' }).waitFor();
		const jury = await visit(other, link);
		await ready(jury.page);
		await row.getByRole('button', { name: 'Withdraw' }).click();
		await owner.page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
		await row.getByText('withdrawn').waitFor();
		await jury.page.getByRole('button', { name: 'Left is better' }).click();
		await jury.page
			.getByRole('alert')
			.getByText(/withdrawn by the owner/)
			.waitFor();
		expect(owner.requests.join('\n')).not.toContain('Jury');

		await owner.page.getByRole('button', { name: 'Delete review' }).click();
		await owner.page.getByRole('dialog').getByRole('button', { name: 'Delete review' }).click();
		await owner.page.getByText('was deleted with everything').waitFor();
		await voter.page.reload();
		await voter.page
			.getByRole('alert')
			.getByText(/Nobody made this link/)
			.waitFor();
		for (const { problems, context } of [owner, voter, jury]) {
			expect(problems).toEqual([]);
			await context.close();
		}
	});
});
