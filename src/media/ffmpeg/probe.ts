/**
 * Probing: streams, packet index, and a look at the first decoded frames, joined into what the program knows about a file.
 * Packets give the index at the cost of reading the file once; where they do not tell every frame's time, or the decoder's
 * first frames disagree, the film is decoded once instead.
 */

import type { OnProgress } from '../../contracts/frames.ts';
import type { AudioTrackInfo, IndexedFrame, SourceInfo } from '../../contracts/media.ts';
import type { FieldOrder, PixelFormat, Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import {
	add,
	compare,
	div,
	fromTicks,
	mul,
	ONE,
	rational,
	type Rational,
	sub,
	toNumber,
	ZERO,
} from '../../core/rational.ts';
import { fingerprintBlob } from '../fingerprint.ts';
import { sharedMemoryAvailable } from './core/rings.ts';
import { probePackets, type ProbedFile, type ProbedStream, probeStreams, reasonInLog } from './ffprobe.ts';
import { buildIndex, type FrameIndex, framesOfPackets, type PacketLine, type TimedFrame } from './frame-index.ts';
import { noticesOf } from './notices.ts';
import { type RawFormat, rawFormat } from './pixel-formats.ts';
import { type DecodePlan, type IndexMode, REORDER_SHIFT } from './plan.ts';
import { parseTagText, type ShownFrame } from './showinfo.ts';
import { survey, type Survey } from './survey.ts';
import { fieldOrder, resolveTags, type ResolvedTags } from './tags.ts';

/** Frames decoded to compare the packet index with. */
const HEAD_FRAMES = 12;
/** Codecs whose packets do not all give a picture (hidden reference frames, packed B-frames). */
const HIDDEN_FRAMES = new Set(['vp8', 'mpeg4', 'msmpeg4v3', 'msmpeg4v2', 'rv40']);
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
}

/**
 * Probes a film file.
 * @throws EmulsionError `input-unreadable`, `input-no-video`, `input-encrypted`, `unsupported-format`, `aborted`.
 */
export async function probeFile(file: File, onProgress: OnProgress, signal: AbortSignal): Promise<Probed> {
	if (file.size === 0)
		throw new EmulsionError('input-unreadable', `${file.name} is empty (0 bytes). Copy it again from where it came.`);
	onProgress({ phase: 'probe', done: 0, total: 3 });
	const [probed, fingerprint] = await Promise.all([probeStreams(file, signal), fingerprintBlob(file)]);
	const video = chooseVideo(probed, file.name);
	const base = basePlan(file, probed, video);
	onProgress({ phase: 'probe', done: 1, total: 3 });
	const decodes = !DEMUX_ONLY.has(video.codec ?? '');
	// One after the other: each run is a worker of its own, and two at once only take memory.
	const { packets, log } = await probePackets(file, video.index, signal);
	onProgress({ phase: 'probe', done: 2, total: 3 });
	const head = decodes ? await survey(base, HEAD_FRAMES, signal) : undefined;
	if (head) assertDecodes(head, video, packets, file.name);
	const found = await indexFrames({ base, video, packets, head, onProgress, signal });
	return assemble({ file, fingerprint, probed, video, base, packets, head, log: [...probed.log, ...log], ...found });
}

function chooseVideo(probed: ProbedFile, name: string): ProbedStream {
	const videos = probed.streams.filter((stream) => stream.type === 'video' && !stream.attachedPicture);
	const video = videos[0];
	if (!video) {
		const audio = probed.streams.find((stream) => stream.type === 'audio');
		throw new EmulsionError(
			'input-no-video',
			audio
				? `${name} holds only sound (${audio.codec ?? 'unknown codec'}). Open a file with a picture track.`
				: `${name} holds no picture track. Open a film file.`,
		);
	}
	if (/^(enc.|drm.)$/.test(video.codecTag ?? '') || probed.log.some((line) => /encrypted|decryption key/i.test(line)))
		throw encrypted(name);
	if (video.codec === undefined)
		throw new EmulsionError(
			'unsupported-format',
			`${name}: the picture's codec (${video.codecTag ?? 'untagged'}) is not known. Convert it to ProRes, FFV1 or H.264 first.`,
		);
	return video;
}

function encrypted(name: string): EmulsionError {
	return new EmulsionError(
		'input-encrypted',
		`${name} is encrypted. Export an unprotected copy where you have the key, and open that.`,
	);
}

