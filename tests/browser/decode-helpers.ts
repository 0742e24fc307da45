/** What the decoding tests share: opening fixtures, hashing planes as ffmpeg orders them, reading framemd5 files. */

import { md5 } from 'hash-wasm';
import { afterEach, expect } from 'vitest';
import type { FrameRange, PlanarFrame } from '../../src/contracts/frames.ts';
import type { DecodeEngine, MediaSource, SourceInfo } from '../../src/contracts/media.ts';
import { frameBytes, type PixelFormat, type Size } from '../../src/core/color.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { rational, type Rational } from '../../src/core/rational.ts';
import { liveCoreWorkers } from '../../src/media/ffmpeg/core/core.ts';
import { openSource, type OpenOptions } from '../../src/media/source.ts';
import { fixtureFile } from '../helpers/browser-files.ts';

/** A signal that never fires. */
export const never = new AbortController().signal;

/** Opens a File with an engine. */
export function open(file: File, engine?: DecodeEngine, options: OpenOptions = {}): Promise<MediaSource> {
	const input = { kind: 'file', files: [{ path: file.name, file }], ...(engine ? { engine } : {}) } as const;
	return openSource(input, () => undefined, never, options);
}

/** Opens a clip made at test time. */
export async function openFixture(
	name: string,
	engine?: DecodeEngine,
	options: OpenOptions = {},
): Promise<MediaSource> {
	return open(await fixtureFile(name), engine, options);
}

/** All frames of a range. */
export async function take(source: MediaSource, range: FrameRange, signal = never): Promise<PlanarFrame[]> {
	const frames: PlanarFrame[] = [];
	for await (const frame of source.frames(range, signal)) frames.push(frame);
	return frames;
}

/** All frames. */
export function takeAll(source: MediaSource): Promise<PlanarFrame[]> {
	return take(source, { start: 0, end: source.info.frames.length });
}

/** Bytes in ffmpeg's plane order: RGB planes are G, B, R there. */
function ffmpegOrder(format: PixelFormat, size: Size, data: ArrayBuffer): Uint8Array {
	const bytes = new Uint8Array(data);
	if (format.chroma !== 'rgb') return bytes;
	const plane = frameBytes(format, size) / (format.alpha ? 4 : 3);
	const out = bytes.slice();
	[1, 2, 0].forEach((from, to) => {
		out.set(bytes.subarray(from * plane, (from + 1) * plane), to * plane);
	});
	return out;
}

/** MD5 of a frame's planes as `-f framemd5` has it. */
export function frameMd5(frame: PlanarFrame): Promise<string> {
	return md5(ffmpegOrder(frame.format, frame.size, frame.data));
}

/** One line of a framemd5 file. */
export interface ReferenceFrame {
	readonly pts: Rational;
	readonly md5: string;
}

/** The native reference of a clip. */
export async function reference(name: string, extension = 'md5'): Promise<ReferenceFrame[]> {
	const text = await (await fixtureFile(`${name}.${extension}`)).text();
	const timebase = /#tb 0: (\d+)\/(\d+)/.exec(text);
	const [num, den] = [Number(timebase?.[1]), Number(timebase?.[2])];
	return text
		.split('\n')
		.filter((line) => /^0,/.test(line))
		.map((line) => {
			const cells = line.split(',').map((cell) => cell.trim());
			return { pts: rational(Number(cells[2]) * num, den), md5: cells[5] ?? '' };
		});
}

/** Kinds of a source's notices, sorted. */
export function noticeKinds(info: SourceInfo): string[] {
	return info.notices.map((notice) => notice.kind).sort();
}

/** The typed error that a call ends with; fails when it does not. */
export async function failure(call: () => unknown): Promise<EmulsionError> {
	try {
		await call();
	} catch (thrown) {
		if (thrown instanceof EmulsionError) return thrown;
		throw thrown;
	}
	throw new Error('expected an error');
}

/** Opens sources for a test file, closes them after each test, and sees that no worker is left. Call it once, at the top. */
export function opener(): (promise: Promise<MediaSource>) => Promise<MediaSource> {
	const opened: MediaSource[] = [];
	afterEach(async () => {
		for (const source of opened.splice(0)) await source.close();
		expect(liveCoreWorkers()).toBe(0);
	});
	return async (promise) => {
		const source = await promise;
		opened.push(source);
		return source;
	};
}
