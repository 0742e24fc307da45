/** OpenEXR writer: scanlines of half samples (none, ZIPS, ZIP). See `exr.ts` for reading. */
import { formatPhrase, transferText } from '../../../core/color.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import { deflate } from '../deflate.ts';
import type { ScanPicture } from '../picture.ts';
import { chromaticitiesOf } from '../tags.ts';
import { halfBits } from './half.ts';
import { EXR_MAGIC, LINES_PER_BLOCK } from './header.ts';

/** How an EXR is written. */
export interface ExrWriteOptions {
	/** Default `zip` (16 lines a block). */
	readonly compression?: 'none' | 'zips' | 'zip';
	/** Width of a pixel ÷ its height; default 1. */
	readonly pixelAspect?: number;
}

const COMPRESSION_CODES = { none: 0, zips: 2, zip: 3 } as const;

/** Encodes a float picture of linear light as half samples. The same picture always gives the same bytes. */
export function encodeExr(picture: ScanPicture, options: ExrWriteOptions = {}): Uint8Array<ArrayBuffer> {
	const { format, size } = picture;
	if (format.sample !== 'f32' || (format.chroma !== 'rgb' && format.chroma !== 'gray')) {
		throw new EmulsionError(
			'usage',
			phrase('takes', {
				format: 'EXR',
				legal: phrase('legal-float', { layouts: ['RGB', phrase('layout-gray')] }),
				found: formatPhrase(format),
			}),
		);
	}
	if (picture.color.transfer !== 'linear') {
		throw new EmulsionError('usage', phrase('exr-linear', { transfer: transferText(picture.color.transfer) }));
	}
	const compression = COMPRESSION_CODES[options.compression ?? 'zip'];
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
			options.pixelAspect ?? 1,
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

function headerBytes(picture: ScanPicture, names: readonly string[], compression: number, aspect: number): Uint8Array {
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
	attribute('pixelAspectRatio', 'float', f32(aspect));
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
