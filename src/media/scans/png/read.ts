/**
 * PNG (W3C third edition): gray, RGB, palette, with and without alpha, 1 to 16 bit, interlaced or not, in; gray, RGB and RGBA of 8 and 16 bit
 * out, with cICP, gAMA and cHRM. No 2D canvas is involved, so no sample passes through 8 bit.
 */
import type { ColorTags, Transfer } from '../../../core/color.ts';
import { checkRatio, inflate } from '../deflate.ts';
import {
	allocatePicture,
	checkSize,
	rgbFormat,
	scatterRow,
	truncated,
	unreadable,
	UNTAGGED,
	type ScanPicture,
} from '../picture.ts';
import { parseColorText, primariesFromChromaticities, primariesFromCode, transferFromCode } from '../tags.ts';
import { adam7Passes, spreadPass } from './adam7.ts';
import { crc32, paeth, SIGNATURE } from './common.ts';

const SAMPLES_BY_TYPE: Readonly<Record<number, 1 | 2 | 3 | 4>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const LEGAL_DEPTHS: Readonly<Record<number, readonly number[]>> = {
	0: [1, 2, 4, 8, 16],
	2: [8, 16],
	3: [1, 2, 4, 8],
	4: [8, 16],
	6: [8, 16],
};
/** Encoding gammas in units of 1/100000 that mean one transfer. */
const GAMMAS: Readonly<Record<number, Transfer>> = {
	100000: 'linear',
	45455: 'gamma22',
	45454: 'gamma22',
	35714: 'gamma28',
};
/** What a PNG's chunks say before its pixels. */
export interface PngHeader {
	readonly width: number;
	readonly height: number;
	/** Bits a stored sample, 1 to 16. */
	readonly depth: number;
	/** 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA. */
	readonly colorType: number;
	readonly color: ColorTags;
	/** Planes it decodes to. */
	readonly components: 1 | 2 | 3 | 4;
	readonly interlaced: boolean;
	/** True when an ICC profile is there that the tags do not explain. */
	readonly icc: boolean;
}

interface Chunks {
	readonly header: PngHeader;
	readonly palette: Uint8Array | undefined;
	readonly transparency: Uint8Array | undefined;
	readonly data: readonly Uint8Array[];
	readonly ended: boolean;
}

/** True when the bytes begin like a PNG. */
export function isPng(bytes: Uint8Array): boolean {
	return bytes.length >= 8 && SIGNATURE.every((b, i) => bytes[i] === b);
}

/** Reads the header and color chunks from the beginning of a file (chunks after the first pixels do not matter). */
export function probePng(start: Uint8Array, what = 'PNG'): PngHeader {
	return readChunks(start, what, true).header;
}

/** Decodes a whole file. */
export function decodePng(bytes: Uint8Array, what = 'PNG'): ScanPicture {
	const chunks = readChunks(bytes, what, false);
	const { width, height, depth, colorType, color, components, interlaced } = chunks.header;
	const compressed = chunks.data.reduce((sum, c) => sum + c.length, 0);
	const samples = SAMPLES_BY_TYPE[colorType] ?? 1;
	const strideOf = (across: number): number => Math.ceil((across * samples * depth) / 8);
	const passes = interlaced ? adam7Passes({ width, height }) : [{ size: { width, height } }];
	const expected = passes.reduce((sum, { size }) => sum + (strideOf(size.width) + 1) * size.height, 0);
	if (!chunks.ended) throw truncated(what, bytes.length + 12, bytes.length);
	checkRatio(compressed, expected, what);
	const joined = chunks.data.length === 1 ? (chunks.data[0] as Uint8Array) : join(chunks.data, compressed);
	const raw = inflate(joined, expected, what);
	const picture = allocatePicture(rgbFormat(components, depth === 16 ? 16 : 8), { width, height }, color);
	let at = 0;
	for (const pass of passes) {
		const stride = strideOf(pass.size.width);
		const rows = raw.subarray(at, (at += (stride + 1) * pass.size.height));
		unfilter(rows, stride, pass.size.height, Math.max(1, (samples * depth) >> 3), what);
		const part = 'grid' in pass ? allocatePicture(picture.format, pass.size, color) : picture;
		fillPlanes(part, rows, stride, chunks, what);
		if ('grid' in pass) spreadPass(part, pass, picture);
	}
	return picture;
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
	const out = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}

