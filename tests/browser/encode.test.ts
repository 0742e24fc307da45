import { describe, expect, it, vi } from 'vitest';
import type { PixelFormat, Size } from '../../src/core/color.ts';
import { frameBytes } from '../../src/core/color.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { say } from '../../src/core/phrases.ts';
import { rational } from '../../src/core/rational.ts';
import { type EncodeWishes, chooseEncode } from '../../src/media/encode/choose.ts';
import { createEncoder } from '../../src/media/encode/encoder.ts';
import { pixelFormat } from '../../src/media/encode/formats.ts';
import type { ContainerId, EncodeCodec, EncodeConfig, EncodedChunk } from '../../src/contracts/media.ts';
import { liveCoreWorkers } from '../../src/media/ffmpeg/core/core.ts';
import { muxFile } from '../../src/media/mux/mux.ts';
import { BT709 } from '../helpers/color.ts';
import {
	MemorySink,
	allPlanes,
	chunkBytes,
	constant,
	decodeNative,
	frameStream,
	md5Native,
	psnr,
	sourceOf,
} from '../helpers/encode-kit.ts';
import { writeNative } from '../helpers/native.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';

const never = new AbortController().signal;
const COUNT = 12;

async function encode(
	config: EncodeConfig,
	timeline: TimelineFrame[],
	size: Size,
	cuts: readonly number[],
): Promise<EncodedChunk[]> {
	const encoder = createEncoder(config);
	const chunks: EncodedChunk[] = [];
	const bounds = [0, ...cuts, timeline.length];
	for (let i = 0; i + 1 < bounds.length; i++) {
		const start = bounds[i]!;
		const end = bounds[i + 1]!;
		chunks.push(await encoder.encode(frameStream({ ...config, size }, timeline, start, end), { start, end }, never));
	}
	await encoder.close();
	return chunks;
}

async function film(
	container: ContainerId,
	format: PixelFormat,
	size: Size,
	codec?: EncodeCodec,
	cuts: readonly number[] = [],
	wishes: EncodeWishes = {},
) {
	const timeline = constant(COUNT, rational(1, 24));
	const { config, conversions } = chooseEncode(sourceOf(format, size), container, {
		...wishes,
		...(codec ? { codec } : {}),
	});
	const chunks = await encode(config, timeline, size, cuts);
	const sink = new MemorySink();
	const muxed = await muxFile(config, chunks, timeline, undefined, sink, () => undefined, never);
	return { config, conversions, chunks, muxed, blob: sink.blob };
}

/** Scans are full range, also where they are gray. */
const FULL_RGB = { ...BT709, matrix: 'rgb', range: 'full', chromaLocation: 'unspecified' } as const;
const SIZE = { width: 96, height: 64 };

const LOSSLESS: readonly (readonly [string, PixelFormat])[] = [
	['420 8', pixelFormat('420', 8)],
	['422 10', pixelFormat('422', 10)],
	['444 12', pixelFormat('444', 12)],
	['420 16', pixelFormat('420', 16)],
	['rgb 8', pixelFormat('rgb', 8)],
	['rgb 10', pixelFormat('rgb', 10)],
	['rgb 16', pixelFormat('rgb', 16)],
	['gray 8', pixelFormat('gray', 8)],
	['gray 12', pixelFormat('gray', 12)],
	['gray 16', pixelFormat('gray', 16)],
	['444+A 10', pixelFormat('444', 10, true)],
];

describe('lossless film files', () => {
	it.each(LOSSLESS)('FFV1 %s decodes natively to the planes that went in', async (name, format) => {
		const { chunks, blob, conversions } = await film('mkv', format, SIZE, undefined, format.depth === 8 ? [5] : []);
		expect(conversions).toEqual([]);
		const file = `ffv1-${name.replaceAll(/\W/g, '')}.mkv`;
		const planes = await decodeNative(blob, file, format);
		expect(planes.length).toBe(frameBytes(format, SIZE) * COUNT);
		expect(await md5Native(file, format)).toEqual(chunks.flatMap((c) => c.frameMd5));
		if (format.chroma !== 'rgb') expect(planes).toEqual(allPlanes(format, SIZE, COUNT));
	});
});

