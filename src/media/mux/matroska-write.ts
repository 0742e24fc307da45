/**
 * Matroska and WebM files, planned whole before the first byte is written: index first, then clusters, so that the file
 * is written front to back whatever its size. UIDs are the track numbers; no clock, no random ids.
 */

import { codecText } from '../../core/codecs.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, toNumber } from '../../core/rational.ts';
import { isConstantRate } from '../../core/timeline.ts';
import type { EncodeConfig } from '../../contracts/media.ts';
import { primariesCode, transferCode } from '../scans/tags.ts';
import { type VideoClock, videoClock } from './clock.ts';
import { EBML, concat, element, elementHead, float64, int64, master, text, uint } from './ebml.ts';
import { matrixCode } from './h273.ts';
import { pcmLayout } from './mp4-entries.ts';
import type { FileLayout, Piece } from './mp4.ts';
import type { AudioTrack, MuxInput, PacketSource } from './tracks.ts';

const NANOS = 1_000_000_000;
/** Nanoseconds a tick, coarse to fine; the first in which all times are exact is taken. */
const SCALES = [1_000_000, 100_000, 10_000, 1_000] as const;
/** Taken where no scale is exact (24 frames a second): times are off by 5 µs at most. */
const INEXACT_SCALE = 10_000;
const CLUSTER_SECONDS = 5;
const CLUSTER_BYTES = 16 << 20;
const SEGMENT_SIZE_BYTES = 8;
const CUE_POSITION_BYTES = 8;

const VIDEO_CODEC = {
	h264: 'V_MPEG4/ISO/AVC',
	vp9: 'V_VP9',
	av1: 'V_AV1',
	ffv1: 'V_FFV1',
	prores: 'V_PRORES',
} as const;
const AUDIO_CODEC: Readonly<Record<string, string>> = {
	aac: 'A_AAC',
	mp3: 'A_MPEG/L3',
	ac3: 'A_AC3',
	eac3: 'A_EAC3',
	opus: 'A_OPUS',
	vorbis: 'A_VORBIS',
	flac: 'A_FLAC',
};

interface Block extends PacketSource {
	readonly track: 1 | 2;
	/** Ticks. */
	readonly time: number;
	readonly key: boolean;
	/** For interleaving: seconds on the decoding order's clock. */
	readonly order: number;
	/** Of a track's last block, whose duration no later block tells. */
	readonly end?: {
		/** Ticks. */
		readonly duration: number;
		/** Nanoseconds cut from the end. */
		readonly discard: number;
		/** Ticks from this block to one it refers to; 0 for keyframes. */
		readonly reference: number;
	};
}

interface Cluster {
	readonly time: number;
	readonly blocks: readonly Block[];
	readonly content: number;
}

/** The tick: the coarsest exact one. Exported for its tests. */
export function timestampScale(clock: VideoClock): number {
	const isWhole = (scale: number): boolean => {
		// ticks · (1e9 / scale) / timescale must be whole for every time.
		const perSecond = BigInt(NANOS / scale);
		const timescale = BigInt(clock.timescale);
		return [...clock.pts, clock.total].every((t) => (BigInt(t) * perSecond) % timescale === 0n);
	};
	return clock.exact ? (SCALES.find(isWhole) ?? INEXACT_SCALE) : INEXACT_SCALE;
}

/** `lead`: ticks that the sound starts before the picture. */
function videoBlocks(input: MuxInput, clock: VideoClock, fine: VideoClock, lead: number): Block[] {
	let latest = 0;
	const last = fine.pts.length - 1;
	return input.video.packets.map(({ place, key, blob, offset, bytes }) => {
		// In decoding order, a packet comes no earlier than the ones before it.
		latest = Math.max(latest, lead / fine.timescale + (clock.pts[place] ?? 0) / clock.timescale);
		const time = lead + (fine.pts[place] ?? 0);
		const block: Block = { track: 1, time, key, order: latest, blob, offset, bytes };
		if (place !== last) return block;
		const reference = key ? 0 : lead + (fine.pts[place - 1] ?? 0) - time;
		return { ...block, end: { duration: fine.durations[place] ?? 0, discard: 0, reference } };
	});
}

