/**
 * How samples are packed into a DPX file's words: SMPTE 268M-2003, annex C. Rows are independent: packing breaks to the
 * next 32-bit word at the end of each row.
 */
import type { PlaneSamples } from '../picture.ts';
import { gatherRow, scatterRow } from '../picture.ts';

/** 0: packed into 32-bit words; 1: filled, padding in the low bits (method A); 2: filled, padding in the high bits (method B). */
export type DpxPacking = 0 | 1 | 2;
/** Sample depths with integer codes that are read and written. */
export type DpxBits = 8 | 10 | 12 | 16;

/** How one image element lies in the file. */
export interface ElementLayout {
	readonly width: number;
	readonly height: number;
	readonly bits: DpxBits;
	readonly packing: DpxPacking;
	/** Plane of each interleaved component, in file order. */
	readonly order: readonly number[];
	readonly littleEndian: boolean;
	/** Bytes from one row to the next, padding included. */
	readonly stride: number;
}

/** Bytes one row of `samples` samples takes, before alignment to 32-bit words. */
export function rowBytes(samples: number, bits: DpxBits, packing: DpxPacking): number {
	if (bits === 8) return samples;
	if (bits === 16) return samples * 2;
	if (packing === 0) return Math.ceil((samples * bits) / 32) * 4;
	return bits === 12 ? samples * 2 : Math.ceil(samples / 3) * 4;
}

/** Rounds up to whole 32-bit words. */
export function align4(bytes: number): number {
	return (bytes + 3) & ~3;
}

const PLATFORM_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reads an element's samples into planes; `bytes` holds at least `stride × height` bytes (the last row's padding may be missing). */
export function unpackElement(bytes: Uint8Array, layout: ElementLayout, planes: readonly PlaneSamples[]): void {
	if (isFastRgb10(layout)) return unpackRgb10(bytes, layout, planes as Uint16Array[]);
	const { width, height, order, stride } = layout;
	const samples = width * order.length;
	const row = layout.bits === 8 ? new Uint8Array(samples) : new Uint16Array(samples);
	const length = rowBytes(samples, layout.bits, layout.packing);
	for (let y = 0; y < height; y++) {
		const at = y * stride;
		unpackRow(new DataView(bytes.buffer, bytes.byteOffset + at, length), layout, row);
		scatterRow(row, planes, order, y * width, width);
	}
}

/** Writes planes as an element's samples; padding bits and bytes are 0. `bytes` holds `stride × height` zeroed bytes. */
export function packElement(bytes: Uint8Array, layout: ElementLayout, planes: readonly PlaneSamples[]): void {
	if (isFastRgb10(layout)) return packRgb10(bytes, layout, planes as Uint16Array[]);
	const { width, height, order, stride } = layout;
	const samples = width * order.length;
	const row = layout.bits === 8 ? new Uint8Array(samples) : new Uint16Array(samples);
	const length = rowBytes(samples, layout.bits, layout.packing);
	for (let y = 0; y < height; y++) {
		gatherRow(row, planes, order, y * width, width);
		packRow(new DataView(bytes.buffer, bytes.byteOffset + y * stride, length), layout, row);
	}
}

/** Three 10-bit components in one word, at word-aligned rows: what film scanners write, and worth a loop of its own. */
function isFastRgb10(layout: ElementLayout): boolean {
	return (
		PLATFORM_LITTLE &&
		layout.bits === 10 &&
		layout.packing === 1 &&
		layout.order.length === 3 &&
		layout.stride % 4 === 0
	);
}

/** The bytes as 32-bit words of the platform, copied only where they are not aligned. */
function asWords(bytes: Uint8Array): Uint32Array {
	const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
	return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >>> 2);
}

function unpackRgb10(bytes: Uint8Array, layout: ElementLayout, planes: readonly Uint16Array[]): void {
	const words = asWords(bytes);
	const [r, g, b] = layout.order.map((i) => planes[i]) as [Uint16Array, Uint16Array, Uint16Array];
	const { width, height, littleEndian } = layout;
	const step = layout.stride >>> 2;
	for (let y = 0, o = 0; y < height; y++) {
		const end = o + width;
		let i = y * step;
		if (littleEndian) {
			for (; o < end; o++, i++) {
				const w = words[i] as number;
				r[o] = w >>> 22;
				g[o] = (w >>> 12) & 0x3ff;
				b[o] = (w >>> 2) & 0x3ff;
			}
		} else {
			// The same fields of a byte-swapped word, taken without swapping it first.
			for (; o < end; o++, i++) {
				const w = words[i] as number;
				r[o] = ((w & 0xff) << 2) | ((w >>> 14) & 0x3);
				g[o] = ((w >>> 4) & 0x3f0) | ((w >>> 20) & 0xf);
				b[o] = ((w >>> 10) & 0x3c0) | (w >>> 26);
			}
		}
	}
}