const LOSSY: readonly (readonly [ContainerId, EncodeCodec, PixelFormat, number])[] = [
	['mp4', 'h264', pixelFormat('420', 8), 40],
	['mp4', 'h264', pixelFormat('422', 10), 40],
	['mp4', 'h264', pixelFormat('444', 8), 36],
	['mov', 'prores-422hq', pixelFormat('422', 10), 44],
	['mov', 'prores-4444', pixelFormat('444', 10), 44],
	['mov', 'prores-4444', pixelFormat('444', 10, true), 44],
];

describe('lossy film files', () => {
	it.each(LOSSY)('%s %s reaches its PSNR', async (container, codec, format, floor) => {
		const { blob, muxed } = await film(container, format, SIZE, codec);
		expect(muxed.bytes).toBe(blob.size);
		const planes = await decodeNative(blob, `lossy-${codec}-${format.chroma}${format.depth}.${container}`, format);
		expect(planes.length).toBe(frameBytes(format, SIZE) * COUNT);
		expect(psnr(planes, allPlanes(format, SIZE, COUNT), format.depth)).toBeGreaterThan(floor);
	});
});

describe('browser encoders', () => {
	it.each([
		['mp4', 'h264', 36],
		['mp4', 'av1', 36],
		['mp4', 'vp9', 36],
		['webm', 'vp9', 36],
		['webm', 'av1', 36],
	] as const)('%s %s decodes natively, all frames there', async (container, codec, floor) => {
		const format = pixelFormat('420', 8);
		const { config, blob } = await film(container, format, SIZE, codec, [5], { engine: 'webcodecs' });
		expect(config.engine).toBe('webcodecs');
		const planes = await decodeNative(blob, `browser-${codec}.${container}`, format);
		expect(planes.length).toBe(frameBytes(format, SIZE) * COUNT);
		expect(psnr(planes, allPlanes(format, SIZE, COUNT), 8)).toBeGreaterThan(floor);
	});
});

describe('odd sizes', () => {
	it.each([
		['mp4', pixelFormat('420', 8), { width: 33, height: 17 }, { width: 34, height: 18 }],
		['mp4', pixelFormat('422', 10), { width: 33, height: 17 }, { width: 34, height: 17 }],
		['mp4', pixelFormat('420', 8), { width: 1, height: 1 }, { width: 2, height: 2 }],
		['mkv', pixelFormat('420', 8), { width: 33, height: 17 }, { width: 33, height: 17 }],
		['mkv', pixelFormat('rgb', 16), { width: 1, height: 1 }, { width: 1, height: 1 }],
		['mov', pixelFormat('422', 10), { width: 33, height: 17 }, { width: 33, height: 17 }],
		['mov', pixelFormat('444', 10), { width: 1, height: 1 }, { width: 1, height: 1 }],
	] as const)('%s: pads what the codec cannot hold, and says so', async (container, format, size, coded) => {
		const codec = container === 'mov' && format.chroma === '444' ? 'prores-4444' : undefined;
		const { config, conversions, chunks, blob } = await film(container, format, size, codec);
		expect(config.size).toEqual(coded);
		const isPadded = coded.width !== size.width || coded.height !== size.height;
		expect(conversions.some((c) => say(c).includes('repeated'))).toBe(isPadded);
		const name = `odd-${size.width}-${format.chroma}.${container}`;
		const planes = await decodeNative(blob, name, format);
		expect(planes.length).toBe(frameBytes(format, coded) * COUNT);
		if (container === 'mkv') expect(await md5Native(name, format)).toEqual(chunks.flatMap((c) => c.frameMd5));
		if (isPadded && format.depth === 8) {
			// The added column is the last one again, through the codec.
			const row = planes.subarray(0, coded.width);
			expect(Math.abs(row[size.width]! - row[size.width - 1]!)).toBeLessThan(24);
		}
	});
});

