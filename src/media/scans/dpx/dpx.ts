/**
 * DPX files (SMPTE 268M-2003): whole pictures in and out at 8, 10, 12 and 16 bit, RGB, RGBA, luma, in both byte orders
 * and all packings of the standard, with the header kept byte for byte.
 */
import { type ColorTags, formatPhrase, type PixelFormat } from '../../../core/color.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import { allocatePicture, rgbFormat, type ScanPicture } from '../picture.ts';
import { geometryOf, type DpxGeometry } from './elements.ts';
import { colorOf, identityOf, setColor, type ScanIdentity } from './film.ts';
import { DpxHeader, parseDpxHeader } from './header.ts';
import { MAX_ELEMENTS } from './layout.ts';
import {
	align4,
	packElement,
	rowBytes,
	unpackElement,
	type DpxBits,
	type DpxPacking,
	type ElementLayout,
} from './packing.ts';

/** A DPX file in memory. */
export interface DpxImage extends ScanPicture {
	readonly header: DpxHeader;
	readonly identity: ScanIdentity;
}

/** What the header of a file says, without its pixels. */
export interface DpxProbe {
	readonly header: DpxHeader;
	readonly geometry: DpxGeometry;
	readonly format: PixelFormat;
	readonly color: ColorTags;
	readonly identity: ScanIdentity;
}

/** Reads the header of a file of `fileLength` bytes from its first 2048 bytes (or more), and checks that the pixels fit. */
export function probeDpx(start: Uint8Array, fileLength: number, what = 'DPX'): DpxProbe {
	const header = parseDpxHeader(start, what);
	const geometry = geometryOf(header, fileLength, what);
	return {
		header,
		geometry,
		format: rgbFormat(geometry.components, geometry.bits),
		color: colorOf(header, 0),
		identity: identityOf(header),
	};
}

/** Decodes a whole file. Nothing is allocated before the file is known to hold the pixels its header promises. */
export function decodeDpx(bytes: Uint8Array, what = 'DPX'): DpxImage {
	const probe = probeDpx(bytes, bytes.length, what);
	const { width, height, elements, components } = probe.geometry;
	const picture = allocatePicture(probe.format, { width, height }, probe.color);
	for (const element of elements) {
		// Alpha of a luma picture is plane 1.
		const order = components === 2 ? element.layout.order.map((p) => (p === 3 ? 1 : p)) : element.layout.order;
		const data = bytes.subarray(element.offset, element.offset + element.length);
		unpackElement(data, { ...element.layout, order }, picture.planes);
	}
	return { ...picture, header: probe.header, identity: probe.identity };
}

/** How a DPX file is written. */
export interface DpxWriteOptions {
	/** Header to keep: every field, reserved byte and user data stays, except what describes the pixels. Default: an empty one. */
	readonly header?: DpxHeader;
	/** Byte order; default the header's, big-endian without one. */
	readonly littleEndian?: boolean;
	/** Packing; default the header's where it had the same depth, else 1 (filled, method A) for 10 and 12 bit and 0 for 8 and 16. */
	readonly packing?: DpxPacking;
	/** Name written into the file section (100 bytes); default as it was. */
	readonly name?: string;
}

/** Orders of components in the file, by number of planes. */
const WRITE_ORDERS = { 1: [0], 3: [0, 1, 2], 4: [0, 1, 2, 3] } as const;
const WRITE_DESCRIPTORS = { 1: 6, 3: 50, 4: 51 } as const;

/** Encodes a picture of 8, 10, 12 or 16 bit. The same picture and header always give the same bytes: no clock is read. */
export function encodeDpx(picture: ScanPicture, options: DpxWriteOptions = {}): Uint8Array<ArrayBuffer> {
	const { bits, components } = writable(picture.format);
	const header = options.header
		? options.header.copy(options.littleEndian ?? options.header.littleEndian)
		: DpxHeader.create(options.littleEndian ?? false);
	const previous = header.element(0, 'bits') === bits ? (header.element(0, 'packing') ?? 0) : undefined;
	const packing = options.packing ?? asPacking(previous) ?? (bits === 10 || bits === 12 ? 1 : 0);
	const order = writeOrder(header, components);
	const { width, height } = picture.size;
	const stride = align4(rowBytes(width * order.length, bits, packing));
	const layout: ElementLayout = { width, height, bits, packing, order, littleEndian: header.littleEndian, stride };
	const start = header.bytes.length;
	describePixels(header, picture, layout, start);
	if (options.name !== undefined) header.set('file.name', options.name);
	const bytes = new Uint8Array(start + stride * height);
	bytes.set(header.bytes);
	packElement(bytes.subarray(start), layout, picture.planes);
	return bytes;
}

