/** EXR files as OpenEXR writes them (`tests/fixtures/scans/make.py`): every compression, tiles, levels, parts, and damage. */
import { describe, expect, it } from 'vitest';
import { probeScanFile } from '../formats.ts';
import { allocatePicture, rgbFormat, type ScanPicture } from '../picture.ts';
import {
	damaged,
	ffmpegPlanes,
	filmPicture,
	firstDifference,
	noisePicture,
	outcome,
	planeBytes,
	scanFixture,
} from '../scans.testkit.ts';
import { blockAt, prefixBytes } from './blocks.ts';
import { decodeExr } from './exr.ts';
import { halfBits, halfTable } from './half.ts';
import { parseExrHeader } from './header.ts';
import { shapeBytes } from './shape.ts';

const LINEAR = filmPicture(1, 1, 1).color;

/** A file, read by a probe and whole; both must say the same. */
async function read(name: string): Promise<ScanPicture> {
	const file = scanFixture(`exr/${name}.exr`);
	const picture = decodeExr(file, name);
	const probe = await probeScanFile(new Blob([file]), name);
	expect(probe).toMatchObject({ format: 'exr', size: picture.size, pixel: picture.format, color: picture.color });
	return picture;
}

/** Sizes of the blocks as they lie in the file and as they are expanded, and where they end. */
function blockSizes(name: string): { readonly stored: number; readonly expanded: number; readonly end: number }[] {
	const bytes = scanFixture(`exr/${name}.exr`);
	const view = new DataView(bytes.buffer);
	const header = parseExrHeader(bytes);
	return Array.from({ length: header.blocks }, (_, i) => {
		const at = Number(view.getBigUint64(header.tableAt + i * 8, true)) + prefixBytes(header) - 4;
		const { channels } = header;
		const stored = view.getUint32(at, true);
		return { stored, end: at + 4 + stored, expanded: shapeBytes({ ...blockAt(header, i), channels }) };
	});
}

/** What OpenEXR read: planes of halves, but for those named in `floats`. */
function expected(
	name: string,
	width: number,
	height: number,
	n: 1 | 2 | 3 | 4,
	floats: readonly number[] = [],
): ScanPicture {
	const raw = new DataView(scanFixture(`exr/${name}.raw`).buffer);
	const picture = allocatePicture(rgbFormat(n, 32), { width, height }, LINEAR);
	let at = 0;
	picture.planes.forEach((plane, p) => {
		for (let i = 0; i < plane.length; i++) {
			plane[i] = floats.includes(p) ? raw.getFloat32(at, true) : (halfTable()[raw.getUint16(at, true)] as number);
			at += floats.includes(p) ? 4 : 2;
		}
	});
	expect(at).toBe(raw.byteLength);
	return picture;
}

function expectSame(picture: ScanPicture, wanted: ScanPicture): void {
	expect(picture.size).toEqual(wanted.size);
	expect(picture.format).toEqual(wanted.format);
	expect(firstDifference(planeBytes(picture), planeBytes(wanted))).toBe(-1);
}

/** 33 lines of 513 pixels, more than 2^14 values in the first 32. */
function manyValues(): ScanPicture {
	const picture = allocatePicture(rgbFormat(1, 32), { width: 513, height: 33 }, LINEAR);
	const plane = picture.planes[0] as Float32Array;
	for (let i = 0; i < plane.length; i++) plane[i] = halfTable()[512 + (i % 513) * 32 + Math.floor(i / 513)] as number;
	return picture;
}

function flat(value: number): ScanPicture {
	const picture = allocatePicture(rgbFormat(3, 32), { width: 33, height: 40 }, LINEAR);
	for (const plane of picture.planes) plane.fill(value);
	return picture;
}

const HALF_018 = 0x31c3;

