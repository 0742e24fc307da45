/**
 * DWAA and DWAB (the OpenEXR project's "Technical Introduction"; made by DreamWorks Animation): what the eye is to see goes
 * through a discrete cosine transform like JPEG's, alpha through runs of bytes, the rest through deflate. This file takes a
 * block apart: which channel went which way, and the four streams; `dwa-dct.ts` has the transform.
 */
import { checkRatio, inflate } from '../deflate.ts';
import { truncated, unreadable, unsupported } from '../picture.ts';
import { decodeSquares, squaresOf, type DctChannel, type DctStreams } from './dwa-dct.ts';
import type { ExrChannel } from './header.ts';
import { decodeHuffman } from './huffman.ts';
import { joinHalves } from './predictor.ts';
import { expandRle } from './rle.ts';
import { lineBytes, sampleBytes, shapeBytes, type BlockShape } from './shape.ts';

const HEADER_BYTES = 88;
/** Blocks of this version on say themselves which channel went which way. */
const RULES_VERSION = 2;
const DEFLATED_AC = 1;
/** More than any writer's rules take (OpenEXR's own: some 60 bytes). */
const MAX_RULE_BYTES = 4096;

/** How a channel is stored: deflated, transformed, or as runs of bytes. */
type Scheme = 'deflate' | 'dct' | 'rle';
const SCHEMES: readonly Scheme[] = ['deflate', 'dct', 'rle'];

/** Which channels, by the last part of their name and their type, go which way. */
interface Rule {
	readonly suffix: string;
	readonly anyCase: boolean;
	readonly type: number;
	readonly scheme: Scheme;
	/** 0, 1, 2 for red, green and blue, which are stored as luma and two differences together; −1 for single channels. */
	readonly color: number;
}

/** Rules of the versions that do not store them. */
const OLD_RULES: readonly Rule[] = [
	...['r', 'red', 'g', 'grn', 'green', 'b', 'blu', 'blue', 'y', 'by', 'ry'].flatMap((suffix) =>
		[1, 2].map((type): Rule => {
			const color = suffix.endsWith('y') ? -1 : 'rgb'.indexOf(suffix.charAt(0));
			return { suffix, anyCase: true, type, scheme: 'dct', color };
		}),
	),
	...[0, 1, 2].map((type): Rule => ({ suffix: 'a', anyCase: true, type, scheme: 'rle', color: -1 })),
];

/** The numbers at a block's beginning, and the streams that follow. */
interface DwaHeader {
	readonly version: number;
	readonly otherExpanded: number;
	readonly other: number;
	readonly ac: number;
	readonly dc: number;
	readonly rle: number;
	readonly rleInflated: number;
	readonly rleExpanded: number;
	readonly acCount: number;
	readonly dcCount: number;
	readonly acCompression: number;
}

/** A channel, its way, and where its bytes begin in a line of the expanded block. */
interface Placed {
	readonly channel: ExrChannel;
	readonly rule: Rule | undefined;
	readonly left: number;
	readonly layer: string;
}

/**
 * Refuses a picture whose place among its file's layers is unclear (see {@link groupColors}), by the channels' names alone: before
 * work starts. Blocks that say themselves which channel is a color are checked again when they are expanded.
 */
export function checkDwaLayers(channels: readonly ExrChannel[], what: string): void {
	groupColors(placeChannels({ width: 0, height: 0, channels }, OLD_RULES), what);
}

