/** Reviews in the editor, beside a running share service: made, noted, voted on, adopted. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLog } from '../../server/share/log.ts';
import { shareHandler } from '../../server/share/handler.ts';
import { type Backend, startBackend } from '../../server/share/share.testkit.ts';
import { randomId } from '../../src/share/bytes.ts';
import { ServiceClient } from '../../src/share/client.ts';
import { parseLink } from '../../src/share/links.ts';
import { makeCuratorKey, signApproval } from '../../src/share/notes.ts';
import { type OpenReview, openReview } from '../../src/share/open.ts';
import { noisyFilm, scratch } from '../helpers/cli.ts';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

const files = scratch();
/** Screenshots for whoever wants to look: the folder that EMULSION_SHOTS names. */
const shots = process.env['EMULSION_SHOTS'];
let backend: Backend;
let share: ReturnType<typeof shareHandler>;
let e2e: E2e;
let film: string;

beforeAll(async () => {
	film = noisyFilm(files.path('Marker-Film.mkv'), 24);
	backend = await startBackend('PGlite and a folder');
	share = shareHandler(
		await backend.config(),
		jsonLog(() => undefined),
	);
	await share.open();
	e2e = await startE2e([share.handle]);
	if (shots !== undefined) mkdirSync(shots, { recursive: true });
});
afterAll(async () => {
	await e2e?.close();
	await share?.close();
	await backend?.stop();
	files.remove();
});

async function look(page: Page, name: string): Promise<void> {
	if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
}

async function openFilm(): Promise<{ page: Page; problems: string[] }> {
	const { page, problems } = await e2e.open();
	await page.getByTestId('open').setInputFiles(film);
	await idle(page);
	const recipe = { version: 1, stages: [{ stage: 'upscale', params: { factor: 1, character: 'exact' } }] };
	await page.getByTestId('open').setInputFiles(files.json('recipe.json', recipe));
	await idle(page);
	return { page, problems };
}

async function menu(page: Page, item: string): Promise<void> {
	await page.getByRole('button', { name: 'File', exact: true }).click();
	await page.getByRole('menuitem', { name: item }).click();
}

async function linkIn(page: Page, label: RegExp): Promise<string> {
	return page.getByRole('dialog').getByLabel(label).inputValue();
}

async function open(url: string): Promise<OpenReview> {
	const { origin, address } = parseLink(url);
	const devices = { of: () => Promise.resolve(new Uint8Array(32)) };
	return openReview(await ServiceClient.of(origin!, address.secret!, devices), address.secret!);
}

