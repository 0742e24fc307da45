import { describe, expect, it } from 'vitest';
import { type ColorTags, type PixelFormat, type Size } from '../../src/core/color.ts';
import { type Rational, rational, sub, toNumber } from '../../src/core/rational.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';
import type { ContainerId, EncodeConfig, EncodedChunk } from '../../src/contracts/media.ts';
import { type EncodeWishes, chooseEncode, type EncodeSource } from '../../src/media/encode/choose.ts';
import { createEncoder } from '../../src/media/encode/encoder.ts';
import { pixelFormat } from '../../src/media/encode/formats.ts';
import { muxFile } from '../../src/media/mux/mux.ts';
import { type VerifiedFile, verifyFile } from '../../src/media/mux/verify.ts';
import { blobReader } from '../../src/media/sinks/files.ts';
import { MemorySink, constant, frameStream, sourceOf, timelineOf } from '../helpers/encode-kit.ts';
import { probeNative, textOf, writeNative } from '../helpers/native.ts';

const never = new AbortController().signal;
const SIZE = { width: 64, height: 48 };

interface Made {
	readonly config: EncodeConfig;
	readonly chunks: readonly EncodedChunk[];
	readonly blob: Blob;
	readonly sha256: string;
	readonly found: VerifiedFile;
}

async function make(
	container: ContainerId,
	format: PixelFormat,
	timeline: readonly TimelineFrame[],
	options: { source?: Partial<EncodeSource>; wishes?: EncodeWishes; cuts?: readonly number[]; size?: Size } = {},
): Promise<Made> {
	const size = options.size ?? SIZE;
	const { config } = chooseEncode(sourceOf(format, size, options.source), container, options.wishes);
	const encoder = createEncoder(config);
	const bounds = [0, ...(options.cuts ?? []), timeline.length];
	const chunks: EncodedChunk[] = [];
	for (let i = 0; i + 1 < bounds.length; i++) {
		const range = { start: bounds[i]!, end: bounds[i + 1]! };
		chunks.push(await encoder.encode(frameStream({ ...config, size }, timeline, range.start, range.end), range, never));
	}
	await encoder.close();
	const sink = new MemorySink();
	const { sha256 } = await muxFile(config, chunks, timeline, undefined, sink, () => undefined, never);
	return { config, chunks, blob: sink.blob, sha256, found: await verifyFile(blobReader(sink.blob), container, never) };
}

interface NativeStream {
	readonly codec_name: string;
	readonly pix_fmt: string;
	readonly width: number;
	readonly height: number;
	readonly color_range?: string;
	readonly color_space?: string;
	readonly color_transfer?: string;
	readonly color_primaries?: string;
	readonly chroma_location?: string;
	readonly field_order?: string;
	readonly sample_aspect_ratio?: string;
	readonly time_base: string;
	readonly duration?: string;
	readonly tags?: Readonly<Record<string, string>>;
	readonly side_data_list?: readonly { readonly rotation?: number }[];
}

async function probe(name: string, blob: Blob): Promise<{ stream: NativeStream; pts: number[]; durations: number[] }> {
	await writeNative(name, blob);
	const found = await probeNative<{
		streams: NativeStream[];
		packets: { pts: number; duration?: number }[];
	}>(['-select_streams', 'v:0', '-show_streams', '-show_packets', name]);
	const packets = (found.packets ?? []).slice().sort((a, b) => a.pts - b.pts);
	return {
		stream: found.streams[0]!,
		pts: packets.map((p) => p.pts),
		durations: packets.map((p) => p.duration ?? 0),
	};
}

function tickOf(stream: NativeStream): Rational {
	const [num, den] = stream.time_base.split('/').map(Number);
	return rational(num!, den);
}

/** Checks both readings of a file against the plan: exact where the clock can, else within half a tick. */
function expectTimes(
	timeline: readonly TimelineFrame[],
	found: VerifiedFile,
	nativePts: number[],
	tick: Rational,
	exact: boolean,
) {
	const first = timeline[0]!.pts;
	const planned = timeline.map((f) => sub(f.pts, first));
	expect(found.frames).toBe(timeline.length);
	expect(nativePts.length).toBe(timeline.length);
	if (exact) {
		expect(found.pts).toEqual(planned);
		expect(nativePts.map((p) => rational((p - nativePts[0]!) * tick.num, tick.den))).toEqual(planned);
		return;
	}
	planned.forEach((time, i) => {
		expect(Math.abs(toNumber(found.pts[i]!) - toNumber(time))).toBeLessThanOrEqual(toNumber(found.tick) / 2 + 1e-12);
		const native = (nativePts[i]! - nativePts[0]!) * toNumber(tick);
		expect(Math.abs(native - toNumber(time))).toBeLessThanOrEqual(toNumber(tick) / 2 + 1e-12);
	});
}

