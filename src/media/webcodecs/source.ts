/** A film file decoded by the browser's WebCodecs. Probing is ffmpeg's; only decoding is taken over. */

import type { FrameRange, FrameStream, PlanarFrame } from '../../contracts/frames.ts';
import type { AudioRequest, AudioResult, DecodeStats, MediaSource, SourceInfo } from '../../contracts/media.ts';
import { codecText } from '../../core/codecs.ts';
import { formatPhrase } from '../../core/color.ts';
import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { type Phrase, phrase, type Text } from '../../core/phrases.ts';
import type { Probed } from '../ffmpeg/probe.ts';
import { planesChecksum } from '../ffmpeg/showinfo.ts';
import type { AudioOpener } from '../ffmpeg/source.ts';
import { BufferPool } from '../buffers.ts';
import { assertRange, JobSignals } from '../jobs.ts';
import { decodePlanes, type Expected } from './decode.ts';
import { JoinedTrack } from './track.ts';

/** Codecs whose decoding is exactly defined, so that every decoder gives the same planes. */
const EXACT_CODECS = new Set(['h264', 'hevc', 'vp9', 'av1']);

/** Frames decoded before the engine is trusted. */
const TRIAL_FRAMES = 4;

/** Knobs for tests and benches. */
export interface WebCodecsOptions {
	/** Default `no-preference`. */
	readonly hardwareAcceleration?: HardwareAcceleration;
}

/** See {@link MediaSource}. Open with {@link openWebCodecs}. */
export class WebCodecsSource implements MediaSource {
	readonly info: SourceInfo;
	readonly #track: JoinedTrack;
	readonly #config: VideoDecoderConfig;
	readonly #expected: Expected;
	readonly #audio: AudioOpener;
	readonly #jobs = new JobSignals();
	readonly #buffers = new BufferPool();
	#frames = 0;
	#seconds = 0;

	/** Takes the track over and closes it with the source. */
	constructor(info: SourceInfo, track: JoinedTrack, config: VideoDecoderConfig, audio: AudioOpener) {
		this.info = {
			...info,
			engine: 'webcodecs',
			engineReason: phrase('engine-webcodecs', { codec: codecText(info.codec), format: formatPhrase(info.format) }),
		};
		this.#track = track;
		this.#config = config;
		this.#expected = { format: info.format, size: info.size, total: info.frames.length };
		this.#audio = audio;
	}

	frames(range: FrameRange, signal: AbortSignal): FrameStream {
		assertRange(range, this.info.frames.length);
		return this.#stream(range, signal);
	}

	async *#stream(range: FrameRange, signal: AbortSignal): AsyncGenerator<PlanarFrame> {
		const job = this.#jobs.begin(signal);
		const { format, size, color, frames } = this.info;
		try {
			let since = performance.now();
			const planes = decodePlanes(this.#track, this.#config, range, this.#expected, job.signal, this.#buffers);
			for await (const { index, data } of planes) {
				const { pts, duration } = frames[index]!;
				this.#seconds += (performance.now() - since) / 1000;
				this.#frames++;
				yield { format, size, data, color, fields: 'progressive', pts, duration, index };
				since = performance.now();
			}
		} finally {
			job.end();
		}
	}

	audio(request: AudioRequest, signal: AbortSignal): Promise<AudioResult | undefined> {
		return this.#audio(request, signal);
	}

	recycle(data: ArrayBuffer): void {
		this.#buffers.give(data);
	}

	stats(): DecodeStats {
		return { frames: this.#frames, seconds: this.#seconds, engine: 'webcodecs' };
	}

	close(): Promise<void> {
		this.#jobs.close();
		this.#buffers.clear();
		this.#track.close();
		return Promise.resolve();
	}
}

/** Why this file is not for WebCodecs, as far as probing tells. */
function refusal({ info, plan }: Probed): Phrase | undefined {
	if (typeof VideoDecoder === 'undefined') return phrase('webcodecs-absent');
	if (!EXACT_CODECS.has(info.codec)) return phrase('webcodecs-inexact', { codec: codecText(info.codec) });
	if (info.fields !== 'progressive' && plan) return phrase('webcodecs-fields');
	if (plan && plan.mode !== 'packets') return phrase('webcodecs-times');
	if (info.format.alpha) return phrase('webcodecs-alpha');
	return undefined;
}

/**
 * Opens a probed file with WebCodecs, after decoding its first frames as a trial.
 * @returns the source, or the reason why ffmpeg.wasm has to decode it.
 * @throws EmulsionError `aborted`.
 */
export async function openWebCodecs(
	file: File,
	probed: Probed,
	audio: AudioOpener,
	options: WebCodecsOptions,
	signal: AbortSignal,
): Promise<WebCodecsSource | Text> {
	const refused = refusal(probed);
	if (refused !== undefined) return refused;
	const track = await JoinedTrack.open(file, probed.info, signal);
	if (!(track instanceof JoinedTrack)) return track;
	const config: VideoDecoderConfig = {
		...track.config,
		hardwareAcceleration: options.hardwareAcceleration ?? 'no-preference',
	};
	let kept = false;
	try {
		const { supported } = await VideoDecoder.isConfigSupported(config);
		if (supported !== true) {
			const name = codecText(probed.info.codec);
			return phrase('webcodecs-refuses', { codec: phrase('name-and-tag', { name, tag: config.codec }) });
		}
		const trouble = await trial(track, config, probed, signal);
		if (trouble !== undefined) return trouble;
		kept = true;
		return new WebCodecsSource(probed.info, track, config, audio);
	} finally {
		if (!kept) track.close();
	}
}

/** Decodes the first frames and compares them with ffmpeg's: planes, and that times were joined to the right pictures. */
async function trial(
	track: JoinedTrack,
	config: VideoDecoderConfig,
	{ info, headChecksums }: Probed,
	signal: AbortSignal,
): Promise<Text | undefined> {
	const range = { start: 0, end: Math.min(TRIAL_FRAMES, info.frames.length) };
	const expected = { format: info.format, size: info.size, total: info.frames.length };
	try {
		for await (const { index, data } of decodePlanes(track, config, range, expected, signal, new BufferPool())) {
			const wanted = headChecksums[index];
			if (wanted !== undefined && planesChecksum(new Uint8Array(data)) !== wanted)
				return phrase('webcodecs-differs', { index });
		}
		return undefined;
	} catch (thrown) {
		if (thrown instanceof EmulsionError && thrown.code === 'aborted') throw thrown;
		return toEmulsionError(thrown).said;
	}
}
