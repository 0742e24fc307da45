/**
 * Kodak Cineon files (version 4.5), read only: 8 and 10 bit, filled or 8-bit packed, interleaved by pixel. The format is
 * printing density by definition, so that its transfer is `log`.
 */
import { align4, rowBytes, unpackElement, type DpxBits, type DpxPacking } from '../dpx/packing.ts';
import {
	allocatePicture,
	checkSize,
	rgbFormat,
	truncated,
	unreadable,
	unsupported,
	UNTAGGED,
	type ScanPicture,
} from '../picture.ts';

const MAGIC_BE = 0x802a5fd7;
const MAGIC_LE = 0xd75f2a80;
const HEADER_SIZE = 1024;
/** Packings of the data section: 5 is three 10-bit samples left-justified in a word, 6 right-justified, 0 and 1 whole bytes. */
const PACKINGS: Readonly<Record<number, DpxPacking>> = { 0: 0, 1: 0, 5: 1, 6: 2 };

/** What a Cineon header says. */
export interface CinHeader {
	readonly width: number;
	readonly height: number;
	readonly bits: DpxBits;
	readonly components: 1 | 3;
	readonly imageOffset: number;
	readonly littleEndian: boolean;
	readonly packing: DpxPacking;
	readonly stride: number;
	/** 0–7 as in DPX. */
	readonly orientation: number;
}

/** True when the bytes begin like a Cineon file. */
export function isCin(bytes: Uint8Array): boolean {
	if (bytes.length < 4) return false;
	const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
	return magic === MAGIC_BE || magic === MAGIC_LE;
}

/** Reads a header from the first 1024 bytes of a file of `fileLength` bytes and checks that the pixels fit. */
export function probeCin(start: Uint8Array, fileLength: number, what = 'Cineon'): CinHeader {
	if (start.length < HEADER_SIZE) throw truncated(what, HEADER_SIZE, start.length);
	if (!isCin(start)) throw unreadable(what, 'not a Cineon file');
	const view = new DataView(start.buffer, start.byteOffset, HEADER_SIZE);
	const littleEndian = view.getUint32(0) === MAGIC_LE;
	const channels = view.getUint8(193);
	if (channels !== 1 && channels !== 3) throw unsupported(what, `a Cineon file of ${channels} channels`);
	const at = (channel: number): number => 196 + channel * 28;
	const width = view.getUint32(at(0) + 4, littleEndian);
	const height = view.getUint32(at(0) + 8, littleEndian);
	checkSize(width, height, what);
	const bits = view.getUint8(at(0) + 2);
	for (let c = 1; c < channels; c++) {
		const same = view.getUint8(at(c) + 2) === bits && view.getUint32(at(c) + 4, littleEndian) === width;
		if (!same) throw unsupported(what, 'a Cineon file whose channels differ');
	}
	if (view.getUint8(680) !== 0) throw unsupported(what, 'a Cineon file that is not interleaved by pixel');
	const packing = PACKINGS[view.getUint8(681) & 0x7f];
	if ((bits !== 8 && bits !== 10) || packing === undefined || (bits === 10 && packing === 0)) {
		throw unsupported(what, `Cineon packing ${view.getUint8(681)} of ${bits} bit`);
	}
	if (view.getUint8(682) !== 0 || view.getUint8(683) !== 0) throw unsupported(what, 'a signed or negative Cineon file');
	const tight = rowBytes(width * channels, bits, packing);
	const padding = view.getUint32(684, littleEndian);
	const stride = align4(tight) + (padding < fileLength ? padding : 0);
	const imageOffset = view.getUint32(4, littleEndian);
	if (imageOffset < HEADER_SIZE) throw unreadable(what, `image data offset ${imageOffset} lies inside the header`);
	const needed = imageOffset + stride * (height - 1) + tight;
	if (needed > fileLength) throw truncated(what, needed, fileLength);
	return {
		width,
		height,
		bits,
		components: channels,
		imageOffset,
		littleEndian,
		packing,
		stride,
		orientation: view.getUint8(192),
	};
}

/** Decodes a whole file. */
export function decodeCin(bytes: Uint8Array, what = 'Cineon'): ScanPicture {
	const header = probeCin(bytes, bytes.length, what);
	const { width, height, bits, components } = header;
	const color = { ...UNTAGGED, transfer: 'log' } as const;
	const picture = allocatePicture(rgbFormat(components, bits), { width, height }, color);
	const order = Array.from({ length: components }, (_, i) => i);
	unpackElement(bytes.subarray(header.imageOffset), { ...header, order }, picture.planes);
	return picture;
}
