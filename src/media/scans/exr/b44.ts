/**
 * B44 and B44A (the "Technical Introduction" of the OpenEXR project): squares of 4 × 4 halves in 14 bytes, flat ones of B44A
 * in 3; samples of other types are stored as they are. Values were rounded when the file was written.
 */
import { truncated } from '../picture.ts';
import { halfBits, halfTable } from './half.ts';
import { lineBytes, sampleBytes, shapeBytes, type BlockShape } from './shape.ts';

const SQUARE_BYTES = 14;
const FLAT_BYTES = 3;
/** A shift from here on marks a flat square. */
const FLAT_SHIFT = 13;
/** Place in the square of the value that each difference leads to, and of the one it starts from: down, then to the right. */
const STEPS = Array.from({ length: 15 }, (_, k) => {
	const to = k < 3 ? (k + 1) * 4 : ((k - 3) % 4) * 4 + 1 + Math.floor((k - 3) / 4);
	return { to, from: k < 3 ? to - 4 : to - 1 };
});

/** Expands a block. Throws `input-truncated`. */
export function expandB44(data: Uint8Array, shape: BlockShape, what: string): Uint8Array<ArrayBuffer> {
	const { width, height, channels } = shape;
	const out = new Uint8Array(shapeBytes(shape));
	const view = new DataView(out.buffer);
	const line = lineBytes(shape);
	const square = new Uint16Array(16);
	let at = 0;
	let left = 0;
	const need = (bytes: number): void => {
		if (at + bytes > data.length) throw truncated(what, at + bytes, data.length);
	};
	for (const channel of channels) {
		const bytes = width * sampleBytes(channel);
		if (channel.type !== 1) {
			need(bytes * height);
			for (let y = 0; y < height; y++, at += bytes) out.set(data.subarray(at, at + bytes), y * line + left);
		} else {
			const curve = channel.pLinear ? logTable() : undefined;
			for (let y = 0; y < height; y += 4) {
				for (let x = 0; x < width; x += 4) {
					need(FLAT_BYTES);
					const flat = (data[at + 2] as number) >> 2 >= FLAT_SHIFT;
					if (!flat) need(SQUARE_BYTES);
					readSquare(data, at, flat, square);
					at += flat ? FLAT_BYTES : SQUARE_BYTES;
					if (curve) square.forEach((bits, i) => (square[i] = curve[bits] as number));
					placeSquare(square, view, y * line + left + x * 2, line, Math.min(4, width - x), Math.min(4, height - y));
				}
			}
		}
		left += bytes;
	}
	return out;
}

/** 16 bits of the first value, 6 of a shift, and 15 differences of 6 bits: codes that rise with the halves they stand for. */
function readSquare(data: Uint8Array, at: number, flat: boolean, square: Uint16Array): void {
	const first = ((data[at] as number) << 8) | (data[at + 1] as number);
	square.fill(first);
	if (!flat) {
		const shift = (data[at + 2] as number) >> 2;
		STEPS.forEach(({ to, from }, k) => {
			const bit = 22 + k * 6;
			const byte = at + (bit >> 3);
			const pair = ((data[byte] as number) << 8) | (data[byte + 1] ?? 0);
			const difference = (pair >> (10 - (bit & 7))) & 0x3f;
			square[to] = (square[from] as number) + ((difference - 0x20) << shift);
		});
	}
	// Codes of positive halves have the high bit set, those of negative ones are turned over.
	for (let i = 0; i < 16; i++) {
		const code = square[i] as number;
		square[i] = code & 0x8000 ? code & 0x7fff : ~code;
	}
}

function placeSquare(
	square: Uint16Array,
	view: DataView,
	to: number,
	line: number,
	width: number,
	height: number,
): void {
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) view.setUint16(to + y * line + x * 2, square[y * 4 + x] as number, true);
	}
}

let logs: Uint16Array | undefined;

/** Channels marked "perceptually linear" went through an exponential, 8 ln of which gives them back; made at first use. */
function logTable(): Uint16Array {
	logs ??= Uint16Array.from(halfTable(), (value) => {
		if (!Number.isFinite(value) || value < 0) return 0;
		return halfBits(new Uint32Array(Float32Array.of(8 * Math.log(value)).buffer)[0] as number);
	});
	return logs;
}
