/** What the tests of this folder share: pictures with known samples, native ffmpeg as maker and judge. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColorTags, PixelFormat } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { halfBits, halfTable } from './exr/half.ts';
import { allocatePicture, rgbFormat, UNTAGGED, type ScanPicture } from './picture.ts';

/** A picture of repeatable noise that uses every bit of the format. */
export function noisePicture(
	width: number,
	height: number,
	components: 1 | 2 | 3 | 4,
	depth: number,
	color: ColorTags = UNTAGGED,
): ScanPicture {
	const picture = allocatePicture(rgbFormat(components, depth), { width, height }, color);
	let state = 0x9e3779b9 ^ (width * 131 + height * 17 + components * 7 + depth);
	for (const plane of picture.planes) {
		for (let i = 0; i < plane.length; i++) {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			plane[i] = depth === 32 ? Math.fround((state >>> 8) / 2 ** 22 - 1) : (state >>> 8) & (2 ** depth - 1);
		}
	}
	return picture;
}

/**
 * A float picture of samples that halves hold exactly: a ramp with grain. `specials` begins each plane with the odd values of
 * the format: not a number, infinities, zeros of both signs, the largest and the smallest. `make.py` makes the same.
 */
export function filmPicture(
	width: number,
	height: number,
	components: 1 | 2 | 3 | 4,
	specials = false,
	color: ColorTags = { ...UNTAGGED, primaries: 'bt709', transfer: 'linear' },
): ScanPicture {
	const picture = allocatePicture(rgbFormat(components, 32), { width, height }, color);
	const odd = [NaN, Infinity, -Infinity, -0, 0, 65504, -65504, 2 ** -24, -1023 * 2 ** -24, 1];
	let state = 1;
	picture.planes.forEach((plane, c) => {
		for (let i = 0; i < plane.length; i++) {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			const ramp = ((i % width) + Math.floor(i / width) * (c + 1)) % 97;
			plane[i] = (1024 + ramp * 16 + (state >>> 30) * 4) / 2048;
		}
		if (specials) plane.set(odd.slice(0, plane.length));
	});
	return halved(picture);
}

/** Rounds every sample to half, so that files of half samples hold it exactly. */
export function halved(picture: ScanPicture): ScanPicture {
	for (const plane of picture.planes) {
		const bits = new Uint32Array(plane.buffer, plane.byteOffset, plane.length);
		for (let i = 0; i < plane.length; i++) plane[i] = halfTable()[halfBits(bits[i] as number)] as number;
	}
	return picture;
}

/** A file of `tests/fixtures/scans`, which its `make.py` lets the programs of others write. */
export function scanFixture(name: string): Uint8Array<ArrayBuffer> {
	return new Uint8Array(readFileSync(new URL(`../../../tests/fixtures/scans/${name}`, import.meta.url)));
}

/** What came of reading: `read`, or the code of the typed error. Anything else that is thrown is a defect and goes on. */
export function outcome(run: () => unknown): string {
	try {
		run();
		return 'read';
	} catch (error) {
		if (!(error instanceof EmulsionError)) throw error;
		return error.code;
	}
}

/**
 * Copies of a file with `hits` bytes replaced at places that a seeded generator chooses between `from` and `to`, one copy
 * after the other.
 */
export function* damaged(
	good: Uint8Array<ArrayBuffer>,
	copies: number,
	hits = 4,
	from = 0,
	to = good.length,
): Generator<Uint8Array<ArrayBuffer>> {
	let state = 7;
	const next = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8;
	for (let i = 0; i < copies; i++) {
		const bytes = good.slice();
		for (let j = 0; j < hits; j++) bytes[from + (next() % (to - from))] = next();
		yield bytes;
	}
}

