/**
 * Re-reads a written file with a demuxer that did not write it (mediabunny), and says when its frames and samples are
 * presented. Nothing is decoded.
 */

import { CustomSource, EncodedPacketSink, Input, type InputTrack, MATROSKA, MP4, QTFF, WEBM } from 'mediabunny';
import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, fromTicks, rational, sub } from '../../core/rational.ts';
import type { ContainerId } from '../../contracts/media.ts';
import type { MuxedFile } from '../../contracts/workers.ts';
import type { ByteReader } from '../sinks/files.ts';
import { audioTrim } from './verify-matroska.ts';
import { presentedTracks } from './verify-mp4.ts';

/** What re-reading found; `MuxedFile` without what only the writer knows. */
export type VerifiedFile = Omit<MuxedFile, 'sha256'>;

/** Nanoseconds as seconds. */
function nanos(value: number): Rational {
	return rational(value, 1_000_000_000);
}

interface TrackTimes {
	/** Presentation order, exact in the track's own ticks. */
	readonly starts: readonly Rational[];
	readonly end: Rational;
	readonly tick: Rational;
}

async function trackTimes(track: InputTrack, signal: AbortSignal): Promise<TrackTimes> {
	const sink = new EncodedPacketSink(track);
	const resolution = await track.getTimeResolution();
	const tick = rational(1, Math.round(resolution));
	const packets: { start: number; duration: number }[] = [];
	for await (const packet of sink.packets(undefined, undefined, { metadataOnly: true })) {
		if (packets.length % 256 === 0) throwIfAborted(signal);
		packets.push({
			start: Math.round(packet.timestamp * resolution),
			duration: Math.round(packet.duration * resolution),
		});
	}
	packets.sort((a, b) => a.start - b.start);
	const last = packets[packets.length - 1];
	if (!last) throw new EmulsionError('invariant-failed', phrase('written-packets'));
	return {
		starts: packets.map((p) => fromTicks(p.start, tick)),
		end: fromTicks(last.start + last.duration, tick),
		tick,
	};
}

interface Span {
	readonly start: Rational;
	readonly duration: Rational;
}

/** First presented audio sample on the file's clock, and how long audio is presented. */
async function audioSpan(reader: ByteReader, isMp4: boolean, track: InputTrack, signal: AbortSignal): Promise<Span> {
	if (isMp4) {
		const sound = (await presentedTracks(reader)).find((t) => t.handler === 'soun');
		if (sound) return sound;
		throw new EmulsionError('invariant-failed', phrase('written-audio'));
	}
	const times = await trackTimes(track, signal);
	const start = times.starts[0] ?? rational(0);
	const { delayNs, discardNs } = await audioTrim(reader);
	return { start, duration: sub(sub(times.end, start), nanos(delayNs + discardNs)) };
}

/**
 * Facts of a written film file. Throws `invariant-failed` when it cannot be read at all or has no video.
 * Matroska rounds times to its tick, which is returned with them.
 */
export async function verifyFile(
	reader: ByteReader,
	container: ContainerId,
	signal: AbortSignal,
): Promise<VerifiedFile> {
	const input = new Input({
		formats: [MP4, QTFF, MATROSKA, WEBM],
		source: new CustomSource({
			getSize: () => reader.size,
			read: (start, end) => reader.read(start, end),
			prefetchProfile: 'network',
		}),
	});
	const isMp4 = container === 'mp4' || container === 'mov';
	try {
		const video = await input.getPrimaryVideoTrack();
		const audio = await input.getPrimaryAudioTrack();
		if (!video) throw new EmulsionError('invariant-failed', phrase('written-video'));
		const times = await trackTimes(video, signal);
		const first = times.starts[0] ?? rational(0);
		const shown = isMp4 ? (await presentedTracks(reader)).find((t) => t.handler === 'vide') : undefined;
		const sound = audio ? await audioSpan(reader, isMp4, audio, signal) : undefined;
		// Of a movie both starts are read from the edit lists, which hold them to a tick of the movie's clock.
		const picture = shown?.start ?? first;
		return {
			bytes: reader.size,
			frames: times.starts.length,
			pts: times.starts.map((t) => sub(t, first)),
			duration: shown?.duration ?? sub(times.end, first),
			tick: times.tick,
			...(sound ? { audioStart: sub(sound.start, picture), audioDuration: sound.duration } : {}),
		};
	} catch (error) {
		if (error instanceof EmulsionError) throw error;
		throw new EmulsionError('invariant-failed', phrase('written-unreadable'), { cause: error });
	} finally {
		input.dispose();
	}
}
