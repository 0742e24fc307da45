/** Runs ffprobe on a file and gives typed data. Everything it prints is validated: absent fields are undefined. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { mul, type Rational, rational } from '../../core/rational.ts';
import { type CoreResult, runCore } from './core/core.ts';
import { lookAtMov } from './mov-boxes.ts';
import { PACKET_ENTRIES, type PacketLine, parsePackets } from './frame-index.ts';

/** Where the file is seen by ffmpeg. No extension: the content decides, not the name. */
export const SOURCE_PATH = '/in/source';
const REPORT = '/dev/report/out';

/** A stream as ffprobe describes it. */
export interface ProbedStream {
	readonly index: number;
	readonly type: string;
	readonly codec: string | undefined;
	readonly codecTag: string | undefined;
	readonly profile: string | undefined;
	readonly width: number;
	readonly height: number;
	readonly pixFmt: string | undefined;
	readonly sampleAspect: Rational;
	readonly fieldOrder: string | undefined;
	readonly colorRange: string | undefined;
	readonly colorSpace: string | undefined;
	readonly colorPrimaries: string | undefined;
	readonly colorTransfer: string | undefined;
	readonly chromaLocation: string | undefined;
	readonly timebase: Rational;
	readonly realRate: Rational | undefined;
	readonly averageRate: Rational | undefined;
	/** First PTS in seconds. */
	readonly start: Rational | undefined;
	readonly duration: Rational | undefined;
	/** Frames that the header promises. */
	readonly frameCount: number | undefined;
	readonly sampleRate: number;
	readonly channels: number;
	readonly attachedPicture: boolean;
	readonly language: string | undefined;
	readonly timecode: string | undefined;
	/** Clockwise rotation in degrees as tagged, 0 … 359, not necessarily a right angle. */
	readonly rotation: number;
}

/** What a file holds. */
export interface ProbedFile {
	readonly container: string;
	readonly streams: readonly ProbedStream[];
	readonly timecode: string | undefined;
	/** Duration in the header, in seconds. */
	readonly duration: number | undefined;
	readonly log: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
	return typeof value === 'object' && value !== null ? (value as Json) : {};
}
function text(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' && value !== 'unknown' ? value : undefined;
}
function int(value: unknown): number | undefined {
	const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
	return Number.isSafeInteger(number) ? number : undefined;
}
function ratio(value: unknown): Rational | undefined {
	const match = /^(-?\d+)[/:](\d+)$/.exec(typeof value === 'string' ? value : '');
	const [num, den] = [Number(match?.[1]), Number(match?.[2])];
	return match && num > 0 && den > 0 ? rational(num, den) : undefined;
}

function rotationOf(stream: Json, tags: Json): number {
	const list = Array.isArray(stream['side_data_list']) ? stream['side_data_list'] : [];
	const matrix = list.map(object).find((side) => side['rotation'] !== undefined);
	// The display matrix turns counterclockwise, the old `rotate` tag clockwise.
	const clockwise = matrix ? -Number(matrix['rotation']) : Number(tags['rotate'] ?? 0);
	return Number.isFinite(clockwise) ? ((Math.round(clockwise) % 360) + 360) % 360 : 0;
}

function streamOf(value: unknown): ProbedStream {
	const stream = object(value);
	const tags = object(stream['tags']);
	const timebase = ratio(stream['time_base']) ?? rational(1, 1000);
	const start = int(stream['start_pts']);
	const duration = int(stream['duration_ts']);
	return {
		index: int(stream['index']) ?? 0,
		type: text(stream['codec_type']) ?? '',
		codec: text(stream['codec_name']),
		codecTag: text(stream['codec_tag_string']),
		profile: text(stream['profile']),
		width: int(stream['width']) ?? 0,
		height: int(stream['height']) ?? 0,
		pixFmt: text(stream['pix_fmt']),
		sampleAspect: ratio(stream['sample_aspect_ratio']) ?? rational(1),
		fieldOrder: text(stream['field_order']),
		colorRange: text(stream['color_range']),
		colorSpace: text(stream['color_space']),
		colorPrimaries: text(stream['color_primaries']),
		colorTransfer: text(stream['color_transfer']),
		chromaLocation: text(stream['chroma_location']),
		timebase,
		realRate: ratio(stream['r_frame_rate']),
		averageRate: ratio(stream['avg_frame_rate']),
		start: start === undefined ? undefined : mul(rational(start), timebase),
		duration: duration === undefined ? undefined : mul(rational(duration), timebase),
		frameCount: int(stream['nb_frames']),
		sampleRate: int(stream['sample_rate']) ?? 0,
		channels: int(stream['channels']) ?? 0,
		attachedPicture: object(stream['disposition'])['attached_pic'] === 1,
		language: text(tags['language']),
		timecode: text(tags['timecode']) ?? text(stream['timecode']),
		rotation: rotationOf(stream, tags),
	};
}

