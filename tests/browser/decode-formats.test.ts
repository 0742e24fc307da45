/** Every kind of film file through ffmpeg.wasm: planes and times equal native ffmpeg's. */

import { expect, it } from 'vitest';
import { describeFormat } from '../../src/core/color.ts';
import { formatRational } from '../../src/core/rational.ts';
import { fixtureFile } from '../helpers/browser-files.ts';
import { frameMd5, openFixture, reference, takeAll } from './decode-helpers.ts';

/** Clip → planes, and frames in it. */
const CLIPS: readonly (readonly [string, string])[] = [
	['d-h264-b.mp4', '4:2:0 8 bit'],
	['d-h264-open.mkv', '4:2:0 8 bit'],
	['d-h264-hi10.mp4', '4:2:0 10 bit'],
	['d-h264-422.mp4', '4:2:2 8 bit'],
	['d-h264-444.mp4', '4:4:4 8 bit'],
	['d-odd.webm', '4:2:0 8 bit'],
	['d-odd.mkv', '4:2:0 8 bit'],
	['d-vp9.webm', '4:2:0 8 bit'],
	['d-vp8.webm', '4:2:0 8 bit'],
	['d-hevc10.mkv', '4:2:0 10 bit'],
	['d-prores.mov', '4:2:2 10 bit'],
	['d-prores4444.mov', '4:4:4+A 12 bit'],
	['d-dnxhr.mxf', '4:2:2 8 bit'],
	['d-dnxhr10.mxf', '4:2:2 10 bit'],
	['d-ffv1-10.mkv', '4:2:2 10 bit'],
	['d-ffv1-rgb.mkv', 'RGB 8 bit'],
	['d-ffv1-rgb12.mkv', 'RGB 12 bit'],
	['d-ffv1-16.mkv', '4:4:4 16 bit'],
	['d-ffv1-gray.mkv', 'gray 8 bit'],
	['d-mpeg2i.mpg', '4:2:0 8 bit'],
	['d-mbaff.ts', '4:2:0 8 bit'],
	['d-dv.avi', '4:2:0 8 bit'],
	['d-v210.mov', '4:2:2 10 bit'],
	['d-huffyuv.avi', '4:2:2 8 bit'],
	['d-huffrgb.avi', 'RGB 8 bit'],
	['d-uyvy.mov', '4:2:2 8 bit'],
	['d-mjpeg.avi', '4:2:0 8 bit'],
	['d-one-pixel.mkv', '4:4:4 8 bit'],
	['d-vfr.mp4', '4:2:0 8 bit'],
	['d-edit.mp4', '4:2:0 8 bit'],
	['d-rotated.mp4', '4:2:0 8 bit'],
	['d-tagged.mov', '4:2:2 10 bit'],
	['d-full.mkv', '4:2:0 8 bit'],
	['d-mpeg4.avi', '4:2:0 8 bit'],
	['d-raw.m2v', '4:2:0 8 bit'],
	['d-raw.h264', '4:2:0 8 bit'],
];

it.each(CLIPS)('%s: planes (%s) and times are those of native ffmpeg', async (name, format) => {
	const source = await openFixture(name, 'ffmpeg');
	try {
		expect(describeFormat(source.info.format)).toBe(format);
		const frames = await takeAll(source);
		const wanted = await reference(name);
		expect(frames.map((frame) => formatRational(frame.pts))).toEqual(wanted.map((frame) => formatRational(frame.pts)));
		expect(await Promise.all(frames.map(frameMd5))).toEqual(wanted.map((frame) => frame.md5));
	} finally {
		await source.close();
	}
});

it('d-pal8.mov: a palette becomes RGB planes, and the sheet says so', async () => {
	const source = await openFixture('d-pal8.mov');
	try {
		expect(source.info.format).toEqual({ chroma: 'rgb', depth: 8, sample: 'u8', alpha: false });
		expect(source.info.notices.map((notice) => notice.kind)).toContain('converted-format');
		const count = 64 * 48;
		const raw = new Uint8Array(await (await fixtureFile('d-pal8.raw')).arrayBuffer());
		for (const frame of await takeAll(source)) {
			const part = raw.subarray(frame.index * (count + 1024), (frame.index + 1) * (count + 1024));
			const planes = [2, 1, 0].map((byte) => Array.from(part.subarray(0, count), (i) => part[count + 4 * i + byte]));
			expect([...new Uint8Array(frame.data)]).toEqual(planes.flat());
		}
	} finally {
		await source.close();
	}
});
