/** Which image elements of a DPX file are read, and where each lies: the checks that stand between a header and an allocation. */
import { align4, rowBytes, type DpxBits, type DpxPacking, type ElementLayout } from './packing.ts';
import type { DpxHeader } from './header.ts';
import { truncated, unreadable, unsupported } from '../picture.ts';

/** Planes of the components each supported descriptor holds, in file order: R 0, G 1, B 2, A 3; luma 0. */
const DESCRIPTORS: Readonly<Record<number, readonly number[]>> = {
	1: [0],
	2: [1],
	3: [2],
	4: [3],
	6: [0],
	50: [0, 1, 2],
	51: [0, 1, 2, 3],
	52: [3, 2, 1, 0],
};
const DESCRIPTOR_NAMES: Readonly<Record<number, string>> = {
	0: 'a user-defined component',
	7: 'chrominance (CbCr)',
	8: 'depth',
	9: 'composite video',
	100: 'CbYCrY 4:2:2',
	101: 'CbYaCrYa 4:2:2:4',
	102: 'CbYCr 4:4:4',
	103: 'CbYCrA 4:4:4:4',
};

/** One element, checked: its layout and where its bytes start. */
export interface DpxElement {
	readonly index: number;
	readonly layout: ElementLayout;
	readonly offset: number;
	/** Bytes up to the last sample (the last row's padding excluded). */
	readonly length: number;
}

/** What a header promises. */
export interface DpxGeometry {
	readonly width: number;
	readonly height: number;
	readonly bits: DpxBits;
	/** Planes: 1 luma, 2 luma and alpha, 3 RGB, 4 RGBA. */
	readonly components: 1 | 2 | 3 | 4;
	readonly elements: readonly DpxElement[];
	/** True when rows are not padded to 32-bit words as the standard asks; the file is read all the same. */
	readonly unaligned: boolean;
}

/**
 * Reads and checks the elements of a header against the file's length in bytes. Throws `unsupported-format` for
 * what is not read (subsampled chroma, run-length encoding, signed or float samples, encrypted files), `input-truncated`
 * where the file is shorter than the header promises, `input-unreadable` for contradictions.
 */
export function geometryOf(header: DpxHeader, fileLength: number, what: string): DpxGeometry {
	const width = header.get('image.width') ?? 0;
	const height = header.get('image.height') ?? 0;
	const count = header.get('image.elements') ?? 0;
	const imageOffset = header.get('file.imageOffset') ?? 0;
	if (imageOffset > fileLength) throw truncated(what, imageOffset, fileLength);
	const key = header.get('file.encryptionKey');
	// Writers that leave the field 0 mean "not encrypted" as well.
	if (key !== undefined && key !== 0) throw unsupported(what, 'an encrypted DPX file');
	const elements: DpxElement[] = [];
	let unaligned = false;
	for (let i = 0; i < count; i++) {
		const found = placeElement(header, i, { width, height, fileLength, count }, what);
		elements.push(found.element);
		unaligned ||= found.unaligned;
	}
	const bits = elements[0]?.layout.bits ?? 8;
	if (elements.some((e) => e.layout.bits !== bits))
		throw unsupported(what, 'a DPX file whose elements differ in depth');
	return { width, height, bits, components: componentsOf(header, elements, what), elements, unaligned };
}

function componentsOf(header: DpxHeader, elements: readonly DpxElement[], what: string): 1 | 2 | 3 | 4 {
	const luma = elements.some((e) => header.element(e.index, 'descriptor') === 6);
	const planes = elements.flatMap((e) => e.layout.order);
	const set = new Set(planes);
	if (set.size !== planes.length)
		throw unsupported(what, 'a DPX file with several pictures in one (stereo or repeated elements)');
	const alpha = set.has(3);
	if (luma && set.size === (alpha ? 2 : 1)) return alpha ? 2 : 1;
	if (!luma && set.has(0) && set.has(1) && set.has(2)) return alpha ? 4 : 3;
	throw unsupported(what, 'a DPX file without a whole RGB or luma picture');
}

function placeElement(
	header: DpxHeader,
	index: number,
	file: { width: number; height: number; fileLength: number; count: number },
	what: string,
): { element: DpxElement; unaligned: boolean } {
	const format = sampleFormat(header, index, what);
	const { width, height } = file;
	const tight = rowBytes(width * format.order.length, format.bits, format.packing);
	const padding = header.element(index, 'linePadding') ?? 0;
	const offsets = offsetsOf(header, index, file.count);
	// In order of trust: padding as declared, none declared, and rows that break the alignment rule.
	const strides = [...new Set([align4(tight) + (padding < file.fileLength ? padding : 0), align4(tight), tight])];
	for (const stride of strides) {
		const length = stride * (height - 1) + tight;
		const offset = offsets.find((o) => o + length <= file.fileLength);
		if (offset === undefined) continue;
		const layout: ElementLayout = { width, height, ...format, littleEndian: header.littleEndian, stride };
		return { element: { index, layout, offset, length }, unaligned: stride % 4 !== 0 };
	}
	throw truncated(what, (offsets[0] ?? 0) + tight * height, file.fileLength);
}

function offsetsOf(header: DpxHeader, index: number, count: number): number[] {
	const own = header.element(index, 'dataOffset') ?? 0;
	const general = header.get('file.imageOffset') ?? 0;
	const offsets = own >= 1408 ? [own] : [];
	// A single element may leave its own offset out, or wrong: the file's offset is what other readers go by.
	if (count === 1 || index === 0) offsets.push(general);
	if (offsets.length === 0) offsets.push(Number.MAX_SAFE_INTEGER);
	return offsets;
}

function sampleFormat(
	header: DpxHeader,
	index: number,
	what: string,
): { bits: DpxBits; packing: DpxPacking; order: readonly number[] } {
	const descriptor = header.element(index, 'descriptor');
	const order = descriptor === undefined ? undefined : DESCRIPTORS[descriptor];
	if (!order) {
		const name = DESCRIPTOR_NAMES[descriptor ?? -1] ?? `descriptor ${descriptor ?? 'undefined'}`;
		throw unsupported(what, `a DPX element of ${name}`);
	}
	const bits = header.element(index, 'bits');
	if (bits !== 8 && bits !== 10 && bits !== 12 && bits !== 16)
		throw unsupported(what, `DPX with ${bits ?? 'undefined'} bits a sample`);
	if (header.element(index, 'dataSign') === 1) throw unsupported(what, 'DPX with signed samples');
	if ((header.element(index, 'encoding') ?? 0) !== 0) throw unsupported(what, 'run-length encoded DPX');
	const packing = header.element(index, 'packing') ?? 0;
	if (packing !== 0 && packing !== 1 && packing !== 2)
		throw unreadable(what, `packing ${packing} (0, 1 or 2 are legal)`);
	return { bits, packing, order };
}
