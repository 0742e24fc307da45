/** Playback in the editor has sound: in time with the picture, at the film's own speed only, and muted when told to. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg } from '../helpers/cli.ts';
import { type E2e, idle, startE2e } from '../helpers/e2e.ts';

/** Frames a second. */
const RATE = 4;
/** Seconds of the flash and the beep. */
const FLASH = 4;

let e2e: E2e;
let folder: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-sound-'));
	// A ramp of gray, so that no two pictures are alike; white at the flash. The sound starts half a second before the picture.
	ffmpeg(
		...[
			'-f',
			'lavfi',
			'-i',
			`color=black:s=64x48:r=${RATE}:d=9,geq=lum='if(eq(N,${FLASH * RATE}),235,16+2*N)':cb=128:cr=128`,
		],
		...[
			'-f',
			'lavfi',
			'-i',
			`aevalsrc='if(between(t,${FLASH + 0.5},${FLASH + 0.75}),0.8*sin(2*PI*1000*t),0)':s=48000:d=9.5`,
		],
		...['-filter_complex', `[0:v]setpts=PTS+0.5/TB,format=yuv420p[v]`, '-map', '[v]', '-map', '1:a'],
		...['-fps_mode', 'passthrough', '-c:v', 'libx264', '-bf', '2', '-c:a', 'aac', join(folder, 'early.mov')],
	);
	// The same with a codec for its sound that nobody knows.
	ffmpeg('-i', join(folder, 'early.mov'), '-c', 'copy', join(folder, 'odd.mkv'));
	const bytes = readFileSync(join(folder, 'odd.mkv'));
	bytes.write('A_ZZZ', bytes.indexOf('A_AAC'), 'latin1');
	writeFileSync(join(folder, 'odd.mkv'), bytes);
	ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=4:d=2', '-c:v', 'libx264', join(folder, 'silent.mp4'));
	writeFileSync(
		join(folder, 'double.json'),
		JSON.stringify({ version: 1, stages: [{ stage: 'interpolate', params: { factor: 2 } }] }),
	);
	writeFileSync(
		join(folder, 'slow.json'),
		JSON.stringify({ version: 1, stages: [{ stage: 'interpolate', params: { factor: 1, slow: 2 } }] }),
	);
	e2e = await startE2e();
});
afterAll(async () => {
	await e2e.close();
	rmSync(folder, { recursive: true, force: true });
});

/** A buffer as it was scheduled. Seconds. */
interface Scheduled {
	/** On the context's clock: where the buffer's first sample lies, heard or not. */
	readonly origin: number;
	readonly length: number;
	/** From the buffer's start to its first loud sample. */
	readonly onset: number | null;
}

/** What the page is watched by: everything scheduled, and how many nodes were stopped. */
const WATCH = `
	globalThis.watched = { scheduled: [], stopped: 0, context: null };
	const { start, stop } = AudioBufferSourceNode.prototype;
	AudioBufferSourceNode.prototype.start = function (when, offset) {
		const at = this.buffer.getChannelData(0).findIndex((v) => Math.abs(v) > 0.2);
		watched.context = this.context;
		watched.scheduled.push({
			origin: when - offset,
			length: this.buffer.duration,
			onset: at < 0 ? null : at / this.buffer.sampleRate,
		});
		return start.call(this, when, offset);
	};
	AudioScheduledSourceNode.prototype.stop = function (when) { watched.stopped++; return stop.call(this, when); };
`;

interface Watched {
	readonly scheduled: Scheduled[];
	readonly stopped: number;
	readonly context: AudioContext | null;
}
declare const watched: Watched;

const scheduled = (page: Page): Promise<number> => page.evaluate(() => watched.scheduled.length);
const frameNumber = async (page: Page): Promise<number> => Number(await page.getByLabel('Frame number').innerText());
const mute = (page: Page) => page.getByRole('button', { name: 'Mute playback' });

/** Polls for as long as a busy machine takes. */
const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 60_000 });

async function openFilm(page: Page, name: string): Promise<void> {
	await page.getByTestId('open').setInputFiles(join(folder, name));
	await until(() => page.getByTestId('shot').count()).toBeGreaterThan(0);
	await idle(page);
	await until(() => page.getByRole('button', { name: 'Play or pause' }).isEnabled()).toBe(true);
}

/** Plays until a frame was reached; what was shown, and the context's time at which it was. */
async function play(page: Page, first: number, last: number): Promise<{ frame: number; time: number }[]> {
	const shown = page.evaluate(
		([first, last]) =>
			new Promise<{ frame: number; time: number }[]>((resolve) => {
				const label = document.querySelector<HTMLElement>('[aria-label="Frame number"]')!;
				const samples: { frame: number; time: number }[] = [];
				// Not by animation frames: a machine without a GPU gives few.
				const observer = new MutationObserver(() => {
					const frame = Number(label.textContent) - first!;
					const { context } = watched;
					if (context) samples.push({ frame, time: context.currentTime - context.outputLatency });
					if (frame < last!) return;
					observer.disconnect();
					resolve(samples);
				});
				observer.observe(label, { characterData: true, childList: true, subtree: true });
			}),
		[first, last],
	);
	await page.keyboard.press('l');
	await shown;
	await page.keyboard.press('k');
	return shown;
}