const NTSC = rational(1001, 30000);
const VFR = [1, 1, 2, 5, 1, 1, 1, 7, 1, 2, 1, 3].map((n) => rational(n * 1001, 60000));

const TIMES: readonly (readonly [string, ContainerId, PixelFormat, TimelineFrame[], boolean])[] = [
	['NTSC mp4', 'mp4', pixelFormat('420', 8), constant(12, NTSC), true],
	['VFR mp4', 'mp4', pixelFormat('420', 8), timelineOf(VFR, rational(7, 3)), true],
	['VFR mov', 'mov', pixelFormat('422', 10), timelineOf(VFR), true],
	['VFR mkv', 'mkv', pixelFormat('gray', 8), timelineOf(VFR), false],
	['25 fps mkv', 'mkv', pixelFormat('gray', 8), constant(12, rational(1, 25)), true],
	['24 fps mkv', 'mkv', pixelFormat('gray', 8), constant(12, rational(1, 24)), false],
	[
		'odd timebases mp4',
		'mp4',
		pixelFormat('420', 8),
		timelineOf([rational(1, 24), rational(1001, 24000), rational(1, 25), rational(1, 30)]),
		true,
	],
	['long frames mkv', 'mkv', pixelFormat('gray', 8), constant(4, rational(7)), true],
];

describe('exact time', () => {
	it.each(TIMES)('%s', async (name, container, format, timeline, exact) => {
		const { blob, found } = await make(container, format, timeline, { cuts: [3] });
		const { stream, pts } = await probe(`time-${name.replaceAll(/\W/g, '')}.${container}`, blob);
		expectTimes(timeline, found, pts, tickOf(stream), exact);
		const total = timeline.reduce((sum, f) => sum + toNumber(f.duration), 0);
		expect(Math.abs(toNumber(found.duration) - total)).toBeLessThan(toNumber(found.tick));
	});
});

