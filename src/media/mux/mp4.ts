/**
 * MP4 and QuickTime files: movie header first, then the samples in the order of time, so that the file is written front
 * to back whatever its size. Times are the plan's, exactly; creation times are zero; nothing is random. The movie starts with
 * whatever comes first, sound or picture; the other waits behind an empty edit.
 */

import { EmulsionError } from '../../core/errors.ts';
import { toNumber } from '../../core/rational.ts';
import { parseTimecode } from '../../core/timecode.ts';
import type { EncodeConfig } from '../../contracts/media.ts';
import { box, fullBox, runs, u16, u32, u32s, u64s, u8, zeros } from './boxes.ts';
import { type VideoClock, decodeOrder, lcm, videoClock } from './clock.ts';
import { concat } from './ebml.ts';
import { audioEntry, pcmLayout, videoEntry } from './mp4-entries.ts';
import type { MuxInput, PacketSource } from './tracks.ts';

/** A stretch of the file: bytes made here, or bytes of packets. */
export type Piece = Uint8Array<ArrayBuffer> | PacketSource;

/** A finished plan of a file: write the pieces in order. */
export interface FileLayout {
	readonly pieces: readonly Piece[];
	readonly bytes: number;
}

/** One track's samples, ready for its tables. */
interface Samples {
	readonly timescale: number;
	/** Per sample; one entry standing for all where `uniform` is set. */
	readonly sizes: readonly number[];
	/** PCM: bytes of every sample, and how many there are. */
	readonly uniform?: { readonly bytes: number; readonly count: number };
	readonly durations: readonly number[];
	readonly offsets?: readonly number[];
	/** 1-based numbers of sync samples; absent when all are. */
	readonly sync?: readonly number[];
	/** File chunks in order: first packet, packets, samples. */
	readonly chunks: readonly ChunkSpan[];
	readonly sources: readonly PacketSource[];
}

interface ChunkSpan {
	readonly first: number;
	readonly packets: number;
	readonly samples: number;
	readonly bytes: number;
	/** Seconds, for interleaving. */
	readonly time: number;
}

/** A stretch of a track's presentation. */
interface Edit {
	/** Movie ticks. */
	readonly duration: number;
	/** Media ticks; −1 for an empty edit. */
	readonly mediaTime: number;
}

interface Track {
	readonly id: number;
	readonly samples: Samples;
	readonly edits: readonly Edit[];
	/** Movie ticks. */
	readonly duration: number;
	readonly header: { readonly handler: string; readonly name: string; readonly volume: number };
	readonly matrix: readonly number[];
	readonly display: readonly [number, number];
	readonly mediaHeader: Uint8Array;
	readonly entry: Uint8Array;
	readonly references: Uint8Array;
	readonly enabled: boolean;
}

const CHUNK_SECONDS = 0.5;
const IDENTITY = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** Groups packets into file chunks of about half a second. */
function spans(
	sources: readonly PacketSource[],
	seconds: (i: number) => number,
	samplesOf: (i: number) => number,
): ChunkSpan[] {
	const result: ChunkSpan[] = [];
	let first = 0;
	for (let i = 1; i <= sources.length; i++) {
		if (i < sources.length && seconds(i) - seconds(first) < CHUNK_SECONDS) continue;
		let bytes = 0;
		let samples = 0;
		for (let k = first; k < i; k++) {
			bytes += sources[k]?.bytes ?? 0;
			samples += samplesOf(k);
		}
		result.push({ first, packets: i - first, samples, bytes, time: seconds(first) });
		first = i;
	}
	return result;
}

/** Seconds that the sound starts before the picture. */
function leadSeconds({ audio }: MuxInput): number {
	return audio ? Math.max(0, -audio.start) / audio.header.timescale : 0;
}

function videoSamples(input: MuxInput, clock: VideoClock): { samples: Samples; delay: number } {
	const { packets } = input.video;
	const order = decodeOrder(
		packets.map((p) => p.place),
		clock,
	);
	const sync = packets.flatMap((p, i) => (p.key ? [i + 1] : []));
	const samples: Samples = {
		timescale: clock.timescale,
		sizes: packets.map((p) => p.bytes),
		durations: order.durations,
		...(order.offsets.some((o) => o !== 0) ? { offsets: order.offsets } : {}),
		...(sync.length === packets.length ? {} : { sync }),
		chunks: spans(
			packets,
			(i) => leadSeconds(input) + (clock.pts[packets[i]?.place ?? 0] ?? 0) / clock.timescale,
			() => 1,
		),
		sources: packets,
	};
	return { samples, delay: order.delay };
}

