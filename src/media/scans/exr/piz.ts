/**
 * PIZ, OpenEXR's wavelet compression (the "Technical Introduction" of the OpenEXR project): the values that occur are
 * numbered, each channel goes through a Haar wavelet of integers in two dimensions, and a Huffman code packs the result. All
 * of it is lossless. Samples of 32 bits are two values side by side, each with a wavelet of its own.
 */
import { truncated, unreadable } from '../picture.ts';
import { sampleBytes, shapeBytes, type BlockShape } from './shape.ts';
import { decodeHuffman } from './huffman.ts';

const BITMAP_BYTES = 8192;

/** Expands a block. Throws `input-truncated` or `input-unreadable`. */
export function expandPiz(data: Uint8Array, shape: BlockShape, what: string): Uint8Array<ArrayBuffer> {
	const { values, most, end } = readValues(data, what);
	if (end + 4 > data.length) throw truncated(what, end + 4, data.length);
	const size = new DataView(data.buffer, data.byteOffset + end, 4).getUint32(0, true);
	if (end + 4 + size > data.length) throw truncated(what, end + 4 + size, data.length);
	const words = new Uint16Array(shapeBytes(shape) / 2);
	decodeHuffman(data.subarray(end + 4, end + 4 + size), words, what);
	const { width, height, channels } = shape;
	let start = 0;
	for (const channel of channels) {
		const step = sampleBytes(channel) / 2;
		const plane = words.subarray(start, start + width * height * step);
		for (let j = 0; j < step && channel.plane !== undefined; j++) {
			undoWavelet(plane.subarray(j), { width, height, across: step, down: width * step }, most < 1 << 14);
		}
		start += plane.length;
	}
	for (let i = 0; i < words.length; i++) words[i] = values[words[i] as number] as number;
	return interleave(words, shape);
}

/** The values that occur, in order, by a bit for each; zero is always among them. `end` is where they end. */
function readValues(data: Uint8Array, what: string): { values: Uint16Array; most: number; end: number } {
	if (data.length < 4) throw truncated(what, 4, data.length);
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const first = view.getUint16(0, true);
	const last = view.getUint16(2, true);
	if (last >= BITMAP_BYTES) throw unreadable(what, 'a PIZ block with more values than there are');
	const end = 4 + Math.max(0, last - first + 1);
	if (end > data.length) throw truncated(what, end, data.length);
	const values = new Uint16Array(65536);
	let most = 0;
	for (let byte = first; byte <= last; byte++) {
		const bits = data[4 + byte - first] as number;
		for (let bit = 0; bit < 8; bit++) {
			const value = byte * 8 + bit;
			if (value > 0 && (bits >> bit) & 1) values[++most] = value;
		}
	}
	return { values, most, end };
}

/** How samples lie in memory: steps to the next column and row. */
interface Grid {
	readonly width: number;
	readonly height: number;
	readonly across: number;
	readonly down: number;
}

/**
 * Undoes the wavelet, from the coarsest level to the finest. A level joins averages and differences at the four corners of
 * squares of side `p`; what is left over at the right and below is joined in one direction. With fewer than 2^14 values
 * (`small`) the arithmetic is that of signed numbers, else it is modulo 2^16.
 */
function undoWavelet(v: Uint16Array, { width, height, across, down }: Grid, small: boolean): void {
	const average = small ? average14 : average16;
	const other = small ? other14 : other16;
	const join = (low: number, high: number): void => {
		const l = v[low] as number;
		const h = v[high] as number;
		v[low] = average(l, h);
		v[high] = other(l, h);
	};
	let p = 1;
	while (p * 2 <= Math.min(width, height)) p *= 2;
	for (p /= 2; p >= 1; p /= 2) {
		const right = p * across;
		const below = p * down;
		let y = 0;
		for (; y + 2 * p <= height; y += 2 * p) {
			let i = y * down;
			for (let x = 0; x + 2 * p <= width; x += 2 * p, i += 2 * right) {
				const a = v[i] as number;
				const b = v[i + right] as number;
				const c = v[i + below] as number;
				const d = v[i + below + right] as number;
				const left0 = average(a, c);
				const left1 = other(a, c);
				const right0 = average(b, d);
				const right1 = other(b, d);
				v[i] = average(left0, right0);
				v[i + right] = other(left0, right0);
				v[i + below] = average(left1, right1);
				v[i + below + right] = other(left1, right1);
			}
			if (width & p) join(i, i + below);
		}
		if (height & p) {
			let i = y * down;
			for (let x = 0; x + 2 * p <= width; x += 2 * p, i += 2 * right) join(i, i + right);
		}
	}
}

function signed(value: number): number {
	return (value << 16) >> 16;
}

function average14(low: number, high: number): number {
	const h = signed(high);
	return (signed(low) + (h & 1) + (h >> 1)) & 0xffff;
}

function other14(low: number, high: number): number {
	return (average14(low, high) - high) & 0xffff;
}

function other16(low: number, high: number): number {
	return (low - (high >> 1)) & 0xffff;
}

function average16(low: number, high: number): number {
	return (high + other16(low, high) - 0x8000) & 0xffff;
}

/** Channel after channel becomes line after line. Words are little-endian in the file. */
function interleave(words: Uint16Array, { width, height, channels }: BlockShape): Uint8Array<ArrayBuffer> {
	const out = new Uint8Array(words.length * 2);
	const view = new DataView(out.buffer);
	const steps = channels.map((c) => (width * sampleBytes(c)) / 2);
	const line = steps.reduce((sum, s) => sum + s, 0);
	let from = 0;
	let left = 0;
	for (const step of steps) {
		for (let y = 0; y < height; y++) {
			const to = (y * line + left) * 2;
			for (let i = 0; i < step; i++) view.setUint16(to + i * 2, words[from++] as number, true);
		}
		left += step;
	}
	return out;
}
