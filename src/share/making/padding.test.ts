import { execFileSync } from 'node:child_process';
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codecString } from './codec.ts';
import { padBlob, PADDING_LEAST, paddedLength } from './padding.ts';
import { crc32, cropPicture, encodePng } from './png.ts';

let dir: string;
const path = (name: string): string => join(dir, name);
const ffmpeg = (...args: string[]): Buffer => execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);

beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-padding-'));
	const film = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=24,trim=end_frame=5,format=yuv420p'];
	ffmpeg(...film, '-c:v', 'libx264', path('a.mp4'));
	ffmpeg(...film, '-c:v', 'libvpx-vp9', path('a.webm'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Frames as native ffmpeg decodes them; complaints of any kind fail. */
function frames(file: string): string {
	const run = execFileSync('ffmpeg', ['-nostdin', '-v', 'warning', '-xerror', '-i', file, '-f', 'framemd5', '-'], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	return run.toString();
}

async function padded(name: string, mime: Parameters<typeof padBlob>[1], more: number): Promise<string> {
	const blob = await openAsBlob(path(name));
	const result = await padBlob(blob, mime, blob.size + more);
	expect(result.size).toBe(blob.size + more);
	writeFileSync(path(`padded-${name}`), new Uint8Array(await result.arrayBuffer()));
	return path(`padded-${name}`);
}

describe('padding', () => {
	it.each([
		['a.mp4', 'video/mp4'],
		['a.webm', 'video/webm'],
	] as const)('%s has another length and the same frames', async (name, mime) => {
		const before = frames(path(name));
		for (const more of [PADDING_LEAST, 17, 100_000]) expect(frames(await padded(name, mime, more))).toBe(before);
	});

	it('a PNG has another length and the same samples, at 8 and 16 bit', async () => {
		const rgb = Float32Array.from({ length: 3 * 7 * 5 }, (_v, i) => ((i * 37) % 101) / 100);
		for (const depth of [8, 16] as const) {
			const blob = await encodePng({ size: { width: 7, height: 5 }, rgb }, depth);
			writeFileSync(path('a.png'), new Uint8Array(await blob.arrayBuffer()));
			const format = depth === 8 ? 'rgb24' : 'rgb48le';
			const raw = ffmpeg('-i', await padded('a.png', 'image/png', 33), '-f', 'rawvideo', '-pix_fmt', format, '-');
			const samples =
				depth === 8 ? raw : new Uint16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
			expect([...samples]).toEqual([...rgb].map((v) => Math.round(v * (2 ** depth - 1))));
		}
	});

	it('leaves none without', async () => {
		expect(paddedLength([10, 30, 20])).toBe(30 + PADDING_LEAST);
		const blob = await openAsBlob(path('a.mp4'));
		await expect(padBlob(blob, 'video/mp4', blob.size + PADDING_LEAST - 1)).rejects.toThrow(RangeError);
		await expect(padBlob(new Blob(['no film']), 'video/webm', 100)).rejects.toThrow(TypeError);
	});

	it('knows the codec of a clip', async () => {
		const size = { width: 64, height: 48 };
		expect(await codecString(await openAsBlob(path('a.mp4')), 'h264', size)).toBe('avc1.64000A');
		expect(await codecString(new Blob(), 'vp9', size)).toBe('vp09.00.51.08');
		await expect(codecString(new Blob(['none']), 'h264', size)).rejects.toThrow(TypeError);
	});
});

describe('PNG', () => {
	it('sums as the standard does', () => {
		expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
		expect(crc32(new TextEncoder().encode('IEND'))).toBe(0xae426082);
	});

	it('cuts a part out of a picture', () => {
		const rgb = Float32Array.from({ length: 3 * 4 * 3 }, (_v, i) => i);
		const part = cropPicture({ size: { width: 4, height: 3 }, rgb }, { x: 1, y: 1, width: 2, height: 2 });
		expect([...part.rgb]).toEqual([15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32]);
		expect(() => cropPicture(part, { x: 1, y: 0, width: 2, height: 1 })).toThrow(RangeError);
	});
});