function writable(format: PixelFormat): { bits: DpxBits; components: 1 | 3 | 4 } {
	const { depth, chroma, alpha, sample } = format;
	const rgb = chroma === 'rgb' || (chroma === 'gray' && !alpha);
	if (!rgb || sample === 'f32' || (depth !== 8 && depth !== 10 && depth !== 12 && depth !== 16)) {
		const layouts = ['RGB', 'RGBA', phrase('layout-gray')];
		const legal = phrase('legal-bits', { layouts, depths: '8, 10, 12, 16' });
		throw new EmulsionError('usage', phrase('takes', { format: 'DPX', legal, found: formatPhrase(format) }));
	}
	return { bits: depth, components: chroma === 'gray' ? 1 : alpha ? 4 : 3 };
}

function asPacking(value: number | undefined): DpxPacking | undefined {
	return value === 0 || value === 1 || value === 2 ? value : undefined;
}

function writeOrder(header: DpxHeader, components: 1 | 3 | 4): readonly number[] {
	// ABGR stays ABGR.
	if (components === 4 && header.element(0, 'descriptor') === 52) return [3, 2, 1, 0];
	return WRITE_ORDERS[components];
}

/** Brings the fields that describe the pixels in line with the picture; all others stay as they are. */
function describePixels(header: DpxHeader, picture: ScanPicture, layout: ElementLayout, start: number): void {
	const { bits, packing, order, width, height, stride } = layout;
	for (let i = 1; i < Math.min(MAX_ELEMENTS, header.get('image.elements') ?? 1); i++) header.clearElement(i);
	header.set('image.elements', 1);
	header.set('image.width', width);
	header.set('image.height', height);
	header.set('file.imageOffset', start);
	header.set('file.size', start + stride * height);
	rescaleReferences(header, bits);
	const abgr = order.length === 4 && order[0] === 3;
	header.setElement(0, 'descriptor', abgr ? 52 : WRITE_DESCRIPTORS[order.length as 1 | 3 | 4]);
	header.setElement(0, 'bits', bits);
	// Fields that are undefined read as 0 everywhere; they stay undefined where 0 is meant.
	if ((header.element(0, 'dataSign') ?? 0) !== 0) header.setElement(0, 'dataSign', 0);
	if ((header.element(0, 'packing') ?? 0) !== packing) header.setElement(0, 'packing', packing);
	if ((header.element(0, 'encoding') ?? 0) !== 0) header.setElement(0, 'encoding', 0);
	// An offset of 0 means "see the file section": it stays, so that a rewrite changes nothing.
	if (header.element(0, 'dataOffset') !== 0) header.setElement(0, 'dataOffset', start);
	if ((header.element(0, 'linePadding') ?? 0) !== 0) header.setElement(0, 'linePadding', 0);
	if ((header.element(0, 'imagePadding') ?? 0) !== 0) header.setElement(0, 'imagePadding', 0);
	setColor(header, 0, picture.color);
}

/** Reference codes (black and white of the scale) follow a change of depth; the quantities they stand for do not change. */
function rescaleReferences(header: DpxHeader, bits: DpxBits): void {
	const before = header.element(0, 'bits');
	if (before === undefined || before === bits || before < 1 || before > 16) return;
	const scale = (2 ** bits - 1) / (2 ** before - 1);
	for (const field of ['lowCode', 'highCode'] as const) {
		const code = header.element(0, field);
		if (code !== undefined) header.setElement(0, field, Math.min(2 ** bits - 1, Math.round(code * scale)));
	}
}
