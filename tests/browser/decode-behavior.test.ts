/** How sources behave: what probing says, jumps, back-pressure, aborts, size, missing capabilities; bad input: decode-bad-input.test.ts. */

import { describe, expect, it } from 'vitest';
import { phrase, say } from '../../src/core/phrases.ts';
import { rational } from '../../src/core/rational.ts';
import { CoreWorker, liveCoreWorkers } from '../../src/media/ffmpeg/core/core.ts';
import { FrameRing } from '../../src/media/ffmpeg/core/rings.ts';
import { fixtureFile } from '../helpers/browser-files.ts';
import {
	failure,
	frameMd5,
	never,
	noticeKinds,
	open,
	opener,
	openFixture,
	reference,
	take,
	takeAll,
} from './decode-helpers.ts';

const opening = opener();

describe('probing', () => {
	it('tells variable rates and derives every duration from the next frame', async () => {
		const { info } = await opening(openFixture('d-vfr.mp4'));
		expect(info.constantRate).toBe(false);
		expect(noticeKinds(info)).toContain('vfr');
		info.frames.slice(1).forEach((frame, i) => {
			const before = info.frames[i]!;
			expect(frame.pts.num / frame.pts.den).toBeCloseTo(
				before.pts.num / before.pts.den + before.duration.num / before.duration.den,
				12,
			);
		});
	});

	it('tells edit lists, rotation, timecode, tags, tracks and interlacing', async () => {
		const edit = await opening(openFixture('d-edit.mp4'));
		expect(noticeKinds(edit.info)).toContain('edit-list');
		const rotated = await opening(openFixture('d-rotated.mp4'));
		expect(rotated.info.rotation).toBe(270);
		expect(noticeKinds(rotated.info)).toContain('rotation');
		const prores = await opening(openFixture('d-prores.mov'));
		expect(prores.info).toMatchObject({
			timecode: '01:00:00:00',
			constantRate: true,
			rate: rational(24),
			engine: 'ffmpeg',
			audio: [],
		});
		expect(noticeKinds(prores.info)).toEqual(['no-audio', 'untagged-color', 'untagged-transfer']);
		const tagged = await opening(openFixture('d-tagged.mov'));
		expect(tagged.info.color).toMatchObject({
			primaries: 'bt2020',
			transfer: 'pq',
			matrix: 'bt2020nc',
			range: 'limited',
		});
		expect((await take(tagged, { start: 1, end: 2 }))[0]?.color).toEqual(tagged.info.color);
		const full = await opening(openFixture('d-full.mkv'));
		expect(full.info.color.range).toBe('full');
		const sound = await opening(openFixture('d-two-audio.mkv'));
		expect(sound.info.audio.map((track) => [track.stream, track.codec, track.sampleRate, track.language])).toEqual([
			[1, 'pcm_s16le', 48000, undefined],
			[2, 'pcm_s16le', 48000, 'deu'],
		]);
		expect(sound.info.avOffset).toEqual(rational(0));
		expect(noticeKinds(sound.info)).toContain('several-audio');
	});

	it('flags fields on every frame of interlaced film', async () => {
		const source = await opening(openFixture('d-mpeg2i.mpg'));
		expect(source.info.fields).toBe('tff');
		expect(source.info.engine).toBe('ffmpeg');
		expect(noticeKinds(source.info)).toContain('interlaced');
		expect(new Set((await take(source, { start: 0, end: 5 })).map((frame) => frame.fields))).toEqual(new Set(['tff']));
		const dv = await opening(openFixture('d-dv.avi'));
		expect(dv.info.fields).toBe('bff');
	});

	it('reads 3:2 pulldown flags as durations of three and two fields', async () => {
		const bytes = new Uint8Array(await (await fixtureFile('d-ntsc.m2v')).arrayBuffer());
		flagPulldown(bytes);
		const source = await opening(open(new File([bytes], 'pulldown.m2v')));
		expect(source.info.fields).toBe('progressive');
		expect(noticeKinds(source.info)).toContain('pulldown');
		const field = rational(1001, 60000);
		expect(
			source.info.frames
				.slice(0, 6)
				.map((frame) => (frame.duration.num * field.den) / (frame.duration.den * field.num)),
		).toEqual([3, 2, 3, 2, 3, 2]);
		expect(await takeAll(source)).toHaveLength(12);
	});

	it('gives a file the same fingerprint each time, and another file another one', async () => {
		const [a, b, c] = [
			await opening(openFixture('d-vfr.mp4')),
			await opening(openFixture('d-vfr.mp4')),
			await opening(openFixture('d-edit.mp4')),
		];
		expect(a.info.fingerprint).toMatch(/^[0-9a-f]{64}$/);
		expect(b.info.fingerprint).toBe(a.info.fingerprint);
		expect(c.info.fingerprint).not.toBe(a.info.fingerprint);
	});
});

