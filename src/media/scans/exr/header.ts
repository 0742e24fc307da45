/**
 * The headers of an OpenEXR 2 file: attributes, channels, windows, tiles, and which of several parts is read. Deep data,
 * subsampled and integer pictures are refused by name.
 */
import type { ColorTags, Size } from '../../../core/color.ts';
import { EmulsionError } from '../../../core/errors.ts';
import { checkSize, truncated, unreadable, unsupported, UNTAGGED } from '../picture.ts';
import { primariesFromChromaticities } from '../tags.ts';

/** First four bytes of every file. */
export const EXR_MAGIC = 0x01312f76;
const TILED = 0x200;
const DEEP = 0x800;
const MULTIPART = 0x1000;
const MAX_ATTRIBUTES = 4096;
const MAX_PARTS = 1024;
/** Blocks of the finest level: enough for tiles of 12 × 12 pixels in the largest picture. */
const MAX_BLOCKS = 2 ** 20;

/** Compressions that are read: none, RLE, ZIPS (a line), ZIP (16 lines), PIZ, PXR24, B44, B44A, DWAA, DWAB. */
export type ExrCompression = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
const REFUSED: Readonly<Record<number, string>> = {
	10: 'HTJ2K',
	11: 'HTJ2K',
	12: 'LJ2K',
	13: 'Zstandard',
};
/** Lines that a block of a scanline file holds. */
export const LINES_PER_BLOCK: Readonly<Record<ExrCompression, number>> = {
	0: 1,
	1: 1,
	2: 1,
	3: 16,
	4: 32,
	5: 16,
	6: 32,
	7: 32,
	8: 32,
	9: 256,
};

/** One stored channel. */
export interface ExrChannel {
	readonly name: string;
	/** 0 uint32, 1 half, 2 float. */
	readonly type: 0 | 1 | 2;
	/** "Perceptually linear", as the file says: B44 and DWA store such channels otherwise. */
	readonly pLinear: boolean;
	/** Plane it goes to; none when the picture does not show it (depth, masks, other layers). */
	readonly plane?: number;
}

/** What a header says. */
export interface ExrHeader {
	readonly width: number;
	readonly height: number;
	/** First line of the data window. */
	readonly top: number;
	readonly compression: ExrCompression;
	/** In file order (alphabetical). */
	readonly channels: readonly ExrChannel[];
	readonly components: 1 | 2 | 3 | 4;
	readonly color: ColorTags;
	/** True for tiles, false for scanlines. */
	readonly tiled: boolean;
	/** What a block holds: a tile, or a group of whole lines. */
	readonly tile: Size;
	/** Blocks of the picture, of its finest level where it has several. */
	readonly blocks: number;
	/** Number of the part that is read; absent in files of a single part. */
	readonly part?: number;
	/** Parts of the file. */
	readonly parts: number;
	/** Where the table of the blocks' offsets starts. */
	readonly tableAt: number;
	/** No block lies before this byte: the end of all tables of offsets. */
	readonly dataAt: number;
	/** True when the picture is a window of a larger (or smaller) display. */
	readonly windowed: boolean;
	readonly pixelAspect: number;
	readonly half: boolean;
}

/** True when the bytes begin like an EXR file. */
export function isExr(bytes: Uint8Array): boolean {
	return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === EXR_MAGIC;
}

/** What one header says by itself, before it is known where its table lies. */
type Described = Omit<ExrHeader, 'tableAt' | 'dataAt' | 'part' | 'parts'>;
type Attributes = ReadonlyMap<string, DataView>;

/**
 * Reads the headers; `bytes` holds them whole, else it is `input-truncated` (64 KiB suffice for nearly all files). Of a file
 * of several parts the first that is a flat picture with R, G, B or Y is taken.
 */
export function parseExrHeader(bytes: Uint8Array, what = 'EXR'): ExrHeader {
	if (bytes.length < 8) throw truncated(what, 8, bytes.length);
	if (!isExr(bytes)) throw unreadable(what, 'not an OpenEXR file');
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const version = view.getUint32(4, true);
	if ((version & 0xff) !== 2) throw unsupported(what, `OpenEXR version ${version & 0xff}`);
	if (version & MULTIPART) return chooseOfParts(view, what);
	if (version & DEEP) throw unsupported(what, DEEP_DATA);
	const { attributes, end } = readAttributes(view, 8, what);
	const described = describe(attributes, (version & TILED) !== 0, what);
	return { ...described, parts: 1, tableAt: end, dataAt: end + described.blocks * 8 };
}

