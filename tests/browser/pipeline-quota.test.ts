/** A full disk: exports pause and keep their chunks, caches get smaller. */

import { afterEach, expect, it } from 'vitest';
import { cdp } from 'vitest/browser';
import { entry, exportFile, exportOf, NEVER, openClip, planOf, quiet, recipe, withEngine } from './pipeline-helpers.ts';

interface Protocol {
	send(method: 'Storage.overrideQuotaForOrigin', params: { origin: string; quotaSize?: number }): Promise<unknown>;
}

const quota = (quotaSize?: number): Promise<unknown> =>
	(cdp() as unknown as Protocol).send('Storage.overrideQuotaForOrigin', {
		origin: location.origin,
		...(quotaSize === undefined ? {} : { quotaSize }),
	});

afterEach(async () => {
	await quota();
});

it('pauses an export that finds no space, says how much it needs, and goes on when there is some', async () => {
	await withEngine(async (engine) => {
		const source = await openClip(engine, 'p-long.mkv');
		const request = exportOf(planOf(source, recipe(entry('identity'))), 'quota.mkv', { chunkFrames: 40 });
		let limited = false;
		const error: unknown = await engine
			.export(
				request,
				({ phase, done }) => {
					// The first chunk is stored before the third one starts.
					if (limited || phase !== 'render' || done < 90) return;
					limited = true;
					void quota(1);
				},
				NEVER,
			)
			.then(
				() => undefined,
				(e: unknown) => e,
			);
		expect(error).toMatchObject({ code: 'quota-exceeded', retryable: true });
		expect((error as { details: { bytesNeeded: number } }).details.bytesNeeded).toBeGreaterThan(0);
		await quota();
		const job = (await engine.interrupted()).find(({ name }) => name === request.name);
		expect(job?.done).toBeGreaterThanOrEqual(1);
		const { report } = await exportFile(engine, request);
		expect(report.chunks.resumed).toBe(job?.done);
		expect(report.invariants.every((i) => i.ok)).toBe(true);
	});
});

it('renders on when the cache finds no space', async () => {
	await withEngine(async (engine) => {
		const source = await openClip(engine, 'p-444-8.mkv');
		await engine.backend();
		await quota(1);
		const request = planOf(source, recipe(entry('identity')));
		await engine.render(request, { start: 0, end: 12 }, quiet, NEVER);
		const { size } = await engine.still(request, 5, 'result', NEVER);
		expect(size).toEqual({ width: 64, height: 48 });
	});
});
