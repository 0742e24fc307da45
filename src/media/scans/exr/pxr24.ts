/**
 * PXR24 (the "Technical Introduction" of the OpenEXR project): each line of each channel as differences between neighbors,
 * their bytes sorted by weight, deflated. Floats keep 24 bits of 32; halves and integers keep all.
 */
import { inflate } from '../deflate.ts';
import { lineBytes, sampleBytes, shapeBytes, type BlockShape } from './shape.ts';

/** Bytes a sample has in the deflated data, by pixel type: uint, half, float. */
const STORED_BYTES = [4, 2, 3] as const;

/** Expands a block. Throws `input-truncated` or `input-unreadable`. */
export function expandPxr24(data: Uint8Array, shape: BlockShape, what: string): Uint8Array<ArrayBuffer> {
	const { width, height, channels } = shape;
	const packedLine = width * channels.reduce((sum, c) => sum + STORED_BYTES[c.type], 0);
	const packed = inflate(data, packedLine * height, what);
	const out = new Uint8Array(shapeBytes(shape));
	const view = new DataView(out.buffer);
	let from = 0;
	for (let y = 0; y < height; y++) {
		let to = y * lineBytes(shape);
		for (const channel of channels) {
			const stored = STORED_BYTES[channel.type];
			const size = sampleBytes(channel);
			// The bytes that floats have lost are the low ones.
			const lost = (size - stored) * 8;
			let value = 0;
			for (let x = 0; x < width; x++, to += size) {
				let difference = 0;
				for (let b = 0; b < stored; b++) difference = (difference << 8) | (packed[from + b * width + x] as number);
				value = (value + (difference << lost)) | 0;
				if (size === 2) view.setUint16(to, value & 0xffff, true);
				else view.setInt32(to, value, true);
			}
			from += stored * width;
		}
	}
	return out;
}