const TAGS: readonly (readonly [string, ContainerId, PixelFormat, ColorTags, readonly string[]])[] = [
	[
		'mp4 601',
		'mp4',
		pixelFormat('420', 8),
		{ primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', range: 'limited', chromaLocation: 'center' },
		['tv', 'smpte170m', 'smpte170m', 'smpte170m', 'center'],
	],
	[
		'mp4 full',
		'mp4',
		pixelFormat('444', 8),
		{ primaries: 'bt709', transfer: 'srgb', matrix: 'bt709', range: 'full', chromaLocation: 'unspecified' },
		['pc', 'bt709', 'iec61966-2-1', 'bt709', ''],
	],
	[
		'mp4 PQ 10',
		'mp4',
		pixelFormat('420', 10),
		{ primaries: 'bt2020', transfer: 'pq', matrix: 'bt2020nc', range: 'limited', chromaLocation: 'topleft' },
		['tv', 'bt2020nc', 'smpte2084', 'bt2020', 'topleft'],
	],
	[
		'mov 709',
		'mov',
		pixelFormat('422', 10),
		{ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited', chromaLocation: 'left' },
		['tv', 'bt709', 'bt709', 'bt709', ''],
	],
	[
		'mkv full',
		'mkv',
		pixelFormat('420', 8),
		{ primaries: 'bt470bg', transfer: 'gamma28', matrix: 'bt470bg', range: 'full', chromaLocation: 'left' },
		['pc', 'bt470bg', 'bt470bg', 'bt470bg', 'left'],
	],
	[
		'mkv rgb',
		'mkv',
		pixelFormat('rgb', 16),
		{ primaries: 'smpte432', transfer: 'linear', matrix: 'rgb', range: 'full', chromaLocation: 'unspecified' },
		['pc', 'gbr', 'linear', 'smpte432', ''],
	],
];

describe('what a file says of its picture', () => {
	it.each(TAGS)('%s: color', async (name, container, format, color, expected) => {
		const { blob } = await make(container, format, constant(2, rational(1, 24)), { source: { color } });
		const { stream } = await probe(`tags-${name.replaceAll(/\W/g, '')}.${container}`, blob);
		expect([stream.color_range, stream.color_space, stream.color_transfer, stream.color_primaries]).toEqual(
			expected.slice(0, 4),
		);
		if (expected[4]) expect(stream.chroma_location).toBe(expected[4]);
	});

	it.each(['mp4', 'mov', 'mkv'] as const)('%s: pixel aspect, timecode, fields', async (container) => {
		const source = {
			sampleAspect: rational(16, 15),
			timecode: '01:00:00:00',
			fields: 'tff',
			rate: rational(25),
		} as const;
		const format = container === 'mov' ? pixelFormat('422', 10) : pixelFormat('420', 8);
		const { blob } = await make(container, format, constant(4, rational(1, 25)), { source });
		const { stream } = await probe(`shape.${container}`, blob);
		expect(stream.sample_aspect_ratio).toBe('16:15');
		expect(['tt', 'tb']).toContain(stream.field_order);
		const tags = await probeNative<{
			streams: { tags?: Record<string, string> }[];
			format: { tags?: Record<string, string> };
		}>([...['-show_entries', 'stream_tags:format_tags', `shape.${container}`]]);
		const codes = [tags.format, ...tags.streams].map((t) => t.tags?.['timecode'] ?? t.tags?.['TIMECODE']);
		expect(codes).toContain('01:00:00:00');
	});

	it.each(['mp4', 'mov', 'mkv', 'webm'] as const)('%s: rotation', async (container) => {
		const format = container === 'mov' ? pixelFormat('422', 10) : pixelFormat('420', 8);
		const upright = { 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' } as const;
		const decoded = (name: string, before: string[], after: string[]) =>
			textOf('ffmpeg', [...before, '-i', name, '-map', '0:v', ...after, '-f', 'framemd5', '-']);
		for (const rotation of [90, 180, 270] as const) {
			const { blob } = await make(container, format, constant(2, rational(1, 25)), { source: { rotation } });
			const { stream } = await probe(`turn-${rotation}.${container}`, blob);
			const turned = (360 - (stream.side_data_list?.find((d) => d.rotation !== undefined)?.rotation ?? 0)) % 360;
			expect(turned).toBe(rotation);
			// What a player shows: ffmpeg turns it upright by itself as that tag asks.
			const name = `turn-${rotation}.${container}`;
			const asked = await decoded(name, ['-noautorotate'], ['-vf', upright[rotation]]);
			expect(await decoded(name, [], [])).toBe(asked);
		}
	});
});

describe('the same input', () => {
	it.each([
		['mp4', pixelFormat('420', 8)],
		['mov', pixelFormat('422', 10)],
		['mkv', pixelFormat('420', 10)],
	] as const)('%s gives the same bytes twice', async (container, format) => {
		const timeline = constant(8, rational(1, 24));
		const a = await make(container, format, timeline, { cuts: [4] });
		const b = await make(container, format, timeline, { cuts: [4] });
		expect(a.sha256).toBe(b.sha256);
		expect(new Uint8Array(await a.blob.arrayBuffer())).toEqual(new Uint8Array(await b.blob.arrayBuffer()));
		expect(a.chunks.flatMap((c) => c.frameMd5)).toEqual(b.chunks.flatMap((c) => c.frameMd5));
	});

	it('refuses chunks that do not tile the timeline, or were made with other settings', async () => {
		const timeline = constant(6, rational(1, 24));
		const { config, chunks } = await make('mp4', pixelFormat('420', 8), timeline, { cuts: [3] });
		const sink = new MemorySink();
		await expect(
			muxFile(config, [chunks[0]!], timeline, undefined, sink, () => undefined, never),
		).rejects.toMatchObject({ code: 'internal' });
		const other = await make('mp4', pixelFormat('420', 8), timeline, {
			cuts: [3],
			wishes: { quality: 40 },
			source: {
				color: { primaries: 'bt2020', transfer: 'pq', matrix: 'bt2020nc', range: 'full', chromaLocation: 'left' },
			},
		});
		await expect(
			muxFile(config, [chunks[0]!, other.chunks[1]!], timeline, undefined, sink, () => undefined, never),
		).rejects.toMatchObject({ code: 'plan-changed' });
	});
});