/** Expands a block. Throws `input-truncated`, `input-unreadable`, or `unsupported-format` for {@link checkDwaLayers}' reason. */
export function expandDwa(data: Uint8Array, shape: BlockShape, what: string): Uint8Array<ArrayBuffer> {
	if (data.length < HEADER_BYTES) throw truncated(what, HEADER_BYTES, data.length);
	const header = readHeader(new DataView(data.buffer, data.byteOffset, HEADER_BYTES));
	if (header.version > RULES_VERSION) throw unreadable(what, `DWA of version ${header.version}`);
	const { rules, end } =
		header.version < RULES_VERSION ? { rules: OLD_RULES, end: HEADER_BYTES } : readRules(data, what);
	const placed = placeChannels(shape, rules);
	const by = (scheme: Scheme): Placed[] => placed.filter(({ rule }) => (rule?.scheme ?? 'deflate') === scheme);
	let at = end;
	const take = (size: number): Uint8Array => {
		if (at + size > data.length) throw truncated(what, at + size, data.length);
		at += size;
		return data.subarray(at - size, at);
	};
	const stored = { other: take(header.other), ac: take(header.ac), dc: take(header.dc), rle: take(header.rle) };
	const out = new Uint8Array(shapeBytes(shape));
	placeRows(expandOther(stored.other, header, bytesOf(by('deflate'), shape), what), by('deflate'), shape, out);
	placeRuns(expandRuns(stored.rle, header, bytesOf(by('rle'), shape), what), by('rle'), shape, out);
	const groups = groupColors(placed, what);
	const count = squaresOf(shape) * by('dct').length;
	const streams = { ac: expandAc(stored.ac, header, count, what), dc: expandDc(stored.dc, header, count, what) };
	placeSquares(streams, groups, shape, out, what);
	return out;
}

function readHeader(view: DataView): DwaHeader {
	const word = (i: number): number => Number(view.getBigUint64(i * 8, true));
	return {
		version: word(0),
		otherExpanded: word(1),
		other: word(2),
		ac: word(3),
		dc: word(4),
		rle: word(5),
		rleInflated: word(6),
		rleExpanded: word(7),
		acCount: word(8),
		dcCount: word(9),
		acCompression: word(10),
	};
}

function readRules(data: Uint8Array, what: string): { readonly rules: Rule[]; readonly end: number } {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	if (HEADER_BYTES + 2 > data.length) throw truncated(what, HEADER_BYTES + 2, data.length);
	const end = HEADER_BYTES + view.getUint16(HEADER_BYTES, true);
	if (end > data.length) throw truncated(what, end, data.length);
	const rules: Rule[] = [];
	if (end - HEADER_BYTES > MAX_RULE_BYTES) throw unreadable(what, 'a DWA block of too many rules');
	for (let at = HEADER_BYTES + 2; at < end; at += 3) {
		const close = data.indexOf(0, at);
		if (close < 0 || close + 3 > end) throw unreadable(what, 'a DWA rule without an end');
		const suffix = String.fromCharCode(...data.subarray(at, close));
		at = close;
		const flags = data[at + 1] as number;
		const scheme = SCHEMES[(flags >> 2) & 3];
		const color = (flags >> 4) - 1;
		if (!scheme || color > 2) throw unreadable(what, `a DWA rule of ${flags}`);
		rules.push({ suffix, anyCase: (flags & 1) === 1, type: data[at + 2] as number, scheme, color });
	}
	return { rules, end };
}

function placeChannels(shape: BlockShape, rules: readonly Rule[]): Placed[] {
	let left = 0;
	return shape.channels.map((channel): Placed => {
		const dot = channel.name.lastIndexOf('.');
		const suffix = channel.name.slice(dot + 1);
		const rule = rules.find((r) => r.type === channel.type && r.suffix === (r.anyCase ? suffix.toLowerCase() : suffix));
		const at = left;
		left += shape.width * sampleBytes(channel);
		return { channel, rule, left: at, layer: channel.name.slice(0, dot + 1) };
	});
}

function bytesOf(placed: readonly Placed[], { width, height }: BlockShape): number {
	return placed.reduce((sum, { channel }) => sum + sampleBytes(channel) * width * height, 0);
}

function agree(found: number, expected: number, kind: string, what: string): void {
	if (found !== expected) throw unreadable(what, `a DWA block with ${found} ${kind}, not ${expected}`);
}

function expandOther(data: Uint8Array, header: DwaHeader, expected: number, what: string): Uint8Array {
	agree(header.otherExpanded, expected, 'bytes of other channels', what);
	return expected === 0 ? new Uint8Array() : inflate(data, expected, what);
}

function expandRuns(data: Uint8Array, header: DwaHeader, expected: number, what: string): Uint8Array {
	agree(header.rleExpanded, expected, 'bytes of runs', what);
	if (expected === 0) return new Uint8Array();
	// Runs are never longer than what they stand for and a count for each 127 bytes of it.
	if (header.rleInflated > expected * 2) throw unreadable(what, `a DWA block with runs of ${header.rleInflated} bytes`);
	return expandRle(inflate(data, header.rleInflated, what), expected, what);
}

