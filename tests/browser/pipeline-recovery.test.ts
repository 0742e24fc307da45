/** Interrupted work: canceled, crashed, resumed. */

import { describe, expect, it } from 'vitest';
import type { ExportProgress } from '../../src/contracts/workers.ts';
import type { Engine } from '../../src/services/engine.ts';
import {
	entry,
	exportFile,
	exportOf,
	NEVER,
	openClip,
	planOf,
	quiet,
	readOutput,
	recipe,
	withEngine,
} from './pipeline-helpers.ts';

/** Three chunks of the long clip. */
const CHUNKS = { chunkFrames: 40 };
const identity = () => recipe(entry('identity'));

/** Resolves when the export has rendered this many frames. */
function whenDone(frames: number, act: () => void): (progress: ExportProgress) => void {
	let acted = false;
	return ({ phase, done }) => {
		if (acted || phase !== 'render' || done < frames) return;
		acted = true;
		act();
	};
}

/** The file as an export that nobody interrupts writes it. */
async function reference(name: string): Promise<Uint8Array<ArrayBuffer>> {
	return withEngine(async (engine) => {
		const source = await openClip(engine, 'p-long.mkv');
		const { bytes, report } = await exportFile(engine, exportOf(planOf(source, identity()), name, CHUNKS));
		expect(report.chunks.total).toBe(3);
		return bytes;
	});
}

/** Interrupted jobs of that name: the origin is every test file's, and another's may be left in it. */
async function jobsNamed(engine: Engine, name: string): ReturnType<Engine['interrupted']> {
	return (await engine.interrupted()).filter((job) => job.name === name);
}

async function jobsOf(engine: Engine): Promise<number[]> {
	return (await jobsNamed(engine, 'whole.mkv')).map((job) => job.done);
}

describe('recovery', () => {
	it('a restore worker that dies in the middle costs one chunk, and the bytes are the same', async () => {
		const wanted = await reference('whole.mkv');
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			const request = exportOf(planOf(source, identity()), 'whole.mkv', CHUNKS);
			const restarts: string[] = [];
			const { report, bytes } = await exportFile(
				engine,
				request,
				whenDone(90, () => {
					engine.crash('restore');
					restarts.push('restore');
				}),
			);
			expect(restarts).toEqual(['restore']);
			expect(report.chunks.total).toBe(3);
			expect(report.chunks.resumed).toBeGreaterThanOrEqual(1);
			expect(report.input.frameMd5).toHaveLength(120);
			expect(report.provenance.original).toBe(120);
			expect(bytes).toEqual(wanted);
			expect(await jobsOf(engine)).toEqual([]);
		});
	});

	it('a canceled export keeps its chunks; a new engine goes on from them', async () => {
		const wanted = await readOutput('whole.mkv');
		const canceled = new AbortController();
		let kept = 0;
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			const request = exportOf(planOf(source, identity()), 'whole.mkv', CHUNKS);
			const exporting = engine.export(
				request,
				whenDone(110, () => canceled.abort()),
				canceled.signal,
			);
			await expect(exporting).rejects.toMatchObject({ code: 'aborted' });
			// The first chunk is stored before the third one starts.
			kept = (await jobsOf(engine))[0] ?? 0;
			expect(kept).toBeGreaterThanOrEqual(1);
		});
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			const { report, bytes } = await exportFile(engine, exportOf(planOf(source, identity()), 'whole.mkv', CHUNKS));
			expect(report.chunks).toEqual({ total: 3, resumed: kept });
			expect(bytes).toEqual(wanted);
		});
	});

	it('the encode worker may die as well', async () => {
		const wanted = await readOutput('whole.mkv');
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			const request = exportOf(planOf(source, identity()), 'whole.mkv', CHUNKS);
			const { report, bytes } = await exportFile(
				engine,
				request,
				whenDone(90, () => engine.crash('encode')),
			);
			expect(report.chunks.resumed).toBeGreaterThanOrEqual(1);
			expect(bytes).toEqual(wanted);
		});
	});

	it('so may the media worker, and the source is opened again', async () => {
		const wanted = await readOutput('whole.mkv');
		const restarts: string[] = [];
		await withEngine(
			async (engine) => {
				const source = await openClip(engine, 'p-long.mkv');
				const request = exportOf(planOf(source, identity()), 'whole.mkv', CHUNKS);
				// Progress comes in steps: how many chunks are stored by then differs from machine to machine.
				const { bytes } = await exportFile(
					engine,
					request,
					whenDone(1, () => engine.crash('media')),
				);
				expect(bytes).toEqual(wanted);
				expect(restarts).toContain('media');
			},
			{ onRestart: (worker) => restarts.push(worker) },
		);
	});

	it('a crash rejects what is pending, typed, and the next call works', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-444-8.mkv');
			await engine.backend();
			const pending = engine.still(planOf(source, identity()), 3, 'result', NEVER);
			engine.crash('restore');
			await expect(pending).rejects.toMatchObject({ code: 'worker-crashed', retryable: true });
			const { size } = await engine.still(planOf(source, identity()), 3, 'result', NEVER);
			expect(size).toEqual({ width: 64, height: 48 });
		});
	});

	it('discards an interrupted export', async () => {
		const canceled = new AbortController();
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-long.mkv');
			const request = exportOf(planOf(source, identity()), 'discarded.mkv', CHUNKS);
			const stop = whenDone(90, () => canceled.abort());
			await expect(engine.export(request, stop, canceled.signal)).rejects.toMatchObject({ code: 'aborted' });
			const [job] = await jobsNamed(engine, 'discarded.mkv');
			expect(job).toMatchObject({ total: 3 });
			await engine.discard(job!.id);
			expect(await jobsNamed(engine, 'discarded.mkv')).toEqual([]);
		});
	});

	it('another plan does not go on from these chunks, and says so', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-444-8.mkv');
			const request = exportOf(planOf(source, identity()), 'changed.mkv', { resume: 'of-another-plan' });
			const report = await engine.export(request, quiet, NEVER);
			expect(report.chunks.resumed).toBe(0);
			expect(report.input.notices.join()).toContain('plan-changed');
		});
	});
});
