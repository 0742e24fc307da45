import { describe, expect, it } from 'vitest';
import type { PixelFormat, Size } from '../../src/core/color.ts';
import { frameBytes } from '../../src/core/color.ts';
import { rational } from '../../src/core/rational.ts';
import { chooseEncode } from '../../src/media/encode/choose.ts';
import { createEncoder } from '../../src/media/encode/encoder.ts';
import { pixelFormat } from '../../src/media/encode/formats.ts';
import type { ContainerId, EncodeCodec, EncodeConfig, EncodedChunk } from '../../src/contracts/media.ts';
import { muxFile } from '../../src/media/mux/mux.ts';
import {
	MemorySink,
	allPlanes,
	constant,
	decodeNative,
	frameStream,
	md5Native,
	psnr,
	sourceOf,
} from '../helpers/encode-kit.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';

const never = new AbortController().signal;
const COUNT = 12;

async function encode(
	config: EncodeConfig,
	timeline: TimelineFrame[],
	size: Size,
	cuts: number[],
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

async function film(container: ContainerId, format: PixelFormat, size: Size, codec?: EncodeCodec, cuts = [5]) {
	const timeline = constant(COUNT, rational(1, 24));
	const { config, conversions } = chooseEncode(sourceOf(format, size), container, codec ? { codec } : {});
	const chunks = await encode(config, timeline, size, cuts);
	const sink = new MemorySink();
	const muxed = await muxFile(config, chunks, timeline, undefined, sink, () => undefined, never);
	return { config, conversions, chunks, muxed, blob: sink.blob };
}

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
		const { chunks, blob, conversions } = await film('mkv', format, SIZE);
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
