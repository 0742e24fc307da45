/** Files that others found nasty: every timestamp and the first planes as native ffmpeg has them, from both engines. */

import { describe, expect, it } from 'vitest';
import { formatRational } from '../../src/core/rational.ts';
import { externalFile } from '../helpers/browser-files.ts';
import { frameMd5, noticeKinds, open, reference, take } from './decode-helpers.ts';

describe('files that others found nasty', () => {
	it.for([
		['annex-b-avc.mkv', ['vfr']],
		['cursed-vfr.mp4', ['vfr']],
		['rotate-buck-bunny.mp4', ['edit-list', 'rotation']],
		['sar_2x1.mp4', ['non-square-pixels']],
		['video-h265.mp4', []],
	] as const)('%s', async ([name, kinds], ctx) => {
		const file = await externalFile(ctx, `video/nasty/${name}`);
		const source = await open(file);
		expect(noticeKinds(source.info)).toEqual(expect.arrayContaining([...kinds]));
		const packets = (await reference(`nasty-${name}`, 'packets')).map((frame) => frame.pts);
		packets.sort((a, b) => a.num / a.den - b.num / b.den);
		expect(source.info.frames.map((frame) => formatRational(frame.pts))).toEqual(packets.map(formatRational));
		const head = await reference(`nasty-${name}`);
		for (const engine of new Set([source.info.engine, 'ffmpeg' as const])) {
			const same = engine === source.info.engine ? source : await open(file, engine);
			const frames = await take(same, { start: 0, end: head.length });
			expect(await Promise.all(frames.map(frameMd5)), engine).toEqual(head.map((frame) => frame.md5));
			await same.close();
		}
		await source.close();
	});
});