function audioBlocks(audio: AudioTrack, scale: number): Block[] {
	const { header, packets } = audio;
	const start = Math.max(0, audio.start);
	const ticks = (t: number): number => Math.round((t * NANOS) / (header.timescale * scale));
	const total = packets.reduce((n, p) => Math.max(n, p.time + p.duration), 0);
	const excess = Math.max(0, total - header.skip - header.presented);
	// Players subtract CodecDelay, which is all that is skipped: the first block stands where the sound starts.
	return packets.map(({ time, duration, blob, offset, bytes }, i) => {
		const at = start + time;
		const block: Block = {
			track: 2,
			time: ticks(at),
			key: true,
			order: at / header.timescale,
			...{ blob, offset, bytes },
		};
		if (i < packets.length - 1) return block;
		const discard = Math.round((excess * NANOS) / header.timescale);
		return { ...block, end: { duration: ticks(duration), discard, reference: 0 } };
	});
}

function blockHead(block: Block, clusterTime: number): Uint8Array<ArrayBuffer> {
	const inner = new Uint8Array(4);
	const view = new DataView(inner.buffer);
	view.setUint8(0, 0x80 | block.track);
	view.setInt16(1, block.time - clusterTime);
	view.setUint8(3, block.key && !block.end ? 0x80 : 0);
	const size = inner.length + block.bytes;
	if (!block.end) return concat([elementHead(EBML.SimpleBlock, size), inner]);
	const head = elementHead(EBML.Block, size);
	return concat([elementHead(EBML.BlockGroup, head.length + size + blockTail(block).length), head, inner]);
}

/** What a block group says after its block: readers ignore a duration that comes before the block it belongs to. */
function blockTail({ end }: Block): Uint8Array<ArrayBuffer> {
	if (!end) return new Uint8Array();
	const { duration, discard, reference } = end;
	return concat([
		uint(EBML.BlockDuration, duration),
		...(discard > 0 ? [int64(EBML.DiscardPadding, discard)] : []),
		...(reference !== 0 ? [int64(EBML.ReferenceBlock, reference)] : []),
	]);
}

/** Clusters start on video keyframes where they can, and end before a block's 16-bit relative time overflows. */
function makeClusters(blocks: readonly Block[], ticksPerSecond: number): Cluster[] {
	const clusters: Cluster[] = [];
	let open: Block[] = [];
	let bytes = 0;
	const flush = (): void => {
		const [first] = open;
		if (!first) return;
		const { time } = first;
		const content =
			uint(EBML.Timestamp, time).length +
			open.reduce((n, b) => n + blockHead(b, time).length + b.bytes + blockTail(b).length, 0);
		clusters.push({ time, blocks: open, content });
		open = [];
		bytes = 0;
	};
	for (const block of blocks) {
		const base = open[0]?.time ?? block.time;
		const relative = block.time - base;
		const isKey = block.track === 1 && block.key && open.some((b) => b.track === 1);
		const isLong = relative > CLUSTER_SECONDS * ticksPerSecond || bytes + block.bytes > CLUSTER_BYTES;
		if (relative > 32767 || relative < -32768 || isKey || isLong) flush();
		open.push(block);
		bytes += block.bytes;
	}
	flush();
	return clusters;
}

function colorElement(encode: EncodeConfig): Uint8Array {
	const { primaries, transfer, matrix, range, chromaLocation } = encode.color;
	const siting = { left: [1, 2], center: [2, 2], topleft: [1, 1], unspecified: undefined }[chromaLocation];
	return master(EBML.Color, [
		uint(EBML.MatrixCoefficients, matrixCode(matrix)),
		uint(EBML.Range, range === 'full' ? 2 : 1),
		uint(EBML.TransferCharacteristics, transferCode(transfer)),
		uint(EBML.Primaries, primariesCode(primaries)),
		...(siting ? [uint(EBML.ChromaSitingHorz, siting[0] ?? 0), uint(EBML.ChromaSitingVert, siting[1] ?? 0)] : []),
	]);
}

/** Display size: exact pixels where the aspect gives whole ones, else the ratio. */
function displayElements(encode: EncodeConfig): Uint8Array[] {
	const { width, height } = encode.size;
	const { num, den } = encode.sampleAspect;
	if (num === den) return [];
	if ((width * num) % den === 0) {
		return [uint(EBML.DisplayWidth, (width * num) / den), uint(EBML.DisplayHeight, height)];
	}
	return [uint(EBML.DisplayWidth, width * num), uint(EBML.DisplayHeight, height * den), uint(EBML.DisplayUnit, 3)];
}

function projectionElement(rotation: number): Uint8Array[] {
	if (rotation === 0) return [];
	// Roll is counter-clockwise.
	const roll = rotation === 270 ? 90 : -rotation;
	return [master(EBML.Projection, [uint(EBML.ProjectionType, 0), float64(EBML.ProjectionPoseRoll, roll)])];
}

