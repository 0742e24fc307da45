/**
 * The tag directory of a TIFF file, classic (TIFF 6.0) or BigTIFF (libtiff's description of it: offsets and counts of 8
 * bytes): entries of the first page, with every count and offset checked.
 */
import { truncated, unreadable } from '../picture.ts';

/** Tags that are read or written here. */
export const TAG = {
	width: 256,
	height: 257,
	bitsPerSample: 258,
	compression: 259,
	photometric: 262,
	fillOrder: 266,
	description: 270,
	stripOffsets: 273,
	orientation: 274,
	samplesPerPixel: 277,
	rowsPerStrip: 278,
	stripByteCounts: 279,
	planarConfiguration: 284,
	software: 305,
	predictor: 317,
	whitePoint: 318,
	primaryChromaticities: 319,
	colorMap: 320,
	tileWidth: 322,
	tileHeight: 323,
	tileOffsets: 324,
	tileByteCounts: 325,
	extraSamples: 338,
	sampleFormat: 339,
	iccProfile: 34675,
} as const;

/** Name of a tag. */
export type TagName = keyof typeof TAG;

/**
 * Bytes of each field type 1–13: BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, SRATIONAL, FLOAT,
 * DOUBLE, IFD; and of BigTIFF's 16–18: LONG8, SLONG8, IFD8.
 */
const TYPE_SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const CLASSIC = 42;
const BIG = 43;
const MAX_ENTRIES = 4096;
/** More values than any tag that is read can need (strips of one row each of the tallest picture). */
const MAX_VALUES = 1 << 20;

interface Entry {
	readonly type: number;
	readonly count: number;
	/** Where the value lies in the file. */
	readonly at: number;
}

/** A stretch of a file's bytes, and where it lies in the file. */
export interface FileRegion {
	readonly at: number;
	readonly bytes: Uint8Array;
}

/** Where the first page's directory lies, by a file's first 16 bytes (8 of a classic file); 0 where they do not say. */
export function directoryOffset(head: Uint8Array): number {
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	const le = head[0] === 0x49;
	if (head.length >= 16 && view.getUint16(2, le) === BIG) return Number(view.getBigUint64(8, le));
	return head.length >= 8 ? view.getUint32(4, le) : 0;
}

/** The first page's tags, read lazily out of the file's bytes, or out of the parts of it that were read for a probe. */
export class TiffDirectory {
	readonly littleEndian: boolean;
	readonly #regions: readonly { readonly at: number; readonly view: DataView }[];
	readonly #entries: ReadonlyMap<number, Entry>;
	readonly #what: string;

