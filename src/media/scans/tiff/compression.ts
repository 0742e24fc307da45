/** The compressions of TIFF strips and tiles: none, PackBits, LZW and deflate, each into a buffer of known size. */
import { checkRatio, inflate } from '../deflate.ts';
import { truncated, unreadable, unsupported } from '../picture.ts';

const MAX_PACKBITS_RATIO = 128;
/** The longest LZW entry is 4096 bytes for 12 bits. */
const MAX_LZW_RATIO = 2731;

const READ = new Set([1, 5, 8, 32773, 32946]);
const REFUSED: Readonly<Record<number, string>> = {
	2: 'fax',
	3: 'fax',
	4: 'fax',
	6: 'JPEG',
	7: 'JPEG',
	34712: 'JPEG 2000',
	34925: 'LZMA',
	50000: 'Zstandard',
	50001: 'WebP',
};

/** Refuses what is not read, by its name, as soon as the tags are known. */
export function checkCompression(compression: number, what: string): void {
	if (READ.has(compression)) return;
	const name = REFUSED[compression] ?? `number ${compression}`;
	throw unsupported(what, `TIFF with ${name} compression (LZW, deflate, PackBits and none are read)`);
}

/** Refuses a segment whose compressed size cannot hold what is promised; allocates nothing. */
export function checkSegment(compression: number, compressed: number, expected: number, what: string): void {
	if (compression === 1) {
		if (compressed < expected) throw truncated(what, expected, compressed);
	} else if (compression === 32773) checkRatio(compressed, expected, what, MAX_PACKBITS_RATIO);
	else if (compression === 5) checkRatio(compressed, expected, what, MAX_LZW_RATIO);
	else if (compression === 8 || compression === 32946) checkRatio(compressed, expected, what);
	else checkCompression(compression, what);
}

/** Expands one strip or tile to `expected` bytes; what a writer appended beyond is ignored. */
export function expandSegment(compression: number, data: Uint8Array, expected: number, what: string): Uint8Array {
	checkSegment(compression, data.length, expected, what);
	switch (compression) {
		case 5:
			return expandLzw(data, expected, what);
		case 32773:
			return expandPackBits(data, expected, what);
		case 8:
		case 32946:
			return inflate(data, expected, what);
		default:
			return data.subarray(0, expected);
	}
}

function expandPackBits(data: Uint8Array, expected: number, what: string): Uint8Array {
	const out = new Uint8Array(expected);
	let o = 0;
	let i = 0;
	while (o < expected && i < data.length) {
		const n = data[i++] as number;
		if (n < 128) {
			const run = data.subarray(i, i + Math.min(n + 1, expected - o));
			out.set(run, o);
			i += n + 1;
			o += run.length;
		} else if (n > 128) {
			if (i >= data.length) break;
			const length = Math.min(257 - n, expected - o);
			out.fill(data[i++] as number, o, o + length);
			o += length;
		}
	}
	if (o < expected) throw truncated(what, expected, o);
	return out;
}

const CLEAR = 256;
const END = 257;

/** TIFF's LZW: codes from the high bits down, widths that grow one code early. */
function expandLzw(data: Uint8Array, expected: number, what: string): Uint8Array {
	if (data.length >= 2 && data[0] === 0 && ((data[1] as number) & 1) === 1) throw unsupported(what, 'old-style LZW');
	const out = new Uint8Array(expected);
	// An entry is a stretch of the output written when it was made: no strings are kept.
	const starts = new Uint32Array(4097);
	const lengths = new Uint32Array(4097);
	let next = 258;
	let width = 9;
	let o = 0;
	let bits = 0;
	let held = 0;
	let previousStart = -1;
	let previousLength = 0;
	for (let i = 0; o < expected;) {
		while (held < width && i < data.length) {
			bits = ((bits << 8) | (data[i++] as number)) & 0xffffff;
			held += 8;
		}
		if (held < width) break;
		const code = (bits >>> (held - width)) & ((1 << width) - 1);
		held -= width;
		if (code === END) break;
		if (code === CLEAR) {
			next = 258;
			width = 9;
			previousStart = -1;
			continue;
		}
		if (code >= 258 && (code > next || previousStart < 0)) throw unreadable(what, 'its LZW data is damaged');
		const start = o;
		if (previousStart >= 0 && next < 4096) {
			// Every code after the first adds "the previous string and one more byte", which already lies in the output.
			starts[next] = previousStart;
			lengths[next] = previousLength + 1;
			next++;
		}
		if (code < 256) out[o++] = code;
		else {
			if (code >= next) throw unreadable(what, 'its LZW data is damaged');
			const from = starts[code] as number;
			const length = Math.min(lengths[code] as number, expected - o);
			for (let k = 0; k < length; k++) out[o++] = out[from + k] as number;
		}
		previousStart = start;
		previousLength = o - start;
		if (next + 1 >= 1 << width && width < 12) width++;
	}
	if (o < expected) throw truncated(what, expected, o);
	return out;
}
