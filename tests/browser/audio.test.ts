import { describe, expect, it } from 'vitest';
import { codecText } from '../../src/core/codecs.ts';
import { phrase } from '../../src/core/phrases.ts';
import { type Rational, add, mul, rational, sub, toNumber } from '../../src/core/rational.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';
import type { AudioRequest, AudioResult, ContainerId, MediaSource, StretchMode } from '../../src/contracts/media.ts';
import type { PlanarFrame } from '../../src/contracts/frames.ts';
import { extractAudio } from '../../src/media/audio/extract.ts';
import { soundLead } from '../../src/media/audio/lead.ts';
import { chooseEncode } from '../../src/media/encode/choose.ts';
import { createEncoder } from '../../src/media/encode/encoder.ts';
import { muxFile } from '../../src/media/mux/mux.ts';
import { type VerifiedFile, verifyFile } from '../../src/media/mux/verify.ts';
import { blobReader } from '../../src/media/sinks/files.ts';
import { openSource } from '../../src/media/source.ts';
import { fixtureFile } from '../helpers/browser-files.ts';
import { MemorySink } from '../helpers/encode-kit.ts';
import { probeNative, runNative, textOf, writeNative } from '../helpers/native.ts';
import { exportFile, exportOf, openClip, planOf, recipe, withEngine } from './pipeline-helpers.ts';

const never = new AbortController().signal;
/** One AAC frame at 48 kHz, in seconds. */
const AUDIO_FRAME = 1024 / 48000;

interface Exported {
	readonly blob: Blob;
	readonly audio: AudioResult | undefined;
	readonly found: VerifiedFile;
	readonly name: string;
}

async function open(name: string): Promise<{ source: MediaSource; file: File }> {
	const file = await fixtureFile(name);
	const source = await openSource({ files: [{ path: name, file }], kind: 'file' }, () => undefined, never);
	return { source, file };
}

function timelineFrom(source: MediaSource, start: number, end: number, stretch: Rational): TimelineFrame[] {
	const origin = source.info.frames[start]!.pts;
	return source.info.frames.slice(start, end).map((f, index) => ({
		index,
		pts: mul(sub(f.pts, origin), stretch),
		duration: mul(f.duration, stretch),
		origin: 'original',
		needs: [index],
		shot: 0,
	}));
}

async function* renumbered(frames: AsyncIterable<PlanarFrame>): AsyncGenerator<PlanarFrame> {
	for await (const frame of frames) yield frame;
}

/** Decode, encode, join, as an export does, on frames `start` to `end`. */
async function exportClip(
	name: string,
	container: ContainerId,
	start = 0,
	end = 50,
	stretch = rational(1),
	stretchMode?: StretchMode,
): Promise<Exported> {
	const { source, file } = await open(name);
	try {
		const { info } = source;
		const { config } = chooseEncode(info, container, container === 'mov' ? { codec: 'prores-422hq' } : {});
		const timeline = timelineFrom(source, start, end, stretch);
		const encoder = createEncoder({ ...config, format: container === 'mov' ? config.format : info.format });
		const picture = info.frames[start]!.pts;
		const request: AudioRequest = {
			container,
			from: start === 0 && info.audio[0] ? sub(picture, soundLead(info.audio[0], picture)) : picture,
			picture,
			to: add(info.frames[end - 1]!.pts, info.frames[end - 1]!.duration),
			stretch,
			...(stretchMode ? { stretchMode } : {}),
		};
		const audio = await extractAudio([{ path: name, file }], info, request, never);
		const range = { start: 0, end: end - start };
		const frames = source.frames({ start, end }, never);
		const planes = container === 'mov' ? widened(frames) : renumbered(frames);
		const chunk = await encoder.encode(planes, range, never);
		await encoder.close();
		const sink = new MemorySink();
		await muxFile(config, [chunk], timeline, audio, sink, () => undefined, never);
		const found = await verifyFile(blobReader(sink.blob), container, never);
		const out = `av-${name.replaceAll('.', '-')}-${start}-${stretchMode ?? ''}.${container}`;
		await writeNative(out, sink.blob);
		return { blob: sink.blob, audio, found, name: out };
	} finally {
		await source.close();
	}
}

/** 4:2:0 8 bit as 4:2:2 10 bit, chroma rows repeated: enough for black and white. */
async function* widened(frames: AsyncIterable<PlanarFrame>): AsyncGenerator<PlanarFrame> {
	for await (const frame of frames) {
		const { width, height } = frame.size;
		const from = new Uint8Array(frame.data);
		const half = width / 2;
		const to = new Uint16Array(width * height + 2 * half * height);
		for (let i = 0; i < width * height; i++) to[i] = from[i]! << 2;
		for (let p = 0; p < 2; p++) {
			for (let y = 0; y < height; y++) {
				for (let x = 0; x < half; x++) {
					const source = width * height + p * half * (height / 2) + (y >> 1) * half + x;
					to[width * height + p * half * height + y * half + x] = from[source]! << 2;
				}
			}
		}
		const format = { chroma: '422', depth: 10, sample: 'u16', alpha: false } as const;
		yield { ...frame, format, data: to.buffer };
	}
}