	/** `regions`: the whole file, or parts that hold its first 16 bytes (8 of a classic file), the directory and its values. */
	constructor(regions: readonly FileRegion[], what: string) {
		this.#what = what;
		this.#regions = regions.map(({ at, bytes }) => ({
			at,
			view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
		}));
		const { view, at } = this.#locate(0, 8);
		const order = view.getUint16(at);
		if (order !== 0x4949 && order !== 0x4d4d) throw unreadable(what, 'not a TIFF file (no II or MM at its start)');
		this.littleEndian = order === 0x4949;
		const version = view.getUint16(at + 2, this.littleEndian);
		if (version !== CLASSIC && version !== BIG) throw unreadable(what, `TIFF version ${version}`);
		this.#entries = this.#readEntries(version === BIG);
	}

	#readEntries(big: boolean): Map<number, Entry> {
		const le = this.littleEndian;
		// Bytes of a count and of an offset, and of an entry: tag and type, count, and a value or where it lies.
		const word = big ? 8 : 4;
		const entry = 4 + 2 * word;
		const counterBytes = big ? 8 : 2;
		const wide = (view: DataView, at: number): number =>
			big ? Number(view.getBigUint64(at, le)) : view.getUint32(at, le);
		const head = this.#locate(0, big ? 16 : 8);
		if (big && (head.view.getUint16(head.at + 4, le) !== 8 || head.view.getUint16(head.at + 6, le) !== 0)) {
			throw unreadable(this.#what, 'a BigTIFF whose offsets are not of 8 bytes');
		}
		const start = wide(head.view, head.at + word);
		const counter = this.#locate(start, counterBytes);
		const count = big ? wide(counter.view, counter.at) : counter.view.getUint16(counter.at, le);
		if (count === 0 || count > MAX_ENTRIES) throw unreadable(this.#what, `a directory of ${count} tags`);
		const { view, at } = this.#locate(start + counterBytes, count * entry);
		const entries = new Map<number, Entry>();
		for (let i = 0; i < count; i++) {
			const here = at + i * entry;
			const type = view.getUint16(here + 2, le);
			const length = wide(view, here + 4);
			const size = (TYPE_SIZES[type] ?? 0) * length;
			const value = size <= word ? start + counterBytes + i * entry + 4 + word : wide(view, here + 4 + word);
			const tag = view.getUint16(here, le);
			if (size > 0 && !entries.has(tag)) entries.set(tag, { type, count: length, at: value });
		}
		return entries;
	}

	/** True when the page has the tag. */
	has(tag: TagName): boolean {
		return this.#entries.has(TAG[tag]);
	}

	/** All numbers of a tag; empty where it is absent. Rationals come as quotients. */
	numbers(tag: TagName): number[] {
		const entry = this.#entries.get(TAG[tag]);
		if (!entry) return [];
		const size = TYPE_SIZES[entry.type] ?? 1;
		if (entry.count > MAX_VALUES) throw unreadable(this.#what, `tag ${tag} has ${entry.count} values`);
		const { view, at } = this.#locate(entry.at, size * entry.count);
		return Array.from({ length: entry.count }, (_, i) => this.#number(view, entry.type, at + i * size));
	}

	/** First number of a tag, or `fallback` where it is absent. */
	number(tag: TagName, fallback: number): number {
		const entry = this.#entries.get(TAG[tag]);
		if (!entry) return fallback;
		const { view, at } = this.#locate(entry.at, TYPE_SIZES[entry.type] ?? 1);
		return this.#number(view, entry.type, at);
	}

	/** Text of an ASCII tag, at most 4096 characters. */
	text(tag: TagName): string {
		const entry = this.#entries.get(TAG[tag]);
		if (!entry || entry.type !== 2) return '';
		const length = Math.min(entry.count, 4096);
		const { view, at } = this.#locate(entry.at, length);
		let text = '';
		for (let i = 0; i < length; i++) text += String.fromCharCode(view.getUint8(at + i));
		return text.replace(/\0+$/, '');
	}

	#number(view: DataView, type: number, at: number): number {
		const le = this.littleEndian;
		switch (type) {
			case 3:
				return view.getUint16(at, le);
			case 4:
			case 13:
				return view.getUint32(at, le);
			case 16:
			case 18:
				return Number(view.getBigUint64(at, le));
			case 17:
				return Number(view.getBigInt64(at, le));
			case 5:
				return view.getUint32(at, le) / view.getUint32(at + 4, le);
			case 8:
				return view.getInt16(at, le);
			case 9:
				return view.getInt32(at, le);
			case 10:
				return view.getInt32(at, le) / view.getInt32(at + 4, le);
			case 11:
				return view.getFloat32(at, le);
			case 12:
				return view.getFloat64(at, le);
			default:
				return view.getUint8(at);
		}
	}

	#locate(from: number, length: number): { readonly view: DataView; readonly at: number } {
		for (const { at, view } of this.#regions) {
			if (from >= at && from + length <= at + view.byteLength) return { view, at: from - at };
		}
		const last = Math.max(...this.#regions.map((r) => r.at + r.view.byteLength));
		throw truncated(this.#what, from + length, last);
	}
}
