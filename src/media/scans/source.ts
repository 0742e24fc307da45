/**
 * A sequence of scans as a {@link MediaSource}: random access, bounded read-ahead, frames at the files' own depth. Frames of
 * DPX files carry their header, to be written again.
 */
import { sameFormat, transferText } from '../../core/color.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import { phrase, say } from '../../core/phrases.ts';
import { div, ONE, rational, type Rational } from '../../core/rational.ts';
import type { FrameRange, FrameStream, OnProgress, PlanarFrame } from '../../contracts/frames.ts';
import type {
	DecodeStats,
	InputFile,
	MediaSource,
	SourceInfo,
	SourceInput,
	SourceNotice,
} from '../../contracts/media.ts';
import { fingerprintBlob } from '../fingerprint.ts';
import { sequenceClock } from './clock.ts';
import type { ScanIdentity } from './dpx/film.ts';
import { parseDpxHeader, type DpxHeader } from './dpx/header.ts';
import { decodeScan, type DecodedScan } from './formats.ts';
import { surveySequence, transferOf, type Sequence, type SequenceFrame } from './sequence.ts';

/** Files read ahead of the frame that is asked for. At 2048×1556 10 bit that is 38 MB. */
const READ_AHEAD = 3;
/** Rate of a sequence that says nothing about it. */
const DEFAULT_RATE: Rational = { num: 24, den: 1 };

/** Opens a folder or pattern of stills. Surveys all headers first; see {@link surveySequence} for what it throws. */
export async function openScans(
	input: SourceInput,
	signal?: AbortSignal,
	onProgress?: OnProgress,
): Promise<ScanSource> {
	const sequence = await surveySequence(input.files, {
		...(input.pattern === undefined ? {} : { pattern: input.pattern }),
		...(signal ? { signal } : {}),
		...(onProgress ? { onProgress } : {}),
	});
	return new ScanSource(sequence, await describeSequence(sequence, input), input.transfer !== undefined);
}

/** Rational of a header's float rate: the common broadcast and film rates exactly, others to 1/1000. */
export function rationalRate(rate: number): Rational {
	const ntsc = Math.round(rate * 1.001);
	const exact =
		[24, 30, 48, 60, 120].includes(ntsc) && Math.abs(rate - ntsc / 1.001) < 0.005 && Math.abs(rate - ntsc) > 0.01;
	return exact ? rational(ntsc * 1000, 1001) : rational(Math.round(rate * 1000), 1000);
}

async function describeSequence(sequence: Sequence, input: SourceInput): Promise<SourceInfo> {
	const { frames, typical } = sequence;
	const stated = typical.identity?.frameRate;
	const rate = input.rate ?? (stated === undefined ? DEFAULT_RATE : rationalRate(stated));
	const duration = div(ONE, rate);
	const transfer = transferOf(typical, input.transfer);
	const first = frames[0] as SequenceFrame;
	const notices: SourceNotice[] = [...sequence.notices];
	if (transfer === 'unknown') {
		const said = phrase('untagged-transfer', { format: typical.format.toUpperCase() });
		notices.unshift({ severity: 'error', kind: 'untagged-transfer', message: say(said), phrase: said });
	}
	const stamped = typical.color.transfer;
	if (stamped !== 'unknown' && stamped !== transfer) {
		const said = phrase('transfer-told', { stamped: transferText(stamped), transfer: transferText(transfer) });
		notices.push({ severity: 'warning', kind: 'transfer-told', message: say(said), phrase: said });
	}
	if (input.rate === undefined && stated === undefined) {
		const said = phrase('assumed-rate');
		notices.push({ severity: 'info', kind: 'assumed-rate', message: say(said), phrase: said });
	}
	const clock = sequenceClock(
		frames.map((frame) => frame.number),
		duration,
	);
	if (clock.missing > 0) {
		const kind = clock.byNumber ? 'held-frames' : 'numbers-no-clock';
		const said = phrase(kind, { count: clock.missing });
		notices.push({ severity: 'info', kind, message: say(said), phrase: said });
	}
	const [aspectX, aspectY] = typical.pixelAspect;
	const timecode = first.probe?.identity?.timecode;
	return {
		name: sequenceName(first),
		kind: 'sequence',
		container: typical.format,
		codec: typical.format,
		bytes: frames.reduce((sum, f) => sum + f.file.size, 0),
		size: typical.size,
		rotation: typical.rotation,
		sampleAspect: rational(aspectX, aspectY),
		format: typical.pixel,
		color: { ...typical.color, transfer },
		fields: 'progressive',
		timebase: duration,
		rate,
		constantRate: clock.missing === 0 || !clock.byNumber,
		frames: clock.frames,
		audio: [],
		...(timecode === undefined ? {} : { timecode }),
		fingerprint: await fingerprintSequence(frames),
		notices,
		engine: 'scans',
		engineReason: phrase('engine-scans'),
		names: frames.map((f) => f.name),
		...(first.number === undefined ? {} : { firstNumber: first.number }),
	};
}

function sequenceName(first: InputFile & { readonly name: string }): string {
	const folder = first.path.split('/').slice(0, -1).pop();
	return folder ?? first.name;
}

/** Names and lengths of all frames, and the first and last file's own fingerprints. */
async function fingerprintSequence(frames: readonly SequenceFrame[]): Promise<string> {
	const ends = [frames[0], frames[frames.length - 1]].filter((f) => f !== undefined);
	const parts = [...frames.map((f) => `${f.name}\0${f.file.size}\n`)];
	for (const { file } of ends) parts.push(await fingerprintBlob(file));
	return fingerprintBlob(new Blob(parts));
}

