/** Encodes frames as still images, one file a frame, by the codecs of `src/media/scans`. */

import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { toNumber } from '../../core/rational.ts';
import type { FrameRange, FrameStream, PlanarFrame } from '../../contracts/frames.ts';
import type { ChunkEncoder, EncodeConfig, EncodedChunk, OutputTarget } from '../../contracts/media.ts';
import { DpxHeader, isDpx, parseDpxHeader } from '../scans/dpx/header.ts';
import { type ScanContainer, encodeScan } from '../scans/formats.ts';
import { pictureOver } from '../scans/picture.ts';
import { checkFrame, forFrames } from './ffmpeg-encoder.ts';
import { FrameHasher } from './frame-md5.ts';

/** SMPTE 268M orientation that shows a picture upright, by its clockwise rotation. */
const DPX_ORIENTATIONS = { 0: 0, 90: 5, 180: 3, 270: 6 } as const;

/** Files on their way to the disk while the next frame is encoded: most of a file's time is the disk's. */
const WRITING = 2;

/** How a sequence's files are named and where they go. */
export interface SequenceOptions {
	/** File name of a frame of the final timeline. */
	readonly name: (index: number) => string;
	/** Finished frames go straight there; absent: they come back with the chunk. */
	readonly target?: OutputTarget;
	/** DPX: header bytes where frames do not bring their own; a frame without any gets an empty one. */
	readonly dpxHeader?: (index: number) => Promise<Uint8Array | undefined>;
}

/** `scan_%05d.dpx` with a number filled in; a name without `%d` gets `.%06d` before its extension. */
export function sequenceName(pattern: string, number: number): string {
	const place = /%(0?)(\d*)d/.exec(pattern);
	if (!place) {
		const dot = pattern.lastIndexOf('.');
		const at = dot < 0 ? pattern.length : dot;
		return `${pattern.slice(0, at)}.${String(number).padStart(6, '0')}${pattern.slice(at)}`;
	}
	const digits = Number(place[2] ?? 0);
	const text = String(number).padStart(digits, place[1] === '0' ? '0' : ' ');
	return pattern.slice(0, place.index) + text + pattern.slice(place.index + place[0].length);
}

async function writeFile(target: OutputTarget, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
	const sink = await target.create(name);
	try {
		await sink.write(bytes);
		await sink.close();
	} catch (error) {
		await sink.abort();
		throw error;
	}
}

/** Writer of PNG, TIFF, DPX and EXR sequences. Each frame is one finished file. */
export class SequenceEncoder implements ChunkEncoder {
	readonly #config: EncodeConfig;
	readonly #container: ScanContainer;
	readonly #options: SequenceOptions;

	constructor(config: EncodeConfig, options: SequenceOptions) {
		const { container } = config;
		if (container !== 'png' && container !== 'tiff' && container !== 'dpx' && container !== 'exr') {
			throw new EmulsionError('internal', `${container} is no sequence`);
		}
		this.#config = config;
		this.#container = container;
		this.#options = options;
	}

	/** See {@link ChunkEncoder.encode}. With a target, `files` names what was written and holds no bytes. */
	async encode(frames: FrameStream, range: FrameRange, signal: AbortSignal): Promise<EncodedChunk> {
		throwIfAborted(signal);
		const started = performance.now();
		const hasher = await FrameHasher.create();
		const frameMd5: string[] = [];
		const files: { name: string; data: Blob }[] = [];
		const { target } = this.#options;
		const writes: Promise<void>[] = [];
		try {
			await forFrames(frames, range, async (frame, place) => {
				throwIfAborted(signal);
				checkFrame(frame, this.#config);
				frameMd5.push(hasher.hash(new Uint8Array(frame.data), frame.format, frame.size));
				const index = range.start + place;
				const name = this.#options.name(index);
				const bytes = await this.#encodeFrame(frame, index, name);
				files.push({ name, data: target ? new Blob() : new Blob([bytes]) });
				if (!target) return;
				if (writes.length >= WRITING) await writes.shift();
				const writing = writeFile(target, name, bytes);
				// Thrown where it is waited for; until then it must not count as unhandled.
				writing.catch(() => undefined);
				writes.push(writing);
			});
			while (writes.length > 0) await writes.shift();
		} finally {
			await Promise.allSettled(writes);
		}
		throwIfAborted(signal);
		return { range, data: new Blob(), files, frameMd5, seconds: (performance.now() - started) / 1000 };
	}

	async #encodeFrame(frame: PlanarFrame, index: number, name: string): Promise<Uint8Array<ArrayBuffer>> {
		const picture = pictureOver(frame.data, frame.format, frame.size, this.#config.color);
		const { rotation, sampleAspect } = this.#config;
		if (this.#container !== 'dpx') {
			const exr = { pixelAspect: toNumber(sampleAspect) };
			return encodeScan(this.#container, picture, { tiff: { rotation }, exr });
		}
		const own = frame.header && new Uint8Array(frame.header);
		const source = own ?? (await this.#options.dpxHeader?.(index));
		const header = source && isDpx(source) ? parseDpxHeader(source, name) : this.#freshHeader();
		return encodeScan('dpx', picture, { name, header });
	}

	/** Header of a frame that no scan lent one to: pixel aspect and orientation are all there is to say. */
	#freshHeader(): DpxHeader {
		const header = DpxHeader.create(false);
		const { num, den } = this.#config.sampleAspect;
		header.set('image.orientation', DPX_ORIENTATIONS[this.#config.rotation]);
		if (num !== den) {
			header.set('orientation.aspectHorizontal', num);
			header.set('orientation.aspectVertical', den);
		}
		return header;
	}

	/** Nothing is held between chunks. */
	close(): Promise<void> {
		return Promise.resolve();
	}
}
