/**
 * ffmpeg's pixel formats in our planar ones. Only the layout in memory changes: interleaved samples are pulled apart,
 * words swapped or shifted down to the low bits, planes put in R, G, B order. No value changes; where ffmpeg itself has to
 * convert first (palettes, 5-bit RGB), `converted` says so.
 */

import { formatPhrase, frameBytes, type PixelFormat, planeLayouts, type Size } from '../../core/color.ts';
import { phrase, type Text } from '../../core/phrases.ts';

/** How raw bytes of one ffmpeg format become our planes. */
export interface RawFormat {
	/** What our planes hold. */
	readonly format: PixelFormat;
	/** Format asked from ffmpeg (`-pix_fmt`); the source's own unless `converted`. */
	readonly pixFmt: string;
	/** True where ffmpeg changes samples on the way (always by widening them). */
	readonly converted: boolean;
	/** Bytes of one tightly packed raw frame. */
	bytes(size: Size): number;
	/** Writes our planes of one raw frame. `out` has `frameBytes(format, size)` bytes. */
	unpack(raw: Uint8Array, out: ArrayBuffer, size: Size): void;
}

type Chroma = PixelFormat['chroma'];

function format(
	chroma: Chroma,
	depth: number,
	alpha = false,
	sample: PixelFormat['sample'] = depth > 8 ? 'u16' : 'u8',
): PixelFormat {
	return { chroma, depth, sample, alpha };
}

/** Ours read as 8- or 16-bit samples; `raw` may lie in shared memory at any even offset. */
function words(raw: Uint8Array): Uint16Array {
	return new Uint16Array(raw.buffer, raw.byteOffset, raw.byteLength >> 1);
}

function swapped(raw: Uint8Array): Uint16Array {
	const source = words(raw);
	const out = new Uint16Array(source.length);
	for (let i = 0; i < source.length; i++) {
		const v = source[i]!;
		out[i] = ((v & 0xff) << 8) | (v >> 8);
	}
	return out;
}

/** Same planes, same order: one copy. */
function planar(pixFmt: string, f: PixelFormat): RawFormat {
	return {
		format: f,
		pixFmt,
		converted: false,
		bytes: (size) => frameBytes(f, size),
		unpack: (raw, out) => {
			new Uint8Array(out).set(raw);
		},
	};
}

/** Big-endian words. */
function bigEndian(pixFmt: string, base: RawFormat): RawFormat {
	return {
		...base,
		pixFmt,
		unpack: (raw, out, size) => {
			const little = swapped(raw);
			base.unpack(new Uint8Array(little.buffer), out, size);
		},
	};
}

/** G, B, R (, A) planes into R, G, B (, A). */
function gbr(pixFmt: string, f: PixelFormat): RawFormat {
	return {
		...planar(pixFmt, f),
		unpack: (raw, out, size) => {
			const plane = raw.length / (f.alpha ? 4 : 3);
			const target = new Uint8Array(out);
			const order = [2, 0, 1, 3];
			for (let i = 0; i < (f.alpha ? 4 : 3); i++) {
				const from = order[i]! * plane;
				target.set(raw.subarray(from, from + plane), i * plane);
			}
			void size;
		},
	};
}

/** Interleaved pixels of `step` samples of which `picks` (in R, G, B, A or Y, A order) are kept. */
function interleaved(
	pixFmt: string,
	f: PixelFormat,
	step: number,
	picks: readonly number[],
	asked = pixFmt,
): RawFormat {
	const wide = f.sample === 'u16';
	return {
		format: f,
		pixFmt: asked,
		converted: asked !== pixFmt,
		bytes: ({ width, height }) => width * height * step * (wide ? 2 : 1),
		unpack: (raw, out, { width, height }) => {
			const source = wide ? words(raw) : raw;
			const target = wide ? new Uint16Array(out) : new Uint8Array(out);
			const count = width * height;
			picks.forEach((pick, plane) => {
				for (let i = 0, j = pick, k = plane * count; i < count; i++, j += step, k++) target[k] = source[j]!;
			});
		},
	};
}