const DEEP_DATA = 'deep data in an EXR (flatten it where it was made)';

/** Headers follow each other up to an empty one; then come the tables of all parts, in the same order. */
function chooseOfParts(view: DataView, what: string): ExrHeader {
	const parts: Attributes[] = [];
	let at = 8;
	for (; readName(view, at, what) !== '';) {
		if (parts.length === MAX_PARTS) throw unsupported(what, `an EXR of more than ${MAX_PARTS} parts`);
		const { attributes, end } = readAttributes(view, at, what);
		parts.push(attributes);
		at = end;
	}
	const counts = parts.map((attributes) => integer(attributes, 'chunkCount', what));
	const tables = at + 1;
	const dataAt = counts.reduce((sum, count) => sum + count * 8, tables);
	let refused: EmulsionError | undefined;
	for (const [part, attributes] of parts.entries()) {
		try {
			const described = describePart(attributes, what);
			if ((counts[part] ?? 0) < described.blocks) throw unreadable(what, `part ${part} has too few blocks`);
			const tableAt = counts.slice(0, part).reduce((sum, count) => sum + count * 8, tables);
			return { ...described, part, parts: parts.length, tableAt, dataAt };
		} catch (error) {
			if (!(error instanceof EmulsionError) || error.code !== 'unsupported-format') throw error;
			refused ??= error;
		}
	}
	throw refused ?? unreadable(what, 'a multi-part EXR without parts');
}

function describePart(attributes: Attributes, what: string): Described {
	const type = text(attributes.get('type'));
	if (type.startsWith('deep')) throw unsupported(what, DEEP_DATA);
	if (type !== 'scanlineimage' && type !== 'tiledimage') throw unreadable(what, `a part of type "${type}"`);
	return describe(attributes, type === 'tiledimage', what);
}

function text(value: DataView | undefined): string {
	if (!value) return '';
	return String.fromCharCode(...new Uint8Array(value.buffer, value.byteOffset, Math.min(value.byteLength, 64)));
}

function integer(attributes: Attributes, name: string, what: string): number {
	const value = need(attributes, name, 4, what).getInt32(0, true);
	if (value < 0) throw unreadable(what, `attribute ${name} is ${value}`);
	return value;
}

function need(attributes: Attributes, name: string, size: number, what: string): DataView {
	const value = attributes.get(name);
	if (!value || value.byteLength < size) throw unreadable(what, `attribute ${name} is missing or short`);
	return value;
}

function readAttributes(
	view: DataView,
	from: number,
	what: string,
): { attributes: Map<string, DataView>; end: number } {
	const attributes = new Map<string, DataView>();
	let at = from;
	for (let i = 0; i < MAX_ATTRIBUTES; i++) {
		const name = readName(view, at, what);
		if (name === '') return { attributes, end: at + 1 };
		at += name.length + 1;
		at += readName(view, at, what).length + 1;
		if (at + 4 > view.byteLength) throw truncated(what, at + 4, view.byteLength);
		const size = view.getUint32(at, true);
		if (at + 4 + size > view.byteLength) throw truncated(what, at + 4 + size, view.byteLength);
		attributes.set(name, new DataView(view.buffer, view.byteOffset + at + 4, size));
		at += 4 + size;
	}
	throw unreadable(what, 'too many attributes');
}

function readName(view: DataView, at: number, what: string): string {
	let name = '';
	for (let i = at; ; i++) {
		if (i >= view.byteLength) throw truncated(what, i + 1, view.byteLength);
		const c = view.getUint8(i);
		if (c === 0) return name;
		if (name.length === 255) throw unreadable(what, 'a name of more than 255 characters');
		name += String.fromCharCode(c);
	}
}