/** An open sequence. */
export class ScanSource implements MediaSource {
	readonly info: SourceInfo;
	readonly #frames: readonly SequenceFrame[];
	readonly #transferTold: boolean;
	#decoded = 0;
	#milliseconds = 0;
	#closed = false;

	/** Use {@link openScans}. `transferTold`: the restorer said the transfer, whatever the files say. */
	constructor(sequence: Sequence, info: SourceInfo, transferTold: boolean) {
		this.#frames = sequence.frames;
		this.info = info;
		this.#transferTold = transferTold;
	}

	async *frames(range: FrameRange, signal: AbortSignal): FrameStream {
		const start = Math.max(0, range.start);
		const end = Math.min(this.#frames.length, range.end);
		const pending: Promise<Uint8Array<ArrayBuffer>>[] = [];
		let next = start;
		for (let index = start; index < end; index++) {
			throwIfAborted(signal);
			for (; next < Math.min(end, index + READ_AHEAD); next++) {
				const reading = this.#read(next);
				// A failure is reported when its frame is asked for, not before.
				reading.catch(() => undefined);
				pending.push(reading);
			}
			const bytes = await (pending.shift() as Promise<Uint8Array<ArrayBuffer>>);
			throwIfAborted(signal);
			yield this.#decode(index, bytes);
		}
	}

	/** One frame, decoded. Errors name the frame. */
	async frame(index: number, signal?: AbortSignal): Promise<PlanarFrame> {
		const bytes = await this.#read(index);
		throwIfAborted(signal);
		return this.#decode(index, bytes);
	}

	/** What a frame's header says of its place on the film. */
	identity(index: number): ScanIdentity | undefined {
		return this.#frames[index]?.probe?.identity;
	}

	/** Whole header of a DPX frame (user data included), to be written again with the restored picture; undefined for other formats. */
	async headerOf(index: number): Promise<DpxHeader | undefined> {
		const frame = this.#need(index);
		if (frame.probe?.format !== 'dpx') return undefined;
		const start = new Uint8Array(await frame.file.slice(0, 2048).arrayBuffer());
		const offset = parseDpxHeader(start, frame.path).get('file.imageOffset') ?? 2048;
		return parseDpxHeader(new Uint8Array(await frame.file.slice(0, offset).arrayBuffer()), frame.path);
	}

	/** The file of a frame, for copies that need no decoding. */
	original(index: number): File {
		return this.#need(index).file;
	}

	/** Stills have no sound. */
	audio(): Promise<undefined> {
		return Promise.resolve(undefined);
	}

	stats(): DecodeStats {
		return { frames: this.#decoded, seconds: this.#milliseconds / 1000, engine: 'scans' };
	}

	close(): Promise<void> {
		this.#closed = true;
		return Promise.resolve();
	}

	#need(index: number): SequenceFrame {
		const frame = this.#frames[index];
		if (this.#closed) throw new EmulsionError('usage', phrase('source-closed'));
		if (!frame)
			throw new EmulsionError(
				'usage',
				phrase('expected', { path: 'frame', expected: `0–${this.#frames.length - 1}`, got: index }),
			);
		return frame;
	}

	async #read(index: number): Promise<Uint8Array<ArrayBuffer>> {
		const frame = this.#need(index);
		// Not `problem`: a file may have been replaced since it was listed.
		try {
			return new Uint8Array(await frame.file.arrayBuffer());
		} catch (cause) {
			throw new EmulsionError('input-unreadable', phrase('file-gone', { path: frame.path }), {
				frame: index,
				cause,
			});
		}
	}

	#decode(index: number, bytes: Uint8Array<ArrayBuffer>): PlanarFrame {
		const frame = this.#need(index);
		const started = performance.now();
		let picture: DecodedScan;
		try {
			picture = decodeScan(bytes, frame.path);
		} catch (thrown) {
			throw toEmulsionError(thrown, { frame: index });
		}
		this.#check(picture, frame, index);
		this.#decoded++;
		this.#milliseconds += performance.now() - started;
		const { pts, duration } = this.info.frames[index] ?? { pts: rational(0), duration: this.info.timebase };
		const { transfer: own } = picture.color;
		const transfer = own === 'unknown' || this.#transferTold ? this.info.color.transfer : own;
		return {
			format: picture.format,
			size: picture.size,
			data: picture.data,
			color: { ...picture.color, transfer },
			fields: 'progressive',
			pts,
			duration,
			index,
			...(picture.header ? { header: picture.header.bytes.buffer } : {}),
		};
	}

	/** A frame of another size or depth cannot enter the film unseen. */
	#check(picture: DecodedScan, frame: SequenceFrame, index: number): void {
		const { size, format } = this.info;
		if (
			picture.size.width !== size.width ||
			picture.size.height !== size.height ||
			!sameFormat(picture.format, format)
		) {
			throw new EmulsionError(
				'unsupported-format',
				phrase('frame-differs', {
					...{ path: frame.path, width: picture.size.width, height: picture.size.height, depth: picture.format.depth },
					...{ seriesWidth: size.width, seriesHeight: size.height, seriesDepth: format.depth },
				}),
				{ frame: index },
			);
		}
	}
}
