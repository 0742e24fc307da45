/** The still formats behind one door: which a file is, what its header says, its pixels, and the way back. */
import type { ColorTags, PixelFormat, Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { type Phrase, phrase } from '../../core/phrases.ts';
import { nearestRational } from '../../core/rational.ts';
import type { Rotation } from '../../core/rotation.ts';
import { decodeCin, isCin, probeCin } from './cin/cin.ts';
import { decodeDpx, encodeDpx, probeDpx, type DpxWriteOptions } from './dpx/dpx.ts';
import { describeOrientation, type ScanIdentity } from './dpx/film.ts';
import { isDpx, type DpxHeader } from './dpx/header.ts';
import { blockOffset, prefixBytes, storedBlock, tableEnd } from './exr/blocks.ts';
import { checkDwaLayers } from './exr/dwa.ts';
import { decodeExr } from './exr/exr.ts';
import { isExr, parseExrHeader, type ExrHeader } from './exr/header.ts';
import { encodeExr, type ExrWriteOptions } from './exr/write.ts';
import { rgbFormat, truncated, unreadable, UNTAGGED, type ScanPicture } from './picture.ts';
import { decodePng, isPng, probePng } from './png/read.ts';
import { encodePng, type PngWriteOptions } from './png/write.ts';
import { directoryOffset } from './tiff/directory.ts';
import { decodeTiff, isTiff, probeTiff, type TiffHeader } from './tiff/tiff.ts';
import { encodeTiff, type TiffWriteOptions } from './tiff/write.ts';

/** Formats that are read. */
export type ScanFormat = 'dpx' | 'cin' | 'png' | 'tiff' | 'exr';
/** Formats that are written. */
export type ScanContainer = 'dpx' | 'png' | 'tiff' | 'exr';

/** File name extensions, without the dot and in lower case, of images that are read. */
export const SCAN_EXTENSIONS: Readonly<Record<string, ScanFormat>> = {
	dpx: 'dpx',
	cin: 'cin',
	png: 'png',
	tif: 'tiff',
	tiff: 'tiff',
	exr: 'exr',
};

/** What probing one image found, without its pixels. */
export interface ScanProbe {
	readonly format: ScanFormat;
	readonly size: Size;
	readonly pixel: PixelFormat;
	readonly color: ColorTags;
	/** Clockwise rotation to show it upright. */
	readonly rotation: Rotation;
	/** Width to height of a pixel. */
	readonly pixelAspect: readonly [number, number];
	/** Oddities of the header, one sentence each. */
	readonly odd: readonly Phrase[];
	readonly identity?: ScanIdentity;
}

/** A decoded image; DPX files bring their header for the way back. */
export interface DecodedScan extends ScanPicture {
	readonly header?: DpxHeader;
}

/** Format of a file by its first bytes, whatever its name says. */
export function scanFormatOf(bytes: Uint8Array): ScanFormat | undefined {
	if (isDpx(bytes)) return 'dpx';
	if (isPng(bytes)) return 'png';
	if (isExr(bytes)) return 'exr';
	if (isTiff(bytes)) return 'tiff';
	return isCin(bytes) ? 'cin' : undefined;
}

/** Decodes an image of any format. `what` names the file in errors. */
export function decodeScan(bytes: Uint8Array, what: string): DecodedScan {
	switch (scanFormatOf(bytes)) {
		case 'dpx':
			return decodeDpx(bytes, what);
		case 'png':
			return decodePng(bytes, what);
		case 'exr':
			return decodeExr(bytes, what);
		case 'tiff':
			return decodeTiff(bytes, what);
		case 'cin':
			return decodeCin(bytes, what);
		default:
			throw unknownFormat(bytes, what);
	}
}

/** Settings of every writer; each takes what concerns it. */
export type ScanWriteOptions = DpxWriteOptions &
	PngWriteOptions & { readonly tiff?: TiffWriteOptions; readonly exr?: ExrWriteOptions };

/** Encodes an image. The format's own limits (`usage`) are in the writers. The same input always gives the same bytes. */
export function encodeScan(
	container: ScanContainer,
	picture: ScanPicture,
	options: ScanWriteOptions = {},
): Uint8Array<ArrayBuffer> {
	switch (container) {
		case 'dpx':
			return encodeDpx(picture, options);
		case 'png':
			return encodePng(picture, options);
		case 'tiff':
			return encodeTiff(picture, options.tiff);
		case 'exr':
			return encodeExr(picture, options.exr);
	}
}

function unknownFormat(bytes: Uint8Array, what: string): EmulsionError {
	if (bytes.length === 0) return truncated(what, 1, 0);
	return unreadable(what, 'not a DPX, Cineon, PNG, TIFF or EXR file, whatever its name says');
}

/** Bytes of a file's beginning that tell its format, and hold the whole header of a DPX or Cineon file. */
const START_BYTES = 2048;
/** Bytes of a file's beginning that hold the tags of the other formats. */
const HEAD_BYTES = 65536;
/** Bytes of a file's beginning that hold the largest EXR header that is read. */
const MAX_EXR_HEADER = 1 << 24;

/**
 * Reads and checks the header of a file, by as few bytes as the format allows; nothing is decoded. Truncation is found for
 * uncompressed files exactly, for compressed ones as far as the end of file tells. Throws the codecs' typed errors.
 */
export async function probeScanFile(file: Blob, what: string): Promise<ScanProbe> {
	const start = await readRange(file, 0, START_BYTES);
	const format = scanFormatOf(start);
	if (format === 'dpx') return describeDpx(start, file.size, what);
	const head = await readRange(file, 0, format === 'cin' ? START_BYTES : HEAD_BYTES);
	switch (format) {
		case 'cin': {
			const { width, height, bits, components, orientation } = probeCin(head, file.size, what);
			const color = { ...UNTAGGED, transfer: 'log' } as const;
			return { ...base('cin', width, height, rgbFormat(components, bits), color), ...oriented(orientation) };
		}
		case 'png':
			return describePng(head, file, what);
		case 'tiff':
			return describeTiff(head, file, what);
		case 'exr':
			return describeExr(head, file, what);
		default:
			throw unknownFormat(head, what);
	}
}

async function readRange(file: Blob, from: number, to: number): Promise<Uint8Array> {
	return new Uint8Array(await file.slice(from, Math.min(to, file.size)).arrayBuffer());
}

function base(format: ScanFormat, width: number, height: number, pixel: PixelFormat, color: ColorTags): ScanProbe {
	return { format, size: { width, height }, pixel, color, rotation: 0, pixelAspect: [1, 1], odd: [] };
}

/** DPX and Cineon orientation: turns are a rotation, mirrored pictures are kept as stored and said to be so. */
function oriented(code: number): { rotation: ScanProbe['rotation']; odd: Phrase[] } {
	const turns: Readonly<Record<number, ScanProbe['rotation']>> = { 0: 0, 3: 180, 5: 90, 6: 270 };
	const rotation = turns[code];
	const odd = rotation === undefined ? [phrase('header-orientation', { code, name: describeOrientation(code) })] : [];
	return { rotation: rotation ?? 0, odd };
}

function describeDpx(head: Uint8Array, length: number, what: string): ScanProbe {
	const { geometry, format, color, identity, header } = probeDpx(head, length, what);
	const { rotation, odd } = oriented(identity.orientation);
	if (geometry.unaligned) odd.push(phrase('header-unaligned'));
	const claimed = header.get('file.size');
	if (claimed !== undefined && claimed !== length) odd.push(phrase('header-length'));
	const version = header.get('file.version') ?? '';
	if (!/^V[12]\.0/.test(version)) odd.push(phrase('header-version', { version }));
	if (header.element(0, 'transfer') === 3) odd.push(phrase('header-log'));
	return {
		...base('dpx', geometry.width, geometry.height, format, color),
		rotation,
		pixelAspect: identity.pixelAspect ?? [1, 1],
		odd,
		identity,
	};
}

async function describePng(head: Uint8Array, file: Blob, what: string): Promise<ScanProbe> {
	const { width, height, components, depth, color, icc } = probePng(head, what);
	// A whole file ends with the fixed 12 bytes of IEND.
	const tail = await readRange(file, Math.max(0, file.size - 12), file.size);
	if (String.fromCharCode(...tail.subarray(4, 8)) !== 'IEND') throw truncated(what, file.size + 12, file.size);
	const odd = icc ? [phrase('header-icc')] : [];
	return { ...base('png', width, height, rgbFormat(components, depth === 16 ? 16 : 8), color), odd };
}

/** The directory often lies behind the pixels: its surroundings are read, and the whole file only where that is not enough. */
async function tiffHeader(head: Uint8Array, file: Blob, what: string): Promise<TiffHeader> {
	const regions = [{ at: 0, bytes: head }];
	const directory = directoryOffset(head);
	if (directory + HEAD_BYTES > head.length && directory < file.size) {
		const from = Math.max(0, directory - HEAD_BYTES);
		regions.push({ at: from, bytes: await readRange(file, from, directory + HEAD_BYTES) });
	}
	try {
		return probeTiff(regions, file.size, what);
	} catch (error) {
		if (!(error instanceof EmulsionError) || error.code !== 'input-truncated' || head.length === file.size) throw error;
		return probeTiff([{ at: 0, bytes: await readRange(file, 0, file.size) }], file.size, what);
	}
}

async function describeTiff(head: Uint8Array, file: Blob, what: string): Promise<ScanProbe> {
	const header = await tiffHeader(head, file, what);
	const turns: Readonly<Record<number, ScanProbe['rotation']>> = { 1: 0, 3: 180, 6: 90, 8: 270 };
	const rotation = turns[header.orientation];
	const odd = header.icc ? [phrase('header-icc')] : [];
	if (rotation === undefined) odd.push(phrase('header-mirrored', { code: header.orientation }));
	const { width, height, components, depth, color } = header;
	return { ...base('tiff', width, height, rgbFormat(components, depth), color), rotation: rotation ?? 0, odd };
}

/** Previews and comments may make a header longer than what is read first: then more of the file is read, up to its limit. */
async function exrHeader(head: Uint8Array, file: Blob, what: string): Promise<ExrHeader> {
	try {
		return parseExrHeader(head, what);
	} catch (error) {
		const short = error instanceof EmulsionError && error.code === 'input-truncated';
		if (!short || head.length >= Math.min(file.size, MAX_EXR_HEADER)) throw error;
		return parseExrHeader(await readRange(file, 0, MAX_EXR_HEADER), what);
	}
}

async function describeExr(head: Uint8Array, file: Blob, what: string): Promise<ScanProbe> {
	const header = await exrHeader(head, file, what);
	if (header.compression >= 8) checkDwaLayers(header.channels, what);
	if (header.dataAt > file.size) throw truncated(what, header.dataAt, file.size);
	const bytes = await readRange(file, header.tableAt, tableEnd(header));
	const table = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let last = 0;
	for (let i = 1; i < header.blocks; i++) {
		const offset = (index: number): number => blockOffset(table, index, header, file.size, what);
		if (offset(i) > offset(last)) last = i;
	}
	const at = blockOffset(table, last, header, file.size, what);
	const prefix = await readRange(file, at, at + prefixBytes(header));
	storedBlock(new DataView(prefix.buffer, prefix.byteOffset), at, last, header, file.size, what);
	const odd = header.windowed ? [phrase('header-window')] : [];
	if (header.parts > 1) odd.push(phrase('header-parts', { part: (header.part ?? 0) + 1, count: header.parts }));
	const { num, den } = nearestRational(header.pixelAspect) ?? { num: 1, den: 1 };
	const described = base('exr', header.width, header.height, rgbFormat(header.components, 32), header.color);
	return { ...described, pixelAspect: [num, den], odd };
}