function audioSamples(input: MuxInput): Samples | undefined {
	const { audio } = input;
	if (!audio) return undefined;
	const { header, packets, start } = audio;
	const pcm = pcmLayout(header.codec);
	const frame = pcm ? (pcm.bits / 8) * header.channels : 0;
	const seconds = (i: number): number => (Math.max(0, start) + (packets[i]?.time ?? 0)) / header.timescale;
	const shared = { timescale: header.timescale, sources: packets };
	if (pcm) {
		const count = packets.reduce((n, p) => n + p.bytes / frame, 0);
		return {
			...shared,
			sizes: [],
			uniform: { bytes: frame, count },
			durations: [],
			chunks: spans(packets, seconds, (i) => (packets[i]?.bytes ?? 0) / frame),
		};
	}
	return {
		...shared,
		sizes: packets.map((p) => p.bytes),
		durations: packets.map((p, i) => (packets[i + 1]?.time ?? p.time + p.duration) - p.time),
		chunks: spans(packets, seconds, () => 1),
	};
}

/** Rotation of the display matrix, clockwise. */
function rotationMatrix(encode: EncodeConfig): number[] {
	const { width, height } = encode.size;
	const one = 0x10000;
	switch (encode.rotation) {
		case 90:
			return [0, one, 0, -one, 0, 0, height * one, 0, 0x40000000];
		case 180:
			return [-one, 0, 0, 0, -one, 0, width * one, height * one, 0x40000000];
		case 270:
			return [0, -one, 0, one, 0, 0, 0, width * one, 0x40000000];
		default:
			return IDENTITY;
	}
}

function dataInformation(): Uint8Array {
	return box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
}

function sampleTable(track: Track, offsets: readonly number[], wide: boolean): Uint8Array {
	const { samples } = track;
	const { uniform, chunks } = samples;
	const timing = uniform ? [uniform.count, 1] : runs(samples.durations);
	const toChunk: number[] = [];
	chunks.forEach((chunk, i) => {
		if (chunks[i - 1]?.samples !== chunk.samples) toChunk.push(i + 1, chunk.samples, 1);
	});
	const composition = samples.offsets ? runs(samples.offsets) : [];
	return box(
		'stbl',
		fullBox('stsd', 0, 0, u32(1), track.entry),
		fullBox('stts', 0, 0, u32(timing.length / 2), u32s(timing)),
		samples.offsets ? fullBox('ctts', 0, 0, u32(composition.length / 2), u32s(composition)) : zeros(0),
		samples.sync ? fullBox('stss', 0, 0, u32(samples.sync.length), u32s(samples.sync)) : zeros(0),
		fullBox('stsc', 0, 0, u32(toChunk.length / 3), u32s(toChunk)),
		uniform
			? fullBox('stsz', 0, 0, u32(uniform.bytes, uniform.count))
			: fullBox('stsz', 0, 0, u32(0, samples.sizes.length), u32s(samples.sizes)),
		wide
			? fullBox('co64', 0, 0, u32(offsets.length), u64s(offsets))
			: fullBox('stco', 0, 0, u32(offsets.length), u32s(offsets)),
	);
}

function editBox(edits: readonly Edit[]): Uint8Array {
	if (edits.length === 0) return zeros(0);
	const entries = edits.map((e) => concat([u64s([e.duration, e.mediaTime]), u16(1, 0)]));
	return box('edts', fullBox('elst', 1, 0, u32(edits.length), ...entries));
}