function basePlan(
	blob: Blob,
	probed: ProbedFile,
	video: ProbedStream,
): Pick<DecodePlan, 'blob' | 'stream' | 'mode' | 'countRate' | 'discardCorrupt' | 'seekShift'> {
	return {
		blob,
		stream: video.index,
		mode: 'packets',
		countRate: video.realRate ?? video.averageRate ?? rational(25),
		discardCorrupt: !/^(mpegts|mpeg|rtp|dv|h264|hevc|mpegvideo)/.test(probed.container),
		seekShift: ZERO,
	};
}

function assertDecodes(head: Survey, video: ProbedStream, packets: readonly PacketLine[], name: string): void {
	if (head.frames.length > 0) return;
	const log = head.log.join('\n');
	if (/encrypted|decryption/i.test(log)) throw encrypted(name);
	if (packets.length === 0)
		throw new EmulsionError(
			'input-no-video',
			`${name}: the picture track (${video.codec ?? ''}) holds no frames. The recording was probably never finished; find a whole copy.`,
		);
	if (/Decoder .* not found|no decoder/i.test(log))
		throw new EmulsionError(
			'unsupported-format',
			`${name}: there is no decoder for ${video.codec ?? 'its codec'}. Convert it to ProRes, FFV1 or H.264 first.`,
		);
	throw new EmulsionError(
		'input-unreadable',
		`${name}: none of the first frames could be decoded (${video.codec ?? ''}: ${reasonInLog(head.log)}). The file is damaged or protected.`,
	);
}

interface Indexing {
	readonly base: Pick<DecodePlan, 'blob' | 'stream' | 'mode' | 'countRate' | 'discardCorrupt' | 'seekShift'>;
	readonly video: ProbedStream;
	readonly packets: readonly PacketLine[];
	readonly head: Survey | undefined;
	readonly onProgress: OnProgress;
	readonly signal: AbortSignal;
}

interface Indexed {
	readonly index: FrameIndex;
	readonly mode: IndexMode;
	readonly timebase: Rational;
	readonly truncated: { readable: number; promised: number } | undefined;
}

/** Nominal rates worth trying, most trusted first: a wildly high `r_frame_rate` is the timebase, not a rate. */
function rateCandidates(video: ProbedStream): Rational[] {
	const { realRate: real, averageRate: average } = video;
	const plausible = real && (!average || toNumber(real) <= 4 * toNumber(average)) ? [real] : [];
	return [...plausible, ...(average ? [average] : [])];
}

async function indexFrames({ base, video, packets, head, onProgress, signal }: Indexing): Promise<Indexed> {
	const listed = HIDDEN_FRAMES.has(video.codec ?? '') ? undefined : framesOfPackets(packets);
	if (listed && (!head || agrees(listed, head.frames))) {
		const truncated = truncation(video, packets, listed.length);
		const index = buildIndex(listed, video.timebase, rateCandidates(video));
		return {
			index: truncated ? extend(index, truncated.promised, video.timebase) : index,
			mode: 'packets',
			timebase: video.timebase,
			truncated,
		};
	}
	const progress = (done: number): void => {
		if (done % 64 === 0) onProgress({ phase: 'index', done, total: Math.max(packets.length, done) });
	};
	const all = await survey(base, undefined, signal, progress);
	const timed = timedFrames(all.frames);
	if (timed)
		return {
			index: buildIndex(timed, all.timebase ?? video.timebase, rateCandidates(video)),
			mode: 'decoded',
			timebase: all.timebase ?? video.timebase,
			truncated: undefined,
		};
	const timebase = div(ONE, base.countRate);
	const counted = all.frames.map((frame, ticks) => ({ ticks, duration: 1, keyframe: frame.keyframe }));
	return { index: buildIndex(counted, timebase, [base.countRate]), mode: 'counted', timebase, truncated: undefined };
}

function timedFrames(shown: readonly ShownFrame[]): TimedFrame[] | undefined {
	const timed: TimedFrame[] = [];
	for (const frame of shown) {
		if (frame.ticks === undefined) return undefined;
		timed.push({ ticks: frame.ticks, duration: 0, keyframe: frame.keyframe });
	}
	return timed;
}

function agrees(listed: readonly TimedFrame[], shown: readonly ShownFrame[]): boolean {
	return (
		shown.length === Math.min(listed.length, HEAD_FRAMES) && shown.every((frame, i) => frame.ticks === listed[i]?.ticks)
	);
}