function packRgb10(bytes: Uint8Array, layout: ElementLayout, planes: readonly Uint16Array[]): void {
	const unaligned = bytes.byteOffset % 4 !== 0;
	const words = unaligned ? new Uint32Array(bytes.byteLength >>> 2) : asWords(bytes);
	const [r, g, b] = layout.order.map((i) => planes[i]) as [Uint16Array, Uint16Array, Uint16Array];
	const { width, height, littleEndian } = layout;
	const step = layout.stride >>> 2;
	for (let y = 0, o = 0; y < height; y++) {
		const end = o + width;
		let i = y * step;
		if (littleEndian) {
			for (; o < end; o++, i++)
				words[i] = ((r[o] as number) << 22) | ((g[o] as number) << 12) | ((b[o] as number) << 2);
		} else {
			for (; o < end; o++, i++) {
				const R = r[o] as number;
				const G = g[o] as number;
				const B = b[o] as number;
				words[i] =
					(R >>> 2) |
					((R & 0x3) << 14) |
					((G & 0x3f0) << 4) |
					((G & 0xf) << 20) |
					((B & 0x3c0) << 10) |
					((B & 0x3f) << 26);
			}
		}
	}
	if (unaligned) bytes.set(new Uint8Array(words.buffer));
}

function unpackRow(view: DataView, layout: ElementLayout, row: Uint8Array | Uint16Array): void {
	const { bits, packing, littleEndian: le } = layout;
	const n = row.length;
	if (bits === 8) {
		row.set(new Uint8Array(view.buffer, view.byteOffset, n));
	} else if (bits === 16) {
		for (let i = 0; i < n; i++) row[i] = view.getUint16(i * 2, le);
	} else if (packing === 0) {
		unpackBits(view, bits, le, row);
	} else if (bits === 12) {
		const shift = packing === 1 ? 4 : 0;
		for (let i = 0; i < n; i++) row[i] = (view.getUint16(i * 2, le) >>> shift) & 0xfff;
	} else {
		for (let i = 0; i < n; i++) {
			row[i] = (view.getUint32(Math.floor(i / 3) * 4, le) >>> filled10Shift(i, layout)) & 0x3ff;
		}
	}
}

function packRow(view: DataView, layout: ElementLayout, row: Uint8Array | Uint16Array): void {
	const { bits, packing, littleEndian: le } = layout;
	const n = row.length;
	if (bits === 8) {
		new Uint8Array(view.buffer, view.byteOffset, n).set(row);
	} else if (bits === 16) {
		for (let i = 0; i < n; i++) view.setUint16(i * 2, row[i] as number, le);
	} else if (packing === 0) {
		packBits(view, bits, le, row);
	} else if (bits === 12) {
		const shift = packing === 1 ? 4 : 0;
		for (let i = 0; i < n; i++) view.setUint16(i * 2, (row[i] as number) << shift, le);
	} else {
		for (let i = 0; i < n; i++) {
			const at = Math.floor(i / 3) * 4;
			view.setUint32(at, (view.getUint32(at, le) | ((row[i] as number) << filled10Shift(i, layout))) >>> 0, le);
		}
	}
}

/**
 * Place of 10-bit datum `i` in its filled word. Color components go from the high bits down; a single component goes from
 * the low bits up (the 2003 standard's datum order, which ffmpeg and GraphicsMagick follow for luma).
 */
function filled10Shift(i: number, layout: ElementLayout): number {
	const slot = layout.order.length === 1 ? i % 3 : 2 - (i % 3);
	return slot * 10 + (layout.packing === 1 ? 2 : 0);
}

/** A stream of `bits`-wide samples through 32-bit words, from the low bits up. */
function unpackBits(view: DataView, bits: number, le: boolean, row: Uint8Array | Uint16Array): void {
	const mask = (1 << bits) - 1;
	for (let i = 0; i < row.length; i++) {
		const bit = i * bits;
		const at = (bit >>> 5) * 4;
		const shift = bit & 31;
		let value = view.getUint32(at, le) >>> shift;
		if (shift + bits > 32) value |= view.getUint32(at + 4, le) << (32 - shift);
		row[i] = value & mask;
	}
}

function packBits(view: DataView, bits: number, le: boolean, row: Uint8Array | Uint16Array): void {
	for (let i = 0; i < row.length; i++) {
		const bit = i * bits;
		const at = (bit >>> 5) * 4;
		const shift = bit & 31;
		view.setUint32(at, (view.getUint32(at, le) | ((row[i] as number) << shift)) >>> 0, le);
		if (shift + bits > 32) view.setUint32(at + 4, (row[i] as number) >>> (32 - shift), le);
	}
}