/** Sets repeat_first_field and top_field_first as 3:2 pulldown does, in the picture coding extensions of an MPEG-2 stream (ISO/IEC 13818-2 §6.2.3.1). */
function flagPulldown(bytes: Uint8Array): void {
	let picture = 0;
	for (let i = 0; i + 8 < bytes.length; i++) {
		if (bytes[i] !== 0 || bytes[i + 1] !== 0 || bytes[i + 2] !== 1 || bytes[i + 3] !== 0xb5) continue;
		const extension = bytes[i + 4]! >> 4;
		if (extension === 1) bytes[i + 5]! &= ~0x08;
		if (extension !== 8) continue;
		const [top, repeat] = [
			[1, 1],
			[0, 0],
			[0, 1],
			[1, 0],
		][picture++ % 4]!;
		bytes[i + 7] = (bytes[i + 7]! & ~0x82) | (top! << 7) | (repeat! << 1);
	}
}

describe('random access', () => {
	it.each([
		'd-h264-b.mp4',
		'd-h264-open.mkv',
		'd-mpeg2i.mpg',
		'd-vp8.webm',
		'd-edit.mp4',
		'd-ffv1-10.mkv',
		'd-raw.h264',
		'd-mpeg4.avi',
	])('%s: any range equals the sequential pass', async (name) => {
		const source = await opening(openFixture(name, 'ffmpeg'));
		const wanted = (await reference(name)).map((frame) => frame.md5);
		const last = wanted.length;
		for (const [start, end] of [
			[last - 1, last],
			[Math.floor(last / 2), Math.floor(last / 2) + 3],
			[1, 2],
		] as const) {
			const frames = await take(source, { start, end });
			expect(frames.map((frame) => frame.index)).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
			expect(await Promise.all(frames.map(frameMd5))).toEqual(wanted.slice(start, end));
		}
		expect(await take(source, { start: 2, end: 2 })).toEqual([]);
	});

	it('refuses ranges outside of the film', async () => {
		const source = await opening(openFixture('d-vfr.mp4'));
		expect(() => source.frames({ start: 0, end: 999 }, never)).toThrow(/0:999/);
	});
});

describe('flow', () => {
	it('stops the producer while the ring is full', async () => {
		const blob = await fixtureFile('d-h264-b.mp4');
		const bytes = (160 * 120 * 3) / 2;
		const ring = FrameRing.create(bytes, 3 * bytes);
		expect(ring.slots).toBe(3);
		let produced = 0;
		const worker = await CoreWorker.start();
		const run = worker.run(
			{
				tool: 'ffmpeg',
				args: ['-i', '/in/source', '-f', 'rawvideo', '/dev/frames/out'],
				inputs: [{ kind: 'blob', path: '/in/source', blob }],
				outputs: [{ kind: 'frames', path: '/dev/frames/out', buffer: ring.buffer, frameBytes: bytes }],
			},
			{ onFrame: () => produced++ },
		);
		await expect.poll(() => produced, { timeout: 10_000 }).toBe(3);
		await new Promise((resolve) => setTimeout(resolve, 200));
		expect(produced).toBe(3);
		ring.release();
		await expect.poll(() => produced).toBe(4);
		for (let i = 0; i < 50; i++) ring.release();
		expect(await run).toMatchObject({ code: 0, partialBytes: 0 });
		expect(produced).toBe(50);
	});

	it.each(['ffmpeg', 'webcodecs'] as const)(
		'%s: an abort in the middle rejects, and leaves nothing running',
		async (engine) => {
			const source = await opening(openFixture('d-h264-b.mp4', engine));
			const controller = new AbortController();
			let count = 0;
			const error = await failure(async () => {
				for await (const _ of source.frames({ start: 0, end: 50 }, controller.signal))
					if (++count === 5) controller.abort();
			});
			expect(error.code).toBe('aborted');
			expect(count).toBe(5);
			expect(liveCoreWorkers()).toBe(0);
			expect((await failure(() => take(source, { start: 0, end: 1 }, controller.signal))).code).toBe('aborted');
			// The source itself goes on.
			expect(await take(source, { start: 0, end: 1 })).toHaveLength(1);
		},
	);

	it.each(['ffmpeg', 'webcodecs'] as const)(
		'%s: leaving a loop early, or closing the source, ends its job',
		async (engine) => {
			const source = await opening(openFixture('d-h264-b.mp4', engine));
			for await (const frame of source.frames({ start: 0, end: 50 }, never)) if (frame.index === 2) break;
			expect(liveCoreWorkers()).toBe(0);
			const error = await failure(async () => {
				for await (const frame of source.frames({ start: 0, end: 50 }, never))
					if (frame.index === 2) void source.close();
			});
			expect(error.code).toBe('aborted');
			expect(source.stats()).toMatchObject({ engine, frames: 6 });
		},
	);

	it('decodes in bounded runs without SharedArrayBuffer, and says so', async () => {
		const shared = globalThis.SharedArrayBuffer;
		try {
			Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
			const source = await opening(
				openFixture('d-h264-b.mp4', 'ffmpeg', { decode: { boundedBytes: 7 * 160 * 120 * 1.5 } }),
			);
			expect(noticeKinds(source.info)).toContain('no-shared-memory');
			expect(await Promise.all((await takeAll(source)).map(frameMd5))).toEqual(
				(await reference('d-h264-b.mp4')).map((frame) => frame.md5),
			);
		} finally {
			globalThis.SharedArrayBuffer = shared;
		}
	});
});

