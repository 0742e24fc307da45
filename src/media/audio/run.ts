/** Runs ffmpeg.wasm on a source's audio and collects what it writes. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type Rational, rational, toNumber } from '../../core/rational.ts';
import type { AudioRequest } from '../../contracts/media.ts';
import { runCore } from '../ffmpeg/core/core.ts';
import type { CoreOutput } from '../ffmpeg/core/protocol.ts';
import { FrameRing, sharedMemoryAvailable } from '../ffmpeg/core/rings.ts';
import { reasonInLog } from '../ffmpeg/ffprobe.ts';
import { MatroskaReader, type MatroskaTrack } from '../mux/matroska-read.ts';
import { SoundSpool } from './spool.ts';

const SOURCE = '/in/source';
const REPORT = '/out/report';
/** Device that holds samples or packets. */
export const OUTPUT = '/out/audio';
/** Bytes that come at once, and of the ring they come through: ffmpeg waits while its output is being stored. */
const RECORD = 1 << 20;
const RING = 8 << 20;
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

/** Takes an output's bytes in order. */
export interface ByteTaker {
	/** Takes the next bytes. */
	push(data: Uint8Array<ArrayBuffer>): void;
	/** Resolves once more may come. */
	settle(): Promise<void>;
}

/** Packets of an output: sizes in order, all bytes joined, and what a decoder needs to know. */
export interface PacketCollector extends ByteTaker {
	readonly sizes: readonly number[];
	readonly bytes: SoundSpool;
	readonly config: Uint8Array;
	readonly error: unknown;
}

/** Packets of a Matroska output. */
export class MatroskaCollector implements PacketCollector {
	readonly sizes: number[] = [];
	readonly bytes = new SoundSpool();
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

	settle(): Promise<void> {
		return this.bytes.settle();
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

/** Part of a source's clock, in seconds. */
type Span = Pick<AudioRequest, 'from' | 'to'>;

/** Input options: the source's own clock, and no more of a long file than the range needs. */
function inputArguments(request: Span): string[] {
	const from = toNumber(request.from) - MARGIN;
	const length = toNumber(request.to) - Math.max(0, from) + MARGIN;
	const seek = from > 2 * MARGIN ? ['-seek_timestamp', '1', '-ss', from.toFixed(3)] : [];
	return ['-hide_banner', '-loglevel', 'warning', '-copyts', ...seek, '-t', length.toFixed(3), '-i', SOURCE];
}

/**
 * The output device: records through a ring, or chunks as they come where memory cannot be shared. `end` takes what is left when
 * the program has ended.
 */
class Outlet {
	readonly output: CoreOutput;
	readonly #ring = sharedMemoryAvailable() ? FrameRing.create(RECORD, RING) : undefined;
	readonly #taker: ByteTaker;
	readonly #fail: () => void;
	#records = 0;
	#tail: Promise<void> = Promise.resolve();
	/** What stopped the storing. */
	failure: unknown;

	constructor(path: string, taker: ByteTaker, fail: () => void) {
		this.#taker = taker;
		this.#fail = fail;
		const ring = this.#ring;
		this.output = ring ? { kind: 'frames', path, buffer: ring.buffer, frameBytes: RECORD } : { kind: 'stream', path };
	}

	record(): void {
		this.#then(() => this.#slot(this.#records++, RECORD));
	}

	chunk(data: Uint8Array<ArrayBuffer>): void {
		this.#then(() => data);
	}

	#slot(record: number, bytes: number): Uint8Array<ArrayBuffer> {
		const ring = this.#ring!;
		return ring.slot(record % ring.slots).slice(0, bytes);
	}

	#then(next: () => Uint8Array<ArrayBuffer>): void {
		this.#tail = this.#tail.then(async () => {
			if (this.failure !== undefined) return;
			try {
				this.#taker.push(next());
				await this.#taker.settle();
				this.#ring?.release();
			} catch (error) {
				this.failure ??= error;
				this.#fail();
			}
		});
	}

	/** Takes no more, and waits for what is being stored. Gives what stopped it first. */
	async fail(error: unknown): Promise<unknown> {
		this.failure ??= error;
		await this.#tail;
		return this.failure;
	}

	async end(partialBytes: number): Promise<void> {
		if (this.#ring && partialBytes > 0) this.#then(() => this.#slot(this.#records, partialBytes));
		await this.#tail;
	}
}

/**
 * One run with two outputs of the same stream: bytes by `output` arguments to `taker`, times by `report` arguments. `graph` is
 * what both are labels of, where samples are filtered.
 * @throws EmulsionError `input-unreadable` when the program fails, `aborted`, and what the taker throws.
 */
export async function runAudio(
	file: File,
	request: Span,
	graph: readonly string[],
	output: readonly string[],
	report: readonly string[],
	taker: ByteTaker,
	signal: AbortSignal,
): Promise<Report> {
	const decoder = new TextDecoder();
	let text = '';
	const stopped = new AbortController();
	const outlet = new Outlet(OUTPUT, taker, () => {
		stopped.abort();
	});
	const run = runCore(
		{
			tool: 'ffmpeg',
			args: [...inputArguments(request), ...graph, ...output, OUTPUT, ...report, '-f', 'framecrc', REPORT],
			inputs: [{ kind: 'blob', path: SOURCE, blob: file }],
			outputs: [outlet.output, { kind: 'stream', path: REPORT }],
		},
		{
			onFrame: () => {
				outlet.record();
			},
			onChunk: (path, data) => {
				if (path === REPORT) text += decoder.decode(data, { stream: true });
				else outlet.chunk(data);
			},
		},
		AbortSignal.any([signal, stopped.signal]),
	);
	const result = await run.catch(async (error: unknown) => {
		// Nothing is stored any more once this is thrown.
		throw await outlet.fail(error);
	});
	await outlet.end(result.partialBytes);
	if (outlet.failure !== undefined) throw outlet.failure;
	if (result.code !== 0) {
		throw new EmulsionError('input-unreadable', phrase('audio-unreadable', { why: reasonInLog(result.log) }));
	}
	return parseReport(text);
}
