/** What a rendered clip says of its codec, in the words of WebCodecs and `canPlayType`. */

import type { Bytes } from '../bytes.ts';
import { toHex, utf8 } from '../bytes.ts';

/** Codecs of review clips. H.264 plays everywhere; VP9 and AV1 need fewer bytes where reviewers' browsers decode them. */
export const CLIP_CODECS = ['h264', 'vp9', 'av1'] as const;
/** See {@link CLIP_CODECS}. */
export type ClipCodec = (typeof CLIP_CODECS)[number];

/** Most frames from one keyframe to the next: a step backward decodes no more than these. */
export const CLIP_GOP = 12;

/** How a codec's clips are encoded. */
export interface ClipEncoding {
	readonly container: 'mp4' | 'webm';
	readonly mime: 'video/mp4' | 'video/webm';
	/** Constant quality on the codec's own scale: x264's CRF, the quantizer of VP9 and AV1 (0–63). */
	readonly quality: number;
	/**
	 * Bits a pixel at that quality, for the first estimate, before anything was measured. x264 (veryfast, CRF 12, keyframes every 12
	 * frames) takes 0.42 to 0.46 on 480p and 720p films that were coded before (luma PSNR 43 to 46 dB); scans with their grain take
	 * more.
	 */
	readonly bitsPerPixel: number;
}

/** Encodings by codec: visually lossless on film whose grain is not extreme; where grain suffers the codec-loss figure says so. */
export const CLIP_ENCODINGS: Readonly<Record<ClipCodec, ClipEncoding>> = {
	h264: { container: 'mp4', mime: 'video/mp4', quality: 12, bitsPerPixel: 0.6 },
	vp9: { container: 'webm', mime: 'video/webm', quality: 12, bitsPerPixel: 0.6 },
	av1: { container: 'webm', mime: 'video/webm', quality: 12, bitsPerPixel: 0.6 },
};

/** Bytes in which an MP4's sample description is looked for: the index is at the file's start. */
const HEAD_BYTES = 1 << 20;

function find(bytes: Bytes, text: string): number {
	const wanted = utf8(text);
	for (let i = 0; i + wanted.length <= bytes.length; i++) {
		if (wanted.every((byte, k) => bytes[i + k] === byte)) return i;
	}
	return -1;
}

/**
 * The codec string of a clip of this program's own making.
 * @throws TypeError where an MP4 has no AVC configuration.
 */
export async function codecString(
	blob: Blob,
	codec: ClipCodec,
	size: { readonly width: number; readonly height: number },
): Promise<string> {
	// The levels that the encoder is configured with: one for pictures up to 4096×2176, one beyond.
	const large = size.width * size.height > 8_912_896;
	if (codec === 'vp9') return large ? 'vp09.00.61.08' : 'vp09.00.51.08';
	if (codec === 'av1') return large ? 'av01.0.16M.08' : 'av01.0.13M.08';
	const head = new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer());
	const at = find(head, 'avcC');
	if (at < 0 || at + 8 > head.length) throw new TypeError('expected an AVC configuration');
	return `avc1.${toHex(head.subarray(at + 5, at + 8)).toUpperCase()}`;
}
