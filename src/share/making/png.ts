/** Stills and crops as PNG (W3C PNG, third edition): RGB at 8 or 16 bit, compressed by the platform's own deflate. */

import { type Bytes, concat, utf8 } from '../bytes.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const TABLE = Uint32Array.from({ length: 256 }, (_v, n) => {
	let c = n;
	for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
	return c;
});

/** CRC-32 as PNG has it. */
export function crc32(bytes: Uint8Array): number {
	let c = 0xffffffff;
	for (const byte of bytes) c = TABLE[(c ^ byte) & 0xff]! ^ (c >>> 8);
	return (c ^ 0xffffffff) >>> 0;
}

function chunk(type: string, content: Uint8Array): Bytes {
	const named = concat(utf8(type), content);
	const head = new Uint8Array(4);
	new DataView(head.buffer).setUint32(0, content.length);
	const sum = new Uint8Array(4);
	new DataView(sum.buffer).setUint32(0, crc32(named));
	return concat(head, named, sum);
}

async function deflate(bytes: Bytes): Promise<Bytes> {
	const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A picture: interleaved R′G′B′, 0…1; values outside are clipped. */
export interface FloatPicture {
	readonly size: { readonly width: number; readonly height: number };
	readonly rgb: Float32Array;
}

/** A part of a picture. */
export function cropPicture(
	picture: FloatPicture,
	rect: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): FloatPicture {
	const { x, y, width, height } = rect;
	const whole = picture.size;
	if (x < 0 || y < 0 || x + width > whole.width || y + height > whole.height) {
		throw new RangeError(`crop ${x},${y} ${width}×${height} of ${whole.width}×${whole.height}`);
	}
	const rgb = new Float32Array(3 * width * height);
	for (let row = 0; row < height; row++) {
		const at = 3 * ((y + row) * whole.width + x);
		rgb.set(picture.rgb.subarray(at, at + 3 * width), 3 * row * width);
	}
	return { size: { width, height }, rgb };
}

/**
 * A PNG of a picture. Rows are differences to the sample on their left (filter 1), values rounded.
 * @param depth Bits a sample.
 */
export async function encodePng({ size, rgb }: FloatPicture, depth: 8 | 16): Promise<Blob> {
	const { width, height } = size;
	const most = depth === 16 ? 65535 : 255;
	const pixel = (3 * depth) / 8;
	const rowBytes = width * pixel;
	const data = new Uint8Array(height * (rowBytes + 1));
	const row = new Uint8Array(rowBytes);
	for (let y = 0; y < height; y++) {
		for (let i = 0; i < 3 * width; i++) {
			const value = Math.round(Math.min(1, Math.max(0, rgb[3 * width * y + i]!)) * most);
			if (depth === 8) row[i] = value;
			else {
				row[2 * i] = value >> 8;
				row[2 * i + 1] = value & 255;
			}
		}
		const at = y * (rowBytes + 1);
		data[at] = 1;
		for (let i = 0; i < rowBytes; i++) data[at + 1 + i] = row[i]! - (i < pixel ? 0 : row[i - pixel]!);
	}
	const head = new Uint8Array(13);
	const view = new DataView(head.buffer);
	view.setUint32(0, width);
	view.setUint32(4, height);
	head.set([depth, 2, 0, 0, 0], 8);
	const parts = [SIGNATURE, chunk('IHDR', head), chunk('IDAT', await deflate(data)), chunk('IEND', new Uint8Array(0))];
	return new Blob(parts, { type: 'image/png' });
}
