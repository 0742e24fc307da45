/** Packets of a file through mediabunny, joined to the exact times of the probed index. */

import { ALL_FORMATS, BlobSource, type EncodedPacket, EncodedPacketSink, Input } from 'mediabunny';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { type Phrase, phrase } from '../../core/phrases.ts';
import { toNumber } from '../../core/rational.ts';
import type { IndexedFrame, SourceInfo } from '../../contracts/media.ts';

/** A demuxed video track whose packets know their frame's index. */
export class JoinedTrack {
	readonly config: VideoDecoderConfig;
	readonly #input: Input;
	readonly #sink: EncodedPacketSink;
	/** mediabunny's time of each frame of the index. */
	readonly #times: Float64Array;
	readonly #tolerance: number;

	private constructor(
		input: Input,
		sink: EncodedPacketSink,
		config: VideoDecoderConfig,
		times: Float64Array,
		tolerance: number,
	) {
		this.#input = input;
		this.#sink = sink;
		this.config = config;
		this.#times = times;
		this.#tolerance = tolerance;
	}

	/**
	 * Opens the first video track. Every frame of the index must have exactly one packet at its time.
	 * @returns the reason, where the demuxer cannot be used for this file.
	 */
	static async open(file: Blob, info: SourceInfo, signal: AbortSignal): Promise<JoinedTrack | Phrase> {
		const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
		let kept = false;
		try {
			const track = (await input.getVideoTracks())[0];
			const config = await track?.getDecoderConfig();
			if (!track || !config) return phrase('demuxer-track');
			const sink = new EncodedPacketSink(track);
			const tolerance = toNumber(info.timebase) / 2 + 1e-6;
			const times = await joinTimes(sink, info.frames, tolerance, signal);
			if (!(times instanceof Float64Array)) return times;
			kept = true;
			return new JoinedTrack(input, sink, config, times, tolerance);
		} catch (thrown) {
			if (thrown instanceof EmulsionError) throw thrown;
			return phrase('demuxer-failed', { why: toEmulsionError(thrown).said });
		} finally {
			if (!kept) input.dispose();
		}
	}

	/** Packets in decoding order from the last keyframe at or before a frame; the first is a keyframe by its bitstream. */
	async *packets(from: number): AsyncGenerator<EncodedPacket> {
		const key = await this.#sink.getKeyPacket((this.#times[from] ?? 0) + this.#tolerance, { verifyKeyPackets: true });
		const start = key ?? (await this.#sink.getFirstKeyPacket({ verifyKeyPackets: true }));
		if (start) yield* this.#sink.packets(start);
	}

	/** Index of the frame that a packet belongs to; −1 for packets that are only decoded. */
	indexOf(packet: EncodedPacket): number {
		const at = nearest(this.#times, packet.timestamp);
		return Math.abs((this.#times[at] ?? Infinity) - packet.timestamp) <= this.#tolerance ? at : -1;
	}

	/** Frees the demuxer. Idempotent. */
	close(): void {
		if (!this.#input.disposed) this.#input.dispose();
	}
}

/** Position of the value of a sorted array that is nearest to `value`. */
function nearest(sorted: Float64Array, value: number): number {
	let low = 0;
	let high = sorted.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (sorted[middle]! < value) low = middle + 1;
		else high = middle;
	}
	return low > 0 && value - sorted[low - 1]! <= Math.abs(sorted[low]! - value) ? low - 1 : low;
}

async function joinTimes(
	sink: EncodedPacketSink,
	frames: readonly IndexedFrame[],
	tolerance: number,
	signal: AbortSignal,
): Promise<Float64Array | Phrase> {
	const seen: number[] = [];
	for await (const packet of sink.packets(undefined, undefined, { metadataOnly: true })) {
		throwIfAborted(signal);
		seen.push(packet.timestamp);
	}
	const sorted = Float64Array.from(seen).sort();
	const plain = joinAt(sorted, frames, 0, tolerance);
	if (plain instanceof Float64Array) return plain;
	// An edit that begins inside of a frame: ffmpeg starts the clock with the first whole frame, the demuxer with the edit.
	const start = toNumber(frames[0]?.pts ?? { num: 0, den: 1 });
	const first = sorted.find((time) => time >= start - tolerance);
	const offset = (first ?? start) - start;
	return offset < toNumber(frames[0]?.duration ?? { num: 0, den: 1 })
		? joinAt(sorted, frames, offset, tolerance)
		: plain;
}

/** Time of each frame among the demuxer's sorted times, shifted by `offset`; or which frame has none. */
function joinAt(
	sorted: Float64Array,
	frames: readonly Pick<IndexedFrame, 'pts'>[],
	offset: number,
	tolerance: number,
): Float64Array | Phrase {
	const times = new Float64Array(frames.length);
	let before = -1;
	for (const [index, frame] of frames.entries()) {
		const time = toNumber(frame.pts) + offset;
		const at = nearest(sorted, time);
		if (at <= before || !(Math.abs((sorted[at] ?? Infinity) - time) <= tolerance))
			return phrase('demuxer-time', { index });
		times[index] = sorted[at]!;
		before = at;
	}
	return times;
}