/** Native ffmpeg's answer: when the flash is seen and when the beep is heard, in seconds from the first frame. */
async function flashAndBeep(name: string): Promise<{ flash: number; beep: number }> {
	const gray = await runNative('ffmpeg', [
		...['-i', name, '-map', '0:v', '-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'],
	]);
	const size = 64 * 48;
	let index = 0;
	while (gray[index * size + size / 2]! < 128) index++;
	const { frames, format } = await probeNative<{
		frames: { pts_time: string }[];
		format: { start_time: string };
	}>(['-select_streams', 'v', '-show_entries', 'frame=pts_time:format=start_time', name]);
	const pcm = await runNative('ffmpeg', [
		...['-i', name, '-map', '0:a', '-af', 'aresample=48000:async=1:first_pts=0', '-ac', '1', '-f', 'f32le', '-'],
	]);
	const samples = new Float32Array(pcm.buffer);
	const beep = samples.findIndex((v) => Math.abs(v) > 0.2) / 48000;
	// Codec delay may put the container's start before the first frame.
	const first = Number(frames[0]!.pts_time);
	return { flash: Number(frames[index]!.pts_time) - first, beep: beep - (first - Number(format.start_time)) };
}

const CASES: readonly (readonly [string, ContainerId, boolean])[] = [
	['flash-aac.mp4', 'mp4', true],
	['flash-aac.mp4', 'mkv', true],
	['flash-aac.mp4', 'mov', true],
	['flash-aac.mkv', 'mp4', true],
	['flash-pcm.mov', 'mov', true],
	['flash-pcm.mov', 'mkv', true],
	['flash-pcm.mov', 'mp4', false],
	['flash-pcm.mov', 'webm', false],
	['flash-opus.mkv', 'webm', true],
	['flash-opus.mkv', 'mp4', true],
	['flash-late.mkv', 'mp4', true],
	['flash-late.mkv', 'mkv', true],
	['flash-late.mkv', 'mov', false],
];

describe('flash and beep stay together', () => {
	it.each(CASES)('%s to %s, whole and from frame 10', async (name, container, copied) => {
		// A cut within a packet is what differs by source; whole files are checked where nothing is cut elsewhere.
		for (const start of copied ? [0, 10] : [10]) {
			const { found, audio, name: out } = await exportClip(name, container, start);
			expect(audio?.copied).toBe(copied);
			const { flash, beep } = await flashAndBeep(out);
			expect(flash).toBeCloseTo(1 - start / 25, 3);
			expect(Math.abs(beep - flash)).toBeLessThan(AUDIO_FRAME / 2);
			// The plan: the audio's offset and length, found again in the file.
			const tick = toNumber(found.tick) + 1e-4;
			expect(Math.abs(toNumber(found.audioStart!) - toNumber(audio!.offset))).toBeLessThan(tick);
			expect(Math.abs(toNumber(found.audioDuration!) - toNumber(audio!.duration))).toBeLessThan(tick);
		}
	});
});

