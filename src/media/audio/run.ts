/** Runs ffmpeg.wasm on a source's audio and collects what it writes. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, rational, toNumber } from '../../core/rational.ts';
import type { AudioRequest } from '../../contracts/media.ts';
import { runCore } from '../ffmpeg/core/core.ts';
import { MatroskaReader, type MatroskaTrack } from '../mux/matroska-read.ts';

const SOURCE = '/in/source';
const REPORT = '/out/report';
/** Device that holds samples or packets. */
export const OUTPUT = '/out/audio';
/** Seconds read before a range that starts late, and after its end. */
const MARGIN = 3;

/** A line of ffmpeg's `framecrc`: when a packet is. */
export interface ReportedPacket {
	readonly pts: number;
	readonly duration: number;
}

/** The report of one output. */
export interface Report {
	/** Seconds a tick. */
	readonly timebase: Rational;
	readonly packets: readonly ReportedPacket[];
}

/** Keeps bytes outside this thread's memory. */
export class BlobCollector {
	readonly #blobs: Blob[] = [];
	#pending: Uint8Array<ArrayBuffer>[] = [];
	#size = 0;

	/** Appends. */
	push(data: Uint8Array<ArrayBuffer>): void {
		this.#pending.push(data);
		this.#size += data.length;
		if (this.#size >= 4 << 20) this.#spill();
	}

	#spill(): void {
		this.#blobs.push(new Blob(this.#pending));
		this.#pending = [];
		this.#size = 0;
	}

	/** All bytes so far. */
	blob(): Blob {
		this.#spill();
		return new Blob(this.#blobs);
	}
}

/** Packets of an output: sizes in order, all bytes joined, and what a decoder needs to know. */
export interface PacketCollector {
	readonly sizes: readonly number[];
	readonly bytes: BlobCollector;
	readonly config: Uint8Array;
	readonly error: unknown;
	push(data: Uint8Array<ArrayBuffer>): void;
}

/** Packets of a Matroska output. */
export class MatroskaCollector implements PacketCollector {
	readonly sizes: number[] = [];
	readonly bytes = new BlobCollector();
	track: MatroskaTrack | undefined;
	error: unknown;
	readonly #reader = new MatroskaReader({
		onTrack: (track) => (this.track ??= track),
		onBlock: ({ data }) => {
			this.sizes.push(data.length);
			this.bytes.push(data);
		},
	});

	/** CodecPrivate. */
	get config(): Uint8Array {
		return this.track?.codecPrivate ?? new Uint8Array();
	}

	/** Takes the next bytes; an error is kept in `error`. */
	push(data: Uint8Array<ArrayBuffer>): void {
		try {
			this.#reader.push(data);
		} catch (error) {
			this.error ??= error;
		}
	}
}

function parseReport(text: string): Report {
	const tb = /^#tb 0: (\d+)\/(\d+)/m.exec(text);
	const packets = text
		.split('\n')
		.filter((line) => /^0,/.test(line))
		.map((line) => {
			const [, , pts, duration] = line.split(',').map(Number);
			return { pts: pts ?? 0, duration: duration ?? 0 };
		});
	return { timebase: rational(Number(tb?.[1] ?? 1), Number(tb?.[2] ?? 1000)), packets };
}

/** Input options: the source's own clock, and no more of a long file than the range needs. */
function inputArguments(request: AudioRequest): string[] {
	const from = toNumber(request.from) - MARGIN;
	const length = toNumber(request.to) - Math.max(0, from) + MARGIN;
	const seek = from > 2 * MARGIN ? ['-seek_timestamp', '1', '-ss', from.toFixed(3)] : [];
	return ['-hide_banner', '-loglevel', 'warning', '-copyts', ...seek, '-t', length.toFixed(3), '-i', SOURCE];
}

/**
 * One run with two outputs of the same stream: bytes by `output` arguments to {@link OUTPUT}, times by `report` arguments.
 * Throws `input-unreadable` when the program fails.
 */
export async function runAudio(
	file: File,
	request: AudioRequest,
	output: readonly string[],
	report: readonly string[],
	onBytes: (data: Uint8Array<ArrayBuffer>) => void,
	signal: AbortSignal,
): Promise<Report> {
	const decoder = new TextDecoder();
	let text = '';
	const result = await runCore(
		{
			tool: 'ffmpeg',
			args: [...inputArguments(request), ...output, OUTPUT, ...report, '-f', 'framecrc', REPORT],
			inputs: [{ kind: 'blob', path: SOURCE, blob: file }],
			outputs: [
				{ kind: 'stream', path: OUTPUT },
				{ kind: 'stream', path: REPORT },
			],
		},
		{
			onChunk: (path, data) => {
				if (path === REPORT) text += decoder.decode(data, { stream: true });
				else onBytes(data);
			},
		},
		signal,
	);
	if (result.code !== 0) {
		throw new EmulsionError(
			'input-unreadable',
			phrase('audio-unreadable', { why: result.log.slice(-3).join('; ') || String(result.code) }),
		);
	}
	return parseReport(text);
}
