/**
 * The sound of playback at the film's own speed: spans of the source's sound, decoded a few seconds ahead and scheduled on an
 * AudioContext. Once the first is scheduled, what is heard is the clock that the picture follows: output latency included.
 */

import type { SourceId } from '../contracts/workers.ts';
import { toEmulsionError, type EmulsionError } from '../core/errors.ts';
import type { EnginePort } from './engine-port.ts';

/** Seconds of the first spans, so that the first comes soon, and of all that follow. */
const SPANS = [1, 2, 4, 8] as const;
/** Nothing is decoded that is heard later than this, in seconds: with a span in flight, all that is in memory. */
const AHEAD = 6;
/** Seconds between scheduling a span that is late and its start. */
const LEAD = 0.03;
/** Milliseconds after which a context whose time stands still has no output. */
const STALLED = 1000;
/** Seconds in which sound fades where playback stops, so that it does not click. */
const FADE = 0.01;

/** Milliseconds after playback in which the output stays open for the next. */
const REST = 10_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Seconds of a context's time that are heard now. */
function heard(context: AudioContext): number {
	const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
	if (contextTime > 0 && performanceTime > 0) {
		return Math.min(context.currentTime, contextTime + (performance.now() - performanceTime) / 1000);
	}
	return Math.max(0, context.currentTime - (context.outputLatency || context.baseLatency || 0));
}

/** What is played. */
export interface SoundTrack {
	readonly source: SourceId;
	/** Seconds on the source's clock after which no picture is shown. */
	readonly end: number;
	/** Seconds on the source's clock of the picture now, before sound is the clock. */
	readonly clock: () => number;
}

/** One stretch of playback. */
class Run {
	readonly #engine: EnginePort;
	readonly #context: AudioContext;
	readonly #track: SoundTrack;
	readonly #gain: GainNode;
	readonly #controller = new AbortController();
	readonly #nodes = new Set<AudioBufferSourceNode>();
	/** Seconds of the source's clock minus seconds of the context's, a whole number of samples; null until something is scheduled. */
	#anchor: number | null = null;
	#seen = { time: -1, wall: 0 };

	constructor(engine: EnginePort, context: AudioContext, track: SoundTrack) {
		this.#engine = engine;
		this.#context = context;
		this.#track = track;
		this.#gain = context.createGain();
		this.#gain.connect(context.destination);
	}

	/** Seconds on the source's clock that are heard now; null before the first span, after the end, and without output. */
	get time(): number | null {
		if (this.#anchor === null || this.#controller.signal.aborted) return null;
		const { currentTime } = this.#context;
		const wall = performance.now();
		if (currentTime !== this.#seen.time) this.#seen = { time: currentTime, wall };
		else if (wall - this.#seen.wall > STALLED) {
			// A device that went away, or a context that the browser suspended: the picture goes on without.
			this.stop();
			return null;
		}
		return heard(this.#context) + this.#anchor;
	}

	/** Decodes and schedules until it is stopped. Throws what decoding throws; `aborted` when it is stopped. */
	async play(): Promise<void> {
		const { signal } = this.#controller;
		const { sampleRate } = this.#context;
		const { source, end, clock } = this.#track;
		await this.#context.resume();
		let first = Math.round(clock() * sampleRate);
		for (let i = 0; !signal.aborted && first < end * sampleRate; i++) {
			const count = (SPANS[i] ?? SPANS.at(-1)!) * sampleRate;
			const span = await this.#engine.sound(source, { sampleRate, first, count }, signal);
			if (!span || signal.aborted) return;
			const buffer = this.#context.createBuffer(2, count, sampleRate);
			buffer.copyToChannel(span.left, 0);
			buffer.copyToChannel(span.right, 1);
			this.#schedule(buffer, first);
			first += count;
			while (!signal.aborted && first / sampleRate - (this.time ?? clock()) > AHEAD) await sleep(100);
		}
	}

	/** A span that is late starts inside, so that what is heard of it is in time. */
	#schedule(buffer: AudioBuffer, first: number): void {
		const { currentTime, sampleRate } = this.#context;
		this.#anchor ??= Math.round((this.#track.clock() - heard(this.#context)) * sampleRate) / sampleRate;
		const when = first / sampleRate - this.#anchor;
		const late = Math.max(0, Math.ceil((currentTime + LEAD - when) * sampleRate));
		if (late >= buffer.length) return;
		const node = this.#context.createBufferSource();
		node.buffer = buffer;
		node.connect(this.#gain);
		node.onended = () => {
			node.disconnect();
			this.#nodes.delete(node);
		};
		this.#nodes.add(node);
		node.start(when + late / sampleRate, late / sampleRate);
	}

	/** Ends it within {@link FADE}. Idempotent. */
	stop(): void {
		if (this.#controller.signal.aborted) return;
		this.#controller.abort();
		const { currentTime } = this.#context;
		this.#gain.gain.setTargetAtTime(0, currentTime, FADE / 4);
		for (const node of this.#nodes) node.stop(currentTime + FADE);
		setTimeout(() => this.#gain.disconnect(), 100);
	}
}

/** See the file's comment. One stretch plays at a time. */
export class PlaybackSound {
	readonly #engine: EnginePort;
	readonly #onError: (error: EmulsionError) => void;
	#context: AudioContext | undefined;
	#run: Run | null = null;
	#resting: ReturnType<typeof setTimeout> | undefined;

	/** `onError` is told why there is no sound; the picture plays on. */
	constructor(engine: EnginePort, onError: (error: EmulsionError) => void) {
		this.#engine = engine;
		this.#onError = onError;
	}

	/** Seconds on the source's clock that are heard now; null where nothing is. */
	get time(): number | null {
		return this.#run?.time ?? null;
	}

	/** Starts at the track's clock. Call it in answer to a key or click: browsers give no sound before one. */
	start(track: SoundTrack): void {
		this.stop();
		if (typeof AudioContext === 'undefined') return;
		this.#context ??= new AudioContext({ latencyHint: 'interactive' });
		clearTimeout(this.#resting);
		const run = new Run(this.#engine, this.#context, track);
		this.#run = run;
		run.play().catch((thrown: unknown) => {
			const error = toEmulsionError(thrown);
			if (error.code !== 'aborted') this.#onError(error);
			run.stop();
		});
	}

	/** Ends what plays. */
	stop(): void {
		this.#run?.stop();
		this.#run = null;
		clearTimeout(this.#resting);
		this.#resting = setTimeout(() => void this.#context?.suspend(), REST);
	}

	/** Ends what plays and gives the output back. */
	close(): void {
		this.stop();
		clearTimeout(this.#resting);
		void this.#context?.close();
		this.#context = undefined;
	}
}