function trackBox(track: Track, offsets: readonly number[], wide: boolean): Uint8Array {
	const { samples } = track;
	const media = samples.uniform ? samples.uniform.count : samples.durations.reduce((a, b) => a + b, 0);
	const [width, height] = track.display;
	return box(
		'trak',
		fullBox(
			...(['tkhd', 1, track.enabled ? 3 : 0] as const),
			...[u64s([0, 0]), u32(track.id, 0), u64s([track.duration]), zeros(8), u16(0, 0, track.header.volume, 0)],
			...[u32s(track.matrix), u32(Math.round(width * 65536), Math.round(height * 65536))],
		),
		editBox(track.edits),
		track.references,
		box(
			'mdia',
			fullBox('mdhd', 1, 0, u64s([0, 0]), u32(samples.timescale), u64s([media]), u16(0x55c4, 0)),
			fullBox('hdlr', 0, 0, u32(0), track.header.handler, zeros(12), `${track.header.name}\0`),
			box('minf', track.mediaHeader, dataInformation(), sampleTable(track, offsets, wide)),
		),
	);
}

/** Movie ticks of nothing before a track's media starts: an empty edit (ISO/IEC 14496-12, 8.6.6). */
function emptyEdit(duration: number): Edit[] {
	return duration > 0 ? [{ duration, mediaTime: -1 }] : [];
}

/** When the picture is presented, in movie ticks. */
interface Shown {
	readonly lead: number;
	readonly duration: number;
}

function videoTrack(input: MuxInput, clock: VideoClock, shown: Shown, id: number, timecodeId?: number): Track {
	const { encode } = input;
	const { samples, delay } = videoSamples(input, clock);
	const { width, height } = encode.size;
	return {
		id,
		samples,
		edits: [...emptyEdit(shown.lead), { duration: shown.duration, mediaTime: delay }],
		duration: shown.lead + shown.duration,
		header: { handler: 'vide', name: 'VideoHandler', volume: 0 },
		matrix: rotationMatrix(encode),
		display: [width * toNumber(encode.sampleAspect), height],
		mediaHeader: fullBox('vmhd', 0, 1, zeros(8)),
		entry: videoEntry(encode, input.video),
		references: timecodeId === undefined ? zeros(0) : box('tref', box('tmcd', u32(timecodeId))),
		enabled: true,
	};
}

function audioTrack(input: MuxInput, scale: number, id: number): Track | undefined {
	const samples = audioSamples(input);
	const { audio, encode } = input;
	if (!samples || !audio) return undefined;
	const { skip, presented, timescale } = audio.header;
	const toMovie = (ticks: number): number => Math.round((ticks * scale) / timescale);
	const late = toMovie(Math.max(0, audio.start));
	const shown = toMovie(presented);
	return {
		id,
		samples,
		edits: [...emptyEdit(late), { duration: shown, mediaTime: skip }],
		duration: late + shown,
		header: { handler: 'soun', name: 'SoundHandler', volume: 0x100 },
		matrix: IDENTITY,
		display: [0, 0],
		mediaHeader: fullBox('smhd', 0, 0, zeros(4)),
		entry: audioEntry(encode, audio),
		references: zeros(0),
		enabled: true,
	};
}

/** The timecode track: one sample, the frame number of the first frame. */
function timecodeTrack(input: MuxInput, shown: Shown, id: number): Track | undefined {
	const { timecode, rate } = input.encode;
	if (timecode === undefined) return undefined;
	const drop = timecode.includes(';');
	const base = Math.ceil(toNumber(rate));
	let number: number;
	try {
		number = parseTimecode(timecode, { base, drop });
	} catch {
		// A source may carry a timecode that its rate cannot have; it is left out rather than written wrong.
		return undefined;
	}
	const blob = new Blob([u32(number)]);
	const total = input.timeline.length * rate.den;
	const entry = box(
		...(['tmcd', zeros(6), u16(1), u32(0, (drop ? 1 : 0) | 2, rate.num, rate.den)] as const),
		u8(base, 0),
	);
	const tcmi = fullBox('tcmi', 0, 0, u16(0, 0, 12, 0, 0, 0, 0, 0xffff, 0xffff, 0xffff), u8(0));
	return {
		id,
		samples: {
			timescale: rate.num,
			sizes: [4],
			durations: [total],
			chunks: [{ first: 0, packets: 1, samples: 1, bytes: 4, time: 0 }],
			sources: [{ blob, offset: 0, bytes: 4 }],
		},
		// It counts the picture, and starts with it.
		edits: shown.lead > 0 ? [...emptyEdit(shown.lead), { duration: shown.duration, mediaTime: 0 }] : [],
		duration: shown.lead + shown.duration,
		header: { handler: 'tmcd', name: 'TimeCodeHandler', volume: 0 },
		matrix: IDENTITY,
		display: [0, 0],
		mediaHeader: box('gmhd', fullBox('gmin', 0, 0, u16(0x40, 0x8000, 0x8000, 0x8000, 0, 0)), box('tmcd', tcmi)),
		entry,
		references: zeros(0),
		enabled: false,
	};
}