describe('EXR tiles, levels and lines', () => {
	it.each([
		['tiles-zip', filmPicture(37, 21, 3, true)],
		['tiles-rle', filmPicture(37, 21, 3)],
		['tiles-none', noisePicture(9, 5, 1, 32)],
		['tiles-small', filmPicture(13, 9, 3)],
		['tiles-mip', filmPicture(13, 9, 3)],
		['tiles-rip', filmPicture(13, 9, 3)],
		['lines-down', filmPicture(37, 21, 3)],
	])('reads %s to the bit', async (name, picture) => {
		expectSame(await read(name), picture);
	});

	it('takes the first picture of several parts, and says so', async () => {
		expectSame(await read('parts'), filmPicture(37, 21, 3));
		const probe = await probeScanFile(new Blob([scanFixture('exr/parts.exr')]), 'x');
		expect(probe.odd).toEqual([{ code: 'header-parts', values: { part: 2, count: 3 } }]);
	});

	it('refuses parts without a picture, deep data, subsampled and integer channels, with what to do', () => {
		expect(() => decodeExr(scanFixture('exr/parts-matte.exr'))).toThrow(/without R, G, B or Y.*mask.*Convert/);
		expect(() => decodeExr(scanFixture('exr/deep.exr'))).toThrow(/deep data.*flatten/);
		// The first channel's record: its name, the pixel type, flags, and the steps between samples.
		const file = scanFixture('exr/tiles-small.exr');
		const at = new TextDecoder('latin1').decode(file).indexOf('channels\0chlist\0') + 20;
		expect(file[at]).toBe('B'.charCodeAt(0));
		const halfWidth = file.slice();
		halfWidth[at + 10] = 2;
		expect(() => decodeExr(halfWidth)).toThrow(/subsampled/);
		const integers = file.slice();
		integers[at + 2] = 0;
		expect(() => decodeExr(integers)).toThrow(/integer/);
	});

	it('finds a header that is longer than what a probe reads first', async () => {
		const file = scanFixture('exr/lines-down.exr');
		const { tableAt, blocks } = parseExrHeader(file);
		const name = new TextEncoder().encode('comments\0string\0');
		const extra = 200_000;
		const added = name.length + 4 + extra;
		const out = new Uint8Array(file.length + added);
		out.set(file.subarray(0, 8));
		out.set(name, 8);
		const view = new DataView(out.buffer);
		view.setUint32(8 + name.length, extra, true);
		out.set(file.subarray(8), 8 + added);
		for (let i = 0; i < blocks; i++) {
			const entry = tableAt + added + i * 8;
			view.setBigUint64(entry, view.getBigUint64(entry, true) + BigInt(added), true);
		}
		expect((await probeScanFile(new Blob([out]), 'x')).size).toEqual({ width: 37, height: 21 });
		expectSame(decodeExr(out), filmPicture(37, 21, 3));
	});
});

describe('EXR compressions that keep every bit', () => {
	it.each(['piz', 'pxr24'])(
		'%s: other channels between, specials, tiles, groups of lines, flat, one pixel',
		async (kind) => {
			expectSame(await read(`${kind}-mixed`), filmPicture(37, 21, 4));
			expectSame(await read(`${kind}-tiles`), filmPicture(45, 37, 3, true));
			expectSame(await read(`${kind}-lines`), filmPicture(23, 70, 3));
			expectSame(await read(`${kind}-pixel`), filmPicture(1, 1, 4));
			expectSame(await read(`${kind}-flat`), flat(halfTable()[HALF_018] as number));
			// Otherwise the files would not show what they are for.
			for (const name of ['mixed', 'tiles', 'lines', 'flat'])
				expect(blockSizes(`${kind}-${name}`).some(({ stored, expanded }) => stored < expanded)).toBe(true);
		},
	);

	it('piz: black, floats, more values than the wavelet takes as signed', async () => {
		expectSame(await read('piz-black'), flat(0));
		expectSame(await read('piz-many'), manyValues());
		const third = filmPicture(45, 37, 1);
		for (const plane of third.planes)
			for (let i = 0; i < plane.length; i++) plane[i] = Math.fround((plane[i] as number) * Math.fround(1 / 3));
		expectSame(await read('piz-float'), third);
		for (const name of ['black', 'many', 'float'])
			expect(blockSizes(`piz-${name}`)[0]?.stored).toBeLessThan(blockSizes(`piz-${name}`)[0]?.expanded ?? 0);
	});
});

