/**
 * OpenEXR scanline files: half and float samples in (none, RLE, ZIPS, ZIP), half out (none, ZIPS, ZIP). Samples come as
 * float32 planes, which hold every half exactly, so that half pictures leave with the bits they came with.
 */
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import { checkRatio, deflate, inflate } from '../deflate.ts';
import { allocatePicture, rgbFormat, truncated, unreadable, type ScanPicture } from '../picture.ts';
import { chromaticitiesOf } from '../tags.ts';
import { halfBits, halfTable } from './half.ts';
import { EXR_MAGIC, parseExrHeader, type ExrCompression, type ExrHeader } from './header.ts';

const LINES_PER_BLOCK: Readonly<Record<ExrCompression, number>> = { 0: 1, 1: 1, 2: 1, 3: 16 };

function pixelBytes(header: ExrHeader): number {
	return header.channels.reduce((sum, c) => sum + (c.type === 1 ? 2 : 4), 0);
}

/** Decodes a whole file; the format is float with 1 to 4 planes. */
export function decodeExr(bytes: Uint8Array, what = 'EXR'): ScanPicture {
	const header = parseExrHeader(bytes, what);
	const { width, height, compression } = header;
	const lines = LINES_PER_BLOCK[compression];
	const blocks = Math.ceil(height / lines);
	const lineBytes = width * pixelBytes(header);
	const dataAt = header.tableAt + blocks * 8;
	if (dataAt > bytes.length) throw truncated(what, dataAt, bytes.length);
	const stored = bytes.length - dataAt;
	if (compression === 0) {
		const needed = dataAt + height * (lineBytes + 8);
		if (needed > bytes.length) throw truncated(what, needed, bytes.length);
	} else checkRatio(stored, lineBytes * height, what, compression === 1 ? 128 : undefined);
	const picture = allocatePicture(rgbFormat(header.components, 32), { width, height }, header.color);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	for (let i = 0; i < blocks; i++) {
		const offset = Number(view.getBigUint64(header.tableAt + i * 8, true));
		// Writers fill the table last: offsets before the data mean that writing was interrupted.
		if (offset < dataAt) throw truncated(what, dataAt + lineBytes * height, bytes.length);
		if (offset + 8 > bytes.length) throw truncated(what, offset + 8, bytes.length);
		const y = view.getInt32(offset, true) - header.top;
		const size = view.getUint32(offset + 4, true);
		if (offset + 8 + size > bytes.length) throw truncated(what, offset + 8 + size, bytes.length);
		if (y < 0 || y >= height || y % lines !== 0) throw unreadable(what, `block ${i} claims line ${y}`);
		const rows = Math.min(lines, height - y);
		const raw = expandBlock(bytes.subarray(offset + 8, offset + 8 + size), rows * lineBytes, compression, what);
		for (let r = 0; r < rows; r++) readLine(raw, r * lineBytes, header, picture, (y + r) * width);
	}
	return picture;
}

function expandBlock(data: Uint8Array, expected: number, compression: ExrCompression, what: string): Uint8Array {
	if (data.length === expected) return data;
	if (compression === 0 || data.length > expected) throw unreadable(what, 'a block of the wrong size');
	const packed = compression === 1 ? expandRle(data, expected, what) : inflate(data, expected, what);
	for (let i = 1; i < expected; i++) packed[i] = (packed[i - 1] as number) + (packed[i] as number) - 128;
	const out = new Uint8Array(expected);
	const half = (expected + 1) >> 1;
	for (let i = 0, o = 0; o < expected; i++) {
		out[o++] = packed[i] as number;
		if (o < expected) out[o++] = packed[half + i] as number;
	}
	return out;
}

function expandRle(data: Uint8Array, expected: number, what: string): Uint8Array {
	const out = new Uint8Array(expected);
	let o = 0;
	for (let i = 0; i < data.length && o < expected;) {
		const n = ((data[i++] as number) << 24) >> 24;
		if (n < 0) {
			const run = data.subarray(i, i + Math.min(-n, expected - o));
			out.set(run, o);
			i -= n;
			o += run.length;
		} else if (i < data.length) {
			const end = Math.min(expected, o + n + 1);
			out.fill(data[i++] as number, o, end);
			o = end;
		}
	}
	if (o < expected) throw truncated(what, expected, o);
	return out;
}

function readLine(raw: Uint8Array, start: number, header: ExrHeader, picture: ScanPicture, to: number): void {
	const { width } = header;
	const halves = halfTable();
	const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
	let at = start;
	for (const channel of header.channels) {
		const plane = channel.plane === undefined ? undefined : picture.planes[channel.plane];
		const size = channel.type === 1 ? 2 : 4;
		if (plane && size === 2) {
			for (let x = 0; x < width; x++) plane[to + x] = halves[view.getUint16(at + x * 2, true)] as number;
		} else if (plane) {
			for (let x = 0; x < width; x++) plane[to + x] = view.getFloat32(at + x * 4, true);
		}
		at += width * size;
	}
}

/** How an EXR is written. */
export interface ExrWriteOptions {
	/** Default `zip` (16 lines a block). */
	readonly compression?: 'none' | 'zips' | 'zip';
}

const COMPRESSION_CODES = { none: 0, zips: 2, zip: 3 } as const;

