/** Pictures by native ffmpeg as R′G′B′ planes of 0…1, for tests and reference scripts that run in Node. */

import { spawnSync } from 'node:child_process';

/** Three planes one after the other. */
export interface NativeFrame {
	readonly data: Float32Array<ArrayBuffer>;
	readonly width: number;
	readonly height: number;
}

function run(tool: string, args: readonly string[], input?: Uint8Array): Buffer {
	const done = spawnSync(tool, args, { maxBuffer: 2 ** 30, ...(input ? { input } : {}) });
	if (done.error) throw done.error;
	if (done.status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${done.stderr.toString()}`);
	return done.stdout;
}

/** Size of a file's picture before any filter. */
function sizeOf(path: string): { readonly width: number; readonly height: number } {
	const entries = ['-select_streams', 'v:0', '-show_entries', 'stream=width,height', '-of', 'csv=p=0'];
	const [width, height] = run('ffprobe', ['-v', 'error', ...entries, path])
		.toString()
		.trim()
		.split(',')
		.map(Number);
	return { width: width!, height: height! };
}

/** Frames of tightly packed 8-bit `gbrp`. */
function unpack(raw: Uint8Array, width: number, height: number): NativeFrame[] {
	const area = width * height;
	if (raw.length === 0 || raw.length % (3 * area) !== 0)
		throw new Error(`${raw.length} bytes are no frames of ${width}×${height}`);
	return Array.from({ length: raw.length / (3 * area) }, (_, i) => {
		const data = new Float32Array(3 * area);
		// ffmpeg's planes are G, B, R.
		[2, 0, 1].forEach((plane, c) => {
			const from = raw.subarray((3 * i + plane) * area, (3 * i + plane + 1) * area);
			for (let p = 0; p < area; p++) data[c * area + p] = from[p]! / 255;
		});
		return { data, width, height };
	});
}

/** What is read of a film. */
export interface ReadOptions {
	/** First frame, default 0. */
	readonly start?: number;
	readonly count: number;
	/** Cut out of the middle; default all of the picture. */
	readonly crop?: { readonly width: number; readonly height: number };
}

/** Frames of a film. */
export function readFrames(path: string, { start = 0, count, crop }: ReadOptions): NativeFrame[] {
	const { width, height } = crop ?? sizeOf(path);
	const filters = [`select=gte(n\\,${start})`, ...(crop ? [`crop=${crop.width}:${crop.height}`] : [])];
	const output = ['-frames:v', String(count), '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gbrp', '-'];
	return unpack(run('ffmpeg', ['-v', 'error', '-i', path, '-vf', filters.join(','), ...output]), width, height);
}

/** A still. */
export function readStill(path: string): NativeFrame {
	return readFrames(path, { count: 1 })[0]!;
}

function pack(frames: readonly NativeFrame[]): Uint8Array {
	const { width, height } = frames[0]!;
	const area = width * height;
	const out = new Uint8Array(frames.length * 3 * area);
	frames.forEach(({ data }, i) => {
		[2, 0, 1].forEach((plane, c) => {
			for (let p = 0; p < area; p++) {
				const value = Math.round(255 * data[c * area + p]!);
				out[(3 * i + plane) * area + p] = Math.min(255, Math.max(0, value));
			}
		});
	});
	return out;
}

/**
 * Encodes frames and decodes them again.
 * @param encoder ffmpeg's options from `-c:v` on, e.g. `['-c:v', 'libx264', '-crf', '23', '-pix_fmt', 'yuv420p']`
 * @param format container that holds the codec and can be piped
 */
export function throughCodec(
	frames: readonly NativeFrame[],
	encoder: readonly string[],
	format = 'matroska',
): NativeFrame[] {
	const { width, height } = frames[0]!;
	const raw = ['-f', 'rawvideo', '-pix_fmt', 'gbrp', '-s', `${width}x${height}`, '-r', '24', '-i', '-'];
	const coded = run('ffmpeg', ['-v', 'error', ...raw, ...encoder, '-f', format, '-'], pack(frames));
	const decoded = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gbrp', '-'];
	return unpack(run('ffmpeg', ['-v', 'error', '-f', format, '-i', '-', ...decoded], coded), width, height);
}
