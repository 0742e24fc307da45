/** WebCodecs against native ffmpeg: the same planes at the same exact times, and refusals where they would not be. */

import { describe, expect, it } from 'vitest';
import { formatRational } from '../../src/core/rational.ts';
import { frameMd5, openFixture, reference, take, takeAll } from './decode-helpers.ts';

const software = { webcodecs: { hardwareAcceleration: 'prefer-software' } } as const;

describe('WebCodecs gives native ffmpeg’s planes and times', () => {
	it.each([
		'd-h264-b.mp4',
		'd-h264-open.mkv',
		'd-vfr.mp4',
		'd-edit.mp4',
		'd-rotated.mp4',
		'd-vp9.webm',
		'd-av1.mp4',
		'd-odd.webm',
		'd-h264-444.mp4',
		'd-h264-hi10.mp4',
		'd-h264-422.mp4',
	])('%s', async (name) => {
		const source = await openFixture(name, 'webcodecs', software);
		try {
			expect(source.info.engine).toBe('webcodecs');
			const frames = await takeAll(source);
			const wanted = await reference(name);
			expect(frames.map((frame) => formatRational(frame.pts))).toEqual(
				wanted.map((frame) => formatRational(frame.pts)),
			);
			expect(await Promise.all(frames.map(frameMd5))).toEqual(wanted.map((frame) => frame.md5));
		} finally {
			await source.close();
		}
	});
});

it('gives any range as the sequential pass does', async () => {
	const source = await openFixture('d-h264-open.mkv', 'webcodecs', software);
	try {
		const wanted = (await reference('d-h264-open.mkv')).map((frame) => frame.md5);
		for (const [start, end] of [
			[39, 40],
			[9, 12],
			[10, 11],
			[0, 1],
			[18, 23],
			[5, 5],
		] as const) {
			const frames = await take(source, { start, end });
			expect(frames.map((frame) => frame.index)).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
			expect(await Promise.all(frames.map(frameMd5))).toEqual(wanted.slice(start, end));
		}
	} finally {
		await source.close();
	}
});
