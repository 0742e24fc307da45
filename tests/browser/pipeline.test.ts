/** The whole engine with real workers: planes in, planes out. */

import { describe, expect, it } from 'vitest';
import type { PlanarFrame } from '../../src/contracts/frames.ts';
import { codecText } from '../../src/core/codecs.ts';
import { phrase } from '../../src/core/phrases.ts';
import { openSource } from '../../src/media/source.ts';
import { fixtureFile } from '../helpers/browser-files.ts';
import {
	entry,
	exportFile,
	exportOf,
	NEVER,
	openClip,
	planOf,
	readOutput,
	recipe,
	withEngine,
} from './pipeline-helpers.ts';

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
			// One clip has sound: it is copied, and starts where it did.
			expect(report.output.audio).toEqual(
				source.info.audio.length > 0 ? phrase('audio-copied', { codec: codecText('pcm_s16le') }) : null,
			);
			expect(report.output.avOffset).toBe(source.info.audio.length > 0 ? '0' : null);
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

/** Planes of every frame of a clip, as the media engine reads them. */
async function planesOf(file: File): Promise<PlanarFrame[]> {
	const source = await openSource({ files: [{ path: file.name, file }], kind: 'file' }, () => undefined, NEVER);
	try {
		const frames: PlanarFrame[] = [];
		for await (const frame of source.frames({ start: 0, end: source.info.frames.length }, NEVER)) frames.push(frame);
		return frames;
	} finally {
		await source.close();
	}
}

/** Largest difference of any sample of any frame. */
function worst(a: readonly PlanarFrame[], b: readonly PlanarFrame[]): number {
	let most = 0;
	for (const [i, frame] of a.entries()) {
		const [x, y] = [frame, b[i]!].map((f) =>
			f.format.sample === 'u8' ? new Uint8Array(f.data) : new Uint16Array(f.data),
		);
		for (let k = 0; k < x!.length; k++) most = Math.max(most, Math.abs(x![k]! - y![k]!));
	}
	return most;
}

describe('image sequences', () => {
	it('are written frame by frame under their own names, and read back as the same planes', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-rgb-8.mkv');
			const request = exportOf(planOf(source, recipe()), 'scan_%06d.png', { container: 'png' });
			const report = await engine.export(request, () => undefined, NEVER);
			expect(report.output.frames).toBe(12);
			expect(report.output.frameMd5).toEqual(report.input.frameMd5);
			const names = Array.from({ length: 12 }, (_, i) => `scan_${String(i).padStart(6, '0')}.png`);
			const files: { path: string; file: File }[] = [];
			for (const name of names) files.push({ path: name, file: new File([await readOutput(name)], name) });
			const again = await engine.open({ files, kind: 'sequence', rate: source.info.rate }, () => undefined, NEVER);
			expect(again.info.names).toEqual(names);
			const copy = exportOf(planOf(again, recipe()), 'from-scans.mkv');
			const { report: reread } = await exportFile(engine, copy);
			expect(reread.input.frameMd5).toEqual(report.input.frameMd5);
			expect(reread.invariants.every((i) => i.ok)).toBe(true);
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
				const { report, bytes } = await exportFile(engine, request);
				expect(report.provenance.copiedFrames).toBe(0);
				expect(report.seconds.stages.map((s) => s.stage)).toContain('identity');
				const [before, after] = [await planesOf(await fixtureFile(clip)), await planesOf(new File([bytes], clip))];
				expect(after).toHaveLength(before.length);
				expect(after[0]?.format).toEqual(before[0]?.format);
				expect(worst(before, after)).toBeLessThanOrEqual(1);
			});
		},
	);
});
