/** zlib in and out with bounded memory and the same bytes on every machine (fflate, not the browser's own zlib). */
import { unzlibSync, zlibSync } from 'fflate';
import { truncated, unreadable } from './picture.ts';

/** deflate cannot expand more than this: a header that promises more is lying. */
const MAX_DEFLATE_RATIO = 1032;

/** Refuses a stream of `compressed` bytes that cannot hold `expected` bytes; call it before allocating. */
export function checkRatio(compressed: number, expected: number, what: string, ratio = MAX_DEFLATE_RATIO): void {
	if (expected > (compressed + 16) * ratio) throw truncated(what, Math.ceil(expected / ratio), compressed);
}

/** Inflates a zlib stream to exactly `expected` bytes. Throws `input-truncated` or `input-unreadable`. */
export function inflate(data: Uint8Array, expected: number, what: string): Uint8Array<ArrayBuffer> {
	checkRatio(data.length, expected, what);
	const out = new Uint8Array(expected);
	let result: Uint8Array;
	try {
		result = unzlibSync(data, { out });
	} catch (error) {
		throw unreadable(what, 'its compressed data is damaged', error);
	}
	if (result.length < expected) throw truncated(what, expected, result.length);
	return out;
}

/** Deflates to a zlib stream. `level` 0–9; 4 is near the best that noisy film allows, at twice the speed of 6. */
export function deflate(data: Uint8Array, level: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 = 4): Uint8Array {
	return zlibSync(data, { level });
}
