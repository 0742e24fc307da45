/** The compressions of OpenEXR blocks: each from stored bytes to the block's lines, whose length is known beforehand. */
import { checkRatio, inflate } from '../deflate.ts';
import { truncated, unreadable } from '../picture.ts';
import { expandB44 } from './b44.ts';
import type { ExrCompression } from './header.ts';
import { expandPiz } from './piz.ts';
import { expandPxr24 } from './pxr24.ts';
import { shapeBytes, type BlockShape } from './shape.ts';

/** What one stored byte can become at most. Undefined: as much as deflate allows. */
const RATIOS: Readonly<Record<ExrCompression, number | undefined>> = {
	0: 1,
	1: 128,
	2: undefined,
	3: undefined,
	// A run of 255 values of 2 bytes takes a bit, or more, and 8.
	4: 454,
	// A float's fourth byte is not stored.
	5: 1032 * (4 / 3),
	6: 32 / 3,
	7: 32 / 3,
};

/** Refuses a block of `size` stored bytes that cannot hold what its shape promises; allocates nothing. */
export function checkBlock(compression: ExrCompression, size: number, shape: BlockShape, what: string): void {
	const expected = shapeBytes(shape);
	// A block that does not become smaller is stored as it is.
	if (size === expected) return;
	if (compression === 0 || size > expected) throw unreadable(what, 'a block of the wrong size');
	checkRatio(size, expected, what, RATIOS[compression]);
}

/** Expands a block. Throws `input-truncated` or `input-unreadable`. */
export function expandBlock(
	compression: ExrCompression,
	data: Uint8Array,
	shape: BlockShape,
	what: string,
): Uint8Array {
	checkBlock(compression, data.length, shape, what);
	const expected = shapeBytes(shape);
	if (data.length === expected) return data;
	switch (compression) {
		case 1:
			return joinHalves(expandRle(data, expected, what));
		case 4:
			return expandPiz(data, shape, what);
		case 5:
			return expandPxr24(data, shape, what);
		case 6:
		case 7:
			return expandB44(data, shape, what);
		default:
			return joinHalves(inflate(data, expected, what));
	}
}

/** Undoes what RLE, ZIPS and ZIP do before they compress: differences, and even bytes apart from odd ones. */
export function joinHalves(packed: Uint8Array): Uint8Array<ArrayBuffer> {
	const length = packed.length;
	for (let i = 1; i < length; i++) packed[i] = (packed[i - 1] as number) + (packed[i] as number) - 128;
	const out = new Uint8Array(length);
	const half = (length + 1) >> 1;
	for (let i = 0, o = 0; o < length; i++) {
		out[o++] = packed[i] as number;
		if (o < length) out[o++] = packed[half + i] as number;
	}
	return out;
}

/** Expands runs to `expected` bytes: a negative count is that many bytes as they are, others repeat the next byte. */
export function expandRle(data: Uint8Array, expected: number, what: string): Uint8Array<ArrayBuffer> {
	const out = new Uint8Array(expected);
	let o = 0;
	for (let i = 0; i < data.length && o < expected;) {
		const n = ((data[i++] as number) << 24) >> 24;
		if (n < 0) {
			const run = data.subarray(i, i + Math.min(-n, expected - o));
			out.set(run, o);
			i -= n;
			o += run.length;
		} else if (i < data.length) {
			const end = Math.min(expected, o + n + 1);
			out.fill(data[i++] as number, o, end);
			o = end;
		}
	}
	if (o < expected) throw truncated(what, expected, o);
	return out;
}
