/** A film file decoded by ffmpeg.wasm. */

import type { FrameRange, FrameStream, PlanarFrame } from '../../contracts/frames.ts';
import type { AudioRequest, AudioResult, DecodeStats, MediaSource, SourceInfo } from '../../contracts/media.ts';
import { codecText } from '../../core/codecs.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase, type Text } from '../../core/phrases.ts';
import { BufferPool } from '../buffers.ts';
import { assertRange, JobSignals } from '../jobs.ts';
import { type Decodable, decodeFrames, type DecodeOptions } from './decode.ts';
import type { Probed } from './probe.ts';

/** Gives audio of the file; see `MediaSource.audio`. */
export type AudioOpener = (request: AudioRequest, signal: AbortSignal) => Promise<AudioResult | undefined>;

/** See {@link MediaSource}. Each `frames` call runs a worker of its own, ended with the stream. */
export class FfmpegSource implements MediaSource {
	readonly info: SourceInfo;
	readonly #source: Decodable;
	readonly #audio: AudioOpener;
	readonly #options: DecodeOptions;
	readonly #jobs = new JobSignals();
	readonly #buffers = new BufferPool();
	#frames = 0;
	#seconds = 0;

	/** @throws EmulsionError `unsupported-format` where ffmpeg.wasm cannot decode what was probed. */
	constructor(probed: Probed, engineReason: Text, audio: AudioOpener, options: DecodeOptions = {}) {
		if (!probed.plan)
			throw new EmulsionError('unsupported-format', phrase('ffmpeg-decoder', { codec: codecText(probed.info.codec) }));
		this.info = { ...probed.info, engine: 'ffmpeg', engineReason };
		this.#source = { plan: probed.plan, frames: probed.info.frames, ticks: probed.ticks, color: probed.info.color };
		this.#audio = audio;
		this.#options = options;
	}

	frames(range: FrameRange, signal: AbortSignal): FrameStream {
		assertRange(range, this.info.frames.length);
		return this.#stream(range, signal);
	}

	async *#stream(range: FrameRange, signal: AbortSignal): AsyncGenerator<PlanarFrame> {
		const job = this.#jobs.begin(signal);
		try {
			let since = performance.now();
			for await (const frame of decodeFrames(this.#source, range, job.signal, this.#buffers, this.#options)) {
				this.#seconds += (performance.now() - since) / 1000;
				this.#frames++;
				yield frame;
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
		return { frames: this.#frames, seconds: this.#seconds, engine: 'ffmpeg' };
	}

	close(): Promise<void> {
		this.#jobs.close();
		this.#buffers.clear();
		return Promise.resolve();
	}
}
