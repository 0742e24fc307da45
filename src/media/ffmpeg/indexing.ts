/** From packets or a decoding pass to the frame index: decides which of them can be believed. */

import type { OnProgress } from '../../contracts/frames.ts';
import type { IndexedFrame } from '../../contracts/media.ts';
import {
	add,
	compare,
	div,
	fromTicks,
	mul,
	ONE,
	rational,
	type Rational,
	round,
	sub,
	toNumber,
} from '../../core/rational.ts';
import type { ProbedStream } from './ffprobe.ts';
import { buildIndex, type FrameIndex, framesOfPackets, type PacketLine, type TimedFrame } from './frame-index.ts';
import type { BasePlan, IndexMode } from './plan.ts';
import type { ShownFrame } from './showinfo.ts';
import { survey, type Survey } from './survey.ts';

/** Frames decoded to compare the packet index with. */
export const HEAD_FRAMES = 12;
/** Codecs whose packets do not all give a picture (hidden reference frames, packed B-frames). */
const HIDDEN_FRAMES = new Set(['vp8', 'mpeg4', 'msmpeg4v3', 'msmpeg4v2', 'rv40']);

/** What the index is made from. */
export interface Indexing {
	readonly container: string;
	readonly base: BasePlan;
	readonly video: ProbedStream;
	readonly packets: readonly PacketLine[];
	readonly head: Survey | undefined;
	readonly onProgress: OnProgress;
	readonly signal: AbortSignal;
}

/** The index, and how far it can be believed. */
export interface Indexed {
	readonly index: FrameIndex;
	readonly mode: IndexMode;
	readonly timebase: Rational;
	/** Adler-32 of each frame's planes, in `decoded` mode. */
	readonly checksums: Uint32Array | undefined;
	/** Where the file was cut short: frames that can be read, frames that its header promises. */
	readonly truncated: { readable: number; promised: number } | undefined;
}

/** Nominal rates worth trying, most trusted first: a wildly high `r_frame_rate` is the timebase, not a rate. */
function rateCandidates(video: ProbedStream): Rational[] {
	const { realRate: real, averageRate: average } = video;
	const plausible = real && (!average || toNumber(real) <= 4 * toNumber(average)) ? [real] : [];
	return [...plausible, ...(average ? [average] : [])];
}

/** Builds the index from packets where they suffice and the decoder agrees, else by decoding the film once. */
export async function indexFrames({
	container,
	base,
	video,
	packets,
	head,
	onProgress,
	signal,
}: Indexing): Promise<Indexed> {
	const listed = HIDDEN_FRAMES.has(video.codec ?? '') ? undefined : framesOfPackets(packets);
	if (listed && (!head || agrees(listed, head.frames))) {
		const truncated = truncation(video, packets, listed, container);
		const index = buildIndex(listed, video.timebase, rateCandidates(video));
		return {
			index: truncated ? extend(index, truncated.promised, video.timebase) : index,
			mode: 'packets',
			timebase: video.timebase,
			checksums: undefined,
			truncated,
		};
	}
	const progress = (done: number): void => {
		if (done % 64 === 0) onProgress({ phase: 'index', done, total: Math.max(packets.length, done) });
	};
	const all = await survey(base, undefined, signal, progress);
	const timebase = all.timebase ?? video.timebase;
	const timed = timedFrames(all.frames, packets);
	if (timed) {
		const index = buildIndex(timed, timebase, rateCandidates(video));
		return { index, mode: 'decoded', timebase, checksums: checksumsOf(index, all.frames), truncated: undefined };
	}
	const counted = all.frames.map((frame, ticks) => ({ ticks, duration: 1, keyframe: frame.keyframe }));
	const tick = div(ONE, base.countRate);
	const index = buildIndex(counted, tick, [base.countRate]);
	return { index, mode: 'counted', timebase: tick, checksums: undefined, truncated: undefined };
}

function timedFrames(shown: readonly ShownFrame[], packets: readonly PacketLine[]): TimedFrame[] | undefined {
	const durations = new Map(packets.map((packet) => [packet.pts, packet.duration ?? 0]));
	const timed: TimedFrame[] = [];
	for (const frame of shown) {
		if (frame.ticks === undefined) return undefined;
		timed.push({ ticks: frame.ticks, duration: durations.get(frame.ticks) ?? 0, keyframe: frame.keyframe });
	}
	return timed;
}

function checksumsOf(index: FrameIndex, shown: readonly ShownFrame[]): Uint32Array {
	const byTime = new Map<number | undefined, number>();
	for (const frame of shown) if (!byTime.has(frame.ticks)) byTime.set(frame.ticks, frame.checksum ?? 0);
	return Uint32Array.from(index.ticks, (ticks) => byTime.get(ticks) ?? 0);
}

function agrees(listed: readonly TimedFrame[], shown: readonly ShownFrame[]): boolean {
	return (
		shown.length === Math.min(listed.length, HEAD_FRAMES) && shown.every((frame, i) => frame.ticks === listed[i]?.ticks)
	);
}

/**
 * An AVI counts the places of its frames, and a place without bytes holds the frame before it for one more: fewer pictures than
 * places are no loss while they reach the end as closely as they follow each other.
 */
function repeatsTo(
	places: number,
	{ timebase, realRate, averageRate }: ProbedStream,
	listed: readonly TimedFrame[],
): boolean {
	const rate = realRate ?? averageRate;
	const [first, last] = [listed[0], listed[listed.length - 1]];
	if (!rate || !first || !last) return false;
	let longest = 0;
	for (let i = 1; i < listed.length; i++) longest = Math.max(longest, listed[i]!.ticks - listed[i - 1]!.ticks);
	const perTick = toNumber(mul(timebase, rate));
	return (last.ticks - first.ticks + longest) * perTick >= places - 0.5;
}

/** A header that promises more frames than can be read, without an edit list to explain it, belongs to a cut file. */
function truncation(
	video: ProbedStream,
	packets: readonly PacketLine[],
	listed: readonly TimedFrame[],
	container: string,
): Indexed['truncated'] {
	if (packets.some((packet) => packet.discard)) return undefined;
	const readable = listed.length;
	const promised = readable + (video.frameCount ?? 0) - packets.length;
	if (promised > readable && !(container === 'avi' && repeatsTo(promised, video, listed)))
		return { readable, promised };
	const first = listed[0];
	const last = listed[readable - 1];
	const rate = video.averageRate ?? video.realRate;
	if (container !== 'mxf' || !first || !last || !video.duration || !rate) return undefined;
	const end = mul(rational(last.ticks + last.duration - first.ticks), video.timebase);
	const missing = round(mul(sub(video.duration, end), rate));
	return compare(video.duration, add(end, div(ONE, rate))) >= 0
		? { readable, promised: readable + missing }
		: undefined;
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