function readChunks(bytes: Uint8Array, what: string, probeOnly: boolean): Chunks {
	if (!isPng(bytes)) throw bytes.length < 8 ? truncated(what, 8, bytes.length) : unreadable(what, 'not a PNG file');
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const found = new Map<string, Uint8Array>();
	const data: Uint8Array[] = [];
	const texts: string[] = [];
	let ended = false;
	for (let at = 8; !ended;) {
		if (at + 12 > bytes.length) break;
		const length = view.getUint32(at);
		const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
		if (probeOnly && type === 'IDAT') break;
		if (at + 12 + length > bytes.length) {
			if (probeOnly) break;
			throw truncated(what, at + 12 + length, bytes.length);
		}
		const body = bytes.subarray(at + 8, at + 8 + length);
		if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
			throw unreadable(what, `chunk ${type} at byte ${at} fails its checksum`);
		}
		if (type === 'IDAT') data.push(body);
		else if (type === 'tEXt') texts.push(String.fromCharCode(...body.subarray(0, 400)));
		else if (!found.has(type)) found.set(type, body);
		ended = type === 'IEND';
		at += 12 + length;
	}
	const header = readHeader(found, texts, what);
	return { header, palette: found.get('PLTE'), transparency: found.get('tRNS'), data, ended };
}

function readHeader(found: ReadonlyMap<string, Uint8Array>, texts: readonly string[], what: string): PngHeader {
	const ihdr = found.get('IHDR');
	if (!ihdr || ihdr.length < 13) throw truncated(what, 33, 0);
	const view = new DataView(ihdr.buffer, ihdr.byteOffset, 13);
	const width = view.getUint32(0);
	const height = view.getUint32(4);
	checkSize(width, height, what);
	const depth = view.getUint8(8);
	const colorType = view.getUint8(9);
	if (!LEGAL_DEPTHS[colorType]?.includes(depth)) throw unreadable(what, `color type ${colorType} with ${depth} bit`);
	if (view.getUint8(10) !== 0 || view.getUint8(11) !== 0)
		throw unreadable(what, 'unknown compression or filter method');
	const base = colorType === 3 ? 3 : (SAMPLES_BY_TYPE[colorType] ?? 1);
	const keyed = found.has('tRNS') && colorType < 4;
	const components = (base + (keyed ? 1 : 0)) as 1 | 2 | 3 | 4;
	const color = readColor(found, texts);
	const icc = found.has('iCCP') && color.transfer === 'unknown';
	return { width, height, depth, colorType, color, components, interlaced: view.getUint8(12) !== 0, icc };
}

/** cICP overrides everything, then our own text, then sRGB, then gAMA and cHRM: the order the standard asks for. */
function readColor(found: ReadonlyMap<string, Uint8Array>, texts: readonly string[]): ColorTags {
	const text = texts.map(parseColorText).find((t) => t !== undefined);
	if (text) return { ...UNTAGGED, ...text };
	const cicp = found.get('cICP');
	if (cicp && cicp.length >= 4) {
		const [primaries = 2, transfer = 2, , full = 1] = cicp;
		return {
			...UNTAGGED,
			primaries: primariesFromCode(primaries),
			transfer: transferFromCode(transfer),
			range: full ? 'full' : 'limited',
		};
	}
	if (found.has('sRGB')) return { ...UNTAGGED, primaries: 'bt709', transfer: 'srgb' };
	const gama = numbers(found.get('gAMA'), 1);
	const chrm = numbers(found.get('cHRM'), 8);
	return {
		...UNTAGGED,
		transfer: GAMMAS[gama?.[0] ?? -1] ?? 'unknown',
		primaries: chrm ? primariesFromChromaticities(chrm.map((v) => v / 100000)) : 'unknown',
	};
}

function numbers(chunk: Uint8Array | undefined, count: number): number[] | undefined {
	if (!chunk || chunk.length < count * 4) return undefined;
	const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
	return Array.from({ length: count }, (_, i) => view.getUint32(i * 4));
}

/** Undoes the row filters in place; row y's samples are at `y × (stride + 1) + 1`. */
function unfilter(raw: Uint8Array, stride: number, height: number, bpp: number, what: string): void {
	for (let y = 0; y < height; y++) {
		const start = y * (stride + 1) + 1;
		const type = raw[start - 1] as number;
		if (type > 4) throw unreadable(what, `row ${y} has filter ${type} (0 to 4 are legal)`);
		if (type === 1) addLeft(raw, start, stride, bpp);
		else if (type === 2 && y > 0) addUp(raw, start, stride);
		else if (type > 2) addAverageOrPaeth(raw, start, stride, bpp, type, y > 0);
	}
}

