/** Bad input: each gets a typed, actionable message, and what can be read is read. */

import { describe, expect, it } from 'vitest';
import { fixtureFile } from '../helpers/browser-files.ts';
import { failure, frameMd5, never, open, opener, openFixture, take, takeAll } from './decode-helpers.ts';

const opening = opener();

describe('bad input gets a typed, actionable message', () => {
	const cut = async (name: string, part: number): Promise<File> => {
		const file = await fixtureFile(name);
		return new File([file.slice(0, Math.floor(file.size * part))], name);
	};

	it.each([
		['empty', () => new File([], 'empty.mov'), 'input-unreadable', /empty \(0 bytes\)/],
		[
			'text under a film’s name',
			() => new File(['not a film\n'.repeat(400)], 'text.mp4'),
			'input-unreadable',
			/^text\.mp4 is not a film file .*Check that the file/,
		],
		[
			'noise',
			() => new File([crypto.getRandomValues(new Uint8Array(50_000))], 'noise.avi'),
			'input-unreadable',
			/^noise\.avi is not a film file .*Check that the file/,
		],
		['sound only', () => fixtureFile('d-audio-only.m4a'), 'input-no-video', /only sound \(AAC\)/],
		['no frames', () => fixtureFile('d-no-frames.mp4'), 'input-no-video', /no (picture|frames)/],
		[
			'no frames in Matroska',
			() => fixtureFile('d-no-frames.mkv'),
			'input-no-video',
			/^d-no-frames\.mkv holds no frames/,
		],
		['encrypted', () => fixtureFile('d-encrypted.mp4'), 'input-encrypted', /is encrypted/],
		['header lost with the end', () => cut('d-h264-b.mp4', 0.6), 'input-truncated', /moov.* missing/],
	] as const)('%s', async (_name, make, code, message) => {
		const file = await make();
		const error = await failure(() => open(file));
		expect(error.code).toBe(code);
		expect(error.message).toMatch(message);
		expect(error.message).not.toContain('/in/');
	});

	it('opens a film under a wrong extension', async () => {
		const file = await fixtureFile('d-prores.mov');
		const source = await opening(open(new File([file], 'holiday.txt')));
		expect(source.info.codec).toBe('prores');
	});

	it('an AVI whose places repeat a frame is whole, and cut short it is not', async () => {
		const source = await opening(openFixture('d-repeats.avi'));
		expect(source.info.notices.filter((entry) => entry.kind === 'truncated')).toEqual([]);
		expect(source.info.frames.map(({ pts }) => (pts.num * 24) / pts.den)).toEqual([0, 4, 8, 12, 16, 20]);
		let count = 0;
		for await (const frame of source.frames({ start: 0, end: 6 }, new AbortController().signal))
			count += frame.index >= 0 ? 1 : 0;
		expect(count).toBe(6);
		const damaged = await opening(open(await cut('d-repeats.avi', 0.5)));
		expect(damaged.info.notices.some((entry) => entry.kind === 'truncated')).toBe(true);
	});

	it.each(['d-faststart.mp4', 'd-huffyuv.avi', 'd-dnxhr.mxf'])(
		'%s cut short: the frames before the cut come, then input-truncated names the frame',
		async (name) => {
			const whole = await opening(openFixture(name));
			const source = await opening(open(await cut(name, 0.6)));
			const notice = source.info.notices.find((entry) => entry.kind === 'truncated');
			expect(notice).toMatchObject({ severity: 'error' });
			expect(source.info.frames).toHaveLength(whole.info.frames.length);
			let count = 0;
			const error = await failure(async () => {
				for await (const frame of source.frames({ start: 0, end: source.info.frames.length }, never))
					expect(frame.index).toBe(count++);
			});
			expect(error).toMatchObject({ code: 'input-truncated', details: { frame: notice?.frame } });
			expect(count).toBe(notice?.frame);
			expect(count).toBeGreaterThan(0);
		},
	);

	it('a broadcast recording that starts inside of a GOP begins with its first whole picture', async () => {
		const file = await fixtureFile('d-small.ts');
		const source = await opening(open(new File([file.slice(188 * 40)], 'middle.ts')));
		const frames = await takeAll(source);
		expect(frames.length).toBeGreaterThan(10);
		expect(frames.length).toBeLessThan(30);
		const whole = (await Promise.all((await takeAll(await opening(open(file)))).map(frameMd5))).slice(-5);
		expect((await Promise.all(frames.map(frameMd5))).slice(-5)).toEqual(whole);
	});

	it('a picture that changes its size is refused at the frame where it does', async () => {
		const file = new File([await fixtureFile('d-small.ts'), await fixtureFile('d-large.ts')], 'change.ts');
		const source = await opening(open(file));
		const error = await failure(() => takeAll(source));
		expect(error.code).toBe('unsupported-format');
		expect(error.message).toMatch(/128×96 .* to 160×112/);
		const frame = error.details.frame!;
		expect(await take(source, { start: 0, end: frame })).toHaveLength(frame);
	});

	it('8192×8192 is decoded like any size', async () => {
		const source = await opening(openFixture('d-8192.avi'));
		const [frame] = await takeAll(source);
		expect(frame?.size).toEqual({ width: 8192, height: 8192 });
		expect(frame?.data.byteLength).toBe(8192 * 8192 * 1.5);
	});

	it('a cut Matroska file keeps what can be read, and says so', async () => {
		const source = await opening(open(await cut('d-h264-open.mkv', 0.6)));
		expect(source.info.notices.find((entry) => entry.kind === 'truncated')).toMatchObject({ severity: 'error' });
		expect(await takeAll(source)).toHaveLength(source.info.frames.length);
	});
});