/** Runs native ffmpeg in a folder of its own: `input` is written under `name`, the output file's bytes come back. */
export function ffmpeg(
	files: Record<string, Uint8Array>,
	args: readonly string[],
	output: string,
): Uint8Array<ArrayBuffer> {
	const dir = mkdtempSync(join(tmpdir(), 'scans-'));
	try {
		for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
		execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, output], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
		return new Uint8Array(readFileSync(join(dir, output)));
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

/** ffmpeg's own decode of an image file, as planar samples in R, G, B(, A) order. */
export function ffmpegPlanes(name: string, bytes: Uint8Array, format: PixelFormat): Uint8Array<ArrayBuffer> {
	if (format.depth === 8 && format.chroma === 'rgb') return packedPlanes(name, bytes, format.alpha ? 4 : 3);
	const pixel = rawName(format);
	const raw = ffmpeg({ [name]: bytes }, ['-i', name, '-f', 'rawvideo', '-pix_fmt', pixel], 'out.raw');
	if (format.chroma === 'gray') return format.alpha ? split(raw, 2, format.depth / 8) : raw;
	return reorder(raw, format, [2, 0, 1]);
}

/** swscale 6 rounds palettes and loses alpha on the way to planar 8 bit: the interleaved samples are split here instead. */
function packedPlanes(name: string, bytes: Uint8Array, n: 3 | 4): Uint8Array<ArrayBuffer> {
	const pixel = n === 4 ? 'rgba' : 'rgb24';
	return split(ffmpeg({ [name]: bytes }, ['-i', name, '-f', 'rawvideo', '-pix_fmt', pixel], 'out.raw'), n, 1);
}

/** Interleaved samples of `size` bytes as `n` planes. */
function split(raw: Uint8Array, n: number, size: number): Uint8Array<ArrayBuffer> {
	const out = new Uint8Array(raw.length);
	const plane = raw.length / n;
	for (let i = 0; i < raw.length; i++) {
		const sample = Math.floor(i / size);
		out[(sample % n) * plane + Math.floor(sample / n) * size + (i % size)] = raw[i] as number;
	}
	return out;
}

/** Planes as `n` interleaved samples of `size` bytes. */
function interleave(data: Uint8Array, n: number, size: number): Uint8Array<ArrayBuffer> {
	const out = new Uint8Array(data.length);
	const plane = data.length / n;
	for (let i = 0; i < data.length; i++) {
		const sample = Math.floor(i / size);
		out[i] = data[(sample % n) * plane + Math.floor(sample / n) * size + (i % size)] as number;
	}
	return out;
}

/** An image file that ffmpeg wrote from a picture. */
export function ffmpegEncode(
	picture: ScanPicture,
	name: string,
	args: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
	const { format, size } = picture;
	const data = new Uint8Array(picture.data);
	const gray = format.alpha ? interleave(data, 2, format.depth / 8) : data;
	const raw = format.chroma === 'gray' ? gray : reorder(data, format, [1, 2, 0]);
	const input = ['-f', 'rawvideo', '-pix_fmt', rawName(format), '-s', `${size.width}x${size.height}`, '-i', 'in.raw'];
	return ffmpeg({ 'in.raw': raw }, [...input, '-frames:v', '1', ...args], name);
}

/** ffmpeg's planar raw format of a picture's format. */
export function rawName(format: PixelFormat): string {
	const suffix = format.depth === 32 ? 'f32le' : format.depth === 8 ? '' : `${format.depth}le`;
	if (format.chroma === 'gray') return format.alpha ? `ya${format.depth === 8 ? '8' : suffix}` : `gray${suffix}`;
	return `gbr${format.alpha ? 'a' : ''}p${suffix}`;
}

function reorder(raw: Uint8Array, format: PixelFormat, order: readonly number[]): Uint8Array<ArrayBuffer> {
	const planes = format.alpha ? [...order, 3] : order;
	const length = raw.length / planes.length;
	const out = new Uint8Array(raw.length);
	planes.forEach((from, to) => out.set(raw.subarray(from * length, (from + 1) * length), to * length));
	return out;
}

/** Bytes of a picture's planes. */
export function planeBytes(picture: ScanPicture): Uint8Array<ArrayBuffer> {
	return new Uint8Array(picture.data);
}

/** First difference of two byte arrays, or −1 (a thousand times faster than deep equality on pictures). */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
	if (a.length !== b.length) return Math.min(a.length, b.length);
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
	return -1;
}
