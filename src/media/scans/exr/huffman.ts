/**
 * The Huffman code of OpenEXR's PIZ and DWA: 16-bit symbols, canonical codes of up to 58 bits whose longest begin at zero,
 * and one symbol more, the last, that repeats the value before it. Written after the description of PIZ in the OpenEXR
 * project's "Technical Introduction" and the layout of its files; checked against files that OpenEXR wrote.
 */
import { truncated, unreadable } from '../picture.ts';

const HEADER_BYTES = 20;
const SYMBOLS = 65537;
const MAX_LENGTH = 58;
/** Lengths from here on are runs of unused symbols: short ones of 2 to 5, and long ones whose count follows in 8 bits. */
const SHORT_RUN = 59;
const LONG_RUN = 63;
const LONG_RUN_LEAST = 6;
/** Codes up to this length are looked up, longer ones are walked bit by bit. */
const FAST_BITS = 12;

/** Bits of a byte array, from the high ones down; past the end they are zeros, and `at` tells. */
class BitReader {
	readonly #data: Uint8Array;
	/** Bits read so far. */
	at = 0;

	constructor(data: Uint8Array) {
		this.#data = data;
	}

	/** The next `count` (at most 24) bits, without taking them. */
	peek(count: number): number {
		const byte = this.at >>> 3;
		const d = this.#data;
		const word = ((d[byte] ?? 0) << 24) | ((d[byte + 1] ?? 0) << 16) | ((d[byte + 2] ?? 0) << 8) | (d[byte + 3] ?? 0);
		return (word << (this.at & 7)) >>> (32 - count);
	}

	/** Takes `count` (at most 24) bits. */
	take(count: number): number {
		const bits = this.peek(count);
		this.at += count;
		return bits;
	}
}

/** A canonical code: symbols sorted by length, and for each length its first code and place. */
interface Code {
	/** Symbol × 64 + length for every beginning of `FAST_BITS` bits; 0 where the code is longer. */
	readonly fast: Int32Array;
	readonly symbols: Uint32Array;
	readonly first: readonly number[];
	readonly count: readonly number[];
	readonly place: readonly number[];
}

/** Decodes `data` into all of `out`. Throws `input-truncated` or `input-unreadable`; the code is checked to be a whole one. */
export function decodeHuffman(data: Uint8Array, out: Uint16Array, what: string): void {
	if (out.length === 0) return;
	if (data.length < HEADER_BYTES) throw truncated(what, HEADER_BYTES, data.length);
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const least = view.getUint32(0, true);
	const most = view.getUint32(4, true);
	const bits = view.getUint32(12, true);
	if (least > most || most >= SYMBOLS) throw unreadable(what, `a Huffman table of symbols ${least} to ${most}`);
	const reader = new BitReader(data.subarray(HEADER_BYTES));
	const code = canonicalCode(readLengths(reader, least, most, what), what);
	// The codes begin on a byte.
	const start = HEADER_BYTES + Math.ceil(reader.at / 8);
	const end = start + Math.ceil(bits / 8);
	if (end > data.length) throw truncated(what, end, data.length);
	decodeSymbols(new BitReader(data.subarray(start, end)), bits, code, most, out, what);
}

function readLengths(reader: BitReader, least: number, most: number, what: string): Uint8Array {
	const lengths = new Uint8Array(most + 1);
	for (let symbol = least; symbol <= most;) {
		const length = reader.take(6);
		if (length < SHORT_RUN) {
			lengths[symbol++] = length;
			continue;
		}
		symbol += length === LONG_RUN ? reader.take(8) + LONG_RUN_LEAST : length - SHORT_RUN + 2;
		if (symbol > most + 1) throw unreadable(what, 'a Huffman table with a run beyond its end');
	}
	return lengths;
}

/**
 * Codes from their lengths: those of one length follow each other by symbol, the longest begin at zero, and each shorter
 * length begins where the longer ones, cut short, end. So every code is a small number, however long it is.
 */
function canonicalCode(lengths: Uint8Array, what: string): Code {
	const count = new Array<number>(MAX_LENGTH + 1).fill(0);
	for (const length of lengths) count[length] = (count[length] as number) + 1;
	count[0] = 0;
	const first = new Array<number>(MAX_LENGTH + 1).fill(0);
	const place = new Array<number>(MAX_LENGTH + 1).fill(0);
	let next = 0;
	for (let length = MAX_LENGTH; length > 0; length--) {
		first[length] = next;
		const end = next + (count[length] as number);
		if (end % 2 === 1 || end > 2 ** length) throw unreadable(what, 'a Huffman table that is no code');
		next = end / 2;
	}
	if (next !== 1) throw unreadable(what, 'a Huffman table that is no code');
	for (let length = 1, sum = 0; length <= MAX_LENGTH; length++) {
		place[length] = sum;
		sum += count[length] as number;
	}
	const symbols = new Uint32Array(lengths.length);
	const filled = [...place];
	const fast = new Int32Array(1 << FAST_BITS);
	for (let symbol = 0; symbol < lengths.length; symbol++) {
		const length = lengths[symbol] as number;
		if (length === 0) continue;
		const at = filled[length] as number;
		filled[length] = at + 1;
		symbols[at] = symbol;
		if (length > FAST_BITS) continue;
		const begin = (first[length] as number) + at - (place[length] as number);
		const spread = FAST_BITS - length;
		fast.fill(symbol * 64 + length, begin << spread, (begin + 1) << spread);
	}
	return { fast, symbols, first, count, place };
}

function decodeSymbols(
	reader: BitReader,
	bits: number,
	code: Code,
	repeat: number,
	out: Uint16Array,
	what: string,
): void {
	for (let o = 0; o < out.length;) {
		const entry = code.fast[reader.peek(FAST_BITS)] as number;
		let symbol: number;
		if (entry === 0) symbol = walk(reader, code);
		else {
			symbol = entry >>> 6;
			reader.at += entry & 63;
		}
		if (symbol === repeat) {
			const times = reader.take(8);
			if (o === 0 || o + times > out.length) throw unreadable(what, 'its Huffman data is damaged');
			out.fill(out[o - 1] as number, o, o + times);
			o += times;
		} else out[o++] = symbol;
		if (reader.at > bits) throw unreadable(what, 'its Huffman data is damaged');
	}
	if (reader.at !== bits) throw unreadable(what, 'its Huffman data is damaged');
}

/** A code that is longer than the table: bit by bit, until the value is one of its length. */
function walk(reader: BitReader, code: Code): number {
	let value = reader.take(FAST_BITS);
	for (let length = FAST_BITS + 1; ; length++) {
		value = value * 2 + reader.take(1);
		const index = value - (code.first[length] as number);
		if (index >= 0) return code.symbols[(code.place[length] as number) + index] as number;
	}
}
