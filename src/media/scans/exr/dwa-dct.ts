/**
 * The transformed channels of a DWA block: squares of 8 × 8 as cosine coefficients in halves, in zigzag order with runs of
 * zeros cut out; three channels of color as luma and two differences (BT.709); all of it on a curve near the eye's. Computed in
 * double precision and rounded once: OpenEXR's float arithmetic differs from it by a last bit here and there.
 */
import { unreadable } from '../picture.ts';
import { halfBits, halfTable } from './half.ts';
import { lineBytes, type BlockShape } from './shape.ts';

/** A coefficient with this high byte is a run of so many zeros; of none: all that follow are zero. */
const RUN = 0xff;
const EDGE = 8;
const SQUARE = 64;

/** A transformed channel: where its bytes begin in a line, whether they are floats, and whether the curve was applied. */
export interface DctChannel {
	readonly left: number;
	readonly float: boolean;
	readonly curved: boolean;
}

/** Coefficients of all channels: the first of each square, and the others. */
export interface DctStreams {
	readonly dc: Uint16Array;
	readonly ac: Uint16Array;
}

/** Squares that a channel of a block has. */
export function squaresOf({ width, height }: BlockShape): number {
	return Math.ceil(width / EDGE) * Math.ceil(height / EDGE);
}

/** Place in the square of the coefficient at each place of the zigzag, from the top left along the diagonals. */
const ZIGZAG = Array.from({ length: SQUARE }, (_, i) => i).sort((a, b) => {
	const diagonal = (i: number): number => (i % EDGE) + Math.floor(i / EDGE);
	const along = (i: number): number => (diagonal(i) % 2 === 0 ? i % EDGE : Math.floor(i / EDGE));
	return diagonal(a) - diagonal(b) || along(a) - along(b);
});

/** Half the cosine of k sixteenths of a half turn: the orthonormal transform's factors. */
const C = (k: number): number => Math.cos((k * Math.PI) / 16) / 2;
const [C1, C2, C3, C4, C5, C6, C7] = [C(1), C(2), C(3), C(4), C(5), C(6), C(7)] as const;

/**
 * Decodes one channel, or three of color together, into the lines of `out`, or passes over them if they are not `shown`. The coefficients are read from `start` on; where
 * those of `ac` end is returned. Throws `input-unreadable` where they end too soon.
 */
export function decodeSquares(
	streams: DctStreams,
	start: { readonly ac: number; readonly dc: number },
	channels: readonly DctChannel[],
	shape: BlockShape & { readonly shown: boolean },
	out: DataView,
	what: string,
): number {
	const { width, height, shown } = shape;
	const halves = halfTable();
	const count = squaresOf(shape);
	const squares = channels.map(() => new Float64Array(SQUARE));
	let ac = start.ac;
	for (let s = 0; s < count; s++) {
		channels.forEach((_, c) => {
			const square = squares[c] as Float64Array;
			square.fill(0);
			square[0] = halves[streams.dc[start.dc + c * count + s] as number] as number;
			const end = readCoefficients(streams.ac, ac, square, what);
			ac = end.at;
			if (!shown) return;
			// One without others is flat.
			if (end.flat) square.fill((square[0] as number) / EDGE);
			else inverse(square);
		});
		if (!shown) continue;
		if (channels.length === 3) undoColor(squares as [Float64Array, Float64Array, Float64Array]);
		const across = Math.ceil(width / EDGE);
		const x = (s % across) * EDGE;
		const y = Math.floor(s / across) * EDGE;
		const size = { width: Math.min(EDGE, width - x), height: Math.min(EDGE, height - y) };
		channels.forEach((channel, c) => {
			const to = y * lineBytes(shape) + channel.left + x * (channel.float ? 4 : 2);
			place(squares[c] as Float64Array, channel, size, out, to, lineBytes(shape));
		});
	}
	return ac;
}

function readCoefficients(
	ac: Uint16Array,
	from: number,
	square: Float64Array,
	what: string,
): { readonly at: number; readonly flat: boolean } {
	const halves = halfTable();
	let at = from;
	let flat = true;
	for (let i = 1; i < SQUARE; at++) {
		const bits = ac[at];
		if (bits === undefined) throw unreadable(what, 'its DWA coefficients end early');
		if (bits >> 8 === RUN) i += bits & 0xff || SQUARE;
		else {
			square[ZIGZAG[i++] as number] = halves[bits] as number;
			flat = false;
		}
	}
	return { at, flat };
}

