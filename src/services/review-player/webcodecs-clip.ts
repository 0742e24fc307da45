/** A clip decoded by WebCodecs, forward from key frames, a few frames ahead of what is asked. */

import { type VideoSample, VideoSampleSink } from 'mediabunny';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type ClipIndex, indexAt } from './clip-index.ts';
import type { FrameSource, ReadyFrame } from './source.ts';

/** A jump of more frames than this begins at a key frame, where one lies between. */
const JUMP = 12;

/** See the file's comment. It owns the index. */
export class WebCodecsClip implements FrameSource {
	readonly engine = 'webcodecs';
	readonly frames: number;
	readonly #index: ClipIndex;
	readonly #sink: VideoSampleSink;
	#stream: AsyncGenerator<VideoSample, void> | undefined;
	/** Number that the stream gives next. */
	#next = 0;
	#closed = false;

	constructor(index: ClipIndex) {
		this.#index = index;
		this.frames = index.timestamps.length;
		this.#sink = new VideoSampleSink(index.track);
	}

	/** True where this browser says that it decodes the clip. */
	static async supports(index: ClipIndex): Promise<boolean> {
		if (!('VideoDecoder' in globalThis)) return false;
		try {
			return await index.track.canDecode();
		} catch {
			return false;
		}
	}

	async prepare(index: number): Promise<ReadyFrame> {
		if (this.#mustJump(index)) await this.#start(index);
		for (;;) {
			const sample = await this.#pull();
			const number = indexAt(this.#index.timestamps, sample.timestamp);
			this.#next = number + 1;
			if (number === index) return readyFrame(sample);
			sample.close();
			if (number > index) throw new EmulsionError('input-unreadable', phrase('clip-frame', { frame: index }));
		}
	}

	close(): void {
		this.#closed = true;
		void this.#stream?.return().catch(() => undefined);
		this.#index.close();
	}

	#mustJump(index: number): boolean {
		if (!this.#stream || index < this.#next) return true;
		return index - this.#next > JUMP && this.#index.keys.some((key) => key > this.#next && key <= index);
	}

	async #start(index: number): Promise<void> {
		const before = this.#stream;
		this.#stream = undefined;
		await before?.return();
		if (this.#closed) throw new EmulsionError('aborted', 'The clip was closed.');
		this.#stream = this.#sink.samples(this.#index.timestamps[index]);
		this.#next = index;
	}

	async #pull(): Promise<VideoSample> {
		try {
			const result = await this.#stream!.next();
			if (result.done !== true) return result.value;
		} catch (cause) {
			this.#stream = undefined;
			throw new EmulsionError('input-unreadable', phrase('clip-frame', { frame: this.#next }), { cause });
		}
		this.#stream = undefined;
		throw new EmulsionError('input-unreadable', phrase('clip-frame', { frame: this.#next }));
	}
}

function readyFrame(sample: VideoSample): ReadyFrame {
	// As stored: the player applies the shot's pixel aspect ratio, the same to every version.
	const { width, height } = sample.visibleRect;
	return {
		width,
		height,
		draw: (context) => sample.draw(context, 0, 0, width, height),
		close: () => sample.close(),
	};
}