/** The last log line that says what went wrong, without ffmpeg's addresses and its own name of the file. */
export function reasonInLog(log: readonly string[]): string {
	const line = [...log]
		.reverse()
		.find((entry) => /error|invalid|failed|could not|no such|unsupported|not found/i.test(entry));
	return (line ?? log[log.length - 1] ?? 'no reason given')
		.replace(/ @ 0x[0-9a-f]+/g, '')
		.replaceAll(`${SOURCE_PATH}: `, '')
		.replaceAll(SOURCE_PATH, 'the file')
		.trim();
}

async function report(
	blob: Blob,
	args: readonly string[],
	signal: AbortSignal,
): Promise<{ text: string; result: CoreResult; log: string[] }> {
	const log: string[] = [];
	const result = await runCore(
		{
			tool: 'ffprobe',
			args: ['-hide_banner', '-v', 'warning', '-fflags', '+discardcorrupt', ...args, '-o', REPORT, '-i', SOURCE_PATH],
			inputs: [{ kind: 'blob', path: SOURCE_PATH, blob }],
			outputs: [{ kind: 'stream', path: REPORT }],
		},
		{ onLog: (line) => log.push(line) },
		signal,
	);
	return { text: await new Blob([...(result.chunks[REPORT] ?? [])]).text(), result, log };
}

/**
 * Streams and format of a file.
 * @throws EmulsionError `input-unreadable` with the file's name and ffprobe's reason when no demuxer takes it; `input-no-video`
 * for a Matroska header with nothing after it.
 */
export async function probeStreams(file: File, signal: AbortSignal): Promise<ProbedFile> {
	const { text: json, log } = await report(file, ['-show_streams', '-show_format', '-of', 'json'], signal);
	let root: Json;
	try {
		root = object(JSON.parse(json));
	} catch {
		root = {};
	}
	const format = object(root['format']);
	const name = text(format['format_name']);
	const streams = Array.isArray(root['streams']) ? root['streams'].map(streamOf) : [];
	if (name === undefined) throw await unreadable(file, log);
	const timecode =
		streams.map((stream) => stream.timecode).find((code) => code !== undefined) ??
		text(object(format['tags'])['timecode']);
	const duration = Number(format['duration']);
	return {
		container: name.split(',')[0] ?? name,
		streams,
		timecode,
		duration: Number.isFinite(duration) ? duration : undefined,
		log,
	};
}

async function unreadable(file: File, log: readonly string[]): Promise<EmulsionError> {
	const facts = await lookAtMov(file);
	if (facts.isMov && !facts.hasHeader) {
		return new EmulsionError('input-truncated', phrase('no-moov'), { frame: 0 });
	}
	if (await isBareMatroska(file)) {
		return new EmulsionError('input-no-video', phrase('bare-matroska', { name: file.name }));
	}
	return new EmulsionError('input-unreadable', phrase('not-a-film', { name: file.name, why: reasonInLog(log) }));
}

/** Bytes in which a Matroska file without frames ends: header, track list, tags. */
const BARE_BYTES = 1 << 20;

/** True for a small file with Matroska's magic number and no Cluster element (RFC 9559 §5.1.3), which is where frames are. */
async function isBareMatroska(file: File): Promise<boolean> {
	if (file.size < 4 || file.size > BARE_BYTES) return false;
	const bytes = new Uint8Array(await file.arrayBuffer());
	const has = (id: readonly number[], at: number): boolean => id.every((value, i) => bytes[at + i] === value);
	if (!has([0x1a, 0x45, 0xdf, 0xa3], 0)) return false;
	for (let at = 4; at + 4 <= bytes.length; at++) if (has([0x1f, 0x43, 0xb6, 0x75], at)) return false;
	return true;
}

/** All packets of a stream in file order. */
export async function probePackets(
	blob: Blob,
	stream: number,
	signal: AbortSignal,
): Promise<{ packets: PacketLine[]; log: readonly string[] }> {
	const args = ['-select_streams', String(stream), '-show_entries', PACKET_ENTRIES, '-of', 'compact=p=0:nk=1'];
	const { text: lines, log } = await report(blob, args, signal);
	return { packets: parsePackets(lines), log };
}
