/**
 * `npm run engines`: reviews in browsers that are not Chromium. A real share service, the built app, and in each of Firefox and WebKit
 * (WebKitGTK: Safari's engine): a comparison by a burnt-in counter, a note, a blind vote, the owner's page, and a package of one file.
 * Installs the browsers where they are missing (Debian: apt, about 300 MB). Prints a line a step; exits 1 where one failed.
 */

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { shareConfig } from '../server/share/config.ts';
import { shareHandler } from '../server/share/handler.ts';
import { jsonLog } from '../server/share/log.ts';
import { type RequestHandler, sendFile, startStaticServer } from '../server/static.ts';
import { Sending } from '../src/share/publish.ts';
import { scratch } from '../tests/helpers/cli.ts';
import { COUNTER_SHAPE, type Counters, readCounters } from '../tests/helpers/review-page.ts';
import { addressOf, makeReview, type ReviewWish, writeReviewPackage } from '../tests/helpers/reviews.ts';
import { DIST, ensureBuild, ROOT } from './build.ts';
import { type Engine, firefox, webkit } from './engines/engine.ts';
import { aptInstall, ensureFfmpeg } from './ensure.ts';

const SHOTS = join(ROOT, '.cache', 'engines');
const FIREFOX = '/usr/bin/firefox-esr';
const DRIVER = '/usr/bin/WebKitWebDriver';
const WEBKIT = [
	'webkit2gtk-driver',
	'xvfb',
	'xauth',
	...['base', 'good', 'bad'].map((n) => `gstreamer1.0-plugins-${n}`),
];

/** WebKitGTK's plain browser; its folder is named after the machine's architecture. */
function miniBrowser(): string {
	const paths = readdirSync('/usr/lib').map((triple) => join('/usr/lib', triple, 'webkit2gtk-4.1', 'MiniBrowser'));
	const found = paths.find((path) => existsSync(path));
	if (found === undefined) throw new Error('MiniBrowser was not found under /usr/lib (package webkit2gtk-driver)');
	return found;
}

/** Longest wait for a page to become what is expected, milliseconds. */
const PATIENCE = 60_000;

async function until(engine: Engine, expression: string, what: string): Promise<void> {
	const end = Date.now() + PATIENCE;
	while (Date.now() < end) {
		if ((await engine.evaluate(expression)) === true) return;
		await sleep(100);
	}
	const text = await engine.evaluate('document.body.innerText.slice(0, 600)');
	throw new Error(`${what}: not within ${PATIENCE / 1000} s. The page says: ${JSON.stringify(text)}`);
}

const says = (engine: Engine, text: string): Promise<void> =>
	until(engine, `document.body.innerText.includes(${JSON.stringify(text)})`, `“${text}”`);

/** Clicks what carries a name, as soon as it may be. */
async function click(engine: Engine, name: string): Promise<void> {
	const find = `[...document.querySelectorAll('button, [role=radio]')].find((e) =>
		(e.ariaLabel || e.innerText).trim() === ${JSON.stringify(name)} && !e.disabled)`;
	await until(engine, `Boolean(${find})`, `button “${name}”`);
	await engine.evaluate(`(${find}).click()`);
}

async function fill(engine: Engine, label: string, text: string): Promise<void> {
	const find = `[...document.querySelectorAll('input, textarea')].findLast((e) =>
		(e.ariaLabel ?? e.labels?.[0]?.innerText ?? '').trim() === ${JSON.stringify(label)})`;
	await until(engine, `Boolean(${find})`, `field “${label}”`);
	await engine.evaluate(`((field) => {
		field.value = ${JSON.stringify(text)};
		field.dispatchEvent(new Event('input', { bubbles: true }));
	})(${find})`);
}

const frameIs = (engine: Engine, frame: number): Promise<void> =>
	until(engine, `document.querySelector('[data-testid=picture]')?.dataset.frame === '${frame}'`, `frame ${frame}`);

/** `__name` is what the TypeScript runner puts around functions to keep their names. */
const counters = async (engine: Engine): Promise<Counters> =>
	(await engine.evaluate(
		`((__name) => (${readCounters.toString()})(${JSON.stringify(COUNTER_SHAPE)}))((f) => f)`,
	)) as Counters;

/** Numbers burnt into both pictures, which have to be the frame's own; says where they are not. */
async function inStep(engine: Engine, wrong: string[]): Promise<number> {
	const { index, numbers } = await counters(engine);
	if (numbers.some((number) => number !== index)) wrong.push(`frame ${index} showed ${numbers.join(' and ')}`);
	return index;
}