describe('image sequences', () => {
	it.each([
		['png', pixelFormat('rgb', 8)],
		['png', pixelFormat('rgb', 16)],
		['tiff', pixelFormat('rgb', 16)],
		['tiff', pixelFormat('gray', 8)],
		['dpx', pixelFormat('rgb', 8)],
		['dpx', pixelFormat('gray', 8)],
		['dpx', pixelFormat('rgb', 10)],
		['dpx', pixelFormat('rgb', 12)],
		['dpx', pixelFormat('rgb', 16)],
	] as const)('%s %o decodes natively to the planes that went in', async (container, format) => {
		const timeline = constant(2, rational(1, 24));
		const { config, conversions } = chooseEncode(sourceOf(format, SIZE, { color: FULL_RGB }), container);
		expect(conversions).toEqual([]);
		const [chunk] = await encode(config, timeline, SIZE, []);
		expect(chunk!.files!.map((f) => f.name)).toEqual([`000000.${container}`, `000001.${container}`]);
		for (const [i, file] of chunk!.files!.entries()) {
			const name = `still-${format.chroma}${format.depth}-${file.name}`;
			await writeNative(name, file.data);
			expect(await md5Native(name, format)).toEqual([chunk!.frameMd5[i]]);
		}
	});
});

describe('interruptions', () => {
	const format = pixelFormat('420', 8);

	it('an abort ends the encoder and leaves no worker behind', async () => {
		const timeline = constant(200, rational(1, 24));
		const { config } = chooseEncode(sourceOf(format, { width: 320, height: 240 }), 'mp4');
		const encoder = createEncoder(config);
		const controller = new AbortController();
		let pulled = 0;
		async function* counted() {
			for await (const frame of frameStream(config, timeline)) {
				if (++pulled === 20) controller.abort();
				yield frame;
			}
		}
		const encoding = encoder.encode(counted(), { start: 0, end: 200 }, controller.signal);
		await expect(encoding).rejects.toMatchObject({ code: 'aborted' });
		expect(pulled).toBeLessThan(60);
		expect(liveCoreWorkers()).toBe(0);
	});

	it('a failing source is reported as itself', async () => {
		const timeline = constant(8, rational(1, 24));
		const { config } = chooseEncode(sourceOf(format, SIZE), 'mkv');
		async function* broken() {
			yield* frameStream(config, timeline, 0, 3);
			throw new EmulsionError('input-truncated', 'the film ends here', { frame: 3 });
		}
		const encoding = createEncoder(config).encode(broken(), { start: 0, end: 8 }, never);
		await expect(encoding).rejects.toMatchObject({ code: 'input-truncated', details: { frame: 3 } });
		const short = createEncoder(config).encode(frameStream(config, timeline, 0, 3), { start: 0, end: 8 }, never);
		await expect(short).rejects.toMatchObject({ code: 'internal' });
		expect(liveCoreWorkers()).toBe(0);
	});

	it('refuses what a codec cannot hold, before any work', () => {
		const huge = { width: 8192, height: 8192 };
		expect(() => chooseEncode(sourceOf(format, huge), 'mp4')).toThrow(/139264|level/);
		expect(chooseEncode(sourceOf(format, huge), 'mkv').config.size).toEqual(huge);
		expect(() => chooseEncode(sourceOf(format, SIZE), 'mp4', { depth: 16 })).toThrow(/cannot hold/);
		expect(() => chooseEncode(sourceOf(format, SIZE), 'webm', { engine: 'software' })).toThrow(/software/);
		expect(() => chooseEncode(sourceOf(format, SIZE), 'mov', { codec: 'h264' })).toThrow(/H.264/);
	});
});

describe('without SharedArrayBuffer', () => {
	it('frames are staged on disk and the bytes are the same', async () => {
		const timeline = constant(6, rational(1, 24));
		const { config } = chooseEncode(sourceOf(pixelFormat('420', 8), SIZE), 'mp4');
		const [shared] = await encode(config, timeline, SIZE, []);
		vi.stubGlobal('SharedArrayBuffer', undefined);
		try {
			const [staged] = await encode(config, timeline, SIZE, []);
			expect(await chunkBytes(staged!)).toEqual(await chunkBytes(shared!));
			expect(staged!.frameMd5).toEqual(shared!.frameMd5);
		} finally {
			vi.unstubAllGlobals();
		}
	});
});
