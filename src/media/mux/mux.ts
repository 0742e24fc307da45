/** Joins chunks and audio into a file: plans it, streams it to the sink in order, hashes it on the way. */

import { createSHA256 } from 'hash-wasm';
import { discarded } from '../../core/buffers.ts';
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import type { ByteSink, MuxFile } from '../../contracts/media.ts';
import { layoutMatroska } from './matroska-write.ts';
import { type FileLayout, type Piece, layoutMp4 } from './mp4.ts';
import { loadTracks } from './tracks.ts';

/** Bytes handed to the sink at once. */
const BLOCK = 4 << 20;

function isMade(piece: Piece): piece is Uint8Array<ArrayBuffer> {
	return piece instanceof Uint8Array;
}

/** Bytes of a layout in blocks of about {@link BLOCK}; neighbors of one Blob are read together. */
export async function* readLayout(layout: FileLayout): AsyncGenerator<Uint8Array<ArrayBuffer>> {
	let parts: BlobPart[] = [];
	let size = 0;
	let run: { blob: Blob; start: number; end: number } | undefined;
	const endRun = (): void => {
		if (run) parts.push(run.blob.slice(run.start, run.end));
		run = undefined;
	};
	const block = async (): Promise<Uint8Array<ArrayBuffer>> => {
		endRun();
		const [only] = parts;
		// A Blob of one Blob would be one more thing for the browser to keep account of.
		const whole = parts.length === 1 && only instanceof Blob ? only : new Blob(parts);
		parts = [];
		size = 0;
		return new Uint8Array(await whole.arrayBuffer());
	};
	let coming: Promise<Uint8Array<ArrayBuffer>> | undefined;
	/** The block before; a block is read while its consumer has the one before. */
	const ahead = function* (): Generator<Promise<Uint8Array<ArrayBuffer>>> {
		const before = coming;
		coming = block();
		// Thrown where it is awaited.
		coming.catch(() => undefined);
		if (before) yield before;
	};
	for (const piece of layout.pieces) {
		if (isMade(piece)) {
			endRun();
			parts.push(piece);
			size += piece.length;
		} else {
			// A packet may be larger than a block: it is read in parts.
			for (let done = 0; done < piece.bytes;) {
				const take = Math.min(piece.bytes - done, BLOCK - Math.min(size, BLOCK - 1));
				const start = piece.offset + done;
				if (run?.blob === piece.blob && run.end === start) run.end = start + take;
				else {
					endRun();
					run = { blob: piece.blob, start, end: start + take };
				}
				done += take;
				size += take;
				if (size >= BLOCK) yield* ahead();
			}
		}
	}
	if (size > 0) yield* ahead();
	if (coming) yield coming;
}

/** Writes; a full disk is told with all the bytes that are still to come. */
async function writeBlock(sink: ByteSink, block: Uint8Array<ArrayBuffer>, remaining: number): Promise<void> {
	try {
		await sink.write(block);
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		if (error.code !== 'quota-exceeded') throw error;
		const bytesNeeded = Math.max(error.details.bytesNeeded ?? 0, remaining);
		throw new EmulsionError('quota-exceeded', error.said, { ...error.details, bytesNeeded, retryable: true });
	}
}

/** See {@link MuxFile}. The sink is neither closed nor aborted here: its owner does that once the file is verified. */
export const muxFile: MuxFile = async (config, chunks, timeline, audio, sink, onProgress, signal) => {
	throwIfAborted(signal);
	const input = await loadTracks(config, chunks, timeline, audio);
	const isMp4 = config.container === 'mp4' || config.container === 'mov';
	const layout = isMp4 ? layoutMp4(input) : layoutMatroska(input);
	const hash = await createSHA256();
	let bytes = 0;
	// A block is written while the next one is read and hashed.
	let writing: Promise<void> = Promise.resolve();
	for await (const block of readLayout(layout)) {
		throwIfAborted(signal);
		hash.update(block);
		await writing;
		writing = writeBlock(sink, block, layout.bytes - bytes);
		// Thrown where it is awaited.
		writing.catch(() => undefined);
		bytes += block.length;
		onProgress({ phase: 'mux', done: bytes, total: layout.bytes });
		discarded(block.length);
	}
	await writing;
	if (bytes !== layout.bytes) {
		throw new EmulsionError('internal', `mux: wrote ${bytes} bytes, planned ${layout.bytes}`);
	}
	return { bytes, sha256: hash.digest('hex') };
};
