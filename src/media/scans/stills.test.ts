import { describe, expect, it } from 'vitest';
import { zlibSync } from 'fflate';
import type { ColorTags } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { UNTAGGED, type ScanPicture } from './picture.ts';
import { decodeCin } from './cin/cin.ts';
import { encodeDpx } from './dpx/dpx.ts';
import { probeScanFile } from './formats.ts';
import { decodePng, probePng } from './png/read.ts';
import { encodePng } from './png/write.ts';
import { ffmpegEncode, ffmpegPlanes, firstDifference, noisePicture, planeBytes } from './scans.testkit.ts';
import { decodeTiff, probeTiff } from './tiff/tiff.ts';
import { encodeTiff } from './tiff/write.ts';

function expectSame(read: ScanPicture, picture: ScanPicture): void {
	expect(read.format).toEqual(picture.format);
	expect(read.size).toEqual(picture.size);
	expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
}

function code(run: () => unknown): string {
	try {
		run();
		return 'read';
	} catch (error) {
		if (!(error instanceof EmulsionError)) throw error;
		return error.code;
	}
}

const TAGS: readonly ColorTags[] = [
	{ ...UNTAGGED, primaries: 'bt709', transfer: 'srgb' },
	{ ...UNTAGGED, primaries: 'bt2020', transfer: 'pq' },
	{ ...UNTAGGED, primaries: 'bt709', transfer: 'bt709', range: 'limited' },
	{ ...UNTAGGED, primaries: 'smpte432', transfer: 'gamma22' },
	{ ...UNTAGGED, transfer: 'log' },
	{ ...UNTAGGED, transfer: 'linear' },
	UNTAGGED,
];

const SHAPES = ([1, 2, 3, 4] as const).flatMap((n) => ([8, 16] as const).map((depth) => [n, depth] as const));

