/** The encode worker's jobs: chunks in, one verified file (or a verified sequence) out. Threads and ports are the worker entry's business. */

import { createSHA256 } from 'hash-wasm';
import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { sub } from '../../core/rational.ts';
import type { FrameRange, FrameStream, OnProgress } from '../../contracts/frames.ts';
import type { AudioResult, ChunkEncoder, EncodeConfig, EncodedChunk } from '../../contracts/media.ts';
import type { MuxedFile, SequenceSpec, TargetSpec } from '../../contracts/workers.ts';
import { type TimelineFrame, timelineDuration } from '../../core/timeline.ts';
import { muxFile } from '../mux/mux.ts';
import { verifyFile } from '../mux/verify.ts';
import { probeScanFile } from '../scans/formats.ts';
import { type StagedSink, type StagedTarget, copyBlob } from '../sinks/files.ts';
import { openTarget } from '../sinks/target.ts';
import { checkEncodeSize } from './choose.ts';
import { createEncoder } from './encoder.ts';
import { CODECS, CONTAINERS } from './formats.ts';
import { webCodecsSupports } from './webcodecs-encoder.ts';

interface Job {
	readonly config: EncodeConfig;
	readonly encoder: ChunkEncoder;
	readonly sequence: { readonly names: readonly string[]; readonly target: StagedTarget } | undefined;
	/** Written and verified, not yet published. */
	staged: StagedSink | undefined;
}

/** Refuses what the codec cannot hold, before any work. */
async function checkConfig(config: EncodeConfig): Promise<void> {
	const row = CODECS[config.codec];
	if (!row.engines.includes(config.engine)) {
		throw new EmulsionError('unsupported-format', `${row.label} is not encoded by the ${config.engine} engine.`);
	}
	checkEncodeSize(config.codec, config.size);
	if (config.engine === 'webcodecs' && !(await webCodecsSupports(config))) {
		throw new EmulsionError(
			'unsupported-format',
			`This browser has no ${row.label} encoder for ${config.size.width}×${config.size.height}. Choose .mp4 with H.264, or .mkv.`,
		);
	}
}

/** All encode jobs of a worker. */
export class EncodeJobs {
	readonly #jobs = new Map<string, Job>();
	#next = 0;

	/** Opens a job. Throws `unsupported-format` for what the codec cannot hold. */
	async open(config: EncodeConfig, sequence?: SequenceSpec): Promise<string> {
		await checkConfig(config);
		const target = sequence && (await openTarget(sequence.target));
		const names = sequence?.names ?? [];
		const nameOf = (index: number): string => {
			const name = names[index];
			if (name === undefined) throw new EmulsionError('internal', `sequence: frame ${index} has no name`);
			return name;
		};
		const isSequence = CONTAINERS[config.container].sequence;
		const encoder = createEncoder(config, isSequence && target ? { name: nameOf, target } : undefined);
		const id = `encode-${this.#next++}`;
		this.#jobs.set(id, {
			config,
			encoder,
			sequence: isSequence && target ? { names, target } : undefined,
			staged: undefined,
		});
		return id;
	}

	#job(id: string): Job {
		const job = this.#jobs.get(id);
		if (!job) throw new EmulsionError('internal', `no encode job ${id}`);
		return job;
	}

	/** Encodes one chunk; see `ChunkEncoder.encode`. */
	encode(id: string, range: FrameRange, frames: FrameStream, signal: AbortSignal): Promise<EncodedChunk> {
		return this.#job(id).encoder.encode(frames, range, signal);
	}

	/** Joins, writes and re-reads; the file is published by {@link settle}. */
	async mux(
		id: string,
		chunks: readonly EncodedChunk[],
		timeline: readonly TimelineFrame[],
		audio: AudioResult | undefined,
		spec: TargetSpec,
		name: string,
		onProgress: OnProgress,
		signal: AbortSignal,
	): Promise<MuxedFile> {
		const job = this.#job(id);
		if (CONTAINERS[job.config.container].sequence) {
			const target = job.sequence?.target ?? (await openTarget(spec));
			return writeSequence(job.config, chunks, timeline, target, onProgress, signal);
		}
		await job.staged?.abort();
		const target = await openTarget(spec);
		const sink = await target.create(name);
		job.staged = sink;
		try {
			const { sha256 } = await muxFile(job.config, chunks, timeline, audio, sink, onProgress, signal);
			const reader = await sink.finish();
			onProgress({ phase: 'verify', done: 0, total: timeline.length });
			const found = await verifyFile(reader, job.config.container, signal);
			onProgress({ phase: 'verify', done: found.frames, total: timeline.length });
			return { ...found, sha256 };
		} catch (error) {
			job.staged = undefined;
			await sink.abort();
			throw error;
		}
	}

	/** Publishes (`keep`) or removes the file that `mux` wrote. A sequence's frames are published one by one and stay. */
	async settle(id: string, keep: boolean): Promise<void> {
		const job = this.#job(id);
		const { staged } = job;
		job.staged = undefined;
		if (keep) await staged?.close();
		else await staged?.abort();
	}

	/** Ends a job; what was not settled is removed. Idempotent. */
	async close(id: string): Promise<void> {
		const job = this.#jobs.get(id);
		if (!job) return;
		this.#jobs.delete(id);
		await job.encoder.close();
		await job.staged?.abort();
	}
}

/**
 * Writes what chunks still hold and reads every file back: it must be there, whole and of the right size. The SHA-256
 * runs over all files in order.
 */
async function writeSequence(
	config: EncodeConfig,
	chunks: readonly EncodedChunk[],
	timeline: readonly TimelineFrame[],
	target: StagedTarget,
	onProgress: OnProgress,
	signal: AbortSignal,
): Promise<MuxedFile> {
	const files = chunks.flatMap((chunk) => chunk.files ?? []);
	const hash = await createSHA256();
	let bytes = 0;
	let done = 0;
	for (const file of files) {
		throwIfAborted(signal);
		if (file.data.size > 0) await writeOne(target, file.name, file.data);
		const written = await target.read(file.name);
		if (!written) throw new EmulsionError('invariant-failed', `${file.name} is missing from the output.`);
		const { size } = await probeScanFile(written, file.name);
		if (size.width !== config.size.width || size.height !== config.size.height) {
			throw new EmulsionError('invariant-failed', `${file.name} is ${size.width}×${size.height}.`);
		}
		await hashBlob(hash, written);
		bytes += written.size;
		onProgress({ phase: 'verify', done: ++done, total: files.length });
	}
	const first = timeline[0];
	return {
		bytes,
		sha256: hash.digest('hex'),
		frames: files.length,
		pts: timeline.slice(0, files.length).map((f) => (first ? sub(f.pts, first.pts) : f.pts)),
		duration: timelineDuration({ frames: timeline.slice(0, files.length), timebase: config.timebase }),
		tick: config.timebase,
	};
}

async function writeOne(target: StagedTarget, name: string, data: Blob): Promise<void> {
	const sink = await target.create(name);
	try {
		await copyBlob(data, sink);
		await sink.close();
	} catch (error) {
		await sink.abort();
		throw error;
	}
}

async function hashBlob(hash: Awaited<ReturnType<typeof createSHA256>>, blob: Blob): Promise<void> {
	const piece = 4 << 20;
	for (let at = 0; at < blob.size; at += piece) {
		hash.update(new Uint8Array(await blob.slice(at, at + piece).arrayBuffer()));
	}
}