describe('ranges and clocks', () => {
	it.each([
		['flash-early.mkv', ['mp4', 'mov', 'mkv', 'webm']],
		['flash-early.mp4', ['mp4', 'mkv']],
	] as const)(
		'%s: sound that starts before the picture is said to, kept in the whole film, cut in a range',
		async (early, containers) => {
			const { source } = await open(early);
			expect(toNumber(source.info.avOffset!)).toBeCloseTo(0.4, 3);
			const notice = source.info.notices.find(({ kind }) => kind === 'early-audio');
			expect(notice?.message).toMatch(/starts 0\.400 s before the picture/);
			await source.close();
			for (const container of containers) {
				for (const start of [0, 10]) {
					const { audio, found, name } = await exportClip(early, container, start);
					const offset = start === 0 ? -0.4 : 0;
					expect(toNumber(audio!.offset)).toBeCloseTo(offset, 4);
					expect(Math.abs(toNumber(found.audioStart!) - offset)).toBeLessThan(1e-3);
					expect(Math.abs(toNumber(found.audioDuration!) - toNumber(audio!.duration))).toBeLessThan(1e-3);
					const { flash, beep } = await flashAndBeep(name);
					expect(flash).toBeCloseTo(1 - start / 25, 3);
					// The beep was made 1 s after the sound's start: 0.6 s after the first picture.
					expect(Math.abs(beep - (0.6 - start / 25))).toBeLessThan(AUDIO_FRAME / 2);
				}
			}
		},
	);

	it('sound before the picture is stretched with it', async () => {
		const { found, audio, name } = await exportClip('flash-early.mkv', 'mov', 0, 50, rational(2), 'resample');
		expect(toNumber(audio!.offset)).toBeCloseTo(-0.8, 4);
		expect(toNumber(found.audioStart!)).toBeCloseTo(-0.8, 4);
		const { flash, beep } = await flashAndBeep(name);
		expect(flash).toBeCloseTo(2, 3);
		expect(Math.abs(beep - 1.2)).toBeLessThan(AUDIO_FRAME);
	});

	it('what a decoder drops at the start is no sound: Opus and AAC of our own Matroska', async () => {
		for (const [source, container] of [
			['flash-opus.mkv', 'mkv'],
			['flash-aac.mp4', 'mkv'],
		] as const) {
			const { blob } = await exportClip(source, container);
			const file = new File([blob], 'again.mkv');
			const again = await openSource({ files: [{ path: file.name, file }], kind: 'file' }, () => undefined, never);
			const { start } = again.info.audio[0]!;
			await again.close();
			// A tick of Matroska's clock.
			expect(Math.abs(toNumber(start))).toBeLessThanOrEqual(1e-3);
		}
	});

	it('sound that starts with the picture is not said to start before it', async () => {
		for (const name of ['flash-aac.mp4', 'flash-aac.mkv', 'flash-opus.mkv', 'flash-late.mkv']) {
			const { source } = await open(name);
			expect(source.info.notices.map(({ kind }) => kind)).not.toContain('early-audio');
			await source.close();
		}
	});

	it.each([
		['flash-long-aac.mp4', 'mp4'],
		['flash-long-aac.mp4', 'webm'],
		['flash-long-pcm.mov', 'mkv'],
	] as const)('%s to %s: a late range is sought and cut to the sample', async (name, container) => {
		const { audio, found, name: out } = await exportClip(name, container, 250, 300);
		const { flash, beep } = await flashAndBeep(out);
		expect(flash).toBeCloseTo(13 / 25, 3);
		expect(Math.abs(beep - flash)).toBeLessThan(AUDIO_FRAME / 2);
		expect(toNumber(audio!.offset)).toBe(0);
		expect(Math.abs(toNumber(found.audioDuration!) - 2)).toBeLessThan(AUDIO_FRAME);
	});

	it('an MPEG program stream keeps its sound to the last packet', async () => {
		const packets = async (name: string): Promise<number> =>
			(await textOf('ffprobe', ['-select_streams', 'a', '-show_entries', 'packet=size', '-of', 'csv=p=0', name]))
				.trim()
				.split('\n').length;
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'flash.mpg');
			const { report, bytes } = await exportFile(engine, exportOf(planOf(source, recipe()), 'from-mpg.mkv'));
			expect(report.output.audio).toEqual(phrase('audio-copied', { codec: codecText('ac3') }));
			await writeNative('from-mpg.mkv', new Blob([bytes]));
			await writeNative('flash.mpg', await fixtureFile('flash.mpg'));
			expect(await packets('from-mpg.mkv')).toBe(await packets('flash.mpg'));
		});
	});

	it.each(['mp4', 'mkv'] as const)('a transport stream, whose clock starts anywhere, to %s', async (container) => {
		const { name: out } = await exportClip('flash-aac.ts', container);
		const { flash, beep } = await flashAndBeep(out);
		expect(flash).toBeCloseTo(1, 3);
		expect(Math.abs(beep - flash)).toBeLessThan(AUDIO_FRAME);
	});
});

describe('stretched timelines', () => {
	it('asks what the sound shall do', async () => {
		await expect(exportClip('flash-pcm.mov', 'mkv', 0, 50, rational(25, 24))).rejects.toMatchObject({ code: 'usage' });
	});

	it.each(['keep-pitch', 'resample'] as const)('%s keeps the beep on the flash', async (mode) => {
		const { found, audio, name } = await exportClip('flash-pcm.mov', 'mkv', 0, 50, rational(25, 24), mode);
		expect(toNumber(audio!.duration)).toBeCloseTo((2 * 25) / 24, 2);
		expect(toNumber(found.duration)).toBeCloseTo((2 * 25) / 24, 4);
		const { flash, beep } = await flashAndBeep(name);
		expect(flash).toBeCloseTo(25 / 24, 3);
		expect(Math.abs(beep - flash)).toBeLessThan(AUDIO_FRAME);
	});

	it('drops the sound when told to', async () => {
		const { audio, found } = await exportClip('flash-pcm.mov', 'mkv', 0, 50, rational(25, 24), 'drop');
		expect(audio).toBeUndefined();
		expect(found.audioStart).toBeUndefined();
	});
});
