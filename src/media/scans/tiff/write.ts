/** TIFF writer: one page, little-endian, strips of about 64 KiB, 8 and 16 bit, gray, RGB, alpha. No clock, no host name. */
import type { Rotation } from '../../../core/rotation.ts';
import { deflate } from '../deflate.ts';
import { gatherRow, type ScanPicture } from '../picture.ts';
import { chromaticitiesOf, colorText } from '../tags.ts';
import { TAG, type TagName } from './directory.ts';
import { checkTiffFormat } from './tiff.ts';

/** How a TIFF is written. */
export interface TiffWriteOptions {
	/** Default `none`: noisy film gains little, and every program reads it. `deflate` uses the horizontal predictor. */
	readonly compression?: 'none' | 'deflate';
	/** Clockwise rotation that shows the picture upright; written as the orientation tag. Default 0. */
	readonly rotation?: Rotation;
}

const ORIENTATIONS = { 0: 1, 90: 6, 180: 3, 270: 8 } as const;

type Field = readonly [tag: TagName, type: 2 | 3 | 4 | 5, values: readonly number[]];
const TYPE_BYTES = { 2: 1, 3: 2, 4: 4, 5: 8 } as const;

/** Encodes a picture. The same picture always gives the same bytes. Throws `usage` for formats TIFF is not written in. */
export function encodeTiff(picture: ScanPicture, options: TiffWriteOptions = {}): Uint8Array<ArrayBuffer> {
	checkTiffFormat(picture);
	const { width, height } = picture.size;
	const samples = picture.planes.length;
	const bytesPerSample = picture.format.depth / 8;
	const rowsPerStrip = Math.min(height, Math.max(1, Math.floor(65536 / (width * samples * bytesPerSample))));
	const packed = options.compression === 'deflate';
	const strips: Uint8Array[] = [];
	for (let y = 0; y < height; y += rowsPerStrip) {
		const raw = stripBytes(picture, y, Math.min(rowsPerStrip, height - y), packed);
		strips.push(packed ? deflate(raw) : raw);
	}
	return assemble(fieldsOf(picture, rowsPerStrip, options), strips);
}

function stripBytes(picture: ScanPicture, from: number, rows: number, predict: boolean): Uint8Array {
	const { width } = picture.size;
	const samples = picture.planes.length;
	const order = Array.from({ length: samples }, (_, i) => i);
	const wide = picture.format.depth === 16;
	const row = wide ? new Uint16Array(width * samples) : new Uint8Array(width * samples);
	const out = new Uint8Array(row.byteLength * rows);
	const view = new DataView(out.buffer);
	for (let y = 0; y < rows; y++) {
		gatherRow(row, picture.planes, order, (from + y) * width, width);
		// Typed arrays wrap around, which is what the predictor asks for.
		if (predict)
			for (let i = row.length - 1; i >= samples; i--) row[i] = (row[i] as number) - (row[i - samples] as number);
		const at = y * row.byteLength;
		if (wide) for (let i = 0; i < row.length; i++) view.setUint16(at + i * 2, row[i] as number, true);
		else out.set(row, at);
	}
	return out;
}

function fieldsOf(picture: ScanPicture, rowsPerStrip: number, options: TiffWriteOptions): Field[] {
	const packed = options.compression === 'deflate';
	const { format, size, planes, color } = picture;
	const ascii = (text: string): number[] => [...new TextEncoder().encode(text), 0];
	const fields: Field[] = [
		['width', 4, [size.width]],
		['height', 4, [size.height]],
		['bitsPerSample', 3, planes.map(() => format.depth)],
		['compression', 3, [packed ? 8 : 1]],
		['photometric', 3, [format.chroma === 'rgb' ? 2 : 1]],
		['description', 2, ascii(colorText(color))],
		['orientation', 3, [ORIENTATIONS[options.rotation ?? 0]]],
		['samplesPerPixel', 3, [planes.length]],
		['rowsPerStrip', 4, [rowsPerStrip]],
		['planarConfiguration', 3, [1]],
		['software', 2, ascii('Emulsion')],
	];
	if (packed) fields.push(['predictor', 3, [2]]);
	const xy = chromaticitiesOf(color.primaries);
	if (xy) {
		const ratios = xy.flatMap((v) => [Math.round(v * 100000), 100000]);
		fields.push(['whitePoint', 5, ratios.slice(0, 4)], ['primaryChromaticities', 5, ratios.slice(4)]);
	}
	// 2: alpha that color was not multiplied with.
	if (format.alpha) fields.push(['extraSamples', 3, [2]]);
	return fields;
}

/** Header, directory, values, strips: in this order, so that a probe needs only the beginning. */
function assemble(described: readonly Field[], strips: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const counts = strips.map((s) => s.length);
	const fields: Field[] = [...described, ['stripOffsets', 4, counts], ['stripByteCounts', 4, counts]];
	fields.sort((a, b) => TAG[a[0]] - TAG[b[0]]);
	const directory = 8 + 2 + fields.length * 12 + 4;
	const dataStart = fields.reduce((at, f) => at + (valueBytes(f) > 4 ? even(valueBytes(f)) : 0), directory);
	let offset = dataStart;
	const offsets = counts.map((count) => {
		const here = offset;
		offset += even(count);
		return here;
	});
	const out = new Uint8Array(offset);
	const view = new DataView(out.buffer);
	out.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
	view.setUint16(8, fields.length, true);
	let spare = directory;
	fields.forEach((field, i) => {
		const [tag, type, described] = field;
		const values = tag === 'stripOffsets' ? offsets : described;
		const at = 10 + i * 12;
		view.setUint16(at, TAG[tag], true);
		view.setUint16(at + 2, type, true);
		view.setUint32(at + 4, type === 5 ? values.length / 2 : values.length, true);
		const size = valueBytes(field);
		if (size > 4) view.setUint32(at + 8, spare, true);
		writeValues(view, size > 4 ? spare : at + 8, type, values);
		if (size > 4) spare += even(size);
	});
	strips.forEach((strip, i) => out.set(strip, offsets[i] ?? 0));
	return out;
}

function even(bytes: number): number {
	return bytes + (bytes & 1);
}

function valueBytes([, type, values]: Field): number {
	return type === 5 ? values.length * 4 : values.length * TYPE_BYTES[type];
}

function writeValues(view: DataView, at: number, type: Field[1], values: readonly number[]): void {
	values.forEach((value, i) => {
		if (type === 2) view.setUint8(at + i, value);
		else if (type === 3) view.setUint16(at + i * 2, value, true);
		else view.setUint32(at + i * 4, value, true);
	});
}