describe('a review made in the editor', () => {
	it('is estimated, rendered, paused, sent; noted on the strip; recorded and adopted, and undone', async () => {
		const { page, problems } = await openFilm();
		const dialog = page.getByRole('dialog');
		await menu(page, 'New review…');
		await dialog.getByLabel('Title').fill('Reel 3');
		await dialog.getByLabel('Keep this recipe as').fill('Marker-Kept');
		await dialog.getByRole('button', { name: 'Keep', exact: true }).click();
		await dialog.getByLabel('Marker-Kept', { exact: true }).check();
		await dialog.getByLabel('Stills a clip').fill('1');
		await dialog.getByLabel('Stills a clip').press('Tab');
		await dialog.getByText('time unknown until measured').waitFor();
		await look(page, 'make-form');
		await dialog.getByRole('button', { name: 'Measure' }).click();
		await dialog.getByText('measured on twelve frames').waitFor();

		// The network fails in the middle: what was rendered waits, and goes on.
		await page.route('**/objects/*/chunks/*', (route) => route.abort());
		await dialog.getByRole('button', { name: 'Make the review' }).click();
		await dialog.getByText('does not answer').waitFor();
		await look(page, 'make-sending');
		await dialog.getByRole('button', { name: 'Pause' }).click();
		await dialog.getByText('Paused').waitFor();
		await page.unroute('**/objects/*/chunks/*');
		await dialog.getByRole('button', { name: 'Go on' }).click();
		await dialog.getByText('The review is ready').waitFor();
		await dialog.getByRole('button', { name: 'QR code' }).first().click();
		await dialog.getByRole('img', { name: /QR code of the link/ }).waitFor();
		await look(page, 'make-links');
		const owner = await open(await linkIn(page, /^Yours/));
		const commenter = await open(await linkIn(page, /^For notes/));
		const voter = await open(await linkIn(page, /^For voting/));
		expect(owner.manifest).toMatchObject({ title: 'Reel 3', blind: true, tiesAllowed: true });
		expect(owner.secrets!.versions.map((v) => [v.label, v.source])).toEqual([
			['Source', true],
			['Current recipe', false],
			['Marker-Kept', false],
		]);
		expect(JSON.stringify(voter.manifest)).not.toMatch(/Marker|Current recipe|"Source"|upscale/);
		// What was measured is plotted for the owner; nothing is predicted before people voted.
		const owners = await page.context().newPage();
		await owners.goto(await linkIn(page, /^Yours/));
		await owners.getByRole('tab', { name: 'Measured' }).click();
		await owners.getByText('Too few votes to predict').waitFor();
		await owners.getByText('Figures over the timeline').waitFor();
		await owners.getByText('All figures as a table').click();
		for (const name of ['Source', 'Current recipe', 'Marker-Kept']) {
			await owners.getByRole('row').filter({ hasText: name }).first().waitFor();
		}
		await look(owners, 'measured');
		await owners.close();
		await dialog.getByRole('button', { name: 'Close' }).last().click();

		const [shot] = commenter.manifest.shots;
		const id = randomId();
		const note = { type: 'note', name: 'Curator', shot: shot!.id, from: 10, to: 12, text: 'scratch <b>' } as const;
		const body = await commenter.notes.seal(id, { ...note, marks: [], clip: null });
		await commenter.backend.putNote(id, body, 0);
		const approval = await signApproval(await makeCuratorKey(), {
			...{ type: 'approval', name: 'Curator', review: owner.info.id, shot: shot!.id, clip: shot!.clips[0]!.object },
			...{ clipHash: '0'.repeat(64), verdict: 'approved', text: 'good', at: Date.now() },
		});
		const [good, forged] = [randomId(), randomId()];
		await commenter.backend.putNote(good, await commenter.notes.seal(good, approval), 0);
		await commenter.backend.putNote(forged, await commenter.notes.seal(forged, { ...approval, text: 'bad' }), 0);

		await menu(page, 'Reviews…');
		await dialog.getByText('scratch <b>').waitFor();
		await dialog.getByText('signatures do not hold: 1').waitFor();
		await dialog.getByText('No difference is shown yet.').waitFor();
		await dialog.getByRole('button', { name: 'Take into the record' }).click();
		await dialog.getByText('in the record', { exact: true }).waitFor();
		await dialog.getByRole('button', { name: 'Adopt Source' }).click();
		await dialog.getByText(/^Source adopted: 0 votes for it/).waitFor();
		await look(page, 'reviews');
		await dialog.getByRole('button', { name: 'Close' }).last().click();
		expect(await page.getByText('Upscale', { exact: true }).count()).toBe(0);
		await page.getByRole('button', { name: /Undo adopt version/ }).click();
		await page.getByText('Upscale', { exact: true }).first().waitFor();

		await page.getByRole('button', { name: /^Note by Curator/ }).click();
		const playhead = page.getByRole('slider', { name: 'Playhead' });
		await expect.poll(() => playhead.getAttribute('aria-valuenow')).toBe('10');
		await look(page, 'strip');

		// The project remembers it; the note is there again after a reload.
		await page.waitForFunction(() => document.body.innerText.includes('Saved in this browser'));
		await page.reload();
		await menu(page, 'Reviews…');
		await dialog.getByText('scratch <b>').waitFor();
		expect(problems).toEqual([]);
	});

	it('is saved as one file, said in 简体中文', async () => {
		const { page, problems } = await openFilm();
		await page.getByLabel('Language').selectOption('zh-Hans');
		await page.getByRole('button', { name: '文件', exact: true }).click();
		await page.getByRole('menuitem', { name: '新建审看…' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByLabel('静帧').fill('0');
		await dialog.getByLabel('保存于').selectOption('file');
		await look(page, 'make-form-zh');
		const saved = page.waitForEvent('download');
		await dialog.getByRole('button', { name: '制作审看' }).click();
		expect((await saved).suggestedFilename()).toBe('Marker-Film.emreview');
		await dialog.getByText('审看已保存为').waitFor();
		expect(await linkIn(page, /^用于投票/)).toMatch(/#\/review\?package=Marker-Film\.emreview&link=/);
		expect(problems).toEqual([]);
	});
});