describe('PNG', () => {
	it.each(SHAPES)('%i components of %i bit: reads ffmpeg, is read by ffmpeg, round trips', (n, depth) => {
		const picture = noisePicture(45, 7, n, depth);
		const pix = { 1: 'gray', 2: 'ya', 3: depth === 8 ? 'rgb' : 'rgb', 4: 'rgba' }[n];
		const name =
			depth === 16
				? `${pix}${{ 1: '16', 2: '16', 3: '48', 4: '64' }[n]}be`
				: ({ gray: 'gray', ya: 'ya8', rgb: 'rgb24', rgba: 'rgba' }[pix] ?? '');
		for (const pred of n === 3 ? ['none', 'sub', 'up', 'avg', 'paeth', 'mixed'] : ['mixed']) {
			expectSame(decodePng(ffmpegEncode(picture, 'a.png', ['-pix_fmt', name, '-pred', pred])), picture);
		}
		const file = encodePng(picture);
		expectSame(decodePng(file), picture);
		expect(firstDifference(encodePng(picture), file)).toBe(-1);
		expect(firstDifference(ffmpegPlanes('a.png', file, picture.format), planeBytes(picture))).toBe(-1);
	});

	it.each(SHAPES)('%i components of %i bit: reads interlaced files (Adam7) of every small size', (n, depth) => {
		const eight = { 1: 'gray', 2: 'ya8', 3: 'rgb24', 4: 'rgba' }[n];
		const name = depth === 8 ? eight : { 1: 'gray16be', 2: 'ya16be', 3: 'rgb48be', 4: 'rgba64be' }[n];
		// From 1 × 1, where six passes are empty, to sizes that have all seven.
		const small = [1, 2, 3, 5, 9].flatMap((w) => [1, 2, 3, 5].map((h) => [w, h] as const));
		const sizes = n === 3 && depth === 8 ? small : [];
		for (const [width, height] of [...sizes, [1, 1], [45, 19]] as const) {
			const picture = noisePicture(width, height, n, depth);
			const file = ffmpegEncode(picture, 'a.png', ['-pix_fmt', name, '-flags', '+ildct', '-pred', 'mixed']);
			expect(probePng(file).interlaced).toBe(true);
			expectSame(decodePng(file), picture);
		}
	});

	it('expands interlaced palettes and bits, and names what is missing of them', () => {
		const bits = noisePicture(21, 11, 1, 8);
		for (const plane of bits.planes) for (let i = 0; i < plane.length; i++) plane[i] = plane[i]! & 1 ? 255 : 0;
		const options = ['-flags', '+ildct'];
		const mono = ffmpegEncode(bits, 'a.png', ['-pix_fmt', 'monob', '-sws_dither', 'none', ...options]);
		expect(probePng(mono)).toMatchObject({ interlaced: true, depth: 1 });
		expectSame(decodePng(mono), bits);
		const file = ffmpegEncode(noisePicture(13, 5, 3, 8), 'a.png', [
			'-vf',
			'palettegen',
			'-pix_fmt',
			'pal8',
			...options,
		]);
		expect(probePng(file)).toMatchObject({ interlaced: true, colorType: 3 });
		const read = decodePng(file);
		expect(firstDifference(ffmpegPlanes('a.png', file, read.format), planeBytes(read))).toBe(-1);
		for (let n = 8; n < mono.length; n += 16)
			expect(code(() => decodePng(mono.subarray(0, n)))).toBe('input-truncated');
	});

	it('expands palettes and small depths', () => {
		const gray = noisePicture(13, 5, 1, 8);
		for (const plane of gray.planes)
			for (let i = 0; i < plane.length; i++) plane[i] = (plane[i] as number) & 1 ? 255 : 0;
		expectSame(decodePng(ffmpegEncode(gray, 'a.png', ['-pix_fmt', 'monob', '-sws_dither', 'none'])), gray);
		const file = ffmpegEncode(noisePicture(13, 5, 3, 8), 'a.png', ['-vf', 'palettegen', '-pix_fmt', 'pal8']);
		const header = probePng(file);
		expect(header.colorType).toBe(3);
		const read = decodePng(file);
		expect(firstDifference(ffmpegPlanes('a.png', file, read.format), planeBytes(read))).toBe(-1);
	});

	it('carries the color tags, Cineon log included', () => {
		for (const color of TAGS) expect(decodePng(encodePng(noisePicture(4, 4, 3, 16, color))).color).toEqual(color);
		const file = ffmpegEncode(noisePicture(8, 8, 3, 16), 'a.png', ['-pix_fmt', 'rgb48be']);
		expect(probePng(file).color.transfer).toBe('unknown');
	});

	it('names truncation and damage, and never believes a huge header', () => {
		const good = encodePng(noisePicture(40, 20, 3, 16));
		for (let n = 0; n < good.length; n += 64)
			expect(code(() => decodePng(good.subarray(0, n)))).toBe('input-truncated');
		const flipped = good.slice();
		flipped[good.length >> 1]! ^= 1;
		expect(code(() => decodePng(flipped))).toBe('input-unreadable');
		expect(code(() => decodePng(hugePng(8192, 8192)))).toBe('input-truncated');
		expect(code(() => decodePng(hugePng(0, 8192)))).toBe('input-unreadable');
		expect(code(() => decodePng(hugePng(0x7fffffff, 0x7fffffff)))).toBe('unsupported-format');
	});
});

/** A well-formed PNG whose header promises more than its data holds. */
function hugePng(width: number, height: number): Uint8Array {
	const good = encodePng(noisePicture(1, 1, 3, 16));
	const at = good.indexOf(73, 40);
	const crc = (b: Uint8Array): number => {
		let c = 0xffffffff;
		for (const x of b) {
			c ^= x;
			for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
		}
		return (c ^ 0xffffffff) >>> 0;
	};
	expect(at).toBeGreaterThan(0);
	const view = new DataView(good.buffer);
	view.setUint32(16, width);
	view.setUint32(20, height);
	view.setUint32(29, crc(good.subarray(12, 29)));
	return good;
}

