/** Decodes audio, stretches it where asked, and writes PCM or encodes it once (AAC, Opus), to the sample. */

import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { ONE, type Rational, div, equal, mul, rational, round, sub, toNumber } from '../../core/rational.ts';
import type { AudioRequest, AudioResult, AudioTrackInfo } from '../../contracts/media.ts';
import { type AudioTrackHeader, type PacketEntry, packetFile, toBase64 } from '../mux/packets.ts';
import { toSampleTime } from './copy.ts';
import type { AudioPlan } from './plan.ts';
import { MatroskaCollector, type Report, runAudio } from './run.ts';
import { SoundSpool, spooled } from './spool.ts';

/** Samples a line of the report: about a second. */
const REPORT_SAMPLES = 48000;
const AAC_FRAME = 1024;
const OPUS_FRAME = 960;
/** AAC bits a second and channel; FFmpeg's own encoder needs that much to be transparent. */
const AAC_BITS = 128_000;
const OPUS_BITS = 96_000;

/** `atempo` takes 0.5 to 100: slower speeds are chained. */
function tempoFilters(tempo: number): string[] {
	const filters: string[] = [];
	let rest = tempo;
	while (rest < 0.5) {
		filters.push('atempo=0.5');
		rest /= 0.5;
	}
	return [...filters, `atempo=${rest.toFixed(9)}`];
}

const SOUND = '[sound]';
const SPAN = '[span]';

/**
 * Filters from decoded samples to what is written ({@link SOUND}): gaps filled, cut to the range on the source's clock, stretched;
 * and to what is reported of them ({@link SPAN}): where the cut samples lie.
 */
function filters(track: AudioTrackInfo, request: AudioRequest, rate: number): string {
	const own = rational(track.sampleRate);
	const from = round(mul(request.from, own));
	const to = round(mul(request.to, own));
	const cut = ['aresample=async=1:min_hard_comp=0.02', `atrim=start_pts=${from}:end_pts=${to}`, 'asplit'];
	const chain = ['anull', ...stretchFilters(request, track.sampleRate)];
	if (rate !== track.sampleRate) chain.push(`aresample=${rate}`);
	// Stretching swallows the last few milliseconds; silence takes their place, cut to length by the caller.
	if (!equal(request.stretch, ONE)) chain.push(`apad=pad_len=${Math.round(rate / 5)}`);
	return [
		`[0:${track.stream}]${cut.join(',')}[a][b]`,
		`[a]${chain.join(',')}${SOUND}`,
		// Converted here: what the report takes must not choose the format that both halves are cut in.
		`[b]aresample=osf=u8,asetnsamples=n=${REPORT_SAMPLES}:p=0${SPAN}`,
	].join(';');
}

function stretchFilters(request: AudioRequest, rate: number): string[] {
	if (equal(request.stretch, ONE)) return [];
	const speed = toNumber(div(ONE, request.stretch));
	// The start on the output's clock is computed from the report of the unstretched samples.
	const restart = `asetpts=N/SR/TB`;
	if (request.stretchMode === 'keep-pitch') return [restart, ...tempoFilters(speed)];
	return [restart, `asetrate=${Math.round(rate * speed)}`, `aresample=${rate}`];
}

/** First sample and number of samples that decoding gave within the range, on the source's clock. */
interface Decoded {
	readonly start: number;
	readonly count: number;
}

function decodedSpan(report: Report, rate: number): Decoded | undefined {
	const first = report.packets[0];
	const last = report.packets[report.packets.length - 1];
	if (!first || !last) return undefined;
	const scale = mul(report.timebase, rational(rate));
	const at = (ticks: number): number => round(mul(rational(ticks), scale));
	const start = at(first.pts);
	return { start, count: at(last.pts + last.duration) - start };
}

interface Written {
	readonly packets: readonly PacketEntry[];
	readonly data: Blob;
	readonly config: Uint8Array;
	/** Encoder priming in output samples. */
	readonly delay: number;
}

/** PCM cut into packets of a tenth of a second. */
function pcmPackets(data: Blob, frameBytes: number, rate: number, most: number): Written {
	const total = Math.min(most, Math.floor(data.size / frameBytes));
	const step = Math.max(1, Math.round(rate / 10));
	const packets: PacketEntry[] = [];
	for (let time = 0; time < total; time += step) {
		const duration = Math.min(step, total - time);
		packets.push({ time, duration, bytes: duration * frameBytes, key: true });
	}
	return { packets, data: data.slice(0, total * frameBytes), config: new Uint8Array(), delay: 0 };
}

