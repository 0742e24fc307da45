/** Building blocks of ISO base media files (ISO/IEC 14496-12): boxes and big-endian fields. */

import { concat } from './ebml.ts';

/** Bytes, or text that is written as ASCII. */
export type Part = Uint8Array | string;

function bytesOf(part: Part): Uint8Array {
	return typeof part === 'string' ? new TextEncoder().encode(part) : part;
}

/** Unsigned big-endian fields of one width. */
function fields(width: 1 | 2 | 4, values: readonly number[]): Uint8Array<ArrayBuffer> {
	const view = new DataView(new ArrayBuffer(width * values.length));
	values.forEach((value, i) => {
		if (width === 1) view.setUint8(i, value);
		else if (width === 2) view.setUint16(2 * i, value);
		else view.setUint32(4 * i, value >>> 0);
	});
	return new Uint8Array(view.buffer);
}

/** 8-bit fields. */
export const u8 = (...values: number[]): Uint8Array<ArrayBuffer> => fields(1, values);
/** 16-bit fields. */
export const u16 = (...values: number[]): Uint8Array<ArrayBuffer> => fields(2, values);
/** 32-bit fields; negative values in two's complement. */
export const u32 = (...values: number[]): Uint8Array<ArrayBuffer> => fields(4, values);
/** Many 32-bit fields, from an array (no argument limit). */
export const u32s = (values: readonly number[]): Uint8Array<ArrayBuffer> => fields(4, values);

/** 64-bit fields, signed or unsigned. */
export function u64s(values: readonly number[]): Uint8Array<ArrayBuffer> {
	const view = new DataView(new ArrayBuffer(8 * values.length));
	values.forEach((value, i) => {
		view.setBigInt64(8 * i, BigInt(value));
	});
	return new Uint8Array(view.buffer);
}

/** A big-endian double. */
export function f64(value: number): Uint8Array<ArrayBuffer> {
	const view = new DataView(new ArrayBuffer(8));
	view.setFloat64(0, value);
	return new Uint8Array(view.buffer);
}

/** A box. */
export function box(type: string, ...parts: Part[]): Uint8Array<ArrayBuffer> {
	const content = concat(parts.map(bytesOf));
	return concat([u32(content.length + 8), bytesOf(type), content]);
}

/** A box with version and flags. */
export function fullBox(type: string, version: number, flags: number, ...parts: Part[]): Uint8Array<ArrayBuffer> {
	return box(type, u32((version << 24) | flags), ...parts);
}

/** Zero bytes. */
export function zeros(count: number): Uint8Array<ArrayBuffer> {
	return new Uint8Array(count);
}

/** Runs of equal neighbors as [count, value] pairs, flat. */
export function runs(values: readonly number[]): number[] {
	const result: number[] = [];
	let count = 0;
	values.forEach((value, i) => {
		count++;
		if (values[i + 1] !== value) {
			result.push(count, value);
			count = 0;
		}
	});
	return result;
}