const scratch = new Float64Array(SQUARE);

/** The inverse cosine transform, rows and then columns, in place. */
function inverse(square: Float64Array): void {
	transform(square, scratch, 1, EDGE);
	transform(scratch, square, EDGE, 1);
}

/**
 * Eight transforms of eight: values lie `step` apart, one transform begins `next` after the other. Waves of even number are
 * the same on both sides of the middle, odd ones change their sign.
 */
function transform(from: Float64Array, to: Float64Array, step: number, next: number): void {
	for (let row = 0, at = 0; row < EDGE; row++, at += next) {
		const r0 = from[at] as number;
		const r1 = from[at + step] as number;
		const r2 = from[at + 2 * step] as number;
		const r3 = from[at + 3 * step] as number;
		const r4 = from[at + 4 * step] as number;
		const r5 = from[at + 5 * step] as number;
		const r6 = from[at + 6 * step] as number;
		const r7 = from[at + 7 * step] as number;
		const sum = C4 * (r0 + r4);
		const difference = C4 * (r0 - r4);
		const outer = C2 * r2 + C6 * r6;
		const inner = C6 * r2 - C2 * r6;
		const odd0 = C1 * r1 + C3 * r3 + C5 * r5 + C7 * r7;
		const odd1 = C3 * r1 - C7 * r3 - C1 * r5 - C5 * r7;
		const odd2 = C5 * r1 - C1 * r3 + C7 * r5 + C3 * r7;
		const odd3 = C7 * r1 - C5 * r3 + C3 * r5 - C1 * r7;
		to[at] = sum + outer + odd0;
		to[at + step] = difference + inner + odd1;
		to[at + 2 * step] = difference - inner + odd2;
		to[at + 3 * step] = sum - outer + odd3;
		to[at + 4 * step] = sum - outer - odd3;
		to[at + 5 * step] = difference - inner - odd2;
		to[at + 6 * step] = difference + inner - odd1;
		to[at + 7 * step] = sum + outer - odd0;
	}
}

/** Luma, blue and red differences of BT.709 back to red, green and blue. */
function undoColor([a, b, c]: readonly [Float64Array, Float64Array, Float64Array]): void {
	for (let i = 0; i < SQUARE; i++) {
		const luma = a[i] as number;
		const blue = b[i] as number;
		const red = c[i] as number;
		a[i] = luma + 1.5747 * red;
		b[i] = luma - 0.1873 * blue - 0.4682 * red;
		c[i] = luma + 1.8556 * blue;
	}
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

function place(
	square: Float64Array,
	channel: DctChannel,
	size: { readonly width: number; readonly height: number },
	out: DataView,
	to: number,
	line: number,
): void {
	const curve = channel.curved ? linearTable() : undefined;
	for (let y = 0; y < size.height; y++) {
		for (let x = 0; x < size.width; x++) {
			float[0] = square[y * EDGE + x] as number;
			const stored = halfBits(floatBits[0] as number);
			const bits = curve ? (curve[stored] as number) : stored;
			if (channel.float) out.setFloat32(to + y * line + x * 4, halfTable()[bits] as number, true);
			else out.setUint16(to + y * line + x * 2, bits, true);
		}
	}
}

/** The curve's power, as the float that OpenEXR computes with: in double precision two halves would round otherwise. */
const POWER = Math.fround(2.2);
let linear: Uint16Array | undefined;

/**
 * The curve back to linear light, for every half: a power of 2.2 up to 1, above it an exponential that goes on from there;
 * what is not finite becomes 0. Made at first use.
 */
function linearTable(): Uint16Array {
	linear ??= Uint16Array.from(halfTable(), (value) => {
		if (!Number.isFinite(value) || value === 0) return 0;
		const size = Math.abs(value);
		float[0] = Math.sign(value) * (size <= 1 ? size ** POWER : Math.exp(POWER * (size - 1)));
		return halfBits(floatBits[0] as number);
	});
	return linear;
}
