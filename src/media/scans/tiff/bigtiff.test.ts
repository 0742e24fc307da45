import { describe, expect, it } from 'vitest';
import { probeScanFile } from '../formats.ts';
import { damaged, firstDifference, noisePicture, outcome, planeBytes, scanFixture } from '../scans.testkit.ts';
import { decodeTiff } from './tiff.ts';

type Field = readonly [tag: number, type: 3 | 4 | 16, value: number];

/** A BigTIFF of one uncompressed gray strip of 8 bit, its directory behind the pixels. */
function bigTiff(pixels: Uint8Array, width: number, height: number, changed: readonly Field[] = []): Uint8Array {
	const fields: readonly Field[] = [
		[256, 16, width],
		[257, 4, height],
		[258, 3, 8],
		[259, 3, 1],
		[262, 3, 1],
		[273, 16, 16],
		[277, 3, 1],
		[278, 4, height],
		[279, 16, pixels.length],
	];
	const at = 16 + pixels.length;
	const out = new Uint8Array(at + 8 + fields.length * 20 + 8);
	const view = new DataView(out.buffer);
	out.set([0x49, 0x49, 43, 0, 8, 0, 0, 0]);
	view.setBigUint64(8, BigInt(at), true);
	out.set(pixels, 16);
	view.setBigUint64(at, BigInt(fields.length), true);
	fields.forEach((field, i) => {
		const [tag, type, value] = changed.find((c) => c[0] === field[0]) ?? field;
		const entry = at + 8 + i * 20;
		view.setUint16(entry, tag, true);
		view.setUint16(entry + 2, type, true);
		view.setBigUint64(entry + 4, 1n, true);
		view.setBigUint64(entry + 12, BigInt(value), true);
	});
	return out;
}

describe('BigTIFF and tiles', () => {
	it.each([
		['big-strips-16.tif', noisePicture(37, 21, 3, 16)],
		['big-endian-tiles-16.tif', noisePicture(37, 21, 3, 16)],
		['big-tiles-float.tif', noisePicture(37, 21, 1, 32)],
		['big-one-pixel-8.tif', noisePicture(1, 1, 4, 8)],
		['wide-tiles-8.tif', noisePicture(32, 21, 3, 8)],
	])('reads %s as tifffile wrote it', async (name, picture) => {
		const file = scanFixture(name);
		const probe = await probeScanFile(new Blob([file]), name);
		expect(probe).toMatchObject({ format: 'tiff', size: picture.size, pixel: picture.format });
		const read = decodeTiff(file);
		expect(read.format).toEqual(picture.format);
		expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
	});

	it('finds a directory that lies behind the pixels, beyond what a probe reads first', async () => {
		const { planes, data } = noisePicture(600, 500, 1, 8);
		const file = new Blob([bigTiff(planes[0] as Uint8Array, 600, 500)] as BlobPart[]);
		expect((await probeScanFile(file, 'x')).size).toEqual({ width: 600, height: 500 });
		const read = decodeTiff(new Uint8Array(await file.arrayBuffer()));
		expect(firstDifference(planeBytes(read), new Uint8Array(data))).toBe(-1);
	});

	it('refuses sizes and offsets that no file holds', () => {
		const pixels = new Uint8Array(64);
		const readWith = (...changed: Field[]): string => outcome(() => decodeTiff(bigTiff(pixels, 8, 8, changed)));
		expect(readWith()).toBe('read');
		expect(readWith([273, 16, 2 ** 52])).toBe('input-truncated');
		expect(readWith([279, 16, 2 ** 60])).toBe('input-truncated');
		expect(readWith([256, 16, 8192])).toBe('input-truncated');
		expect(readWith([256, 16, 2 ** 40])).toBe('unsupported-format');
		const offsets = bigTiff(pixels, 8, 8);
		offsets[4] = 4;
		expect(outcome(() => decodeTiff(offsets))).toBe('input-unreadable');
		const directory = bigTiff(pixels, 8, 8);
		directory.fill(0xff, 8, 16);
		expect(outcome(() => decodeTiff(directory))).toBe('input-truncated');
		const entries = bigTiff(pixels, 8, 8);
		entries.fill(0xff, 80, 88);
		expect(outcome(() => decodeTiff(entries))).toBe('input-unreadable');
	});

	it('names truncation, and survives random damage: it reads, or fails with a typed error', async () => {
		for (const name of ['big-strips-16.tif', 'big-endian-tiles-16.tif', 'wide-tiles-8.tif']) {
			const good = scanFixture(name);
			for (let n = 0; n < good.length; n += 64) {
				expect(outcome(() => decodeTiff(good.subarray(0, n)))).toMatch(/^input-/);
				await expect(probeScanFile(new Blob([good.subarray(0, n)]), name)).rejects.toMatchObject({
					code: expect.stringMatching(/^input-/) as string,
				});
			}
			for (const bytes of damaged(good, 700)) outcome(() => decodeTiff(bytes));
			for (const bytes of damaged(good, 700, 3, 0, 500)) outcome(() => decodeTiff(bytes));
		}
	});

	it('names pictures that went through JPEG before work starts, and says what is read', async () => {
		const file = new Blob([scanFixture('jpeg.tif')]);
		await expect(probeScanFile(file, 'x')).rejects.toMatchObject({
			code: 'unsupported-format',
			message: expect.stringMatching(/JPEG compression.*LZW, deflate.*Convert the file/) as string,
		});
	});
});
