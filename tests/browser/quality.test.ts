/** The analyze worker measures open sources: versions, and review clips against what they were made of. */

import { expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/frames.ts';
import { grainStrength } from '../../src/core/quality-compare.ts';
import { NEVER, openClip, quiet, withEngine } from './pipeline-helpers.ts';

it('a shot is measured where its frames are decoded, against a truth where there is one', async () => {
	await withEngine(async (engine) => {
		const version = await openClip(engine, 'p-grain.mkv');
		const clip = await openClip(engine, 'p-grain-lossy.mp4');
		const seen: Progress[] = [];
		const range = { start: 1, end: 13 };
		const truth = { source: version.id, start: 1 };
		const metrics = await engine.measure({ source: clip.id, range, truth, every: 4 }, (p) => seen.push(p), NEVER);
		expect(metrics).toMatchObject({ frames: 12, size: { width: 160, height: 112 } });
		// Progress comes over a port of its own: the result may overtake it.
		await expect.poll(() => seen.at(-1)).toEqual({ phase: 'quality', done: 12, total: 12 });
		const own = await engine.measure({ source: version.id, range, truth, every: 4 }, quiet, NEVER);
		expect(own.values).toMatchObject({ psnr: 100 });
		expect(own.values.ssim).toBeCloseTo(1, 6);
		expect(metrics.values.psnr).toBeLessThan(40);
		expect(metrics.values.noise).toBeLessThan(own.values.noise! / 2);
		expect(grainStrength(own.grain!)).toBeGreaterThan(3);
	});
});

it('a pressed clip keeps too little grain to be asked about it; a lossless one keeps all', async () => {
	await withEngine(async (engine) => {
		const before = (await openClip(engine, 'p-grain.mkv')).id;
		const after = (await openClip(engine, 'p-grain-lossy.mp4')).id;
		const seen: Progress[] = [];
		const loss = await engine.codecLoss(
			{ before, beforeStart: 0, after, afterStart: 0, frames: 14 },
			(p) => seen.push(p),
			NEVER,
		);
		expect(loss.pairs).toBe(2);
		expect(loss.kept).toBeLessThan(0.5);
		expect(loss.asksOnCrops).toBe(true);
		// Progress comes over a port of its own: the result may overtake it.
		await expect.poll(() => seen.at(-1)).toEqual({ phase: 'codec-loss', done: 14, total: 14 });
		const none = await engine.codecLoss(
			{ before, beforeStart: 2, after: before, afterStart: 2, frames: 4 },
			quiet,
			NEVER,
		);
		expect(none).toMatchObject({ kept: 1, asksOnCrops: false });
	});
});

it('ends when it is aborted, and says what does not fit', async () => {
	await withEngine(async (engine) => {
		const { id } = await openClip(engine, 'p-grain.mkv');
		const other = await openClip(engine, 'p-420-8.mkv');
		const stop = new AbortController();
		const range = { start: 0, end: 14 };
		const measuring = engine.measure(
			{ source: id, range, every: 1 },
			({ done }) => done === 2 && stop.abort(),
			stop.signal,
		);
		await expect(measuring).rejects.toMatchObject({ code: 'aborted' });
		const truth = { source: other.id, start: 0 };
		await expect(engine.measure({ source: id, range, truth }, quiet, NEVER)).rejects.toMatchObject({
			code: 'usage',
			message: 'The truth is 64×48, the version 160×112: give a truth of the same size.',
		});
	});
});