function encodedPackets(collector: MatroskaCollector, data: Blob, plan: AudioPlan & { kind: 'encode' }): Written {
	const { config } = collector;
	const frame = plan.codec === 'aac' ? AAC_FRAME : OPUS_FRAME;
	const delay = plan.codec === 'aac' ? AAC_FRAME : (config[10] ?? 0) | ((config[11] ?? 0) << 8);
	const packets = collector.sizes.map((bytes, i) => ({ time: i * frame, duration: frame, bytes, key: true }));
	return { packets, data, config, delay };
}

function outputArguments(plan: AudioPlan, channels: number): string[] {
	if (plan.kind === 'pcm') return ['-c:a', plan.codec, '-f', plan.codec.slice(4)];
	if (plan.kind !== 'encode') throw new EmulsionError('internal', `audio: ${plan.kind} is no transcode`);
	const bits = (plan.codec === 'aac' ? AAC_BITS : OPUS_BITS) * channels;
	const codec = plan.codec === 'aac' ? 'aac' : 'libopus';
	return [
		...['-c:a', codec, '-b:a', String(bits), '-flags:a', '+bitexact', '-fflags', '+bitexact'],
		...['-map_metadata', '-1', '-f', 'matroska'],
	];
}

/**
 * Makes PCM or encoded audio of a range. Undefined where nothing of the track lies in it.
 * @throws EmulsionError `input-unreadable`, `aborted`.
 */
export async function transcodeAudio(
	file: File,
	track: AudioTrackInfo,
	request: AudioRequest,
	plan: AudioPlan & { kind: 'pcm' | 'encode' },
	signal: AbortSignal,
): Promise<AudioResult | undefined> {
	const rate = plan.kind === 'encode' ? plan.sampleRate : track.sampleRate;
	const raw = new SoundSpool();
	const packed = new MatroskaCollector();
	const spool = plan.kind === 'pcm' ? raw : packed.bytes;
	return spooled(spool, async () => {
		const report = await runAudio(
			file,
			request,
			['-filter_complex', filters(track, request, rate)],
			['-map', SOUND, ...outputArguments(plan, track.channels)],
			// The smallest samples: only their times are looked at.
			['-map', SPAN, '-c:a', 'pcm_u8'],
			plan.kind === 'pcm' ? raw : packed,
			signal,
		);
		if (packed.error !== undefined) throw toEmulsionError(packed.error);
		const span = decodedSpan(report, track.sampleRate);
		if (!span || span.count <= 0) return undefined;
		const seconds = mul(rational(span.count, track.sampleRate), request.stretch);
		const presented = round(mul(seconds, rational(rate)));
		const { blob, ...kept } = await spool.finish();
		const written =
			plan.kind === 'encode'
				? encodedPackets(packed, blob, plan)
				: pcmPackets(blob, pcmFrameBytes(plan.codec, track.channels), rate, presented);
		return { ...result(track, request, plan, rate, span, presented, written), ...kept };
	});
}

function pcmFrameBytes(codec: string, channels: number): number {
	return (Number(/\d+/.exec(codec)?.[0] ?? 16) / 8) * channels;
}

function result(
	track: AudioTrackInfo,
	request: AudioRequest,
	plan: AudioPlan & { kind: 'pcm' | 'encode' },
	rate: number,
	span: Decoded,
	wanted: number,
	written: Written,
): AudioResult {
	const last = written.packets[written.packets.length - 1];
	const coded = last ? last.time + last.duration - written.delay : 0;
	const presented = Math.min(wanted, coded);
	const codec = plan.codec;
	const header: AudioTrackHeader = {
		kind: 'audio',
		codec,
		config: toBase64(written.config),
		sampleRate: rate,
		channels: track.channels,
		timescale: rate,
		skip: written.delay,
		presented,
		delay: codec === 'opus' ? written.delay : 0,
	};
	const late: Rational = sub(rational(span.start, track.sampleRate), toSampleTime(request.picture, track.sampleRate));
	return {
		file: packetFile(header, written.packets, [written.data]),
		codec,
		copied: plan.kind === 'pcm' && plan.exact,
		offset: mul(late, request.stretch),
		duration: rational(presented, rate),
		sampleRate: rate,
	};
}
