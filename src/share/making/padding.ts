/**
 * Files made longer without changing what they show: a clip's or picture's length would tell versions apart on the wire (grain
 * takes bytes). MP4 gets a `free` box at its end (ISO/IEC 14496-12 §8.1.2), WebM a Void element at the end of its segment
 * (RFC 9559, RFC 8794 §11.3.2), PNG a private ancillary chunk before its end (W3C PNG §14, "private chunks").
 */

import { concat, utf8, type Bytes } from '../bytes.ts';
import { crc32 } from './png.ts';

/** Files that can be padded. */
export type PaddedMime = 'video/mp4' | 'video/webm' | 'image/png';

/** Fewest bytes that a padding takes, in every format. */
export const PADDING_LEAST = 16;
/** Name of the PNG chunk: ancillary, private, safe to copy. */
const PNG_CHUNK = 'paDd';
const PNG_END_BYTES = 12;
const SEGMENT = [0x18, 0x53, 0x80, 0x67] as const;
const VOID = 0xec;
const VINT8_BYTES = 8;

/** Length to which files of these lengths are padded: the longest is padded too, so that none is without. */
export function paddedLength(lengths: readonly number[]): number {
	return Math.max(...lengths) + PADDING_LEAST;
}

/** An EBML size in eight bytes. */
function size8(size: number): Bytes {
	const bytes = new Uint8Array(VINT8_BYTES);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(size) | (1n << 56n));
	return bytes;
}

function mp4Padding(count: number): Bytes {
	const bytes = new Uint8Array(count);
	const view = new DataView(bytes.buffer);
	if (count > 0xffffffff) throw new RangeError(`padding of ${count} bytes`);
	view.setUint32(0, count);
	bytes.set(utf8('free'), 4);
	return bytes;
}

function pngPadding(count: number): Bytes {
	const content = new Uint8Array(count - 12);
	const named = concat(utf8(PNG_CHUNK), content);
	const length = new Uint8Array(4);
	new DataView(length.buffer).setUint32(0, content.length);
	const sum = new Uint8Array(4);
	new DataView(sum.buffer).setUint32(0, crc32(named));
	return concat(length, named, sum);
}

async function bytesOf(blob: Blob, start: number, end: number): Promise<Bytes> {
	return new Uint8Array(await blob.slice(start, end).arrayBuffer());
}

/** Where the size field of a WebM's segment lies, and what it says. The muxer of this program writes eight bytes. */
async function segmentSize(blob: Blob): Promise<{ readonly at: number; readonly size: number }> {
	const head = await bytesOf(blob, 0, 256);
	const at = head.findIndex((_byte, i) => SEGMENT.every((byte, k) => head[i + k] === byte)) + SEGMENT.length;
	const view = new DataView(head.buffer);
	if (at < SEGMENT.length || head[at] !== 1) throw new TypeError('expected a segment with a size of eight bytes');
	const size = Number(view.getBigUint64(at) & ((1n << 56n) - 1n));
	if (at + VINT8_BYTES + size !== blob.size) throw new TypeError('expected a segment that ends with the file');
	return { at, size };
}

/**
 * The same clip or picture, `length` bytes long.
 * @throws RangeError where `length` leaves no room for a padding ({@link PADDING_LEAST}).
 */
export async function padBlob(blob: Blob, mime: PaddedMime, length: number): Promise<Blob> {
	const count = length - blob.size;
	if (count < PADDING_LEAST) throw new RangeError(`padding of ${count} bytes; at least ${PADDING_LEAST}`);
	switch (mime) {
		case 'video/mp4':
			return new Blob([blob, mp4Padding(count)], { type: mime });
		case 'video/webm': {
			const { at, size } = await segmentSize(blob);
			const padding = new Uint8Array(count);
			padding[0] = VOID;
			padding.set(size8(count - 1 - VINT8_BYTES), 1);
			const parts = [blob.slice(0, at), size8(size + count), blob.slice(at + VINT8_BYTES), padding];
			return new Blob(parts, { type: mime });
		}
		case 'image/png': {
			const end = blob.size - PNG_END_BYTES;
			return new Blob([blob.slice(0, end), pngPadding(count), blob.slice(end)], { type: mime });
		}
	}
}
