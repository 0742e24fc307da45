/** Copies audio packets, cut to a range: the first presented sample is exact, whatever packet it lies in. */

import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { type Rational, add, compare, rational, round, mul, sub, toNumber } from '../../core/rational.ts';
import type { AudioRequest, AudioResult, AudioTrackInfo } from '../../contracts/media.ts';
import { type AudioTrackHeader, type PacketEntry, packetFile, toBase64 } from '../mux/packets.ts';
import { AdtsCollector } from './adts.ts';
import { MatroskaCollector, type PacketCollector, type Report, runAudio } from './run.ts';
import { spooled } from './spool.ts';

/** Packets decoded before the first that is heard, so that it decodes to the same samples. */
const PREROLL: Readonly<Record<string, number>> = { aac: 1, vorbis: 1, ac3: 1, eac3: 1, mp3: 2, opus: 4 };
/** Samples a packet of codecs whose packets are all alike. */
const FRAME_SIZES: Readonly<Record<string, readonly number[]>> = {
	aac: [1024, 2048, 960, 1920],
	mp3: [1152, 576],
	ac3: [1536],
	eac3: [1536, 768, 512, 256],
};

/** A packet's place on the source's clock, in samples. */
interface Timed {
	readonly start: number;
	readonly duration: number;
}

function toSamples(ticks: number, timebase: Rational, rate: number): number {
	return round(mul(rational(ticks), mul(timebase, rational(rate))));
}

/**
 * Sample-exact times: as reported where the clock counts samples; counted from packet sizes where the container's clock
 * is coarser (Matroska's milliseconds) and the codec's packets are all alike.
 */
export function packetTimes(report: Report, codec: string, rate: number): Timed[] {
	const { packets, timebase } = report;
	const reported = packets.map((p) => ({
		start: toSamples(p.pts, timebase, rate),
		duration: toSamples(p.duration, timebase, rate),
	}));
	const coarse = toNumber(timebase) > 1.5 / rate;
	const sizes = FRAME_SIZES[codec];
	if (!coarse || !sizes) {
		return reported.map((p, i) => ({
			start: p.start,
			duration: p.duration > 0 ? p.duration : (reported[i + 1]?.start ?? p.start + 1) - p.start,
		}));
	}
	const first = reported[0]?.start ?? 0;
	// The median step, so that a gap does not count.
	const steps = reported.slice(1).map((p, i) => p.start - (reported[i]?.start ?? 0));
	const usual = steps.sort((a, b) => a - b)[steps.length >> 1] ?? sizes[0] ?? 1024;
	const size = sizes.reduce((best, s) => (Math.abs(s - usual) < Math.abs(best - usual) ? s : best));
	let next = first;
	return reported.map((p) => {
		// A jump of more than half a packet is a gap in the source, not rounding.
		const start = Math.abs(p.start - next) > size / 2 ? p.start : next;
		next = start + size;
		return { start, duration: size };
	});
}

/** What is heard of a track within a request, in samples of the source's clock. */
export function heardRange(track: AudioTrackInfo, request: AudioRequest, end: number): { from: number; to: number } {
	const rate = rational(track.sampleRate);
	const latest = (a: Rational, b: Rational): Rational => (compare(a, b) > 0 ? a : b);
	const from = round(mul(latest(track.start, request.from), rate));
	const own = track.duration && round(mul(add(track.start, track.duration), rate));
	// A stated duration may be rounded; packets that end within a tick of it are whole.
	const last = own !== undefined && own < end ? own : end;
	return { from, to: Math.min(last, round(mul(request.to, rate))) };
}

function opusPreSkip(config: Uint8Array): number {
	return config.length >= 12 ? (config[10] ?? 0) | ((config[11] ?? 0) << 8) : 0;
}

/** Containers that keep a decoder's data with the stream; AAC of others comes as ADTS. */
const WITH_CONFIG = ['mov', 'matroska', 'flv'];

/**
 * Copies a track's packets. Undefined where nothing of it lies in the range.
 * @throws EmulsionError `input-unreadable`, `aborted`.
 */
export async function copyAudio(
	file: File,
	container: string,
	track: AudioTrackInfo,
	request: AudioRequest,
	signal: AbortSignal,
): Promise<AudioResult | undefined> {
	const isAdts = track.codec === 'aac' && !WITH_CONFIG.includes(container);
	const collector: PacketCollector = isAdts ? new AdtsCollector() : new MatroskaCollector();
	const select = ['-map', `0:${track.stream}`, '-c', 'copy', '-copypriorss', '1'];
	return spooled(collector.bytes, async () => {
		const report = await runAudio(
			file,
			request,
			[],
			[...select, '-map_metadata', '-1', '-fflags', '+bitexact', '-f', isAdts ? 'adts' : 'matroska'],
			select,
			collector,
			signal,
		);
		if (collector.error !== undefined) throw toEmulsionError(collector.error);
		if (collector.sizes.length !== report.packets.length) {
			throw new EmulsionError(
				'internal',
				`audio: ${collector.sizes.length} packets came, ${report.packets.length} were reported`,
			);
		}
		return cut(collector, packetTimes(report, track.codec, track.sampleRate), track, request);
	});
}

async function cut(
	collector: PacketCollector,
	times: readonly Timed[],
	track: AudioTrackInfo,
	request: AudioRequest,
): Promise<AudioResult | undefined> {
	const lastTime = times[times.length - 1];
	if (!lastTime) return undefined;
	const heard = heardRange(track, request, lastTime.start + lastTime.duration);
	const reaches = times.findIndex((t) => t.start + t.duration > heard.from);
	if (reaches < 0) return undefined;
	const first = Math.max(0, reaches - (PREROLL[track.codec] ?? 0));
	const after = times.findIndex((t) => t.start >= heard.to);
	const end = after < 0 ? times.length : after;
	const base = times[first]?.start ?? 0;
	const preSkip = track.codec === 'opus' ? opusPreSkip(collector.config) : 0;
	// What an Opus stream begins with is never sound, whatever the container says of it.
	const from = Math.max(heard.from, (times[0]?.start ?? 0) + preSkip, base);
	if (heard.to <= from) return undefined;
	const packets: PacketEntry[] = [];
	for (let i = first; i < end; i++) {
		const { start, duration } = times[i] ?? { start: 0, duration: 0 };
		packets.push({ time: start - base, duration, bytes: collector.sizes[i] ?? 0, key: true });
	}
	const sum = (to: number): number => collector.sizes.slice(0, to).reduce((a, b) => a + b, 0);
	const { blob, ...kept } = await collector.bytes.finish();
	const header: AudioTrackHeader = {
		kind: 'audio',
		codec: track.codec,
		config: toBase64(collector.config),
		sampleRate: track.sampleRate,
		channels: track.channels,
		timescale: track.sampleRate,
		skip: from - base,
		presented: heard.to - from,
		delay: preSkip,
	};
	return {
		file: packetFile(header, packets, [blob.slice(sum(first), sum(end))]),
		...kept,
		codec: track.codec,
		copied: true,
		offset: sub(rational(from, track.sampleRate), toSampleTime(request.picture, track.sampleRate)),
		duration: rational(header.presented, track.sampleRate),
		sampleRate: track.sampleRate,
	};
}

/** A time rounded to samples, so that offsets are whole samples. */
export function toSampleTime(time: Rational, rate: number): Rational {
	return rational(round(mul(time, rational(rate))), rate);
}