function addLeft(raw: Uint8Array, start: number, stride: number, bpp: number): void {
	for (let i = start + bpp; i < start + stride; i++) raw[i] = (raw[i] as number) + (raw[i - bpp] as number);
}

function addUp(raw: Uint8Array, start: number, stride: number): void {
	for (let i = start; i < start + stride; i++) raw[i] = (raw[i] as number) + (raw[i - stride - 1] as number);
}

function addAverageOrPaeth(
	raw: Uint8Array,
	start: number,
	stride: number,
	bpp: number,
	type: number,
	hasUp: boolean,
): void {
	const up = stride + 1;
	for (let i = start; i < start + bpp && i < start + stride; i++) {
		const b = hasUp ? (raw[i - up] as number) : 0;
		raw[i] = (raw[i] as number) + (type === 3 ? b >> 1 : b);
	}
	const from = start + bpp;
	const end = start + stride;
	if (type === 3) {
		for (let i = from; i < end; i++) {
			raw[i] = (raw[i] as number) + (((raw[i - bpp] as number) + (hasUp ? (raw[i - up] as number) : 0)) >> 1);
		}
	} else if (!hasUp) {
		addLeft(raw, start, stride, bpp);
	} else {
		for (let i = from; i < end; i++) {
			const guess = paeth(raw[i - bpp] as number, raw[i - up] as number, raw[i - up - bpp] as number);
			raw[i] = (raw[i] as number) + guess;
		}
	}
}

function fillPlanes(picture: ScanPicture, raw: Uint8Array, stride: number, chunks: Chunks, what: string): void {
	const { depth, colorType } = chunks.header;
	const { width, height } = picture.size;
	const samples = SAMPLES_BY_TYPE[colorType] ?? 1;
	const row = new Uint16Array(width * samples);
	const order = Array.from({ length: samples }, (_, i) => i);
	const expand = colorType === 0 && depth < 8 ? 255 / (2 ** depth - 1) : 1;
	for (let y = 0; y < height; y++) {
		readRow(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)), depth, row);
		const at = y * width;
		if (colorType === 3) {
			paletteRow(picture, row, at, chunks, what);
			continue;
		}
		if (chunks.transparency && samples % 2 === 1) keyRow(picture, row, samples, at, chunks.transparency);
		if (expand !== 1) for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) * expand;
		scatterRow(row, picture.planes, order, at, width);
	}
}

function readRow(bytes: Uint8Array, depth: number, row: Uint16Array): void {
	if (depth === 8) {
		row.set(bytes);
	} else if (depth === 16) {
		for (let i = 0; i < row.length; i++) row[i] = ((bytes[i * 2] as number) << 8) | (bytes[i * 2 + 1] as number);
	} else {
		const mask = 2 ** depth - 1;
		for (let i = 0; i < row.length; i++) {
			const bit = i * depth;
			row[i] = ((bytes[bit >> 3] as number) >> (8 - depth - (bit & 7))) & mask;
		}
	}
}

function paletteRow(picture: ScanPicture, row: Uint16Array, at: number, chunks: Chunks, what: string): void {
	const { palette, transparency } = chunks;
	const alpha = picture.format.alpha ? picture.planes[3] : undefined;
	for (let x = 0; x < row.length; x++) {
		const index = row[x] as number;
		if (!palette || index * 3 + 2 >= palette.length) throw unreadable(what, `palette has no color ${index}`);
		for (let c = 0; c < 3; c++) (picture.planes[c] as Uint8Array)[at + x] = palette[index * 3 + c] as number;
		if (alpha) alpha[at + x] = transparency?.[index] ?? 255;
	}
}

/** One color of gray and RGB pictures may mean "transparent". */
function keyRow(picture: ScanPicture, row: Uint16Array, samples: number, at: number, key: Uint8Array): void {
	const alpha = picture.planes[samples];
	if (!alpha) return;
	const opaque = picture.format.depth === 16 ? 65535 : 255;
	const width = row.length / samples;
	for (let x = 0; x < width; x++) {
		let same = true;
		for (let c = 0; c < samples; c++) {
			same &&= row[x * samples + c] === (((key[c * 2] ?? 0) << 8) | (key[c * 2 + 1] ?? 0));
		}
		alpha[at + x] = same ? 0 : opaque;
	}
}
