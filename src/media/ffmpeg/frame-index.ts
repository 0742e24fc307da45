/** The packet index: every presented frame with exact time, from packets or from a decoding pass. Pure. */

import type { IndexedFrame } from '../../contracts/media.ts';
import { div, fromTicks, mul, type Rational, rational, toNumber } from '../../core/rational.ts';

/** One packet as ffprobe lists it; undefined where the container does not say. Ticks of the stream's timebase. */
export interface PacketLine {
	readonly pts: number | undefined;
	readonly dts: number | undefined;
	readonly duration: number | undefined;
	readonly size: number;
	readonly pos: number | undefined;
	readonly keyframe: boolean;
	/** Not presented: outside of the edit list. */
	readonly discard: boolean;
}

/** Entries to ask from ffprobe for {@link parsePackets}. */
export const PACKET_ENTRIES = 'packet=pts,dts,duration,size,pos,flags';

/** Parses ffprobe's `compact=p=0:nk=1` output of {@link PACKET_ENTRIES}. */
export function parsePackets(text: string): PacketLine[] {
	const packets: PacketLine[] = [];
	for (const line of text.split('\n')) {
		const cells = line.split('|');
		if (cells.length < 6) continue;
		const int = (cell: string | undefined): number | undefined =>
			cell !== undefined && /^-?\d+$/.test(cell) ? Number(cell) : undefined;
		const flags = cells[5] ?? '';
		packets.push({
			pts: int(cells[0]),
			dts: int(cells[1]),
			duration: int(cells[2]),
			size: int(cells[3]) ?? 0,
			pos: int(cells[4]),
			keyframe: flags.includes('K'),
			discard: flags.includes('D'),
		});
	}
	return packets;
}

/** A frame before its duration is known. */
export interface TimedFrame {
	readonly ticks: number;
	/** From the packet, 0 where missing. */
	readonly duration: number;
	readonly keyframe: boolean;
}

/**
 * Presented frames of a packet list in presentation order, or undefined where packets alone do not tell: missing or
 * repeated timestamps, empty packets. (Whether each packet gives a picture is checked against the decoder.)
 */
export function framesOfPackets(packets: readonly PacketLine[]): TimedFrame[] | undefined {
	const frames: TimedFrame[] = [];
	for (const packet of packets) {
		if (packet.discard) continue;
		if (packet.pts === undefined || packet.size === 0) return undefined;
		frames.push({ ticks: packet.pts, duration: packet.duration ?? 0, keyframe: packet.keyframe });
	}
	frames.sort((a, b) => a.ticks - b.ticks);
	for (let i = 1; i < frames.length; i++) if (frames[i]!.ticks === frames[i - 1]!.ticks) return undefined;
	return frames;
}

/** The index with what was found out about its clock. */
export interface FrameIndex {
	readonly frames: readonly IndexedFrame[];
	/** PTS of each frame in ticks, strictly increasing. */
	readonly ticks: readonly number[];
	readonly rate: Rational;
	readonly constantRate: boolean;
	/** Frames left out because an earlier one has the same time. */
	readonly duplicates: number;
	/** Shortest and longest duration in seconds (the last frame left out). */
	readonly shortest: number;
	readonly longest: number;
}

function uniqueByTime(frames: readonly TimedFrame[]): TimedFrame[] {
	const sorted = [...frames].sort((a, b) => a.ticks - b.ticks);
	return sorted.filter((frame, i) => i === 0 || frame.ticks !== sorted[i - 1]!.ticks);
}

/**
 * True when every frame lies within a tick of a constant rate that starts with the first: containers round. Where a tick is
 * nearly a frame, nothing is rounded, and a tick is a dropped frame.
 */
function fitsRate(ticks: readonly number[], timebase: Rational, rate: Rational): boolean {
	const first = ticks[0] ?? 0;
	const ticksPerFrame = toNumber(div(div({ num: 1, den: 1 }, rate), timebase));
	const tolerance = Math.min(1, ticksPerFrame / 8) + 1e-6;
	return ticks.every((tick, i) => Math.abs(tick - first - i * ticksPerFrame) <= tolerance);
}

/** Mean rate of the index in frames a second, exact. */
function measuredRate(ticks: readonly number[], timebase: Rational, fallback: Rational): Rational {
	const first = ticks[0];
	const last = ticks[ticks.length - 1];
	if (first === undefined || last === undefined || last === first) return fallback;
	return div(rational(ticks.length - 1), fromTicks(last - first, timebase));
}

/**
 * Builds the index. A frame lasts until the next one; the last one as long as its packet says, else as long as the frame
 * before, else one nominal frame.
 * @param candidates nominal rates, most trusted first; the first that every timestamp fits is the constant rate.
 */
export function buildIndex(
	timed: readonly TimedFrame[],
	timebase: Rational,
	candidates: readonly Rational[],
): FrameIndex {
	const unique = uniqueByTime(timed);
	const ticks = unique.map((frame) => frame.ticks);
	const fallback = candidates[0] ?? rational(25);
	const measured = measuredRate(ticks, timebase, fallback);
	const constant = [...candidates, measured].find((rate) => fitsRate(ticks, timebase, rate));
	const nominalTicks = Math.max(1, Math.round(toNumber(div(div({ num: 1, den: 1 }, constant ?? measured), timebase))));
	const durations = unique.map((frame, i) => {
		const next = ticks[i + 1];
		if (next !== undefined) return next - frame.ticks;
		const before = i > 0 ? frame.ticks - ticks[i - 1]! : nominalTicks;
		return frame.duration > 0 ? frame.duration : before;
	});
	const inner = durations.length > 1 ? durations.slice(0, -1) : durations;
	const seconds = (count: number): number => toNumber(mul(rational(count), timebase));
	return {
		frames: unique.map((frame, i) => ({
			pts: fromTicks(frame.ticks, timebase),
			duration: fromTicks(durations[i]!, timebase),
			keyframe: frame.keyframe,
		})),
		ticks,
		rate: constant ?? measured,
		constantRate: constant !== undefined,
		duplicates: timed.length - unique.length,
		shortest: seconds(inner.reduce((a, b) => Math.min(a, b), Infinity)),
		longest: seconds(inner.reduce((a, b) => Math.max(a, b), 0)),
	};
}

/** Index of the frame from which decoding has to start to reach `index`: the nearest keyframe at or before it, 0 where there is none. */
export function keyframeBefore(frames: readonly IndexedFrame[], index: number): number {
	for (let i = Math.min(index, frames.length - 1); i > 0; i--) if (frames[i]!.keyframe) return i;
	return 0;
}