/** A MOV header counts its samples: fewer packets than that, without an edit list to explain it, is a cut file. */
function truncation(
	video: ProbedStream,
	packets: readonly PacketLine[],
	readable: number,
): { readable: number; promised: number } | undefined {
	const promised = video.frameCount ?? 0;
	if (promised <= packets.length || packets.some((packet) => packet.discard)) return undefined;
	return { readable, promised: readable + promised - packets.length };
}

/** The index with frames that the header promises and the file lacks, at the nominal rate: asking for them is an error that names the frame. */
function extend(index: FrameIndex, promised: number, timebase: Rational): FrameIndex {
	const last = index.frames[index.frames.length - 1];
	if (!last) return index;
	const step = Math.max(1, Math.round(toNumber(div(div(ONE, index.rate), timebase))));
	const frames: IndexedFrame[] = [...index.frames];
	const ticks = [...index.ticks];
	for (let tick = (ticks[ticks.length - 1] ?? 0) + step; frames.length < promised; tick += step) {
		frames.push({ pts: fromTicks(tick, timebase), duration: fromTicks(step, timebase), keyframe: false });
		ticks.push(tick);
	}
	return { ...index, frames, ticks };
}

function audioTracks(probed: ProbedFile): AudioTrackInfo[] {
	return probed.streams
		.filter((stream) => stream.type === 'audio')
		.map((stream) => {
			// Matroska starts the clock at the priming samples, which the decoder then drops; MOV's edit list has done so already.
			const primed = probed.container === 'matroska' && stream.sampleRate > 0;
			const start = add(stream.start ?? ZERO, primed ? rational(stream.initialPadding, stream.sampleRate) : ZERO);
			return {
				stream: stream.index,
				codec: stream.codec ?? 'unknown',
				sampleRate: stream.sampleRate,
				channels: stream.channels,
				...(stream.language === undefined || stream.language === 'und' ? {} : { language: stream.language }),
				start,
				...(stream.duration === undefined ? {} : { duration: stream.duration }),
			};
		});
}

interface Parts extends Indexed {
	readonly file: File;
	readonly fingerprint: string;
	readonly probed: ProbedFile;
	readonly video: ProbedStream;
	readonly base: Pick<DecodePlan, 'blob' | 'stream' | 'mode' | 'countRate' | 'discardCorrupt' | 'seekShift'>;
	readonly packets: readonly PacketLine[];
	readonly head: Survey | undefined;
	readonly log: readonly string[];
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
	if (!raw)
		throw new EmulsionError(
			'unsupported-format',
			`${file.name}: pixel format ${pixFmt} cannot be held as planes. Convert it to RGB (48 bit) first.`,
		);
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

function rightAngle(rotation: number): 0 | 90 | 180 | 270 {
	return ((Math.round(rotation / 90) * 90) % 360) as 0 | 90 | 180 | 270;
}

function assemble(parts: Parts): Probed {
	const { file, probed, video, index, packets, mode, timebase, base } = parts;
	if (index.frames.length === 0)
		throw new EmulsionError(
			'input-no-video',
			`${file.name}: the picture track (${video.codec ?? ''}) holds no frames. Find a whole copy.`,
		);
	const picture = pictureOf(parts);
	const audio = audioTracks(probed);
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
		seekShift: reordered && probed.container === 'matroska' ? REORDER_SHIFT : ZERO,
	};
	return { info, plan, ticks: index.ticks };
}

/** Containers that only notice at the end that they were cut. */
function endedEarly({ log, index }: Parts): { readable: number; promised: number } | undefined {
	if (!log.some((line) => /ended prematurely|partial file|truncat/i.test(line))) return undefined;
	return { readable: index.frames.length, promised: index.frames.length };
}

/** Format of a probed picture, for engines that must match it. */
export function samePlanes(info: SourceInfo, format: PixelFormat): boolean {
	return (
		info.format.chroma === format.chroma && info.format.depth === format.depth && info.format.alpha === format.alpha
	);
}

/** Sum of an index's durations in seconds. */
export function indexDuration(info: SourceInfo): Rational {
	const first = info.frames[0];
	const last = info.frames[info.frames.length - 1];
	if (!first || !last || compare(last.pts, first.pts) < 0) return ZERO;
	return add(sub(last.pts, first.pts), mul(last.duration, ONE));
}
