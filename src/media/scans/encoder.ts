/** Writes the frames of a chunk as stills: one file a frame, named and headed like the source's. */
import { EmulsionError, throwIfAborted, toEmulsionError } from '../../core/errors.ts';
import type { FrameRange, FrameStream } from '../../contracts/frames.ts';
import type { ChunkEncoder, EncodeConfig, EncodedChunk } from '../../contracts/media.ts';
import { FrameHasher } from '../encode/frame-md5.ts';
import type { DpxHeader } from './dpx/header.ts';
import { encodeScan, type ScanContainer, type ScanWriteOptions } from './formats.ts';
import { pictureOver } from './picture.ts';

/** What naming and heading a frame takes. Indices are those of the output timeline. */
export interface SequenceContext {
	/** Name of the file of output frame `index`; see `nameFor` and `numberedName`. */
	readonly nameFor: (index: number) => string;
	/** DPX only: header to keep for output frame `index`, from the source frame it was made of. */
	readonly headerFor?: (index: number) => Promise<DpxHeader | undefined>;
	/** Compression and the like. */
	readonly options?: Omit<ScanWriteOptions, 'header' | 'name'>;
}

const CONTAINERS: readonly string[] = ['dpx', 'png', 'tiff', 'exr'] satisfies ScanContainer[];

/** An encoder of a sequence container. Throws `usage` for any other container. */
export async function createSequenceEncoder(config: EncodeConfig, context: SequenceContext): Promise<ChunkEncoder> {
	if (!CONTAINERS.includes(config.container)) {
		throw new EmulsionError('usage', `${config.container} is not a sequence of stills (${CONTAINERS.join(', ')}).`);
	}
	const hasher = await FrameHasher.create();
	return {
		encode: (frames, range, signal) => encodeChunk(config, context, hasher, frames, range, signal),
		close: () => Promise.resolve(),
	};
}

async function encodeChunk(
	config: EncodeConfig,
	context: SequenceContext,
	hasher: FrameHasher,
	frames: FrameStream,
	range: FrameRange,
	signal: AbortSignal,
): Promise<EncodedChunk> {
	const started = performance.now();
	const container = config.container as ScanContainer;
	const files: { name: string; data: Blob }[] = [];
	const frameMd5: string[] = [];
	let index = range.start;
	for await (const frame of frames) {
		throwIfAborted(signal);
		const { data, format, size } = frame;
		frameMd5.push(hasher.hash(new Uint8Array(data), format, size));
		const name = context.nameFor(index);
		const header = container === 'dpx' ? await context.headerFor?.(index) : undefined;
		// The encode's tags, not the frame's: what the export was planned with is what the file says.
		const picture = pictureOver(data, format, size, { ...config.color, matrix: 'rgb' });
		try {
			const written = { ...context.options, ...(header ? { header } : {}), name };
			files.push({ name, data: new Blob([encodeScan(container, picture, written)]) });
		} catch (thrown) {
			throw toEmulsionError(thrown, { frame: index });
		}
		index++;
	}
	if (index !== range.end) {
		throw new EmulsionError(
			'internal',
			`The sequence encoder got ${index - range.start} frames of ${range.end - range.start}.`,
		);
	}
	return { range, data: new Blob([]), files, frameMd5, seconds: (performance.now() - started) / 1000 };
}
