import { describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { EmulsionError } from '../../../core/errors.ts';
import { ffmpegEncode, ffmpegPlanes, firstDifference, noisePicture, planeBytes } from '../scans.testkit.ts';
import { UNTAGGED } from '../picture.ts';
import { decodeDpx, encodeDpx, probeDpx } from './dpx.ts';
import {
	bcdFromTimecode,
	describeOrientation,
	formatKeycode,
	parseKeycode,
	setKeycode,
	timecodeFromBcd,
} from './film.ts';
import { DpxHeader, parseDpxHeader } from './header.ts';
import { ELEMENT_FIELDS, ELEMENT_SIZE, ELEMENTS_OFFSET } from './layout.ts';

const LOG = { ...UNTAGGED, transfer: 'log' } as const;

/** A header with every section filled, reserved bytes that mean something to somebody, and user data. */
function richHeader(littleEndian = false): DpxHeader {
	const bytes = new Uint8Array(8192);
	bytes.set(DpxHeader.create(littleEndian).bytes);
	for (let i = 2048; i < bytes.length; i++) bytes[i] = (i * 7) & 0xff;
	const header = new DpxHeader(bytes, littleEndian);
	// Reserved areas of the file, image, orientation, film and television sections.
	for (const [from, to] of [
		[664, 768],
		[1356, 1408],
		[1636, 1664],
		[1864, 1920],
		[1931, 1932],
		[1972, 2048],
	] as const) {
		for (let i = from; i < to; i++) bytes[i] = (i * 13) & 0xff;
	}
	header.set('file.imageOffset', 8192);
	header.set('file.userSize', 6144);
	header.set('file.name', 'reel3.0086400.dpx');
	header.set('file.created', '1999:12:31:23:59:59+01');
	header.set('film.framePosition', 86400);
	header.set('film.sequenceLength', 172800);
	header.set('film.frameRate', 24);
	header.set('film.format', 'Academy');
	setKeycode(header, { manufacturer: '02', type: '52', perfOffset: '12', prefix: '123456', count: '7890' });
	header.set('tv.timecode', bcdFromTimecode('01:02:03:04'));
	header.set('tv.userBits', 0xdeadbeef);
	header.set('orientation.aspectHorizontal', 1);
	header.set('orientation.aspectVertical', 1);
	header.set('image.orientation', 2);
	header.setElement(0, 'transfer', 1);
	header.setElement(0, 'colorimetric', 1);
	header.setElement(0, 'lowCode', 0);
	header.setElement(0, 'highCode', 1023);
	header.setElement(0, 'highQuantity', 2.048);
	header.setElement(0, 'dataOffset', 8192);
	return header;
}

describe('DPX against ffmpeg', () => {
	const cases = [
		{ components: 3, depth: 8, pix: 'rgb24' },
		{ components: 4, depth: 8, pix: 'rgba' },
		{ components: 4, depth: 8, pix: 'abgr' },
		{ components: 1, depth: 8, pix: 'gray' },
		{ components: 3, depth: 10, pix: 'gbrp10be' },
		{ components: 3, depth: 10, pix: 'gbrp10le' },
		{ components: 3, depth: 12, pix: 'gbrp12be' },
		{ components: 3, depth: 12, pix: 'gbrp12le' },
		{ components: 3, depth: 16, pix: 'rgb48be' },
		{ components: 3, depth: 16, pix: 'rgb48le' },
		{ components: 4, depth: 16, pix: 'rgba64be' },
		{ components: 1, depth: 16, pix: 'gray16le' },
	] as const;
	it.each(cases)('reads what ffmpeg wrote: $pix, odd width', ({ components, depth, pix }) => {
		const picture = noisePicture(45, 7, components, depth);
		const file = ffmpegEncode(picture, 'a.dpx', ['-pix_fmt', pix]);
		const read = decodeDpx(file);
		expect(read.format).toEqual(picture.format);
		expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
	});
	const written = [
		[1, 8],
		[3, 8],
		[4, 8],
		[3, 10],
		[3, 12],
		[1, 16],
		[3, 16],
		[4, 16],
	] as const;
	it.each(written)('writes what ffmpeg reads: %i components of %i bit, both byte orders', (components, depth) => {
		const picture = noisePicture(45, 7, components, depth);
		for (const littleEndian of [false, true]) {
			const file = encodeDpx(picture, { littleEndian });
			const seen = ffmpegPlanes('a.dpx', file, picture.format);
			expect(firstDifference(seen, planeBytes(picture))).toBe(-1);
		}
	});
});

describe('DPX against itself', () => {
	const all = ([1, 3, 4] as const).flatMap((components) =>
		([8, 10, 12, 16] as const).flatMap((depth) =>
			([0, 1, 2] as const).map((packing) => ({ components, depth, packing })),
		),
	);
	it.each(all)('$components × $depth bit, packing $packing, round trips', ({ components, depth, packing }) => {
		const picture = noisePicture(37, 5, components, depth, LOG);
		for (const littleEndian of [false, true]) {
			const file = encodeDpx(picture, { littleEndian, packing });
			const read = decodeDpx(file);
			expect(read.color.transfer).toBe('log');
			expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
			expect(firstDifference(encodeDpx(read, { header: read.header }), file)).toBe(-1);
			expect((file.length - 2048) % 4).toBe(0);
		}
	});

	it('reads picture data at an odd offset (no aligned view)', () => {
		const picture = noisePicture(16, 4, 3, 10);
		const file = encodeDpx(picture);
		const shifted = new Uint8Array(file.length + 1);
		shifted.set(file, 1);
		expect(firstDifference(planeBytes(decodeDpx(shifted.subarray(1))), planeBytes(picture))).toBe(-1);
		const header = new DpxHeader(new Uint8Array([...DpxHeader.create().bytes, 1, 2, 3]), false);
		const odd = encodeDpx(picture, { header });
		expect(firstDifference(planeBytes(decodeDpx(odd)), planeBytes(picture))).toBe(-1);
	});

	it('joins separate R, G, B elements into one picture', () => {
		const picture = noisePicture(21, 3, 3, 16);
		const parts = [0, 1, 2].map((i) => {
			const one = noisePicture(21, 3, 1, 16);
			one.planes[0]!.set(picture.planes[i]!);
			return encodeDpx(one).subarray(2048);
		});
		const header = DpxHeader.create();
		header.set('image.elements', 3);
		header.set('image.width', 21);
		header.set('image.height', 3);
		let offset = 2048;
		parts.forEach((part, i) => {
			header.setElement(i, 'descriptor', i + 1);
			header.setElement(i, 'bits', 16);
			header.setElement(i, 'packing', 0);
			header.setElement(i, 'dataOffset', offset);
			offset += part.length;
		});
		const file = new Uint8Array([...header.bytes, ...parts.flatMap((p) => [...p])]);
		const read = decodeDpx(file);
		expect(firstDifference(planeBytes(read), planeBytes(picture))).toBe(-1);
		// Written again it is one element; the others are cleared.
		const again = decodeDpx(encodeDpx(read, { header: read.header }));
		expect(again.header.get('image.elements')).toBe(1);
		expect(again.header.element(1, 'descriptor')).toBeUndefined();
		expect(firstDifference(planeBytes(again), planeBytes(picture))).toBe(-1);
	});

	it('honors end-of-line padding and reads rows that break the alignment rule', () => {
		const picture = noisePicture(5, 3, 3, 8);
		const tight = encodeDpx(picture);
		const rows = [0, 1, 2].map((y) => tight.subarray(2048 + y * 16, 2048 + y * 16 + 15));
		const padded = parseDpxHeader(tight);
		padded.setElement(0, 'linePadding', 8);
		const wide = new Uint8Array([...padded.bytes, ...rows.flatMap((r) => [...r, ...new Array<number>(9).fill(9)])]);
		expect(firstDifference(planeBytes(decodeDpx(wide)), planeBytes(picture))).toBe(-1);
		const unaligned = new Uint8Array([...tight.subarray(0, 2048), ...rows.flatMap((r) => [...r])]);
		expect(probeDpx(unaligned, unaligned.length).geometry.unaligned).toBe(true);
		expect(firstDifference(planeBytes(decodeDpx(unaligned)), planeBytes(picture))).toBe(-1);
	});
});

describe('DPX headers', () => {
	it('keeps every byte on a rewrite, both byte orders', () => {
		for (const littleEndian of [false, true]) {
			const header = richHeader(littleEndian);
			const file = encodeDpx(noisePicture(20, 6, 3, 10, LOG), { header });
			const read = decodeDpx(file);
			const again = encodeDpx(read, { header: read.header });
			expect(firstDifference(again, file)).toBe(-1);
			for (let i = 0; i < 8192; i++) {
				const described = (i >= 16 && i < 20) || (i >= 768 && i < 780 + ELEMENT_SIZE);
				if (!described) expect(file[i], `byte ${i}`).toBe(header.bytes[i]);
			}
		}
	});

	it('reads what identifies a frame', () => {
		const { identity, color, header } = decodeDpx(encodeDpx(noisePicture(4, 4, 3, 10, LOG), { header: richHeader() }));
		expect(identity).toMatchObject({
			timecode: '01:02:03:04',
			userBits: 0xdeadbeef,
			framePosition: 86400,
			sequenceLength: 172800,
			frameRate: 24,
			filmFormat: 'Academy',
			orientation: 2,
			pixelAspect: [1, 1],
		});
		expect(identity.keycode && formatKeycode(identity.keycode)).toBe('02 52 123456 7890+12');
		expect(color.transfer).toBe('log');
		expect(header.userData.length).toBe(6144 - 32);
		expect(describeOrientation(identity.orientation)).toBe('left to right, bottom to top');
	});

	it('swaps every number when the byte order changes, and swaps back to the same bytes', () => {
		const header = richHeader();
		const swapped = header.copy(true);
		expect(swapped.get('film.framePosition')).toBe(86400);
		expect(swapped.get('tv.userBits')).toBe(0xdeadbeef);
		expect(swapped.element(0, 'highQuantity')).toBeCloseTo(2.048, 6);
		expect(firstDifference(swapped.userData, header.userData)).toBe(-1);
		expect(firstDifference(swapped.copy(false).bytes, header.bytes)).toBe(-1);
		expect(Object.keys(ELEMENT_FIELDS).length).toBe(15);
		expect(ELEMENTS_OFFSET + 8 * ELEMENT_SIZE).toBe(1356);
	});

	it('rescales reference codes with the depth and keeps the rest', () => {
		const file = encodeDpx(noisePicture(8, 8, 3, 10, LOG), { header: richHeader() });
		const read = decodeDpx(file);
		const deep = decodeDpx(encodeDpx(noisePicture(8, 8, 3, 16, LOG), { header: read.header }));
		expect(deep.header.element(0, 'highCode')).toBe(65535);
		expect(deep.identity).toEqual(read.identity);
	});

	it('keeps transfer and colorimetry codes it honors, and never invents one', () => {
		const file = ffmpegEncode(noisePicture(8, 8, 3, 10), 'a.dpx');
		expect(probeDpx(file, file.length).color.transfer).toBe('linear');
		for (const [code, transfer] of [
			[0, 'unknown'],
			[1, 'log'],
			[2, 'linear'],
			[3, 'log'],
			[4, 'unknown'],
			[6, 'bt709'],
			[255, 'unknown'],
		] as const) {
			const header = DpxHeader.create();
			header.setElement(0, 'transfer', code);
			const read = decodeDpx(encodeDpx(noisePicture(8, 8, 3, 10, { ...UNTAGGED, transfer }), { header }));
			expect(read.color.transfer).toBe(transfer);
			if (code !== 0 && code !== 255) expect(read.header.element(0, 'transfer')).toBe(code);
		}
	});

	it('rewrites files without film and television sections, and refuses to write what has no room', () => {
		const picture = noisePicture(46, 8, 3, 10);
		const file = ffmpegEncode(picture, 'a.dpx', ['-pix_fmt', 'gbrp10be']);
		const read = decodeDpx(file);
		expect(read.header.bytes.length).toBe(1664);
		expect(read.header.get('film.count')).toBeUndefined();
		expect(() => read.header.set('film.count', '1')).toThrow(/no room for film.count/);
		const again = encodeDpx(read, { header: read.header });
		expect(firstDifference(again, file)).toBe(-1);
	});

	it('reads and writes timecode and keycode text', () => {
		expect(timecodeFromBcd(0x23595923)).toBe('23:59:59:23');
		expect(timecodeFromBcd(0x0a000000)).toBeUndefined();
		expect(bcdFromTimecode('01:00:00:00')).toBe(0x01000000);
		expect(() => bcdFromTimecode('1:2:3:4')).toThrow(/HH:MM:SS:FF/);
		expect(parseKeycode('02 52 123456 7890+12').count).toBe('7890');
		expect(() => parseKeycode('nonsense')).toThrow(/keycode/);
	});
	it('puts the timecode where ffprobe finds it', () => {
		const file = encodeDpx(noisePicture(20, 6, 3, 10, LOG), { header: richHeader() });
		const out = execFileSync('ffprobe', ['-v', 'error', '-show_frames', '-f', 'dpx_pipe', '-'], { input: file });
		expect(out.toString()).toContain('timecode=01:02:03:04');
	});
});

describe('hostile DPX', () => {
	const good = encodeDpx(noisePicture(32, 16, 3, 10, LOG), { header: richHeader() });
	function failure(bytes: Uint8Array): string {
		try {
			decodeDpx(bytes);
			return 'read';
		} catch (error) {
			if (!(error instanceof EmulsionError)) throw error;
			return error.code;
		}
	}

	it('names truncation at every 64 bytes', () => {
		for (let length = 0; length < good.length; length += 64)
			expect(failure(good.slice(0, length))).toBe('input-truncated');
		expect(failure(good)).toBe('read');
	});

	it('refuses contradictions with typed errors, before allocating', () => {
		const change = (edit: (h: DpxHeader) => void): string => {
			const bytes = good.slice();
			edit(new DpxHeader(bytes, false));
			return failure(bytes);
		};
		expect(change((h) => h.set('image.width', 0))).toBe('input-unreadable');
		expect(change((h) => h.set('image.height', undefined))).toBe('input-unreadable');
		expect(change((h) => h.set('image.width', 0x7fffffff))).toBe('unsupported-format');
		expect(
			change((h) => {
				h.set('image.width', 8192);
				h.set('image.height', 8192);
			}),
		).toBe('input-truncated');
		expect(change((h) => h.set('file.imageOffset', 0xfffffff0))).toBe('input-truncated');
		expect(change((h) => h.set('file.imageOffset', 12))).toBe('input-unreadable');
		expect(change((h) => h.set('image.elements', 0))).toBe('input-unreadable');
		expect(change((h) => h.set('image.elements', 9))).toBe('input-unreadable');
		expect(change((h) => h.set('image.elements', 2))).toBe('unsupported-format');
		expect(change((h) => h.setElement(0, 'bits', 32))).toBe('unsupported-format');
		expect(change((h) => h.setElement(0, 'encoding', 1))).toBe('unsupported-format');
		expect(change((h) => h.setElement(0, 'descriptor', 100))).toBe('unsupported-format');
		expect(change((h) => h.setElement(0, 'dataSign', 1))).toBe('unsupported-format');
		expect(change((h) => h.setElement(0, 'packing', 7))).toBe('input-unreadable');
		expect(change((h) => h.set('file.encryptionKey', 5))).toBe('unsupported-format');
		expect(change((h) => h.setElement(0, 'linePadding', 0xfffffffe))).toBe('read');
		expect(failure(new Uint8Array(5000))).toBe('input-unreadable');
	});

	it('survives random damage of the header: it reads, or fails with a typed error', () => {
		let state = 1;
		const random = (n: number): number => {
			state = (Math.imul(state, 1103515245) + 12345) >>> 0;
			return (state >>> 8) % n;
		};
		for (let i = 0; i < 2000; i++) {
			const bytes = good.slice();
			for (let j = 0; j < 4; j++) bytes[random(900)] = random(256);
			failure(bytes);
		}
	});
});