function fieldElements(encode: EncodeConfig): Uint8Array[] {
	if (encode.fields === 'unknown') return [];
	if (encode.fields === 'progressive') return [uint(EBML.FlagInterlaced, 2)];
	return [uint(EBML.FlagInterlaced, 1), uint(EBML.FieldOrder, encode.fields === 'tff' ? 1 : 6)];
}

function videoEntry(input: MuxInput): Uint8Array {
	const { encode, video, timeline } = input;
	const timing = { frames: timeline, timebase: encode.timebase };
	const frame: Rational | undefined = timeline[0]?.duration;
	const constant =
		frame && isConstantRate(timing) ? [uint(EBML.DefaultDuration, Math.round(toNumber(frame) * NANOS))] : [];
	// ProRes: the packets carry their atom, which Matroska leaves out; it is written to .mov only.
	return master(EBML.TrackEntry, [
		uint(EBML.TrackNumber, 1),
		uint(EBML.TrackUid, 1),
		uint(EBML.TrackType, 1),
		uint(EBML.FlagLacing, 0),
		text(EBML.Language, 'und'),
		text(EBML.CodecId, VIDEO_CODEC[video.header.codec]),
		...(video.config.length > 0 && video.header.codec !== 'vp9' ? [element(EBML.CodecPrivate, video.config)] : []),
		...constant,
		master(EBML.Video, [
			uint(EBML.PixelWidth, encode.size.width),
			uint(EBML.PixelHeight, encode.size.height),
			...displayElements(encode),
			...fieldElements(encode),
			colorElement(encode),
			...projectionElement(encode.rotation),
		]),
	]);
}

function pcmCodec(codec: string): string | undefined {
	const pcm = pcmLayout(codec);
	if (!pcm) return undefined;
	if (pcm.float) return 'A_PCM/FLOAT/IEEE';
	return pcm.bigEndian ? 'A_PCM/INT/BIG' : 'A_PCM/INT/LIT';
}

function audioEntry(audio: AudioTrack): Uint8Array {
	const { header, config } = audio;
	const codec = AUDIO_CODEC[header.codec] ?? pcmCodec(header.codec);
	if (codec === undefined) {
		throw new EmulsionError(
			'unsupported-format',
			phrase('audio-container', { codec: codecText(header.codec), container: 'Matroska' }),
		);
	}
	const pcm = pcmLayout(header.codec);
	return master(EBML.TrackEntry, [
		uint(EBML.TrackNumber, 2),
		uint(EBML.TrackUid, 2),
		uint(EBML.TrackType, 2),
		uint(EBML.FlagLacing, 0),
		text(EBML.Language, 'und'),
		text(EBML.CodecId, codec),
		...(config.length > 0 ? [element(EBML.CodecPrivate, config)] : []),
		...(header.skip > 0 ? [uint(EBML.CodecDelay, Math.round((header.skip * NANOS) / header.timescale))] : []),
		...(header.codec === 'opus' ? [uint(EBML.SeekPreRoll, 80_000_000)] : []),
		master(EBML.Audio, [
			float64(EBML.SamplingFrequency, header.sampleRate),
			uint(EBML.Channels, header.channels),
			...(pcm ? [uint(EBML.BitDepth, pcm.bits)] : []),
		]),
	]);
}

function ebmlHeader(docType: string): Uint8Array<ArrayBuffer> {
	return master(EBML.Header, [
		uint(EBML.Version, 1),
		uint(EBML.ReadVersion, 1),
		uint(EBML.MaxIdLength, 4),
		uint(EBML.MaxSizeLength, 8),
		text(EBML.DocType, docType),
		uint(EBML.DocTypeVersion, 4),
		uint(EBML.DocTypeReadVersion, 2),
	]);
}

function tags(encode: EncodeConfig): Uint8Array[] {
	if (encode.timecode === undefined || encode.container === 'webm') return [];
	const simple = master(EBML.SimpleTag, [text(EBML.TagName, 'TIMECODE'), text(EBML.TagString, encode.timecode)]);
	return [master(EBML.Tags, [master(EBML.Tag, [master(EBML.Targets, [uint(EBML.TagTrackUid, 1)]), simple])])];
}

interface CueSeed {
	readonly time: number;
	readonly cluster: number;
}

