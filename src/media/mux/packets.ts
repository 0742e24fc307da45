/**
 * Packet files: how encoded chunks and finished audio are stored between encoding and muxing. One track; a JSON header
 * with the index of all packets, then their bytes in decoding order. Independent of any container's clock: a video
 * packet knows its frame's place in the chunk, the muxer gives it the plan's time.
 */

import { EmulsionError } from '../../core/errors.ts';

const MAGIC = 'EMPK';
const VERSION = 1;
const PREFIX = 12;

/** What a decoder needs to know of a video track. */
export interface VideoTrackHeader {
	readonly kind: 'video';
	readonly codec: 'h264' | 'vp9' | 'av1' | 'ffv1' | 'prores';
	/** `avcC`, `av1C` or `vpcC` contents, FFV1 global header; base64, empty for ProRes. */
	readonly config: string;
	/** ProRes flavor (`apch`, `ap4h`). */
	readonly fourcc?: string;
}

/** What a decoder needs to know of an audio track. */
export interface AudioTrackHeader {
	readonly kind: 'audio';
	/** ffmpeg's codec name: `aac`, `opus`, `vorbis`, `flac`, `mp3`, `ac3`, `eac3`, `pcm_s16le`… */
	readonly codec: string;
	/** Codec private data as Matroska stores it (AudioSpecificConfig, OpusHead, Vorbis headers…); base64. */
	readonly config: string;
	readonly sampleRate: number;
	readonly channels: number;
	/** Ticks a second of packet times; the sample rate unless stated. */
	readonly timescale: number;
	/** Ticks, from the first packet's time, that are decoded and not presented (priming, or trimmed by a range cut). */
	readonly skip: number;
	/** Ticks that are presented. */
	readonly presented: number;
	/** Ticks of `skip` that are the codec's own delay (Opus pre-skip). */
	readonly delay: number;
}

/** Header of either kind. */
export type TrackHeader = VideoTrackHeader | AudioTrackHeader;

/** One packet of the index. */
export interface PacketEntry {
	/** Video: presentation place within the chunk, 0-based. Audio: time in ticks, the first packet's is 0. */
	readonly time: number;
	/** Video: 1. Audio: ticks. */
	readonly duration: number;
	readonly bytes: number;
	readonly key: boolean;
}

/** A packet with its bytes, as encoders deliver it. */
export interface Packet extends Omit<PacketEntry, 'bytes'> {
	readonly data: Uint8Array<ArrayBuffer>;
}

/** An opened packet file: its index, and where the first packet starts in `blob`. */
export interface PacketFile<H extends TrackHeader = TrackHeader> {
	readonly track: H;
	readonly packets: readonly PacketEntry[];
	readonly blob: Blob;
	readonly dataOffset: number;
}

interface StoredHeader {
	readonly track: TrackHeader;
	readonly times: readonly number[];
	readonly durations: readonly number[];
	readonly sizes: readonly number[];
	readonly keys: readonly number[];
}

/** Collects packets into a packet file without keeping them in this thread's memory (blobs live outside). */
export class PacketWriter {
	readonly #entries: PacketEntry[] = [];
	readonly #blobs: Blob[] = [];
	#pending: Uint8Array<ArrayBuffer>[] = [];
	#pendingBytes = 0;

	/** Number of packets so far. */
	get count(): number {
		return this.#entries.length;
	}

	/** Appends a packet in decoding order; `data` must not be changed afterwards. */
	add(packet: Packet): void {
		const { time, duration, key, data } = packet;
		this.#entries.push({ time, duration, key, bytes: data.length });
		this.#pending.push(data);
		this.#pendingBytes += data.length;
		if (this.#pendingBytes >= 4 << 20) this.#spill();
	}

	#spill(): void {
		if (this.#pending.length === 0) return;
		this.#blobs.push(new Blob(this.#pending));
		this.#pending = [];
		this.#pendingBytes = 0;
	}

	/** The finished file. The writer is empty afterwards. */
	finish(track: TrackHeader): Blob {
		this.#spill();
		const blob = packetFile(track, this.#entries, this.#blobs);
		this.#entries.length = 0;
		this.#blobs.length = 0;
		return blob;
	}
}

/** Puts a packet file together: index of the packets, then their bytes. */
export function packetFile(track: TrackHeader, packets: readonly PacketEntry[], data: readonly Blob[]): Blob {
	const stored: StoredHeader = {
		track,
		times: packets.map((p) => p.time),
		durations: packets.map((p) => p.duration),
		sizes: packets.map((p) => p.bytes),
		keys: packets.flatMap((p, i) => (p.key ? [i] : [])),
	};
	const json = new TextEncoder().encode(JSON.stringify(stored));
	const prefix = new Uint8Array(PREFIX);
	prefix.set(new TextEncoder().encode(MAGIC));
	const view = new DataView(prefix.buffer);
	view.setUint32(4, VERSION, true);
	view.setUint32(8, json.length, true);
	return new Blob([prefix, json, ...data], { type: 'application/octet-stream' });
}

function damaged(problem: string): EmulsionError {
	return new EmulsionError('internal', `A stored chunk is damaged: ${problem}. Discard the job and export again.`);
}

function isNumbers(value: unknown, length?: number): value is number[] {
	return (
		Array.isArray(value) &&
		(length === undefined || value.length === length) &&
		value.every((n) => Number.isSafeInteger(n))
	);
}

/** Reads and checks a packet file's index. Throws `internal` on anything but what {@link PacketWriter} wrote. */
export async function openPackets(blob: Blob): Promise<PacketFile> {
	const prefix = new DataView(await blob.slice(0, PREFIX).arrayBuffer());
	if (prefix.byteLength < PREFIX) throw damaged('no header');
	const magic = new TextDecoder().decode(new Uint8Array(prefix.buffer, 0, 4));
	if (magic !== MAGIC || prefix.getUint32(4, true) !== VERSION) throw damaged('not a packet file of this version');
	const length = prefix.getUint32(8, true);
	let stored: StoredHeader;
	try {
		stored = JSON.parse(await blob.slice(PREFIX, PREFIX + length).text()) as StoredHeader;
	} catch (cause) {
		throw new EmulsionError('internal', 'A stored chunk has no readable index.', { cause });
	}
	const { track, times, durations, sizes, keys } = stored;
	const n = isNumbers(times) ? times.length : -1;
	if (!isNumbers(durations, n) || !isNumbers(sizes, n) || !isNumbers(keys)) throw damaged('index');
	const keySet = new Set(keys);
	const packets = sizes.map((bytes, i) => ({
		time: times[i] ?? 0,
		duration: durations[i] ?? 0,
		bytes,
		key: keySet.has(i),
	}));
	const dataOffset = PREFIX + length;
	if (dataOffset + sizes.reduce((a, b) => a + b, 0) !== blob.size) throw damaged(`${blob.size} bytes`);
	return { track, packets, blob, dataOffset };
}

/** True for a packet file of video. */
export function isVideo(file: PacketFile): file is PacketFile<VideoTrackHeader> {
	return file.track.kind === 'video';
}

/** True for a packet file of audio. */
export function isAudio(file: PacketFile): file is PacketFile<AudioTrackHeader> {
	return file.track.kind === 'audio';
}

/** Base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
	let text = '';
	for (const b of bytes) text += String.fromCharCode(b);
	return btoa(text);
}

/** Bytes of base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