/** All coefficients but the first of each square: at most 63, fewer where the rest is zero. */
function expandAc(data: Uint8Array, header: DwaHeader, squares: number, what: string): Uint16Array {
	const { acCount } = header;
	if (acCount > squares * 63) throw unreadable(what, `a DWA block with ${acCount} coefficients in ${squares} squares`);
	if (header.acCompression === DEFLATED_AC) return words(inflate(data, acCount * 2, what));
	if (header.acCompression !== 0) throw unreadable(what, `DWA coefficients of compression ${header.acCompression}`);
	checkRatio(data.length, acCount * 2, what);
	const out = new Uint16Array(acCount);
	decodeHuffman(data, out, what);
	return out;
}

/** The first coefficient of each square, channel after channel, deflated as ZIP does. */
function expandDc(data: Uint8Array, header: DwaHeader, squares: number, what: string): Uint16Array {
	agree(header.dcCount, squares, 'squares', what);
	return squares === 0 ? new Uint16Array() : words(joinHalves(inflate(data, squares * 2, what)));
}

function words(bytes: Uint8Array): Uint16Array {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return Uint16Array.from({ length: bytes.length >> 1 }, (_, i) => view.getUint16(i * 2, true));
}

function placeRows(rows: Uint8Array, placed: readonly Placed[], shape: BlockShape, out: Uint8Array): void {
	let from = 0;
	for (const { channel, left } of placed) {
		const bytes = shape.width * sampleBytes(channel);
		for (let y = 0; y < shape.height; y++, from += bytes) {
			out.set(rows.subarray(from, from + bytes), y * lineBytes(shape) + left);
		}
	}
}

/** Runs hold all low bytes of a channel, then all bytes of the next weight. */
function placeRuns(bytes: Uint8Array, placed: readonly Placed[], shape: BlockShape, out: Uint8Array): void {
	const { width, height } = shape;
	let from = 0;
	for (const { channel, left } of placed) {
		const size = sampleBytes(channel);
		for (let b = 0; b < size; b++) {
			for (let y = 0; y < height; y++) {
				const to = y * lineBytes(shape) + left + b;
				for (let x = 0; x < width; x++) out[to + x * size] = bytes[from++] as number;
			}
		}
	}
}

/**
 * Red, green and blue of one layer belong together, layer after layer; then come the single channels. Up to version 3.1 OpenEXR
 * wrote the layers by their names, the picture's own first; later ones write them as they first appear in the file. Nothing in
 * a file tells which, so that a picture that is not the first by both is refused: half of such files would be read wrongly.
 */
function groupColors(placed: readonly Placed[], what: string): (readonly Placed[])[] {
	const layers = [...new Set(placed.filter(({ rule }) => rule).map(({ layer }) => layer))];
	const transformed = placed.filter(({ rule }) => rule?.scheme === 'dct');
	const colors = layers.flatMap((layer) => {
		const rgb = [0, 1, 2].map((i) => transformed.findLast((p) => p.layer === layer && p.rule?.color === i));
		const whole = rgb.filter((p) => p !== undefined);
		return whole.length === 3 ? [whole] : [];
	});
	if (colors.findIndex(isShown) > 0) {
		throw unsupported(what, 'DWA with a layer before R, G and B, which versions of OpenEXR read differently,');
	}
	const grouped = new Set(colors.flat());
	return [...colors, ...transformed.filter((p) => !grouped.has(p)).map((p) => [p])];
}

function isShown(group: readonly Placed[]): boolean {
	return group.some(({ channel }) => channel.plane !== undefined);
}

function placeSquares(
	streams: DctStreams,
	groups: readonly (readonly Placed[])[],
	shape: BlockShape,
	out: Uint8Array,
	what: string,
): void {
	const view = new DataView(out.buffer);
	const start = { ac: 0, dc: 0 };
	// What comes after the last channel that is shown does not matter.
	for (const group of groups.slice(0, groups.findLastIndex(isShown) + 1)) {
		const channels = group.map(({ channel, left }): DctChannel => {
			const curved = group.length === 3 || !channel.pLinear;
			return { left, float: channel.type === 2, curved };
		});
		start.ac = decodeSquares(streams, start, channels, { ...shape, shown: isShown(group) }, view, what);
		start.dc += squaresOf(shape) * group.length;
	}
}