describe('EXR compressions that lose something: the samples that OpenEXR reads', () => {
	it('pxr24: floats of 24 bits', async () => {
		const picture = await read('pxr24-float');
		expectSame(picture, expected('pxr24-float', 19, 11, 3, [0, 1, 2]));
		expect(firstDifference(planeBytes(picture), planeBytes(noisePicture(19, 11, 3, 32)))).not.toBe(-1);
	});

	it('b44, b44a: grain, odd sizes, other types beside, flat squares, tiles, one pixel, curves', async () => {
		expectSame(await read('b44-grain'), expected('b44-grain', 22, 35, 3));
		expectSame(await read('b44-mixed'), expected('b44-mixed', 13, 9, 3, [2]));
		expectSame(await read('b44-tiles'), expected('b44-tiles', 13, 10, 4));
		expectSame(await read('b44-pixel'), filmPicture(1, 1, 3));
		expectSame(await read('b44a-flat'), expected('b44a-flat', 22, 35, 3));
		expectSame(await read('b44-curve'), expected('b44-curve', 13, 9, 1));
		const [first] = blockSizes('b44a-flat');
		expect(first?.stored).toBeLessThan(6 * 8 * 14 * 3);
	});
});

/** How far samples lie apart, in halves between them: the share that is equal, and the largest distance. */
function distance(a: ScanPicture, b: ScanPicture): { readonly equal: number; readonly most: number } {
	expect(a.size).toEqual(b.size);
	expect(a.format).toEqual(b.format);
	// Bits of halves in an order in which neighbors are neighboring numbers.
	const order = (bits: number): number => (bits & 0x8000 ? -(bits & 0x7fff) : bits);
	const [x, y] = [a, b].map(({ data }) => Array.from(new Uint32Array(data), (v) => order(halfBits(v)))) as [
		number[],
		number[],
	];
	const apart = x.map((v, i) => Math.abs(v - (y[i] as number)));
	return { equal: apart.filter((d) => d === 0).length / apart.length, most: Math.max(...apart) };
}

describe('EXR of DWA: the samples that OpenEXR reads, but for the last bits of its float arithmetic', () => {
	it.each([
		['dwaa-film', 37, 29, 4, []],
		['dwaa-tiles', 37, 29, 3, []],
		['dwaa-pixel', 1, 1, 3, []],
		['dwaa-grain', 24, 40, 3, []],
		['dwaa-float', 21, 17, 4, [0, 1, 2, 3]],
		['dwaa-layers', 21, 17, 4, []],
		['dwaa-layers-old', 21, 17, 4, []],
		['dwaa-single', 21, 17, 1, []],
		['dwaa-curve', 40, 33, 1, []],
		['dwaa-flat', 17, 20, 3, []],
		['dwab-lines', 9, 259, 1, []],
	] as const)('%s', async (name, width, height, n, floats) => {
		const picture = await read(name);
		const wanted = expected(name, width, height, n, floats);
		const { equal, most } = distance(picture, wanted);
		expect(equal).toBeGreaterThanOrEqual(0.99);
		expect(most).toBeLessThanOrEqual(4);
		// Alpha loses nothing.
		if (n === 4) expect(firstDifference(lastPlane(picture), lastPlane(wanted))).toBe(-1);
		if (name !== 'dwaa-pixel') expect(blockSizes(name).some(({ stored, expanded }) => stored < expanded)).toBe(true);
	});

	it('refuses a picture behind a layer, which versions of OpenEXR take for each other, before work starts', async () => {
		const file = scanFixture('exr/dwaa-unclear.exr');
		expect(() => decodeExr(file)).toThrow(/layer before R, G and B.*Convert/);
		await expect(probeScanFile(new Blob([file]), 'x')).rejects.toMatchObject({ code: 'unsupported-format' });
	});

	it('reads blocks of the first version, which do not say which channel went which way', async () => {
		expectSame(await read('dwaa-old'), await read('dwaa-tiles'));
	});
});

