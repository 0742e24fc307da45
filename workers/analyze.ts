/** The analyze worker: looks at frames without a GPU or a model. */

import { type ShotList } from '../src/core/shots.ts';
import { measureClip } from '../src/analysis/quality/clip.ts';
import { measureCodecLoss } from '../src/analysis/quality/codec-loss.ts';
import { chooseCrops } from '../src/analysis/quality/crops.ts';
import { qualityFrame } from '../src/analysis/quality/frame.ts';
import { leastLooked, shotsAround } from '../src/analysis/shots/around.ts';
import { ShotDetector } from '../src/analysis/shots/detector.ts';
import { type FrameThumbnail, makeThumbnail } from '../src/analysis/shots/thumbnail.ts';
import { type PortBridge, serve, wrapPort } from '../src/comms/bridge.ts';
import { frameStream } from '../src/comms/remote-stream.ts';
import type { FrameRange, PlanarFrame } from '../src/contracts/frames.ts';
import type { QualityFrame } from '../src/contracts/quality.ts';
import type { AnalyzeWorkerApi, MediaWorkerApi, SourceId } from '../src/contracts/workers.ts';
import { planeLayouts, sampleBytes } from '../src/core/color.ts';
import { EmulsionError, throwIfAborted } from '../src/core/errors.ts';

let media: PortBridge<MediaWorkerApi> | undefined;

function thumbnailOf(frame: PlanarFrame) {
	const { format, size, data } = frame;
	const bytes = sampleBytes(format);
	const planes = planeLayouts(format, size).map(({ width, height, stride, offset }) => {
		const count = width * height;
		return { width, height, stride, data: samples(data, offset * bytes, count, format.sample) };
	});
	// Float scans are looked at as 16-bit codes: only differences matter here.
	const depth = format.sample === 'f32' ? 16 : format.depth;
	return makeThumbnail({ ...size, depth, planes, isRgb: format.chroma === 'rgb' });
}

function samples(data: ArrayBuffer, at: number, count: number, sample: 'u8' | 'u16' | 'f32'): Uint8Array | Uint16Array {
	if (sample === 'u8') return new Uint8Array(data, at, count);
	if (sample === 'u16') return new Uint16Array(data, at, count);
	return Uint16Array.from(new Float32Array(data, at, count), (v) => Math.min(1, Math.max(0, v)) * 65535);
}

/** Thumbnails of a part of a source. A frame is only looked at: its buffer goes back. */
async function* thumbnails(source: SourceId, range: FrameRange, signal: AbortSignal): AsyncGenerator<FrameThumbnail> {
	if (!media) throw new EmulsionError('internal', 'the analyze worker has no media connection');
	for await (const frame of frameStream(media.api, source, range, signal, true)) {
		throwIfAborted(signal);
		yield thumbnailOf(frame);
	}
}

/** Frames of a part of a source as the metrics take them; their buffers go back. */
async function* qualityFrames(
	source: SourceId,
	range: FrameRange,
	signal: AbortSignal,
	onFrame?: (done: number) => void,
): AsyncGenerator<QualityFrame> {
	if (!media) throw new EmulsionError('internal', 'the analyze worker has no media connection');
	let done = 0;
	for await (const frame of frameStream(media.api, source, range, signal, true)) {
		throwIfAborted(signal);
		yield qualityFrame(frame);
		onFrame?.(++done);
	}
}

const api: AnalyzeWorkerApi = {
	connectMedia(port) {
		media?.close();
		media = wrapPort<MediaWorkerApi>(port, 'media');
	},
	async shots(source, frames, onProgress, signal): Promise<ShotList> {
		const detector = new ShotDetector();
		for await (const thumb of thumbnails(source, { start: 0, end: frames }, signal)) {
			detector.push(thumb);
			onProgress({ phase: 'shots', done: detector.frames, total: frames });
		}
		return detector.finish();
	},
	shotsAround: (source, frames, part, onProgress, signal) =>
		shotsAround(
			frames,
			part,
			(range) => thumbnails(source, range, signal),
			(done) => onProgress({ phase: 'shots', done, total: Math.max(done + 1, leastLooked(part)) }),
		),
	measure({ source, range, truth, every }, onProgress, signal) {
		const total = range.end - range.start;
		const there = truth && { start: truth.start, end: truth.start + total };
		return measureClip(qualityFrames(source, range, signal), {
			total,
			onProgress,
			signal,
			...(truth && there ? { truth: qualityFrames(truth.source, there, signal) } : {}),
			...(every === undefined ? {} : { every }),
		});
	},
	codecLoss({ before, beforeStart, after, afterStart, frames }, onProgress, signal) {
		const version = qualityFrames(before, { start: beforeStart, end: beforeStart + frames }, signal, (done) =>
			onProgress({ phase: 'codec-loss', done, total: frames }),
		);
		const clip = qualityFrames(after, { start: afterStart, end: afterStart + frames }, signal);
		return measureCodecLoss(version, clip, signal);
	},
	async cropPlace(versions, signal) {
		const pairs: [QualityFrame, QualityFrame][] = [];
		for (const { source, start } of versions) {
			const pair: QualityFrame[] = [];
			for await (const frame of qualityFrames(source, { start, end: start + 2 }, signal)) pair.push(frame);
			const [a, b] = pair;
			if (!a || !b) throw new EmulsionError('internal', `cropPlace: ${pair.length} of 2 frames came`);
			pairs.push([a, b]);
		}
		return chooseCrops(pairs)[0]!;
	},
};

serve(api);