describe('TIFF', () => {
	it.each(SHAPES)('%i components of %i bit: reads ffmpeg, is read by ffmpeg, round trips', (n, depth) => {
		const picture = noisePicture(45, 7, n, depth);
		const name = {
			8: { 1: 'gray', 2: 'ya8', 3: 'rgb24', 4: 'rgba' },
			16: { 1: 'gray16le', 2: 'ya16le', 3: 'rgb48le', 4: 'rgba64le' },
		}[depth][n];
		for (const algo of n === 3 ? ['raw', 'packbits', 'lzw', 'deflate'] : ['lzw']) {
			expectSame(decodeTiff(ffmpegEncode(picture, 'a.tiff', ['-pix_fmt', name, '-compression_algo', algo])), picture);
		}
		for (const compression of ['none', 'deflate'] as const) {
			const file = encodeTiff(picture, { compression });
			expectSame(decodeTiff(file), picture);
			expect(firstDifference(encodeTiff(picture, { compression }), file)).toBe(-1);
			expect(firstDifference(ffmpegPlanes('a.tiff', file, picture.format), planeBytes(picture))).toBe(-1);
		}
	});

	it('reads long LZW streams (table full, cleared) and several strips', () => {
		const picture = noisePicture(320, 240, 3, 16);
		for (const plane of picture.planes) for (let i = 0; i < plane.length; i++) plane[i] = (plane[i] as number) & 0x0f03;
		const file = ffmpegEncode(picture, 'a.tiff', ['-pix_fmt', 'rgb48le', '-compression_algo', 'lzw']);
		expect(probeTiff([{ at: 0, bytes: file }], file.length).compression).toBe(5);
		expectSame(decodeTiff(file), picture);
		const ours = encodeTiff(picture);
		expect(firstDifference(ffmpegPlanes('a.tiff', ours, picture.format), planeBytes(picture))).toBe(-1);
	});

	it('reads palettes at the depth of their colors', () => {
		const file = ffmpegEncode(noisePicture(13, 5, 3, 8), 'a.tiff', ['-vf', 'palettegen', '-pix_fmt', 'pal8']);
		const read = decodeTiff(file);
		expect(read.format.depth).toBe(16);
		const colors = new Uint8Array(read.data).filter((_, i) => i % 2 === 1);
		const eight = ffmpegPlanes('a.tiff', file, { ...read.format, depth: 8, sample: 'u8' });
		expect(firstDifference(colors, eight)).toBe(-1);
	});

	it('reads tiles, planar layers and big-endian files', () => {
		for (const planar of [false, true]) {
			for (const littleEndian of [false, true]) {
				const picture = noisePicture(37, 21, 3, 16);
				expectSame(decodeTiff(tiledTiff(picture, planar, littleEndian)), picture);
			}
		}
	});

	it('carries the color tags, Cineon log included', () => {
		for (const color of TAGS) expect(decodeTiff(encodeTiff(noisePicture(4, 4, 3, 16, color))).color).toEqual(color);
	});

	it('carries a rotation as the orientation tag', async () => {
		for (const rotation of [0, 90, 180, 270] as const) {
			const file = encodeTiff(noisePicture(4, 4, 3, 16), { rotation });
			expect((await probeScanFile(new Blob([file]), 'x')).rotation).toBe(rotation);
		}
	});

	it('names truncation, and never believes a huge header', () => {
		for (const compression of ['none', 'deflate'] as const) {
			const good = encodeTiff(noisePicture(40, 20, 3, 16), { compression });
			for (let n = 0; n < good.length - 1; n += 64)
				expect(code(() => decodeTiff(good.subarray(0, n)))).toBe('input-truncated');
			const view = new DataView(good.buffer);
			const field = (tag: number, value: number): void => {
				for (let at = 10; ; at += 12) if (view.getUint16(at, true) === tag) return view.setUint32(at + 8, value, true);
			};
			field(256, 8192);
			field(257, 8192);
			field(278, 8192);
			expect(code(() => decodeTiff(good))).toBe('input-truncated');
			field(256, 0);
			expect(code(() => decodeTiff(good))).toBe('input-unreadable');
			field(256, 0x7fffffff);
			expect(code(() => decodeTiff(good))).toBe('unsupported-format');
		}
	});

	it('survives random damage: it reads, or fails with a typed error', () => {
		const good = encodeTiff(noisePicture(24, 10, 3, 8), { compression: 'deflate' });
		let state = 7;
		for (let i = 0; i < 2000; i++) {
			const bytes = good.slice();
			for (let j = 0; j < 4; j++) {
				state = (Math.imul(state, 1103515245) + 12345) >>> 0;
				bytes[(state >>> 8) % 400] = state >>> 24;
			}
			code(() => decodeTiff(bytes));
		}
	});
});