function lastPlane(picture: ScanPicture): Uint8Array {
	const plane = picture.planes.at(-1) as Float32Array;
	return new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength);
}

describe('hostile EXR', () => {
	const FILES = [
		'tiles-rle',
		'tiles-rip',
		'parts',
		'piz-tiles',
		'piz-mixed',
		'pxr24-lines',
		'b44a-flat',
		'b44-tiles',
		'dwaa-film',
		'dwaa-old',
	];

	it.each(FILES)('%s: truncation is named, wherever it happens', async (name) => {
		const good = scanFixture(`exr/${name}.exr`);
		const end = Math.max(...blockSizes(name).map((block) => block.end));
		for (let n = 0; n < good.length; n += 61) {
			// What is lost of levels and parts that are not read is not missed.
			expect(outcome(() => decodeExr(good.subarray(0, n)))).toBe(n < end ? 'input-truncated' : 'read');
		}
		const part = new Blob([good.subarray(0, end - 1)]);
		await expect(probeScanFile(part, name)).rejects.toMatchObject({ code: 'input-truncated' });
	});

	it.each(FILES)('%s: damage is survived: it reads, or fails with a typed error', (name) => {
		const good = scanFixture(`exr/${name}.exr`);
		const { dataAt } = parseExrHeader(good);
		const seen = new Set<string>();
		for (const bytes of damaged(good, 300, 3, 0, dataAt)) seen.add(outcome(() => decodeExr(bytes)));
		for (const bytes of damaged(good, 400, 2, dataAt)) seen.add(outcome(() => decodeExr(bytes)));
		for (const code of seen)
			expect(['read', 'input-unreadable', 'input-truncated', 'unsupported-format']).toContain(code);
		expect(seen.size).toBeGreaterThan(1);
	});

	it('never believes sizes of tiles, pictures or blocks', () => {
		const good = scanFixture('exr/tiles-small.exr');
		const text = new TextDecoder('latin1').decode(good);
		const tiles = text.indexOf('tiles\0tiledesc\0') + 19;
		const window = text.indexOf('dataWindow\0box2i\0') + 21;
		const readWith = (...changes: [at: number, value: number][]): string => {
			const bytes = good.slice();
			for (const [at, value] of changes) new DataView(bytes.buffer).setUint32(at, value, true);
			return outcome(() => decodeExr(bytes));
		};
		expect(readWith()).toBe('read');
		expect(readWith([tiles, 0])).toBe('input-unreadable');
		expect(readWith([tiles, 0xffffffff], [tiles + 4, 0xffffffff])).toMatch(/^input-/);
		expect(readWith([tiles, 1], [tiles + 4, 1])).toBe('input-truncated');
		expect(readWith([window + 8, 8191], [window + 12, 8191], [tiles, 1], [tiles + 4, 1])).toBe('unsupported-format');
		expect(readWith([window + 8, 8191], [window + 12, 8191])).toBe('input-truncated');
		expect(readWith([window + 8, 16383], [window + 12, 8191], [tiles, 16384], [tiles + 4, 8192])).toBe(
			'unsupported-format',
		);
		expect(readWith([window + 8, 8191], [window + 12, 4095], [tiles, 8192], [tiles + 4, 8192])).toMatch(/^input-/);
	});
});

describe('ffmpeg, as a second judge', () => {
	it.each(['tiles-zip', 'piz-tiles', 'piz-lines', 'pxr24-tiles', 'b44-grain', 'b44a-flat'])(
		'reads %s alike',
		(name) => {
			const file = scanFixture(`exr/${name}.exr`);
			const picture = decodeExr(file);
			const judged = new Float32Array(ffmpegPlanes('a.exr', file, picture.format).buffer);
			const ours = new Float32Array(picture.data);
			const differ = ours.reduce((n, v, i) => n + (Object.is(v, judged[i]) ? 0 : 1), 0);
			expect(differ).toBe(0);
		},
	);
});
