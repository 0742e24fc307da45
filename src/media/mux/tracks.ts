/** What both muxers work from: the chunks' packets in file order with the plan's times, and the audio's packets. */

import type { TimelineFrame } from '../../core/timeline.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, toTicks, rational } from '../../core/rational.ts';
import type { AudioResult, EncodeConfig, EncodedChunk } from '../../contracts/media.ts';
import {
	type AudioTrackHeader,
	type PacketFile,
	type VideoTrackHeader,
	fromBase64,
	isAudio,
	isVideo,
	openPackets,
} from './packets.ts';

/** A packet's bytes where they lie. */
export interface PacketSource {
	readonly blob: Blob;
	readonly offset: number;
	readonly bytes: number;
}

/** A video packet in decoding order. */
export interface VideoPacket extends PacketSource {
	/** Frame it presents, 0-based in the whole timeline. */
	readonly place: number;
	readonly key: boolean;
}

/** All of the video. */
export interface VideoTrack {
	readonly header: VideoTrackHeader;
	readonly config: Uint8Array<ArrayBuffer>;
	readonly packets: readonly VideoPacket[];
}

/** An audio packet. */
export interface AudioPacket extends PacketSource {
	/** Ticks of the track's timescale from the first packet. */
	readonly time: number;
	readonly duration: number;
}

/** All of the audio. */
export interface AudioTrack {
	readonly header: AudioTrackHeader;
	readonly config: Uint8Array<ArrayBuffer>;
	readonly packets: readonly AudioPacket[];
	/** First presented sample minus first video frame, in ticks of the track; negative where the sound starts first. */
	readonly start: number;
}

/** Everything that goes into one file. */
export interface MuxInput {
	readonly encode: EncodeConfig;
	readonly timeline: readonly TimelineFrame[];
	readonly video: VideoTrack;
	readonly audio: AudioTrack | undefined;
}

function sources<T extends object>(
	file: PacketFile,
	map: (entry: PacketFile['packets'][number]) => T,
): (T & PacketSource)[] {
	let offset = file.dataOffset;
	return file.packets.map((entry) => {
		const source = { ...map(entry), blob: file.blob, offset, bytes: entry.bytes };
		offset += entry.bytes;
		return source;
	});
}

async function loadVideo(chunks: readonly EncodedChunk[], frames: number): Promise<VideoTrack> {
	const packets: VideoPacket[] = [];
	let header: VideoTrackHeader | undefined;
	let place = 0;
	for (const chunk of chunks) {
		const file = await openPackets(chunk.data);
		const count = chunk.range.end - chunk.range.start;
		if (!isVideo(file)) throw new EmulsionError('internal', 'mux: a chunk holds no video');
		if (header && JSON.stringify(header) !== JSON.stringify(file.track)) {
			throw new EmulsionError('plan-changed', phrase('chunk-settings', { frame: chunk.range.start }));
		}
		header = file.track;
		checkChunk(file, chunk, count);
		const base = place;
		packets.push(...sources(file, (p) => ({ place: base + p.time, key: p.key })));
		place += count;
	}
	if (!header || place !== frames) {
		throw new EmulsionError('internal', `mux: chunks hold ${place} frames, the timeline ${frames}`);
	}
	return { header, config: fromBase64(header.config), packets };
}

/** A chunk starts on a keyframe and holds each of its frames once. */
function checkChunk(file: PacketFile, chunk: EncodedChunk, count: number): void {
	const places = new Set(file.packets.map((p) => p.time));
	const complete = places.size === count && file.packets.every((p) => p.time >= 0 && p.time < count);
	if (file.packets.length !== count || !complete || file.packets[0]?.key !== true) {
		throw new EmulsionError('internal', `mux: the chunk at frame ${chunk.range.start} is incomplete`, {
			frame: chunk.range.start,
		});
	}
}

async function loadAudio(audio: AudioResult): Promise<AudioTrack> {
	const file = await openPackets(audio.file);
	if (!isAudio(file)) throw new EmulsionError('internal', 'mux: the audio file holds no audio');
	const offset: Rational = audio.offset;
	return {
		header: file.track,
		config: fromBase64(file.track.config),
		packets: sources(file, (p) => ({ time: p.time, duration: p.duration })),
		start: toTicks(offset, rational(1, file.track.timescale)),
	};
}

/** Opens chunks and audio. Throws `internal` when they do not add up to the timeline. */
export async function loadTracks(
	encode: EncodeConfig,
	chunks: readonly EncodedChunk[],
	timeline: readonly TimelineFrame[],
	audio: AudioResult | undefined,
): Promise<MuxInput> {
	const video = await loadVideo(chunks, timeline.length);
	return { encode, timeline, video, audio: audio && (await loadAudio(audio)) };
}
