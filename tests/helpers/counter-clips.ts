/**
 * Clips whose frames say their number: 16 blocks of 16 × 16 px in a row, black for 0 and white for 1, the highest bit first, twice
 * below one another, on a gray ground. What a codec does to them leaves no doubt.
 */

/** Bits of a number. */
export const BITS = 16;
/** Side of a block, px. */
export const BLOCK = 16;
export const COUNTER_WIDTH = BITS * BLOCK;
export const COUNTER_HEIGHT = 4 * BLOCK;

/** Frames as raw 8-bit gray, one after another. @param ground Gray of the ground, which tells versions apart. */
export function counterFrames(frames: number, ground: number): Uint8Array<ArrayBuffer> {
	const size = COUNTER_WIDTH * COUNTER_HEIGHT;
	const bytes = new Uint8Array(frames * size).fill(ground);
	for (let n = 0; n < frames; n++) {
		for (let y = 0; y < 2 * BLOCK; y++) {
			for (let x = 0; x < COUNTER_WIDTH; x++) {
				const bit = (n >> (BITS - 1 - Math.floor(x / BLOCK))) & 1;
				bytes[n * size + y * COUNTER_WIDTH + x] = bit ? 235 : 16;
			}
		}
	}
	return bytes;
}

/** What reads such frames into ffmpeg. */
export const COUNTER_INPUT = (name: string, rate = '24'): string[] => [
	...['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${COUNTER_WIDTH}x${COUNTER_HEIGHT}`, '-r', rate, '-i', name],
];

/** Two codecs that share nothing: B-frames and alternate references, other containers, other key frames. */
export const VP9 = ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuv420p', '-b:v', '400k', '-g', '40', '-cpu-used', '8'];
export const H264 = [
	'-c:v',
	'libx264',
	'-pix_fmt',
	'yuv420p',
	'-crf',
	'20',
	'-g',
	'25',
	'-bf',
	'3',
	'-movflags',
	'+faststart',
];