function describe(attributes: Attributes, tiled: boolean, what: string): Described {
	const data = need(attributes, 'dataWindow', 16, what);
	const box = [0, 4, 8, 12].map((i) => data.getInt32(i, true)) as [number, number, number, number];
	const width = box[2] - box[0] + 1;
	const height = box[3] - box[1] + 1;
	checkSize(width, height, what);
	const compression = need(attributes, 'compression', 1, what).getUint8(0);
	if (!isRead(compression)) {
		throw unsupported(what, `${REFUSED[compression] ?? `compression ${compression}`} compressed EXR`);
	}
	const tile = tiled ? tileOf(attributes, what) : { width, height: LINES_PER_BLOCK[compression] };
	const blocks = Math.ceil(width / tile.width) * Math.ceil(height / tile.height);
	if (blocks > MAX_BLOCKS) throw unsupported(what, `an EXR of ${blocks} tiles`);
	const display = attributes.get('displayWindow');
	const windowed = display?.byteLength === 16 && [0, 4, 8, 12].some((i, k) => display.getInt32(i, true) !== box[k]);
	const aspect = attributes.get('pixelAspectRatio');
	const { channels, components } = readChannels(need(attributes, 'channels', 1, what), what);
	return {
		width,
		height,
		top: box[1],
		compression,
		channels,
		components,
		color: colorOf(attributes.get('chromaticities')),
		tiled,
		tile,
		blocks,
		windowed,
		pixelAspect: aspect && aspect.byteLength >= 4 ? aspect.getFloat32(0, true) : 1,
		half: channels.every((c) => c.plane === undefined || c.type === 1),
	};
}

function isRead(compression: number): compression is ExrCompression {
	return Object.hasOwn(LINES_PER_BLOCK, compression);
}

/** Tiles may be larger than the picture: what sticks out of it is not stored. */
function tileOf(attributes: Attributes, what: string): Size {
	const value = need(attributes, 'tiles', 9, what);
	const [width, height] = [value.getUint32(0, true), value.getUint32(4, true)];
	if (width === 0 || height === 0) throw unreadable(what, `tiles of ${width} × ${height}`);
	return { width, height };
}

function readChannels(view: DataView, what: string): { channels: ExrChannel[]; components: 1 | 2 | 3 | 4 } {
	const found: Omit<ExrChannel, 'plane'>[] = [];
	for (let at = 0; ;) {
		const name = readName(view, at, what);
		if (name === '') break;
		at += name.length + 1;
		if (at + 16 > view.byteLength) throw truncated(what, at + 16, view.byteLength);
		const type = view.getUint32(at, true);
		if (type !== 0 && type !== 1 && type !== 2) throw unreadable(what, `channel ${name} has pixel type ${type}`);
		if (view.getInt32(at + 8, true) !== 1 || view.getInt32(at + 12, true) !== 1) {
			throw unsupported(what, 'an EXR with subsampled channels');
		}
		found.push({ name, type, pLinear: view.getUint8(at + 4) !== 0 });
		at += 16;
	}
	const names = new Set(found.map((c) => c.name));
	const rgb = ['R', 'G', 'B'].every((n) => names.has(n));
	if (!rgb && !names.has('Y'))
		throw unsupported(what, `an EXR without R, G, B or Y (it has ${[...names].slice(0, 8).join(', ')})`);
	const order = [...(rgb ? ['R', 'G', 'B'] : ['Y']), ...(names.has('A') ? ['A'] : [])];
	const channels = found.map((c): ExrChannel => {
		const plane = order.indexOf(c.name);
		if (plane >= 0 && c.type === 0) throw unsupported(what, 'an EXR of integer samples');
		return plane >= 0 ? { ...c, plane } : c;
	});
	return { channels, components: order.length as 1 | 2 | 3 | 4 };
}

/** EXR is linear by definition, and BT.709 where it names no chromaticities (the standard's default, not a guess). */
function colorOf(chromaticities: DataView | undefined): ColorTags {
	const base: ColorTags = { ...UNTAGGED, transfer: 'linear', primaries: 'bt709' };
	if (!chromaticities || chromaticities.byteLength < 32) return base;
	const xy = Array.from({ length: 8 }, (_, i) => chromaticities.getFloat32(i * 4, true));
	return { ...base, primaries: primariesFromChromaticities([...xy.slice(6), ...xy.slice(0, 6)]) };
}
