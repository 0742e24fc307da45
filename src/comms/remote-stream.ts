/** A frame stream that another worker produces, as if it were local. */

import type { FrameRange, PlanarFrame } from '../contracts/frames.ts';
import type { MediaWorkerApi, SourceId } from '../contracts/workers.ts';
import type { Bridged } from './bridge.ts';
import { type ReceivedFrames, receiveFrames, withRecycle } from './frame-port.ts';

/** Frames that may be on their way at once: enough for the decoder to work ahead while a frame is rendered. */
const AHEAD = 6;

/**
 * Frames of a source in the media worker; ending the loop early stops the decoder.
 * @param recycle give each frame's buffer back when the next one is asked for; see `receiveFrames`.
 */
export function frameStream(
	media: Bridged<MediaWorkerApi>,
	source: SourceId,
	range: FrameRange,
	signal: AbortSignal,
	recycle = false,
): ReceivedFrames {
	let frames: ReceivedFrames | undefined;
	// The worker is called when the first frame is asked for: a stream that nobody reads costs nothing.
	const stream = async function* (): AsyncGenerator<PlanarFrame> {
		const { port1, port2 } = new MessageChannel();
		const stop = new AbortController();
		const both = AbortSignal.any([signal, stop.signal]);
		const producer = media.stream(source, range, port2, both);
		// Its error arrives through the port as well; this only keeps it from counting as unhandled.
		producer.catch(() => undefined);
		try {
			frames = receiveFrames(port1, { signal, credits: AHEAD, producer, recycle });
			yield* frames;
		} finally {
			stop.abort();
		}
	};
	return withRecycle(stream(), (data) => frames?.recycle(data));
}
