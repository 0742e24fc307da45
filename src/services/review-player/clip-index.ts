/**
 * When each frame of a clip begins, read from the file's own packets. Frame n is the packet with the n-th smallest
 * presentation time: no rate is assumed, so B-frames, edit lists and rounded WebM times cannot shift a number by one.
 */

import { BlobSource, EncodedPacketSink, Input, type InputVideoTrack, MP4, WEBM } from 'mediabunny';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';

/** See the file's comment. */
export interface ClipIndex {
	readonly track: InputVideoTrack;
	/** Seconds, rising, one a frame. */
	readonly timestamps: readonly number[];
	/** Seconds that the last frame lasts. */
	readonly lastDuration: number;
	/** Numbers of frames that decoding can begin with, rising. */
	readonly keys: readonly number[];
	close(): void;
}

/**
 * Reads a clip's packets.
 * @param frames How many it must have.
 * @throws EmulsionError `review-invalid`: no picture, or another number of frames.
 */
export async function indexClip(clip: Blob, frames: number): Promise<ClipIndex> {
	const input = new Input({ source: new BlobSource(clip), formats: [MP4, WEBM] });
	try {
		const track = await input.getPrimaryVideoTrack();
		if (!track) throw new EmulsionError('review-invalid', phrase('clip-no-picture'));
		const packets: { readonly at: number; readonly key: boolean; readonly duration: number }[] = [];
		for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) {
			packets.push({ at: packet.timestamp, key: packet.type === 'key', duration: packet.duration });
		}
		if (packets.length !== frames) {
			throw new EmulsionError('review-invalid', phrase('clip-frames', { got: packets.length, want: frames }));
		}
		packets.sort((a, b) => a.at - b.at);
		const timestamps = packets.map((p) => p.at);
		const mean = frames > 1 ? (timestamps[frames - 1]! - timestamps[0]!) / (frames - 1) : 1 / 24;
		return {
			track,
			timestamps,
			lastDuration: packets.at(-1)!.duration || mean,
			keys: packets.flatMap((p, i) => (p.key ? [i] : [])),
			close: () => input.dispose(),
		};
	} catch (error) {
		input.dispose();
		if (error instanceof EmulsionError) throw error;
		throw new EmulsionError('review-invalid', phrase('clip-unreadable'), { cause: error });
	}
}

/** Where a frame is surely in sight: the middle of its time, seconds. */
export function middleOf({ timestamps, lastDuration }: ClipIndex, index: number): number {
	const start = timestamps[index]!;
	const end = timestamps[index + 1] ?? start + lastDuration;
	return (start + end) / 2;
}

/** Number of the frame that begins nearest to a time, seconds. */
export function indexAt(timestamps: readonly number[], time: number): number {
	let low = 0;
	let high = timestamps.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (timestamps[middle]! <= time) low = middle;
		else high = middle - 1;
	}
	const next = timestamps[low + 1];
	return next !== undefined && next - time < time - timestamps[low]! ? low + 1 : low;
}