describe('choice of engine', () => {
	it('takes WebCodecs where its planes are the source’s, else says why not', async () => {
		const { info: h264 } = await opening(openFixture('d-h264-b.mp4'));
		expect(h264.engine).toBe('webcodecs');
		expect(say(h264.engineReason)).toContain('4:2:0 8 bit');
		const { info: prores } = await opening(openFixture('d-prores.mov'));
		expect(prores.engine).toBe('ffmpeg');
		expect(say(prores.engineReason)).toContain('ProRes');
		expect((await opening(openFixture('d-mpeg2i.mpg'))).info.engine).toBe('ffmpeg');
		expect((await failure(() => openFixture('d-prores.mov', 'webcodecs'))).code).toBe('unsupported-format');
		expect((await failure(() => openFixture('d-av1.mp4', 'ffmpeg'))).code).toBe('unsupported-format');
	});

	it('takes ffmpeg.wasm in a browser without WebCodecs', async () => {
		const decoder = globalThis.VideoDecoder;
		try {
			Reflect.deleteProperty(globalThis, 'VideoDecoder');
			expect((await opening(openFixture('d-h264-b.mp4'))).info).toMatchObject({
				engine: 'ffmpeg',
				engineReason: phrase('webcodecs-absent'),
			});
			expect((await failure(() => openFixture('d-av1.mp4'))).message).toMatch(/no WebCodecs/);
		} finally {
			globalThis.VideoDecoder = decoder;
		}
	});
});

it.each(['ffmpeg', 'webcodecs'] as const)('%s: reads beyond 4 GiB without copying', async (engine) => {
	const file = await fixtureFile('d-fragmented.mp4');
	const bytes = new Uint8Array(await file.arrayBuffer());
	const view = new DataView(bytes.buffer);
	let moof = 0;
	while (String.fromCharCode(...bytes.subarray(moof + 4, moof + 8)) !== 'moof') moof += view.getUint32(moof);
	// A `free` box of 4.5 GiB between the header and the fragments, made of one part that is repeated.
	const part = new Blob([new Uint8Array(16 << 20)]);
	const filler = new Blob(Array.from({ length: 288 }, () => part));
	const box = new DataView(new ArrayBuffer(16));
	box.setUint32(0, 1);
	box.setUint32(4, 0x66726565);
	box.setBigUint64(8, BigInt(filler.size + 16));
	const big = new File([bytes.subarray(0, moof), box, filler, bytes.subarray(moof)], 'big.mp4');
	expect(big.size).toBeGreaterThan(2 ** 32);
	const small = await opening(open(file, engine));
	const source = await opening(open(big, engine));
	expect(await Promise.all((await takeAll(source)).map(frameMd5))).toEqual(
		await Promise.all((await takeAll(small)).map(frameMd5)),
	);
});