/** Compares what was shown with what was heard, by the beep. */
async function expectInTime(page: Page, shown: readonly { frame: number; time: number }[]): Promise<void> {
	const spans = await page.evaluate(() => watched.scheduled);
	const beeping = spans.find((span) => span.onset !== null)!;
	const beep = beeping.origin + beeping.onset!;
	// Spans join without a gap.
	spans.slice(1).forEach((span, i) => {
		expect(span.origin).toBeCloseTo(spans[i]!.origin + spans[i]!.length, 6);
	});
	// Frame n is due n/RATE after the first, and the beep is heard at FLASH. A busy machine draws late, never early.
	const late = shown.map(({ frame, time }) => time - (beep + frame / RATE - FLASH)).sort((a, b) => a - b);
	expect(late.length).toBeGreaterThan(4);
	const text = `seconds late: ${late.map((seconds) => seconds.toFixed(3)).join(' ')}`;
	expect(late[0], text).toBeGreaterThan(-0.05);
	expect(late[late.length >> 2], text).toBeLessThan(0.1);
	expect(late[late.length >> 1], text).toBeLessThan(1 / RATE);
}

describe('sound in the editor', () => {
	it('is heard in time with the picture, at one speed, and not when muted', async () => {
		const { page, problems } = await e2e.open({ init: WATCH });
		await openFilm(page, 'early.mov');
		const first = await frameNumber(page);
		await expectInTime(page, await play(page, first, FLASH * RATE + 6));
		// Pausing ends what was scheduled ahead.
		const { stopped } = await page.evaluate(() => ({ stopped: watched.stopped }));
		expect(stopped).toBeGreaterThan(0);

		// From elsewhere: the sound is of that place.
		await page.evaluate(() => void watched.scheduled.splice(0));
		await page.keyboard.press('Home');
		for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
		await expectInTime(page, await play(page, first, FLASH * RATE + 2));

		// Backward and faster: none.
		const before = await scheduled(page);
		await page.keyboard.press('j');
		await until(() => frameNumber(page)).toBeLessThan(first + FLASH * RATE);
		await page.keyboard.press('k');
		await page.keyboard.press('Home');
		await page.keyboard.press('l');
		await page.keyboard.press('l');
		await page.getByText('2×').waitFor();
		await until(() => frameNumber(page)).toBeGreaterThan(first + 8);
		await page.keyboard.press('k');
		// What one press of L began to decode was never scheduled, or was stopped.
		expect((await scheduled(page)) - before).toBeLessThanOrEqual(1);

		// Muted: none; unmuted while it plays: from there on.
		await page.keyboard.press('Home');
		await page.keyboard.press('Shift+M');
		expect(await mute(page).getAttribute('aria-pressed')).toBe('true');
		const silent = await scheduled(page);
		await page.keyboard.press('l');
		await until(() => frameNumber(page)).toBeGreaterThan(first + 4);
		expect(await scheduled(page)).toBe(silent);
		await mute(page).click();
		await until(() => scheduled(page)).toBeGreaterThan(silent);
		await page.keyboard.press('k');
		expect(problems).toEqual([]);
		await page.context().close();
	});

	it('keeps to a timeline of more frames; a film that lasts longer, or has no sound, says that it is silent', async () => {
		const { page, problems } = await e2e.open({ init: WATCH });
		await openFilm(page, 'early.mov');
		const first = await frameNumber(page);
		await page.getByTestId('open').setInputFiles(join(folder, 'double.json'));
		await page.getByText('output 1 / 72').waitFor({ timeout: 60_000 });
		// Made frames would be rendered for longer than they last.
		await page.keyboard.press('1');
		await expectInTime(page, await play(page, first, FLASH * RATE + 3));

		await page.getByTestId('open').setInputFiles(join(folder, 'slow.json'));
		await until(() => mute(page).getAttribute('title')).toMatch(/how long the film lasts/);
		expect(await mute(page).isDisabled()).toBe(true);

		await openFilm(page, 'silent.mp4');
		await until(() => mute(page).getAttribute('title')).toBe('This film has no sound');
		const before = await scheduled(page);
		await page.keyboard.press('l');
		await until(() => frameNumber(page)).toBeGreaterThan(3);
		await page.keyboard.press('k');

		// Sound that cannot be decoded: said, and the picture plays.
		await openFilm(page, 'odd.mkv');
		await page.keyboard.press('l');
		await page
			.getByText(/audio could not be read .*(codec|decoder)/i)
			.first()
			.waitFor();
		await until(() => frameNumber(page)).toBeGreaterThan(3);
		expect(await scheduled(page)).toBe(before);
		expect(problems).toEqual([]);
		await page.context().close();
	});
});