/** Luma plane, then interleaved chroma (nv12, p010). `shift` brings the value to the low bits. */
function semiPlanar(pixFmt: string, f: PixelFormat, swap: boolean, shift = 0): RawFormat {
	const wide = f.sample === 'u16';
	return {
		format: f,
		pixFmt,
		converted: false,
		bytes: (size) => frameBytes(f, size),
		unpack: (raw, out, size) => {
			unpackSemiPlanar(
				wide ? words(raw) : raw,
				wide ? new Uint16Array(out) : new Uint8Array(out),
				f,
				size,
				swap,
				shift,
			);
		},
	};
}

/**
 * Luma plane and interleaved chroma of tight rows into three planes.
 * @param swap V before U. @param shift bits by which samples are shifted down.
 */
export function unpackSemiPlanar(
	source: Uint8Array | Uint16Array,
	target: Uint8Array | Uint16Array,
	f: PixelFormat,
	size: Size,
	swap = false,
	shift = 0,
): void {
	const [luma, u, v] = planeLayouts(f, size);
	const count = luma!.width * luma!.height;
	if (shift === 0) target.set(source.subarray(0, count));
	else for (let i = 0; i < count; i++) target[i] = source[i]! >> shift;
	const first = swap ? v! : u!;
	const second = swap ? u! : v!;
	const chroma = u!.width * u!.height;
	for (let i = 0, j = count; i < chroma; i++, j += 2) {
		target[first.offset + i] = source[j]! >> shift;
		target[second.offset + i] = source[j + 1]! >> shift;
	}
}

/** Two pixels in four samples (`uyvy422`, `yuyv422`, `y210le`): positions of Y0, U, Y1, V. */
function packed422(
	pixFmt: string,
	depth: number,
	[y0, u, y1, v]: readonly [number, number, number, number],
	shift = 0,
): RawFormat {
	const f = format('422', depth);
	const wide = f.sample === 'u16';
	return {
		format: f,
		pixFmt,
		converted: false,
		// Rows hold whole pairs of pixels.
		bytes: ({ width, height }) => (wide ? 8 : 4) * Math.ceil(width / 2) * height,
		unpack: (raw, out, size) => {
			const source = wide ? words(raw) : raw;
			const target = wide ? new Uint16Array(out) : new Uint8Array(out);
			const [, uPlane, vPlane] = planeLayouts(f, size);
			const pairs = Math.ceil(size.width / 2);
			for (let y = 0, j = 0; y < size.height; y++) {
				for (let x = 0; x < pairs; x++, j += 4) {
					const at = y * size.width + 2 * x;
					target[at] = source[j + y0]! >> shift;
					if (2 * x + 1 < size.width) target[at + 1] = source[j + y1]! >> shift;
					target[uPlane!.offset + y * pairs + x] = source[j + u]! >> shift;
					target[vPlane!.offset + y * pairs + x] = source[j + v]! >> shift;
				}
			}
		},
	};
}

/** One bit a pixel, rows of whole bytes. */
function mono(pixFmt: string, white: 0 | 1): RawFormat {
	return {
		format: format('gray', 8),
		pixFmt,
		converted: false,
		bytes: ({ width, height }) => Math.ceil(width / 8) * height,
		unpack: (raw, out, { width, height }) => {
			const target = new Uint8Array(out);
			const row = Math.ceil(width / 8);
			for (let y = 0; y < height; y++) {
				for (let x = 0; x < width; x++) {
					const bit = (raw[y * row + (x >> 3)]! >> (7 - (x & 7))) & 1;
					target[y * width + x] = bit === white ? 255 : 0;
				}
			}
		},
	};
}

function planarTable(): RawFormat[] {
	const list: RawFormat[] = [];
	const both = (name: string, make: (pixFmt: string) => RawFormat): void => {
		const little = make(`${name}le`);
		list.push(little, bigEndian(`${name}be`, little));
	};
	for (const chroma of ['420', '422', '444', '411', '410', '440'] as const) {
		list.push(
			planar(`yuv${chroma}p`, format(chroma, 8)),
			planar(`yuvj${chroma}p`, format(chroma, 8)),
			planar(`yuva${chroma}p`, format(chroma, 8, true)),
		);
		for (const depth of [9, 10, 12, 14, 16]) {
			both(`yuv${chroma}p${depth}`, (name) => planar(name, format(chroma, depth)));
			both(`yuva${chroma}p${depth}`, (name) => planar(name, format(chroma, depth, true)));
		}
	}
	list.push(planar('gray', format('gray', 8)), gbr('gbrp', format('rgb', 8)), gbr('gbrap', format('rgb', 8, true)));
	for (const depth of [9, 10, 12, 14, 16]) {
		both(`gray${depth}`, (name) => planar(name, format('gray', depth)));
		both(`gbrp${depth}`, (name) => gbr(name, format('rgb', depth)));
		both(`gbrap${depth}`, (name) => gbr(name, format('rgb', depth, true)));
	}
	list.push(planar('grayf32le', format('gray', 32, false, 'f32')));
	list.push(gbr('gbrpf32le', format('rgb', 32, false, 'f32')), gbr('gbrapf32le', format('rgb', 32, true, 'f32')));
	return list;
}

