/** The compressions of OpenEXR blocks: each from stored bytes to the block's lines, whose length is known beforehand. */
import { checkRatio, inflate } from '../deflate.ts';
import { unreadable } from '../picture.ts';
import { expandB44 } from './b44.ts';
import { expandDwa } from './dwa.ts';
import type { ExrCompression } from './header.ts';
import { expandPiz } from './piz.ts';
import { joinHalves } from './predictor.ts';
import { expandPxr24 } from './pxr24.ts';
import { expandRle } from './rle.ts';
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
	// A square of 64 halves is at least one half, deflated.
	8: 1032 * 64,
	9: 1032 * 64,
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
		case 8:
		case 9:
			return expandDwa(data, shape, what);
		default:
			return joinHalves(inflate(data, expected, what));
	}
}