/** Encodes a float picture of linear light as half samples. The same picture always gives the same bytes. */
export function encodeExr(picture: ScanPicture, options: ExrWriteOptions = {}): Uint8Array<ArrayBuffer> {
	const { format, size } = picture;
	if (format.sample !== 'f32' || (format.chroma !== 'rgb' && format.chroma !== 'gray')) {
		throw new EmulsionError(
			'usage',
			phrase('takes', { format: 'EXR', legal: 'RGB, gray; float', found: `${format.chroma} ${format.depth}` }),
		);
	}
	if (picture.color.transfer !== 'linear') {
		throw new EmulsionError(
			'usage',
			phrase('exr-linear', { transfer: picture.color.transfer }),
		);
	}
	const compression: ExrCompression = COMPRESSION_CODES[options.compression ?? 'zip'];
	const base = format.chroma === 'rgb' ? ['R', 'G', 'B'] : ['Y'];
	const planes = [...base, ...(format.alpha ? ['A'] : [])]
		.map((name, i) => ({ name, samples: picture.planes[i] as Float32Array }))
		.sort((a, b) => (a.name < b.name ? -1 : 1));
	const lines = LINES_PER_BLOCK[compression];
	const blocks: Uint8Array[] = [];
	for (let y = 0; y < size.height; y += lines) {
		const rows = Math.min(lines, size.height - y);
		const raw = blockBytes(
			planes.map((p) => p.samples),
			size.width,
			y,
			rows,
		);
		blocks.push(compression === 0 ? raw : packBlock(raw));
	}
	return assemble(
		headerBytes(
			picture,
			planes.map((p) => p.name),
			compression,
		),
		blocks,
		lines,
	);
}

function blockBytes(planes: readonly Float32Array[], width: number, from: number, rows: number): Uint8Array {
	const out = new DataView(new ArrayBuffer(rows * width * planes.length * 2));
	let at = 0;
	for (let y = from; y < from + rows; y++) {
		for (const plane of planes) {
			const bits = new Uint32Array(plane.buffer, plane.byteOffset + y * width * 4, width);
			for (let x = 0; x < width; x++, at += 2) out.setUint16(at, halfBits(bits[x] as number), true);
		}
	}
	return new Uint8Array(out.buffer);
}

/** Even bytes, then odd ones; differences; zlib. Stored as it was where that is not smaller, as the format asks. */
function packBlock(raw: Uint8Array): Uint8Array {
	const split = new Uint8Array(raw.length);
	const half = (raw.length + 1) >> 1;
	for (let i = 0; i < raw.length; i++) split[(i >> 1) + (i & 1 ? half : 0)] = raw[i] as number;
	for (let i = raw.length - 1; i > 0; i--) split[i] = (split[i] as number) - (split[i - 1] as number) + 128;
	const packed = deflate(split);
	return packed.length < raw.length ? packed : raw;
}

function headerBytes(picture: ScanPicture, names: readonly string[], compression: ExrCompression): Uint8Array {
	const bytes: number[] = [];
	const text = (s: string): void => {
		for (const c of s) bytes.push(c.charCodeAt(0));
		bytes.push(0);
	};
	const view = new DataView(new ArrayBuffer(4));
	const i32 = (...values: number[]): number[] =>
		values.flatMap((v) => {
			view.setInt32(0, v, true);
			return [...new Uint8Array(view.buffer)];
		});
	const f32 = (...values: number[]): number[] =>
		values.flatMap((v) => {
			view.setFloat32(0, v, true);
			return [...new Uint8Array(view.buffer)];
		});
	const attribute = (name: string, type: string, value: readonly number[]): void => {
		text(name);
		text(type);
		bytes.push(...i32(value.length), ...value);
	};
	bytes.push(...i32(EXR_MAGIC, 2));
	const channels = names.flatMap((n) => [n.charCodeAt(0), 0, ...i32(1), 0, 0, 0, 0, ...i32(1, 1)]);
	attribute('channels', 'chlist', [...channels, 0]);
	const xy = chromaticitiesOf(picture.color.primaries);
	if (xy) attribute('chromaticities', 'chromaticities', f32(...xy.slice(2), xy[0], xy[1]));
	attribute('compression', 'compression', [compression]);
	const window = i32(0, 0, picture.size.width - 1, picture.size.height - 1);
	attribute('dataWindow', 'box2i', window);
	attribute('displayWindow', 'box2i', window);
	attribute('lineOrder', 'lineOrder', [0]);
	attribute('pixelAspectRatio', 'float', f32(1));
	attribute('screenWindowCenter', 'v2f', f32(0, 0));
	attribute('screenWindowWidth', 'float', f32(1));
	bytes.push(0);
	return Uint8Array.from(bytes);
}

function assemble(header: Uint8Array, blocks: readonly Uint8Array[], lines: number): Uint8Array<ArrayBuffer> {
	const dataAt = header.length + blocks.length * 8;
	const out = new Uint8Array(blocks.reduce((sum, b) => sum + 8 + b.length, dataAt));
	const view = new DataView(out.buffer);
	out.set(header);
	let at = dataAt;
	blocks.forEach((block, i) => {
		view.setBigUint64(header.length + i * 8, BigInt(at), true);
		view.setInt32(at, i * lines, true);
		view.setUint32(at + 4, block.length, true);
		out.set(block, at + 8);
		at += 8 + block.length;
	});
	return out;
}
