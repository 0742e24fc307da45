/** The whole engine with real workers: planes in, planes out. */

import { describe, expect, it } from 'vitest';
import { entry, exportFile, exportOf, openClip, planOf, recipe, withEngine } from './pipeline-helpers.ts';

describe('empty recipe', () => {
	it.each([
		['p-420-8.mkv', 24],
		['p-422-10.mkv', 12],
		['p-rgb-12.mkv', 12],
		['p-444-16.mkv', 12],
	])('%s: source planes are copied bit by bit', async (clip, frames) => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, clip);
			const { report, bytes } = await exportFile(engine, exportOf(planOf(source, recipe()), `copy-${clip}`));
			expect(report.input.frames).toBe(frames);
			expect(report.input.frameMd5).toHaveLength(frames);
			expect(report.output.frameMd5).toEqual(report.input.frameMd5);
			expect(report.provenance).toEqual({ original: frames, repaired: 0, generated: 0, copiedFrames: frames });
			expect(report.invariants.every((i) => i.ok)).toBe(true);
			expect(report.output.bytes).toBe(bytes.length);
			// The file that was written holds those planes: opened again, it reads the same.
			const again = await engine.open(
				{ files: [{ path: clip, file: new File([bytes], clip) }], kind: 'file' },
				() => undefined,
				new AbortController().signal,
			);
			const reread = await exportFile(engine, exportOf(planOf(again, recipe()), `again-${clip}`));
			expect(reread.report.input.frameMd5).toEqual(report.input.frameMd5);
		});
	});
});

describe('identity stage', () => {
	it.each(['p-444-8.mkv', 'p-444-12.mkv', 'p-rgb-8.mkv', 'p-rgb-12.mkv'])(
		'%s: comes back from the working format within 1 LSB',
		async (clip) => {
			await withEngine(async (engine) => {
				const source = await openClip(engine, clip);
				const request = exportOf(planOf(source, recipe(entry('identity'))), `identity-${clip}`);
				const { report } = await exportFile(engine, request);
				expect(report.provenance.copiedFrames).toBe(0);
				expect(report.seconds.stages.map((s) => s.stage)).toContain('identity');
				expect(report.invariants.every((i) => i.ok)).toBe(true);
			});
		},
	);
});