/** A TIFF of 16 × 16 tiles, deflated, as libtiff would lay it out. */
function tiledTiff(picture: ScanPicture, planar: boolean, le: boolean): Uint8Array {
	const { width, height } = picture.size;
	const across = Math.ceil(width / 16);
	const down = Math.ceil(height / 16);
	const tiles: Uint8Array[] = [];
	for (const layers of planar ? [[0], [1], [2]] : [[0, 1, 2]]) {
		for (let t = 0; t < across * down; t++) {
			const raw = new DataView(new ArrayBuffer(16 * 16 * 2 * layers.length));
			for (let i = 0; i < 256; i++) {
				const x = Math.min(width - 1, (t % across) * 16 + (i % 16));
				const y = Math.min(height - 1, Math.floor(t / across) * 16 + Math.floor(i / 16));
				layers.forEach((l, k) => raw.setUint16((i * layers.length + k) * 2, picture.planes[l]![y * width + x]!, le));
			}
			tiles.push(zlibSync(new Uint8Array(raw.buffer)));
		}
	}
	const fields: [number, number, number[]][] = [
		[256, 3, [width]],
		[257, 3, [height]],
		[258, 3, [16, 16, 16]],
		[259, 3, [8]],
		[262, 3, [2]],
		[277, 3, [3]],
		[284, 3, [planar ? 2 : 1]],
		[322, 3, [16]],
		[323, 3, [16]],
		[324, 4, tiles.map(() => 0)],
		[325, 4, tiles.map((t) => t.length)],
	];
	const out = new DataView(new ArrayBuffer(4096 + tiles.reduce((s, t) => s + t.length, 0)));
	out.setUint16(0, le ? 0x4949 : 0x4d4d);
	out.setUint16(2, 42, le);
	out.setUint32(4, 8, le);
	out.setUint16(8, fields.length, le);
	let at = 4096;
	fields[9]![2] = tiles.map((t) => {
		new Uint8Array(out.buffer).set(t, at);
		at += t.length;
		return at - t.length;
	});
	let spare = 1024;
	fields.forEach(([tag, type, values], i) => {
		const entry = 10 + i * 12;
		out.setUint16(entry, tag, le);
		out.setUint16(entry + 2, type, le);
		out.setUint32(entry + 4, values.length, le);
		const size = type === 3 ? 2 : 4;
		const inline = size * values.length <= 4;
		if (!inline) out.setUint32(entry + 8, spare, le);
		values.forEach((v, k) => {
			const to = (inline ? entry + 8 : spare) + k * size;
			if (size === 2) out.setUint16(to, v, le);
			else out.setUint32(to, v, le);
		});
		if (!inline) spare += size * values.length;
	});
	return new Uint8Array(out.buffer);
}

describe('Cineon', () => {
	/** A big-endian 10-bit RGB file as Kodak's 4.5 specification lays it out, around the words of a DPX. */
	function cinFile(picture: ScanPicture): Uint8Array<ArrayBuffer> {
		const words = encodeDpx(picture).subarray(2048);
		const out = new Uint8Array(2048 + words.length);
		const view = new DataView(out.buffer);
		[0x802a5fd7, 2048, 1024, 1024, 0, out.length].forEach((v, i) => view.setUint32(i * 4, v));
		view.setUint8(193, 3);
		for (let c = 0; c < 3; c++) {
			view.setUint8(196 + c * 28 + 2, 10);
			view.setUint32(196 + c * 28 + 4, picture.size.width);
			view.setUint32(196 + c * 28 + 8, picture.size.height);
		}
		view.setUint8(681, 5);
		out.set(words, 2048);
		return out;
	}

	it('reads 10-bit files as log', () => {
		const picture = noisePicture(45, 7, 3, 10);
		const read = decodeCin(cinFile(picture));
		expectSame(read, picture);
		expect(read.color.transfer).toBe('log');
	});

	it('names truncation, and never believes a huge header', () => {
		const good = cinFile(noisePicture(20, 10, 3, 10));
		for (let n = 0; n < good.length; n += 64)
			expect(code(() => decodeCin(good.subarray(0, n)))).toBe('input-truncated');
		const view = new DataView(good.buffer);
		for (let c = 0; c < 3; c++) view.setUint32(196 + c * 28 + 4, 8192);
		view.setUint32(196 + 8, 8192);
		expect(code(() => decodeCin(good))).toBe('input-truncated');
		view.setUint8(681, 3);
		expect(code(() => decodeCin(good))).toBe('unsupported-format');
	});
});
