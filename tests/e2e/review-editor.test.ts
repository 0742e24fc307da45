/** Reviews in the editor, beside a running share service: made, noted, voted on, adopted. */

import { createHash } from 'node:crypto';
import { mkdirSync, openAsBlob, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import type { Locator, Page } from 'playwright-core';
import { encode } from 'uqr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLog } from '../../server/share/log.ts';
import type { ShareConfig } from '../../server/share/config.ts';
import { shareHandler } from '../../server/share/handler.ts';
import { type Backend, startBackend } from '../../server/share/share.testkit.ts';
import { randomId } from '../../src/share/bytes.ts';
import { ServiceClient } from '../../src/share/client.ts';
import { parseLink } from '../../src/share/links.ts';
import { makeCuratorKey, signApproval } from '../../src/share/notes.ts';
import { partsOf } from '../../src/share/objects.ts';
import { type OpenReview, openReview } from '../../src/share/open.ts';
import { openPackage } from '../../src/share/package.ts';
import { PackageBackend } from '../../src/share/package-backend.ts';
import { noisyFilm, scratch } from '../helpers/cli.ts';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

const files = scratch();
/** Screenshots for whoever wants to look: the folder that EMULSION_SHOTS names. */
const shots = process.env['EMULSION_SHOTS'];
let backend: Backend;
let config: ShareConfig;
let share: ReturnType<typeof shareHandler>;
let e2e: E2e;
let film: string;

beforeAll(async () => {
	film = noisyFilm(files.path('Marker-Film.mkv'), 24);
	backend = await startBackend('PGlite and a folder');
	config = await backend.config();
	share = shareHandler(
		config,
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

/** A review in a file, as one of its links opens it. */
async function openFile(path: string, url: string): Promise<OpenReview> {
	const blob = await openAsBlob(path);
	const { secret } = parseLink(url).address;
	const store = { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };
	const devices = { of: () => Promise.resolve(new Uint8Array(32)) };
	const file = await openPackage('p', blob.size, partsOf(blob));
	return openReview(await PackageBackend.of(file, secret!, store, devices), secret!);
}

/** Files of the service's blob store. */
function blobFiles(): string[] {
	const folder = join(config.folder, 'blobs');
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name));
}

/** Everything in the service's tables, a row a line; binary columns byte for byte. */
async function rowsOfService(): Promise<string[]> {
	const { orm } = (await share.open()).parts.database;
	const { rows: tables } = await orm.execute<{ name: string }>(
		sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
	);
	const lines: string[] = [];
	for (const { name } of tables) {
		const { rows } = await orm.execute(sql`SELECT * FROM ${sql.identifier(name)}`);
		for (const row of rows) {
			const cells = Object.values(row).map((cell) =>
				cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : JSON.stringify(cell),
			);
			lines.push(`${name}: ${cells.join(' ')}`);
		}
	}
	return lines;
}

/** Bytes that the estimate names: `About 12.3 kB`. */
async function estimated(dialog: Locator): Promise<number> {
	const text = (await dialog.getByText('Frames of all clips').textContent())!;
	const [, number, unit] = /About ([\d.]+) (B|kB|MB)/.exec(text)!;
	return Number(number) * { B: 1, kB: 1e3, MB: 1e6 }[unit as 'B' | 'kB' | 'MB'];
}

/** Whether each module of a shown QR code is dark, from a picture of the screen: the middle of every one of `size` × `size`. */
async function modulesShown(page: Page, picture: Locator, size: number): Promise<boolean[][]> {
	const png = await picture.screenshot();
	return page.evaluate(
		async ({ base64, size: n }) => {
			const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
			const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
			const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
			context.drawImage(bitmap, 0, 0);
			const at = (i: number, side: number): number => Math.floor(((i + 0.5) * side) / n);
			return Array.from({ length: n }, (_r, y) =>
				Array.from({ length: n }, (_c, x) => {
					return context.getImageData(at(x, bitmap.width), at(y, bitmap.height), 1, 1).data[0]! < 128;
				}),
			);
		},
		{ base64: png.toString('base64'), size },
	);
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
		const guessed = await estimated(dialog);

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
		const code = dialog.getByRole('img', { name: /QR code of the link/ });
		await code.waitFor();
		const wanted = encode(await linkIn(page, /^Yours/), { ecc: 'M', border: 4 });
		expect(await modulesShown(page, code, wanted.size)).toEqual(wanted.data);
		await look(page, 'make-links');
		const sent = blobFiles().reduce((sum, file) => sum + statSync(file).size, 0);
		expect(sent / guessed).toBeGreaterThan(0.5);
		expect(sent / guessed).toBeLessThan(2);
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
		await owners.getByRole('slider', { name: 'Figures over the timeline' }).waitFor();
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
		const [clip] = shot!.clips;
		const pictures = new Uint8Array(await (await commenter.asset(clip!)).arrayBuffer());
		const key = await makeCuratorKey();
		const approve = (clipHash: string) =>
			signApproval(key, {
				...{ type: 'approval', name: 'Curator', review: owner.info.id, shot: shot!.id, clip: clip!.object },
				...{ clipHash, verdict: 'approved', text: 'good', at: Date.now() },
			});
		const approval = await approve(createHash('sha256').update(pictures).digest('hex'));
		// One that was signed, one whose text was changed since, one that was signed for other pictures than the clip's.
		for (const entry of [approval, { ...approval, text: 'bad' }, await approve('0'.repeat(64))]) {
			const own = randomId();
			await commenter.backend.putNote(own, await commenter.notes.seal(own, entry), 0);
		}

		await menu(page, 'Reviews…');
		await dialog.getByText('scratch <b>').waitFor();
		// The commenter saw letters; the owner reads which version each of them was.
		const names = shot!.clips.map(({ object }) => {
			const version = owner.secrets!.clips.find((c) => c.object === object)!.version;
			return owner.secrets!.versions.find((v) => v.id === version)!.label;
		});
		const letters = names.map((name, i) => `${'ABC'[i]} = ${name}`).join(', ');
		expect(await dialog.getByTestId('letters').textContent()).toBe(`(${letters})`);
		await dialog.getByText('or they are of other pictures: 2').waitFor();
		await dialog.getByText('No difference is shown yet.').waitFor();
		await dialog.getByRole('button', { name: 'Take into the record' }).click();
		await dialog.getByText('in the record', { exact: true }).waitFor();
		await dialog.getByRole('button', { name: 'Adopt Source' }).click();
		// What it will do, and what speaks against it, is said first; nothing has changed yet.
		await dialog.getByText('“Source” becomes the recipe of this reel').waitFor();
		await dialog.getByText('do not show that Source is preferred').waitFor();
		expect(await dialog.getByText(/^Curator approved .*the record will hold both/).count()).toBe(
			names[0] === 'Source' ? 0 : 1,
		);
		expect(await dialog.getByText(/Source adopted after/).count()).toBe(0);
		await dialog.getByRole('button', { name: 'Adopt it' }).click();
		await dialog.getByText('Source is the recipe of this reel now. Undo takes it back.').waitFor();
		await dialog
			.getByText(/^Source adopted after “Reel 3”: 0 votes for it, 0 against.* No difference was shown/)
			.waitFor();
		await look(page, 'reviews');
		await dialog.getByRole('button', { name: 'Close' }).last().click();
		expect(await page.getByText('Upscale', { exact: true }).count()).toBe(0);
		await page.getByRole('button', { name: /Undo adopt version/ }).click();
		await page.getByText('Upscale', { exact: true }).first().waitFor();

		await page.getByRole('button', { name: /^Note by Curator/ }).click();
		const playhead = page.getByRole('slider', { name: 'Playhead' });
		await expect.poll(() => playhead.getAttribute('aria-valuenow')).toBe('10');
		await look(page, 'strip');

		// Nothing that was typed or opened can be read where the service keeps it.
		const kept = [...(await rowsOfService()), ...blobFiles().map((file) => readFileSync(file, 'latin1'))];
		expect(kept.filter((text) => text.includes(owner.info.id)).length).toBeGreaterThan(5);
		const clipParts = [0, pictures.length >> 1].map((at) =>
			Buffer.from(pictures.subarray(at, at + 16)).toString('latin1'),
		);
		for (const word of ['Marker', 'Reel 3', 'scratch', 'Curator', 'Current recipe', 'upscale', ...clipParts]) {
			expect(kept.filter((text) => text.includes(word)).length, word).toBe(0);
		}

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
		await dialog.getByLabel('问题', { exact: true }).fill('Which grain lives?');
		await dialog.getByLabel('可以回答“没有差别”').uncheck();
		await dialog.getByLabel(/^盲评/).uncheck();
		await dialog.getByLabel('多少天后结束').fill('9');
		await dialog.getByLabel('保存于').selectOption('file');
		await look(page, 'make-form-zh');
		const saved = page.waitForEvent('download');
		await dialog.getByRole('button', { name: '制作审看' }).click();
		const began = Date.now();
		const file = await saved;
		expect(file.suggestedFilename()).toBe('Marker-Film.emreview');
		await dialog.getByText('审看已保存为').waitFor();
		expect(await linkIn(page, /^用于投票/)).toMatch(/#\/review\?package=Marker-Film\.emreview&link=/);
		// What was asked for is what is in the file.
		await file.saveAs(files.path('saved.emreview'));
		const { manifest, info } = await openFile(files.path('saved.emreview'), await linkIn(page, /^用于投票/));
		expect(manifest).toMatchObject({ blind: false, tiesAllowed: false, question: 'Which grain lives?' });
		expect(manifest.versions).toHaveLength(2);
		expect(manifest.shots.flatMap(({ clips }) => clips.flatMap(({ stills }) => stills))).toEqual([]);
		expect(Math.abs(info.expiresAt - began - 9 * 86_400_000)).toBeLessThan(120_000);
		expect(problems).toEqual([]);
	});
});