function makeTracks(input: MuxInput): { tracks: Track[]; scale: number } {
	const clock = videoClock(input.timeline);
	const audioScale = input.audio?.header.timescale ?? 1;
	const scale = lcm(clock.timescale, audioScale) ?? clock.timescale;
	const hasTimecode = input.encode.timecode !== undefined;
	const audio = audioTrack(input, scale, 2);
	const timecodeId = audio ? 3 : 2;
	const lead = Math.round((Math.max(0, -(input.audio?.start ?? 0)) * scale) / audioScale);
	const shown = { lead, duration: Math.round((clock.total * scale) / clock.timescale) };
	const timecode = hasTimecode ? timecodeTrack(input, shown, timecodeId) : undefined;
	const video = videoTrack(input, clock, shown, 1, timecode?.id);
	return { tracks: [video, audio, timecode].filter((t) => t !== undefined), scale };
}

function fileType(encode: EncodeConfig): Uint8Array<ArrayBuffer> {
	if (encode.container === 'mov') return box('ftyp', 'qt  ', u32(0x200), 'qt  ');
	const codec = encode.codec === 'av1' ? 'av01' : encode.codec === 'vp9' ? 'iso4' : 'avc1';
	return box('ftyp', 'isom', u32(0x200), 'isom', 'iso2', codec, 'mp41');
}

function movieBox(
	tracks: readonly Track[],
	scale: number,
	offsets: readonly number[][],
	wide: boolean,
): Uint8Array<ArrayBuffer> {
	const duration = Math.max(...tracks.map((t) => t.duration));
	return box(
		'moov',
		fullBox(
			...(['mvhd', 1, 0, u64s([0, 0]), u32(scale), u64s([duration])] as const),
			...[u32(0x10000), u16(0x100, 0), zeros(8), u32s(IDENTITY), zeros(24), u32(tracks.length + 1)],
		),
		...tracks.map((track, i) => trackBox(track, offsets[i] ?? [], wide)),
	);
}

/** Plans an MP4 or QuickTime file. Throws `unsupported-format` for what the container has no entry for. */
export function layoutMp4(input: MuxInput): FileLayout {
	const { tracks, scale } = makeTracks(input);
	const order = tracks
		.flatMap((track, t) => track.samples.chunks.map((chunk, c) => ({ t, c, chunk, time: chunk.time })))
		.sort((a, b) => a.time - b.time || a.t - b.t || a.c - b.c);
	const payload = order.reduce((n, o) => n + o.chunk.bytes, 0);
	if (payload > Number.MAX_SAFE_INTEGER / 2) throw new EmulsionError('internal', 'mux: too large');
	const ftyp = fileType(input.encode);
	const wide = payload > 0xff000000;
	const place = (start: number): number[][] => {
		const offsets: number[][] = tracks.map(() => []);
		let at = start;
		for (const { t, chunk } of order) {
			offsets[t]?.push(at);
			at += chunk.bytes;
		}
		return offsets;
	};
	const dataHead = concat([u32(1), new TextEncoder().encode('mdat'), u64s([payload + 16])]);
	const headerBytes = ftyp.length + movieBox(tracks, scale, place(0), wide).length + dataHead.length;
	const moov = movieBox(tracks, scale, place(headerBytes), wide);
	const data = order.flatMap(({ t, chunk }) => {
		const sources = tracks[t]?.samples.sources ?? [];
		return sources.slice(chunk.first, chunk.first + chunk.packets);
	});
	return { pieces: [ftyp, moov, dataHead, ...data], bytes: headerBytes + payload };
}
