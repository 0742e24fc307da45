/**
 * Probing: streams, packet index, and a look at the first decoded frames, joined into what the program knows about a file.
 * Packets give the index at the cost of reading the file once; where they do not tell every frame's time, or the decoder's
 * first frames disagree, the film is decoded once instead.
 */

import type { OnProgress } from '../../contracts/frames.ts';
import type { AudioTrackInfo, SourceInfo } from '../../contracts/media.ts';
import { codecText } from '../../core/codecs.ts';
import type { FieldOrder, Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { add, rational, sub, ZERO } from '../../core/rational.ts';
import type { Rotation } from '../../core/rotation.ts';
import { fingerprintBlob } from '../fingerprint.ts';
import { codecDelays } from '../mux/verify-matroska.ts';
import { blobReader } from '../sinks/files.ts';
import { sharedMemoryAvailable } from './core/rings.ts';
import { probePackets, type ProbedFile, type ProbedStream, probeStreams, reasonInLog } from './ffprobe.ts';
import type { PacketLine } from './frame-index.ts';
import { HEAD_FRAMES, type Indexed, indexFrames } from './indexing.ts';
import { lookAtMov } from './mov-boxes.ts';
import { noticesOf } from './notices.ts';
import { type RawFormat, rawFormat } from './pixel-formats.ts';
import { type BasePlan, type DecodePlan, REORDER_SHIFT } from './plan.ts';
import { parseTagText } from './showinfo.ts';
import { survey, type Survey } from './survey.ts';
import { fieldOrder, resolveTags, type ResolvedTags } from './tags.ts';

/** Codecs that this build of ffmpeg demuxes but cannot decode. */
const DEMUX_ONLY = new Set(['av1']);

/** A probed file: what others see, and what decoding needs. */
export interface Probed {
	/** `engine` and `engineReason` are set by whoever chooses the engine. */
	readonly info: SourceInfo;
	/** Undefined where ffmpeg.wasm has no decoder for the codec. */
	readonly plan: DecodePlan | undefined;
	/** PTS of each frame in ticks of `info.timebase`. */
	readonly ticks: readonly number[];
	/** Adler-32 of the first frames' planes as ffmpeg decodes them; empty without a plan. */
	readonly headChecksums: readonly number[];
}

/**
 * Probes a film file.
 * @throws EmulsionError `input-unreadable`, `input-no-video`, `input-encrypted`, `unsupported-format`, `aborted`.
 */
export async function probeFile(file: File, onProgress: OnProgress, signal: AbortSignal): Promise<Probed> {
	if (file.size === 0) throw new EmulsionError('input-unreadable', phrase('empty-file', { name: file.name }));
	onProgress({ phase: 'probe', done: 0, total: 3 });
	const [probed, fingerprint] = await Promise.all([probeStreams(file, signal), fingerprintBlob(file)]);
	const video = chooseVideo(probed, file.name);
	// ffmpeg gives the codec's own tag to a protected track, and now and then makes a picture of its noise: the file itself has to be asked.
	if (probed.container === 'mov' && (await lookAtMov(file)).encrypted) throw encrypted(file.name);
	const base = basePlan(file, probed, video);
	onProgress({ phase: 'probe', done: 1, total: 3 });
	const decodes = !DEMUX_ONLY.has(video.codec ?? '');
	// One after the other: each run is a worker of its own, and two at once only take memory.
	const { packets, log } = await probePackets(file, video.index, signal);
	onProgress({ phase: 'probe', done: 2, total: 3 });
	const head = decodes ? await survey(base, HEAD_FRAMES, signal) : undefined;
	if (head) await assertDecodes(head, video, packets, file);
	const found = await indexFrames({ container: probed.container, base, video, packets, head, onProgress, signal });
	const sound = await primings(file, probed);
	return assemble({
		...{ file, fingerprint, probed, video, base, packets, head, ...found },
		...{ log: [...probed.log, ...log], primings: sound },
	});
}

function chooseVideo(probed: ProbedFile, name: string): ProbedStream {
	const videos = probed.streams.filter((stream) => stream.type === 'video' && !stream.attachedPicture);
	const video = videos[0];
	if (!video) {
		const audio = probed.streams.find((stream) => stream.type === 'audio');
		throw new EmulsionError(
			'input-no-video',
			audio ? phrase('only-sound', { name, codec: codecText(audio.codec) }) : phrase('no-picture', { name }),
		);
	}
	if (/^(enc.|drm.)$/.test(video.codecTag ?? '') || probed.log.some((line) => /encrypted|decryption key/i.test(line)))
		throw encrypted(name);
	if (video.codec === undefined)
		throw new EmulsionError(
			'unsupported-format',
			phrase('codec-strange', { name, tag: video.codecTag ?? phrase('codec-untagged') }),
		);
	return video;
}

function encrypted(name: string): EmulsionError {
	return new EmulsionError('input-encrypted', phrase('encrypted', { name }));
}

function basePlan(blob: Blob, probed: ProbedFile, video: ProbedStream): BasePlan {
	return {
		blob,
		stream: video.index,
		mode: 'packets',
		countRate: video.realRate ?? video.averageRate ?? rational(25),
		discardCorrupt: !/^(mpegts|mpeg|rtp|dv|h264|hevc|mpegvideo)/.test(probed.container),
		seekShift: ZERO,
	};
}

async function assertDecodes(
	head: Survey,
	video: ProbedStream,
	packets: readonly PacketLine[],
	file: File,
): Promise<void> {
	const { name } = file;
	if (head.frames.length > 0) return;
	const log = head.log.join('\n');
	if (/encrypted|decryption/i.test(log)) throw encrypted(name);
	if (packets.length === 0)
		throw new EmulsionError('input-no-video', phrase('track-unfinished', { name, codec: codecText(video.codec) }));
	if (/Decoder .* not found|no decoder/i.test(log))
		throw new EmulsionError('unsupported-format', phrase('no-decoder', { name, codec: codecText(video.codec) }));
	throw new EmulsionError(
		'input-unreadable',
		phrase('no-first-frames', { name, codec: codecText(video.codec), why: reasonInLog(head.log) }),
	);
}

/** Matroska starts the clock at the priming samples, which the decoder then drops; MOV's edit list has done so already. */
async function primings(file: File, probed: ProbedFile): Promise<readonly number[]> {
	return probed.container === 'matroska' ? codecDelays(blobReader(file)) : [];
}

/** Tracks of sound. `primings`: nanoseconds that each one's decoder drops, where the container's clock counts them. */
function audioTracks(probed: ProbedFile, primings: readonly number[]): AudioTrackInfo[] {
	return probed.streams
		.filter((stream) => stream.type === 'audio')
		.map((stream, i) => {
			const priming = rational(Math.round(((primings[i] ?? 0) * stream.sampleRate) / 1e9), stream.sampleRate || 1);
			const start = add(stream.start ?? ZERO, priming);
			// MPEG program streams state no duration; ffprobe's guess ends where the last timestamp is, packets before the end.
			const duration = probed.container === 'mpeg' ? undefined : stream.duration;
			return {
				stream: stream.index,
				codec: stream.codec ?? 'unknown',
				sampleRate: stream.sampleRate,
				channels: stream.channels,
				...(stream.language === undefined || stream.language === 'und' ? {} : { language: stream.language }),
				start,
				...(duration === undefined ? {} : { duration }),
			};
		});
}

interface Parts extends Indexed {
	readonly file: File;
	readonly fingerprint: string;
	readonly probed: ProbedFile;
	readonly video: ProbedStream;
	readonly base: BasePlan;
	readonly packets: readonly PacketLine[];
	readonly head: Survey | undefined;
	readonly log: readonly string[];
	readonly primings: readonly number[];
}

interface Picture {
	readonly size: Size;
	readonly pixFmt: string;
	readonly raw: RawFormat;
	readonly tags: ResolvedTags;
	readonly fields: FieldOrder;
}

function pictureOf({ video, head, file }: Parts): Picture {
	const first = head?.frames[0];
	const pixFmt = first?.pixFmt ?? video.pixFmt ?? 'yuv420p';
	const size = first ? { width: first.width, height: first.height } : { width: video.width, height: video.height };
	const raw = rawFormat(pixFmt);
	if (!raw) throw new EmulsionError('unsupported-format', phrase('no-planes', { name: file.name, format: pixFmt }));
	const shown = first ? parseTagText(first.tagText) : {};
	const tags = resolveTags(
		{
			range: known(shown.range) ?? video.colorRange,
			space: known(shown.space) ?? video.colorSpace,
			primaries: known(shown.primaries) ?? video.colorPrimaries,
			transfer: known(shown.transfer) ?? video.colorTransfer,
			location: video.chromaLocation,
		},
		raw.format,
		pixFmt,
		size,
	);
	return { size, pixFmt, raw, tags, fields: fieldsOf(video, head) };
}

function known(tag: string | undefined): string | undefined {
	return tag === 'unknown' ? undefined : tag;
}

/** What the frames say counts more than the header: field order of the first interlaced frame, if any is. */
function fieldsOf(video: ProbedStream, head: Survey | undefined): FieldOrder {
	if (!head) return fieldOrder(video.fieldOrder);
	return head.frames.find((frame) => frame.fields !== 'progressive')?.fields ?? 'progressive';
}

function rightAngle(rotation: number): Rotation {
	return ((Math.round(rotation / 90) * 90) % 360) as Rotation;
}

function assemble(parts: Parts): Probed {
	const { file, probed, video, index, packets, mode, timebase, base } = parts;
	if (index.frames.length === 0)
		throw new EmulsionError(
			'input-no-video',
			phrase('track-empty', { name: file.name, codec: codecText(video.codec) }),
		);
	const picture = pictureOf(parts);
	const audio = audioTracks(probed, parts.primings);
	const firstPts = index.frames[0]?.pts ?? ZERO;
	const notices = noticesOf({
		index,
		mode,
		codec: video.codec ?? '',
		container: probed.container,
		size: picture.size,
		format: picture.raw.format,
		pixFmt: picture.pixFmt,
		converted: picture.raw.converted,
		rotation: rightAngle(video.rotation),
		sampleAspect: video.sampleAspect,
		fields: picture.fields,
		audio,
		videoTracks: probed.streams.filter((stream) => stream.type === 'video' && !stream.attachedPicture).length,
		missingDurations: packets.filter((packet) => !packet.discard && !packet.duration).length,
		discarded: packets.filter((packet) => packet.discard).length,
		assumedTags: picture.tags.assumed,
		truncated: parts.truncated ?? endedEarly(parts),
		sharedMemory: sharedMemoryAvailable(),
	});
	const reordered = packets.some(
		(packet) => packet.pts !== undefined && packet.dts !== undefined && packet.pts > packet.dts,
	);
	const info: SourceInfo = {
		name: file.name,
		kind: 'file',
		container: probed.container,
		codec: video.codec ?? 'unknown',
		...(video.profile === undefined ? {} : { profile: video.profile }),
		bytes: file.size,
		size: picture.size,
		rotation: rightAngle(video.rotation),
		sampleAspect: video.sampleAspect,
		format: picture.raw.format,
		color: picture.tags.color,
		fields: picture.fields,
		timebase,
		rate: index.rate,
		constantRate: index.constantRate,
		frames: index.frames,
		audio,
		...(audio[0] ? { avOffset: sub(firstPts, audio[0].start) } : {}),
		...(probed.timecode === undefined ? {} : { timecode: probed.timecode }),
		fingerprint: parts.fingerprint,
		notices,
		engine: 'ffmpeg',
		engineReason: '',
	};
	const plan: DecodePlan | undefined = parts.head && {
		...base,
		timebase,
		pixFmt: picture.pixFmt,
		raw: picture.raw,
		size: picture.size,
		chromaLocation: picture.tags.color.chromaLocation,
		mode,
		...(parts.checksums ? { checksums: parts.checksums } : {}),
		seekShift: reordered && probed.container === 'matroska' ? REORDER_SHIFT : ZERO,
	};
	const headChecksums = (parts.head?.frames ?? []).map((frame) => frame.checksum ?? 0);
	return { info, plan, ticks: index.ticks, headChecksums };
}

/** Containers that only notice at the end that they were cut. */
function endedEarly({ log, index }: Parts): { readable: number; promised: number } | undefined {
	if (!log.some((line) => /ended prematurely|partial file|packet corrupt/i.test(line))) return undefined;
	return { readable: index.frames.length, promised: index.frames.length };
}
