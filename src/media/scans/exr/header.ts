/** The header of an OpenEXR 2 file: attributes, channels, windows, and what of it is read here (single-part scanlines). */
import type { ColorTags } from '../../../core/color.ts';
import { checkSize, truncated, unreadable, unsupported, UNTAGGED } from '../picture.ts';
import { primariesFromChromaticities } from '../tags.ts';

/** First four bytes of every file. */
export const EXR_MAGIC = 0x01312f76;
const TILED = 0x200;
const DEEP = 0x800;
const MULTIPART = 0x1000;
const MAX_ATTRIBUTES = 4096;

/** Compressions that are read: none, RLE, ZIPS (a line), ZIP (16 lines). */
export type ExrCompression = 0 | 1 | 2 | 3;
const REFUSED = ['', '', '', '', 'PIZ', 'PXR24', 'B44', 'B44A', 'DWAA', 'DWAB'];

/** One stored channel. */
export interface ExrChannel {
	readonly name: string;
	/** 0 uint32, 1 half, 2 float. */
	readonly type: 0 | 1 | 2;
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
	/** Where the table of line offsets starts. */
	readonly tableAt: number;
	/** True when the picture is a window of a larger (or smaller) display. */
	readonly windowed: boolean;
	readonly pixelAspect: number;
	readonly half: boolean;
}

/** True when the bytes begin like an EXR file. */
export function isExr(bytes: Uint8Array): boolean {
	return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === EXR_MAGIC;
}

/** Reads a header; `bytes` holds it whole (64 KiB are plenty). */
export function parseExrHeader(bytes: Uint8Array, what = 'EXR'): ExrHeader {
	if (bytes.length < 8) throw truncated(what, 8, bytes.length);
	if (!isExr(bytes)) throw unreadable(what, 'not an OpenEXR file');
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const version = view.getUint32(4, true);
	if ((version & 0xff) !== 2) throw unsupported(what, `OpenEXR version ${version & 0xff}`);
	if (version & MULTIPART) throw unsupported(what, 'a multi-part EXR');
	if (version & DEEP) throw unsupported(what, 'a deep EXR');
	if (version & TILED) throw unsupported(what, 'a tiled EXR');
	const { attributes, end } = readAttributes(view, what);
	return { ...describe(attributes, what), tableAt: end };
}

function readAttributes(view: DataView, what: string): { attributes: Map<string, DataView>; end: number } {
	const attributes = new Map<string, DataView>();
	let at = 8;
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

function describe(attributes: ReadonlyMap<string, DataView>, what: string): Omit<ExrHeader, 'tableAt'> {
	const need = (name: string, size: number): DataView => {
		const value = attributes.get(name);
		if (!value || value.byteLength < size) throw unreadable(what, `attribute ${name} is missing or short`);
		return value;
	};
	const data = need('dataWindow', 16);
	const box = [0, 4, 8, 12].map((i) => data.getInt32(i, true)) as [number, number, number, number];
	const width = box[2] - box[0] + 1;
	const height = box[3] - box[1] + 1;
	checkSize(width, height, what);
	const compression = need('compression', 1).getUint8(0);
	if (compression > 3)
		throw unsupported(what, `${REFUSED[compression] ?? `compression ${compression}`} compressed EXR`);
	const display = attributes.get('displayWindow');
	const windowed = display?.byteLength === 16 && [0, 4, 8, 12].some((i, k) => display.getInt32(i, true) !== box[k]);
	const aspect = attributes.get('pixelAspectRatio');
	const { channels, components } = readChannels(need('channels', 1), what);
	return {
		width,
		height,
		top: box[1],
		compression: compression as ExrCompression,
		channels,
		components,
		color: colorOf(attributes.get('chromaticities')),
		windowed,
		pixelAspect: aspect && aspect.byteLength >= 4 ? aspect.getFloat32(0, true) : 1,
		half: channels.every((c) => c.plane === undefined || c.type === 1),
	};
}

function readChannels(view: DataView, what: string): { channels: ExrChannel[]; components: 1 | 2 | 3 | 4 } {
	const found: { name: string; type: 0 | 1 | 2 }[] = [];
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
		found.push({ name, type });
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
