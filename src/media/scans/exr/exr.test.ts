import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../../../core/errors.ts';
import { UNTAGGED } from '../picture.ts';
import { ffmpegEncode, ffmpegPlanes, firstDifference, halved, noisePicture, planeBytes } from '../scans.testkit.ts';
import { decodeExr } from './exr.ts';
import { probeScanFile } from '../formats.ts';
import { halfBits, halfTable } from './half.ts';
import { parseExrHeader } from './header.ts';
import { encodeExr } from './write.ts';

const LINEAR = { ...UNTAGGED, primaries: 'bt709', transfer: 'linear' } as const;

function code(bytes: Uint8Array): string {
	try {
		decodeExr(bytes);
		return 'read';
	} catch (error) {
		if (!(error instanceof EmulsionError)) throw error;
		return error.code;
	}
}

describe('half precision', () => {
	const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;
	it('gives every half back', () => {
		for (let bits = 0; bits < 65536; bits++) {
			const value = halfTable()[bits]!;
			if (!Number.isNaN(value) && halfBits(bitsOf(value)) !== bits) expect.fail(`half ${bits}`);
		}
		expect(halfBits(bitsOf(NaN)) & 0x7fff).toBeGreaterThan(0x7c00);
	});
	it('rounds to nearest, ties to even', () => {
		for (let bits = 0; bits < 0x7bff; bits++) {
			const low = halfTable()[bits]!;
			const high = halfTable()[bits + 1]!;
			const middle = (low + high) / 2;
			expect(halfBits(bitsOf(middle))).toBe(bits & 1 ? bits + 1 : bits);
			expect(halfBits(bitsOf(middle) + 1)).toBe(bits + 1);
			expect(halfBits(bitsOf(middle) - 1)).toBe(bits);
		}
		expect(halfBits(bitsOf(65519))).toBe(0x7bff);
		expect(halfBits(bitsOf(65520))).toBe(0x7c00);
	});
});

describe('EXR', () => {
	it.each([1, 3, 4] as const)('%i channels: reads ffmpeg (half, float; none, RLE, ZIPS, ZIP)', (n) => {
		const picture = halved(noisePicture(45, 37, n, 32, LINEAR));
		for (const compression of n === 3 ? ['none', 'rle', 'zip1', 'zip16'] : ['zip16']) {
			for (const format of n === 1 ? ['float'] : ['half', 'float']) {
				const file = ffmpegEncode(picture, 'a.exr', ['-compression', compression, '-format', format]);
				const read = decodeExr(file);
				expect(read.color).toEqual(LINEAR);
				expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
			}
		}
	});

	it('reads runs (RLE, ZIP) of flat pictures', () => {
		const picture = halved(noisePicture(64, 40, 3, 32, LINEAR));
		for (const plane of picture.planes) plane.fill(0.25, 100, 2000);
		for (const compression of ['rle', 'zip1', 'zip16']) {
			const file = ffmpegEncode(picture, 'a.exr', ['-compression', compression, '-format', 'half']);
			expect(firstDifference(planeBytes(decodeExr(file)), planeBytes(picture))).toBe(-1);
		}
	});

	it.each([1, 3, 4] as const)('%i channels: is read by ffmpeg, round trips, same bytes twice', (n) => {
		const picture = halved(noisePicture(45, 37, n, 32, LINEAR));
		for (const plane of picture.planes) plane.fill(-0.5, 300, 900);
		for (const compression of ['none', 'zips', 'zip'] as const) {
			const file = encodeExr(picture, { compression });
			expect(firstDifference(encodeExr(picture, { compression }), file)).toBe(-1);
			const read = decodeExr(file);
			expect(read.format).toEqual(picture.format);
			expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
			expect(firstDifference(ffmpegPlanes('a.exr', file, picture.format), planeBytes(picture))).toBe(-1);
		}
	});

	it('carries primaries', () => {
		for (const primaries of ['bt709', 'bt2020', 'smpte432'] as const) {
			const file = encodeExr(noisePicture(4, 4, 3, 32, { ...LINEAR, primaries }));
			expect(decodeExr(file).color.primaries).toBe(primaries);
		}
	});

	it('names truncation at every 64 bytes, and never believes a huge header', () => {
		const good = encodeExr(halved(noisePicture(32, 20, 3, 32, LINEAR)));
		for (let n = 0; n < good.length; n += 64) expect(code(good.subarray(0, n))).toBe('input-truncated');
		const at = new TextDecoder('latin1').decode(good).indexOf('dataWindow\0box2i\0') + 21;
		const view = new DataView(good.buffer);
		view.setInt32(at + 8, 8191, true);
		view.setInt32(at + 12, 8191, true);
		expect(code(good)).toBe('input-truncated');
		view.setInt32(at + 12, -5, true);
		expect(code(good)).toBe('input-unreadable');
		view.setInt32(at, -0x80000000, true);
		view.setInt32(at + 8, 0x7fffffff, true);
		view.setInt32(at + 12, 19, true);
		expect(code(good)).toBe('unsupported-format');
	});

	it('names files whose writing was interrupted (a table of zeros)', async () => {
		const file = encodeExr(halved(noisePicture(32, 40, 3, 32, LINEAR)));
		const { tableAt } = parseExrHeader(file);
		file.fill(0, tableAt + 8, tableAt + 24);
		expect(code(file)).toBe('input-truncated');
		await expect(probeScanFile(new Blob([file]), 'x')).rejects.toMatchObject({ code: 'input-truncated' });
	});

	it('holds linear light only', () => {
		expect(() => encodeExr(noisePicture(4, 4, 3, 32, { ...LINEAR, transfer: 'bt709' }))).toThrow(/linear light/);
	});

	it('survives random damage: it reads, or fails with a typed error', () => {
		const good = encodeExr(halved(noisePicture(24, 10, 3, 32, LINEAR)));
		let state = 7;
		for (let i = 0; i < 2000; i++) {
			const bytes = good.slice();
			for (let j = 0; j < 4; j++) {
				state = (Math.imul(state, 1103515245) + 12345) >>> 0;
				bytes[(state >>> 8) % 500] = state >>> 24;
			}
			code(bytes);
		}
	});
});

describe('pixel aspect', () => {
	it.each([
		[2, [2, 1]],
		[16 / 15, [16, 15]],
		[-1, [1, 1]],
		[NaN, [1, 1]],
	] as const)('%s is carried', async (pixelAspect, expected) => {
		const bytes = encodeExr(noisePicture(3, 2, 3, 32, LINEAR), { pixelAspect });
		expect((await probeScanFile(new Blob([bytes]), 'x')).pixelAspect).toEqual(expected);
	});
});
