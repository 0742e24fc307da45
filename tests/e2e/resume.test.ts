/** An export that is interrupted at any moment goes on, and ends with the same bytes. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HeadlessEvent } from '../../src/contracts/headless.ts';
import { exitCode } from '../../src/core/errors.ts';
import { failureOf, ffmpeg, Lab, nativeFrameMd5, noisyFilm, type Scratch, scratch } from '../helpers/cli.ts';

const FRAMES = 208;
/** Frames a chunk: 26 chunks. */
const CHUNK = 8;
let lab: Lab;
let tmp: Scratch;
let film: string;

beforeAll(async () => {
	tmp = scratch();
	film = noisyFilm(tmp.path('film.mkv'), FRAMES, true);
	lab = await Lab.open();
});
afterAll(async () => {
	await lab.close();
	tmp.remove();
});

/** A second try of a test finds what the first one left: nothing is replaced unasked. */
function fresh(...names: readonly string[]): void {
	for (const name of names) rmSync(tmp.path(name), { recursive: true, force: true });
}

/** mulberry32: the moments differ and are the same in every run. */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Crashes the tab once so many frames were rendered beyond what was stored, or when the file is being written. */
class Crasher {
	readonly #ahead: number | 'mux';
	#cdp: CDPSession | undefined;
	#first: number | undefined;
	done = false;

	constructor(ahead: number | 'mux') {
		this.#ahead = ahead;
	}

	readonly onPage = async (page: Page): Promise<void> => {
		this.#cdp = await page.context().newCDPSession(page);
	};

	readonly onEvent = (event: HeadlessEvent): void => {
		if (event.type !== 'progress' || this.done) return;
		const { phase, done } = event.progress;
		if (phase === 'render') this.#first ??= done;
		const due =
			this.#ahead === 'mux'
				? phase === 'mux'
				: phase === 'render' && this.#first !== undefined && done - this.#first >= this.#ahead;
		if (!due) return;
		this.done = true;
		// The answer never comes: the tab is gone.
		this.#cdp?.send('Page.crash').catch(() => undefined);
	};
}

describe('a crashed tab', () => {
	it.each([
		['mkv', 'FFV1', 4, 11],
		['mp4', 'libx264', 10, 5],
	])(
		'.%s (%s): %d seeded crashes and the same command again give the same bytes',
		async (ext, _codec, crashes, seed) => {
			fresh(`whole.${ext}`, `resumed.${ext}`);
			const whole = tmp.path(`whole.${ext}`);
			const options = ['--chunk', String(CHUNK), '--quality', '20'];
			const reference = await lab.run([film, '-o', whole, ...options]);
			expect(reference.chunks).toEqual({ total: FRAMES / CHUNK, resumed: 0 });

			const output = tmp.path(`resumed.${ext}`);
			const next = random(seed);
			const kept: number[] = [];
			for (let i = 0; i < crashes; i++) {
				const crasher = new Crasher(i === crashes - 1 ? 'mux' : 1 + Math.floor(next() * 14));
				const notices: string[] = [];
				const failed = await failureOf(
					lab.run([film, '-o', output, ...options], {
						resume: true,
						onPage: crasher.onPage,
						onEvent: (event) => {
							if (event.type === 'notice') notices.push(event.message);
							crasher.onEvent(event);
						},
					}),
				);
				expect(failed.code, `crash ${i}: ${failed.message}`).toBe('worker-crashed');
				expect(failed.message).toContain('--work');
				expect(failed.retryable).toBe(true);
				expect(tmp.names().filter((name) => name.startsWith(`resumed.${ext}`))).toEqual([]);
				kept.push(Number(/(\d+) of \d+ chunks are kept/.exec(notices.join('\n'))?.[1] ?? 0));
			}
			// What is kept only grows.
			expect(kept).toEqual([...kept].sort((a, b) => a - b));
			expect(kept.at(-1)).toBeGreaterThan(0);

			const report = await lab.run([film, '-o', output, ...options], { resume: true });
			// The last crash came when everything was rendered.
			expect(report.chunks).toEqual({ total: FRAMES / CHUNK, resumed: FRAMES / CHUNK });
			expect(readFileSync(output).equals(readFileSync(whole))).toBe(true);
			expect(report.output.sha256).toBe(reference.output.sha256);
			expect(report.input).toEqual(reference.input);
			expect(report.output.frameMd5).toEqual(reference.output.frameMd5);
			expect(report.provenance).toEqual(reference.provenance);
			if (ext === 'mkv') expect(nativeFrameMd5(output)).toEqual(nativeFrameMd5(film));
		},
	);
});

