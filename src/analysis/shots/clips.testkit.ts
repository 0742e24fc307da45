/** Clips for the tests of shot detection: decoded by native ffmpeg to small planes, then reduced as the program does it. */
import { spawnSync } from 'node:child_process';
import { type FrameThumbnail, makeThumbnail } from './thumbnail.ts';

/** Size to which ffmpeg reduces every frame, whatever its proportions, so that clips can be joined. */
export const WIDTH = 192;
export const HEIGHT = 108;

/** Thumbnails of tightly packed 8-bit 4:2:0 frames of `WIDTH × HEIGHT`. */
export function thumbsOf(raw: Uint8Array): FrameThumbnail[] {
	const luma = WIDTH * HEIGHT;
	const size = (luma * 3) / 2;
	if (raw.length % size !== 0) throw new Error(`${raw.length} bytes are no whole frames of ${size}`);
	const half = { stride: WIDTH / 2, width: WIDTH / 2, height: HEIGHT / 2 };
	return Array.from({ length: raw.length / size }, (_, i) => {
		const frame = raw.subarray(i * size, (i + 1) * size);
		const planes = [
			{ data: frame.subarray(0, luma), stride: WIDTH, width: WIDTH, height: HEIGHT },
			{ data: frame.subarray(luma, luma * 1.25), ...half },
			{ data: frame.subarray(luma * 1.25), ...half },
		];
		return makeThumbnail({ width: WIDTH, height: HEIGHT, depth: 8, isRgb: false, planes });
	});
}

/**
 * Runs native ffmpeg on inputs and a filter graph, every frame once, and returns the thumbnails of what comes out.
 * The graph ends in `[v]`; its inputs are `[0:v]`, `[1:v]`…
 */
export function filterClips(inputs: readonly (readonly string[])[], graph: string): FrameThumbnail[] {
	const scaled = `${graph};[v]scale=${WIDTH}:${HEIGHT}:flags=area,format=yuv420p[out]`;
	const sources = inputs.flatMap((input) => [...input.slice(0, -1), '-i', input[input.length - 1] ?? '']);
	const args = ['-v', 'fatal', ...sources, '-filter_complex', scaled, '-map', '[out]'];
	const run = spawnSync('ffmpeg', [...args, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'], { maxBuffer: 1 << 28 });
	if (run.error) throw run.error;
	if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr.toString()}`);
	return thumbsOf(run.stdout);
}

/** All frames of a clip. */
export function clipThumbs(path: string): FrameThumbnail[] {
	return filterClips([[path]], '[0:v]null[v]');
}

/** A thumbnail of one luma value (0…1). */
export function flatThumb(value: number, width = 96, height = 54): FrameThumbnail {
	const count = width * height;
	const zero = new Float32Array(count);
	return { width, height, luma: new Float32Array(count).fill(value), cb: zero, cr: zero };
}

/** A self-made scene: a texture that depends on `seed`, moved by (dx, dy) samples, times `gain`. */
export function sceneThumb(seed: number, dx = 0, dy = 0, gain = 1, width = 96, height = 54): FrameThumbnail {
	const thumb = flatThumb(0, width, height);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			let sum = 0;
			for (let k = 1; k <= 12; k++) {
				const angle = seed * 12.9898 * k + k * k;
				const frequency = 0.05 + 0.04 * k;
				sum +=
					Math.cos(((x + dx) * Math.cos(angle) + (y + dy) * Math.sin(angle)) * frequency + seed * k) / (1 + 0.15 * k);
			}
			thumb.luma[y * width + x] = Math.max(0, Math.min(1, gain * (0.45 + 0.11 * sum)));
		}
	}
	return thumb;
}