/** Steps through, plays, and reads both pictures' numbers all the while. */
async function compare(engine: Engine): Promise<string> {
	const wrong: string[] = [];
	await frameIs(engine, 0);
	await click(engine, 'Side by side');
	for (let frame = 0; frame < 24; frame++) {
		await frameIs(engine, frame);
		await inStep(engine, wrong);
		await engine.press('ArrowRight');
	}
	await engine.press('Home');
	await frameIs(engine, 0);
	await click(engine, 'Play');
	const played = new Set<number>();
	for (const end = Date.now() + 5000; Date.now() < end;) played.add(await inStep(engine, wrong));
	await click(engine, 'Pause');
	if (wrong.length > 0) throw new Error(wrong.join('; '));
	if (played.size < 2) throw new Error('did not play');
	const how = String(await engine.evaluate("document.body.innerText.match(/Decoded by [^\\n·]+/)?.[0] ?? 'unsaid'"));
	return `24 frames stepped, ${played.size} seen while playing: both versions the same. ${how}`;
}

async function main(): Promise<void> {
	if (!existsSync(FIREFOX) && !aptInstall(['firefox-esr'])) throw new Error('Firefox could not be installed (apt-get)');
	if (!existsSync(DRIVER) && !aptInstall(WEBKIT)) throw new Error('WebKit could not be installed (apt-get)');
	ensureFfmpeg(console.log);
	await ensureBuild();
	mkdirSync(SHOTS, { recursive: true });
	const tmp = scratch();
	const share = shareHandler(
		shareConfig({ EMULSION_SHARE_DIR: tmp.path('share') }, tmp.path('.')),
		jsonLog(() => undefined, false),
	);
	const packages: RequestHandler = async (request, response, url) => {
		if (!url.pathname.endsWith('.emreview')) return false;
		await sendFile(request, response, tmp.path('x.emreview'));
		return true;
	};
	const server = await startStaticServer({ root: DIST, port: 0, handlers: [share.handle, packages] });
	let failed = 0;
	try {
		const start = [() => firefox(FIREFOX), () => webkit(DRIVER, miniBrowser())];
		for (const open of start) {
			const engine = await open();
			const label = engine.name.replace(/\W+/g, '-').toLowerCase();
			const step = async (name: string, run: () => Promise<string | undefined>): Promise<void> => {
				try {
					console.log(`ok    ${engine.name}: ${name}: ${(await run()) ?? 'done'}`);
				} catch (error) {
					failed++;
					console.log(`FAIL  ${engine.name}: ${name}: ${error instanceof Error ? error.message : String(error)}`);
				}
				// A browser that has crashed has no picture; the step has said so.
				await engine.screenshot(join(SHOTS, `${label}-${name.replace(/\W+/g, '-')}.png`)).catch(() => undefined);
			};
			const send = async (wish: ReviewWish) => {
				const made = await makeReview(tmp, wish);
				await new Sending(server.url, made.review).send({});
				return (index: number) => addressOf(server.url, made, index);
			};
			try {
				const open = await send({
					labels: ['Scan', 'Recipe A'],
					blind: false,
					pairs: false,
					links: [{ role: 'commenter' }],
				});
				await step('compare', async () => {
					await engine.open(open(1));
					return compare(engine);
				});
				await step('note', async () => {
					await engine.press('n');
					await fill(engine, 'What do you see?', 'A hair in the gate');
					await fill(engine, 'Your name', 'Ada');
					await click(engine, 'Send');
					await engine.open(open(1));
					await says(engine, 'A hair in the gate');
				});
				const blind = await send({ labels: ['Source', 'Restored'], shots: 2, links: [{ role: 'voter' }] });
				await step('vote', async () => {
					await engine.open(blind(1));
					for (const pair of ['1 of 2', '2 of 2']) {
						await says(engine, pair);
						await frameIs(engine, 0);
						await click(engine, 'Left is better');
					}
					await says(engine, 'All your votes have arrived.');
				});
				await step('results', async () => {
					await engine.open(blind(0));
					await until(engine, "document.querySelector('[data-testid=votes]')?.textContent === '2'", '2 votes');
					await says(engine, 'No difference shown yet');
				});
				await step('package', async () => {
					const made = await makeReview(tmp, {
						labels: ['Scan', 'Recipe A'],
						blind: false,
						links: [{ role: 'viewer' }],
					});
					await writeReviewPackage(tmp.path('x.emreview'), made.review);
					await engine.open(addressOf(server.url, made, 1, 'x.emreview'));
					return compare(engine);
				});
			} finally {
				await engine.close().catch(() => undefined);
			}
		}
	} finally {
		await server.close();
		await share.close();
		tmp.remove();
	}
	console.log(`${failed} failed; pictures in ${SHOTS}`);
	if (failed > 0) process.exitCode = 1;
}

await main();