describe('a crashed tab, frames of a sequence', () => {
	const options = ['--chunk', String(CHUNK), '--range', '0:64'];
	const run = (folder: string, crash?: number) => {
		const crasher = crash === undefined ? undefined : new Crasher(crash);
		return lab.run([film, '-o', tmp.path(folder, 'f_%04d.tiff'), ...options], {
			resume: true,
			...(crasher ? { onPage: crasher.onPage, onEvent: crasher.onEvent } : {}),
		});
	};

	it('goes on from the finished frames on the disk, and redoes what is gone', async () => {
		fresh('whole-seq', 'seq');
		const reference = await run('whole-seq');
		expect(tmp.names('whole-seq')).toHaveLength(64);
		for (const crash of [22, 26]) {
			await expect(run('seq', crash)).rejects.toMatchObject({ code: 'worker-crashed' });
			const left = tmp.names('seq');
			expect(left.length).toBeGreaterThanOrEqual(CHUNK);
			expect(left.filter((name) => !name.endsWith('.tiff.part'))).toEqual([]);
		}
		// The first chunk loses a frame while nobody works on it.
		rmSync(tmp.path('seq', tmp.names('seq')[0]!));
		const report = await run('seq');
		expect(report.chunks.total).toBe(8);
		expect(report.chunks.resumed).toBeGreaterThan(0);
		expect(report.chunks.resumed).toBeLessThan(7);
		expect(tmp.names('seq')).toEqual(tmp.names('whole-seq'));
		for (const name of tmp.names('seq'))
			expect(readFileSync(tmp.path('seq', name)).equals(readFileSync(tmp.path('whole-seq', name))), name).toBe(true);
		expect(report.output.sha256).toBe(reference.output.sha256);
		expect(report.invariants.at(-1)).toMatchObject({ name: 'bytes-on-disk', ok: true });
	});

	it('a finished frame that changed meanwhile is noticed, and no frame gets its name', async () => {
		fresh('rotten');
		await expect(run('rotten', 22)).rejects.toMatchObject({ code: 'worker-crashed' });
		const [rotten] = tmp.names('rotten');
		const bytes = readFileSync(tmp.path('rotten', rotten!));
		bytes[bytes.length - 1]! ^= 1;
		writeFileSync(tmp.path('rotten', rotten!), bytes);
		await expect(run('rotten')).rejects.toMatchObject({ code: 'invariant-failed' });
		expect(tmp.names('rotten')).toEqual([]);
		await run('rotten');
		expect(tmp.names('rotten')).toEqual(tmp.names('whole-seq'));
	});

	it('another command removes them and begins anew', async () => {
		fresh('other');
		await expect(run('other', 13)).rejects.toMatchObject({ code: 'worker-crashed' });
		expect(tmp.names('other').length).toBeGreaterThan(0);
		const output = tmp.path('other', 'g_%04d.tiff');
		const report = await lab.run([film, '-o', output, '--chunk', '8', '--range', '0:8'], { resume: true });
		expect(report.chunks.resumed).toBe(0);
		expect(tmp.names('other')).toEqual(Array.from({ length: 8 }, (_, i) => `g_000${i}.tiff`));
	});
});

it('a changed plan starts anew and says so', async () => {
	fresh('changed.mkv');
	const output = tmp.path('changed.mkv');
	const crasher = new Crasher(17);
	const first = lab.run([film, '-o', output, '--chunk', '8'], {
		resume: true,
		onPage: crasher.onPage,
		onEvent: crasher.onEvent,
	});
	await expect(first).rejects.toMatchObject({ code: 'worker-crashed' });
	const report = await lab.run([film, '-o', output, '--chunk', '8', '--range', '0:16'], { resume: true });
	expect(report.chunks).toEqual({ total: 2, resumed: 0 });
	expect(report.input.notices.join('\n')).toContain('plan-changed');
});

describe('a full browser storage', () => {
	it('pauses the export, keeps its chunks, says how much to free, and goes on to the same bytes', async () => {
		// Chromium gives a file in OPFS space by the MiB: chunks of such a size, so that some fit.
		const film = tmp.path('large.mkv');
		const picture = 'testsrc2=size=320x240:rate=24,trim=end_frame=48,noise=alls=40:allf=t';
		ffmpeg('-f', 'lavfi', '-i', picture, '-pix_fmt', 'yuv444p', '-c:v', 'ffv1', '-level', '3', film);
		fresh('whole-q.mkv', 'paused.mkv');
		const whole = tmp.path('whole-q.mkv');
		const output = tmp.path('paused.mkv');
		const options = ['--chunk', '8'];
		const reference = await lab.run([film, '-o', whole, ...options]);
		let cdp: CDPSession | undefined;
		let quotaSize: number | undefined;
		const failure = await failureOf(
			lab.run([film, '-o', output, ...options], {
				resume: true,
				onPage: async (page) => {
					cdp = await page.context().newCDPSession(page);
					const origin = new URL(lab.server.url).origin;
					await page.goto(`${lab.server.url}headless.html`);
					const { usage } = await cdp.send('Storage.getUsageAndQuota', { origin });
					// Room for some chunks, not for all.
					quotaSize = usage + Math.round(reference.output.bytes / 2);
					await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
				},
			}),
		);
		expect(failure.code, failure.message).toBe('quota-exceeded');
		expect(exitCode(failure)).toBe(7);
		expect(failure.retryable).toBe(true);
		expect(failure.message).toMatch(/[1-5] of 6 chunks are kept/);
		const { bytesNeeded = 0 } = failure.details;
		expect(bytesNeeded).toBeGreaterThan(reference.output.bytes / 8);
		expect(bytesNeeded).toBeLessThan(reference.output.bytes * 2);
		expect(tmp.names().filter((name) => name.startsWith('paused'))).toEqual([]);

		const report = await lab.run([film, '-o', output, ...options], {
			resume: true,
			onPage: async (page) => {
				cdp = await page.context().newCDPSession(page);
				await cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(lab.server.url).origin });
			},
		});
		expect(report.chunks.resumed).toBeGreaterThan(0);
		expect(report.chunks.resumed).toBeLessThan(report.chunks.total);
		expect(readFileSync(output).equals(readFileSync(whole))).toBe(true);
	});
});