function cuesElement(seeds: readonly CueSeed[], positions: readonly number[]): Uint8Array<ArrayBuffer> {
	return master(
		EBML.Cues,
		seeds.map((seed) =>
			master(EBML.CuePoint, [
				uint(EBML.CueTime, seed.time),
				master(EBML.CueTrackPositions, [
					uint(EBML.CueTrack, 1),
					uint(EBML.CueClusterPosition, positions[seed.cluster] ?? 0, CUE_POSITION_BYTES),
				]),
			]),
		),
	);
}

/** One cue a second at most, each at a keyframe that opens a cluster's video. */
function cueSeeds(clusters: readonly Cluster[], ticksPerSecond: number): CueSeed[] {
	const seeds: CueSeed[] = [];
	clusters.forEach((cluster, index) => {
		const key = cluster.blocks.find((b) => b.track === 1);
		const last = seeds[seeds.length - 1];
		if (key?.key && (!last || key.time - last.time >= ticksPerSecond)) seeds.push({ time: key.time, cluster: index });
	});
	return seeds;
}

function seekHead(parts: readonly { readonly id: number; readonly position: number }[]): Uint8Array<ArrayBuffer> {
	return master(
		EBML.SeekHead,
		parts.map(({ id, position }) =>
			master(EBML.Seek, [uint(EBML.SeekId, id), uint(EBML.SeekPosition, position, CUE_POSITION_BYTES)]),
		),
	);
}

function clusterPieces(cluster: Cluster): Piece[] {
	const head = concat([elementHead(EBML.Cluster, cluster.content), uint(EBML.Timestamp, cluster.time)]);
	return cluster.blocks.reduce<Piece[]>(
		(pieces, block) => {
			pieces.push(blockHead(block, cluster.time), block, ...(block.end ? [blockTail(block)] : []));
			return pieces;
		},
		[head],
	);
}

/** Plans a Matroska or WebM file. Throws `unsupported-format` for audio it has no name for. */
export function layoutMatroska(input: MuxInput): FileLayout {
	const { encode, audio } = input;
	const clock = videoClock(input.timeline);
	const scale = timestampScale(clock);
	const ticksPerSecond = NANOS / scale;
	const fine = videoClock(input.timeline, ticksPerSecond);
	// The segment's time starts with whatever comes first, sound or picture.
	const soundTicks = (ticks: number): number => (ticks / (audio?.header.timescale ?? 1)) * ticksPerSecond;
	const lead = Math.round(soundTicks(Math.max(0, -(audio?.start ?? 0))));
	const blocks = [...videoBlocks(input, clock, fine, lead), ...(audio ? audioBlocks(audio, scale) : [])];
	blocks.sort((a, b) => a.order - b.order || a.track - b.track);
	const clusters = makeClusters(blocks, ticksPerSecond);
	const audioEnd = audio ? soundTicks(Math.max(0, audio.start) + audio.header.presented) : 0;
	const info = master(EBML.Info, [
		uint(EBML.TimestampScale, scale),
		float64(EBML.Duration, Math.max(lead + fine.total, audioEnd)),
		text(EBML.MuxingApp, 'Emulsion'),
		text(EBML.WritingApp, 'Emulsion'),
	]);
	const tracks = master(EBML.Tracks, [videoEntry(input), ...(audio ? [audioEntry(audio)] : [])]);
	const tagParts = tags(encode);
	const seeds = cueSeeds(clusters, ticksPerSecond);
	// Sizes do not depend on positions (all have eight bytes), so one pass with zeros measures everything.
	const seekBytes = seekHead([EBML.Info, EBML.Tracks, EBML.Cues].map((id) => ({ id, position: 0 }))).length;
	const tagBytes = tagParts.reduce((n, t) => n + t.length, 0);
	const cueBytes = cuesElement(seeds, []).length;
	const cuesAt = seekBytes + info.length + tracks.length + tagBytes;
	let at = cuesAt + cueBytes;
	const positions = clusters.map((cluster) => {
		const here = at;
		at += elementHead(EBML.Cluster, cluster.content).length + cluster.content;
		return here;
	});
	const seek = seekHead([
		{ id: EBML.Info, position: seekBytes },
		{ id: EBML.Tracks, position: seekBytes + info.length },
		{ id: EBML.Cues, position: cuesAt },
	]);
	const header = ebmlHeader(encode.container === 'webm' ? 'webm' : 'matroska');
	const segment = elementHead(EBML.Segment, at, SEGMENT_SIZE_BYTES);
	const front = concat([header, segment, seek, info, tracks, ...tagParts, cuesElement(seeds, positions)]);
	return {
		pieces: [front, ...clusters.flatMap(clusterPieces)],
		bytes: header.length + segment.length + at,
	};
}