function packedTable(): RawFormat[] {
	const rgb = format('rgb', 8);
	const rgba = format('rgb', 8, true);
	const list: RawFormat[] = [];
	const order = { rgba: [0, 1, 2, 3], bgra: [2, 1, 0, 3], argb: [1, 2, 3, 0], abgr: [3, 2, 1, 0] } as const;
	for (const [name, picks] of Object.entries(order)) {
		list.push(interleaved(name, rgba, 4, picks), interleaved(name.replace('a', '0'), rgb, 4, picks.slice(0, 3)));
	}
	list.push(interleaved('rgb24', rgb, 3, [0, 1, 2]), interleaved('bgr24', rgb, 3, [2, 1, 0]));
	for (const [name, picks] of [
		['rgb48', [0, 1, 2]],
		['bgr48', [2, 1, 0]],
		['rgba64', [0, 1, 2, 3]],
		['bgra64', [2, 1, 0, 3]],
		['ya16', [0, 1]],
	] as const) {
		const gray = name === 'ya16';
		const little = interleaved(
			`${name}le`,
			format(gray ? 'gray' : 'rgb', 16, picks.length === 4 || gray),
			picks.length,
			picks,
		);
		list.push(little, bigEndian(`${name}be`, little));
	}
	list.push(interleaved('ya8', format('gray', 8, true), 2, [0, 1]));
	list.push(
		packed422('yuyv422', 8, [0, 1, 2, 3]),
		packed422('uyvy422', 8, [1, 0, 3, 2]),
		packed422('yvyu422', 8, [0, 3, 2, 1]),
		packed422('y210le', 10, [0, 1, 2, 3], 6),
	);
	list.push(
		semiPlanar('nv12', format('420', 8), false),
		semiPlanar('nv21', format('420', 8), true),
		semiPlanar('nv16', format('422', 8), false),
	);
	list.push(semiPlanar('nv24', format('444', 8), false), semiPlanar('nv42', format('444', 8), true));
	for (const [digit, chroma] of [
		['0', '420'],
		['2', '422'],
		['4', '444'],
	] as const) {
		list.push(
			semiPlanar(`p${digit}10le`, format(chroma, 10), false, 6),
			semiPlanar(`p${digit}16le`, format(chroma, 16), false),
		);
	}
	list.push(mono('monow', 0), mono('monob', 1));
	for (const name of [
		'pal8',
		'rgb565le',
		'rgb565be',
		'rgb555le',
		'rgb555be',
		'rgb444le',
		'bgr565le',
		'bgr555le',
		'rgb8',
		'bgr8',
		'rgb4_byte',
		'bgr4_byte',
	]) {
		list.push({ ...interleaved('rgb24', rgb, 3, [0, 1, 2]), pixFmt: 'rgb24', converted: true, name } as RawFormat & {
			name: string;
		});
	}
	return list;
}

const TABLE: ReadonlyMap<string, RawFormat> = new Map(
	[...planarTable(), ...packedTable()].map((raw) => ['name' in raw ? (raw.name as string) : raw.pixFmt, raw]),
);

/** How frames of an ffmpeg pixel format are read; undefined for formats that no planar format of ours can hold (XYZ, Bayer, hardware). */
export function rawFormat(pixFmt: string): RawFormat | undefined {
	return TABLE.get(pixFmt);
}

/** Size and samples of a picture as data, with ffmpeg's own tag: formats that differ by that alone are told apart. */
export function pictureText({ width, height }: Size, pixFmt: string): Text {
	const raw = rawFormat(pixFmt);
	return raw
		? phrase('picture-is', { width, height, format: formatPhrase(raw.format), tag: pixFmt })
		: `${width}×${height} ${pixFmt}`;
}
