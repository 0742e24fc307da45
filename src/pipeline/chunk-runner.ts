/**
 * Renders and encodes the chunks that are not stored yet, in order. A chunk's encoder is flushed and its bytes are stored while
 * the next chunk renders; a lost device costs the chunk that was being rendered, nothing more.
 */

import type { FrameRange, FrameStream, PlanarFrame } from '../contracts/frames.ts';
import type { EncodeConfig, EncodedChunk } from '../contracts/media.ts';
import type { Finding, StageTime } from '../contracts/report.ts';
import type { ExportRequest } from '../contracts/workers.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { JobRecord, JobStore } from '../store/jobs.ts';
import type { Backend } from './backend.ts';
import { Passing } from './passing.ts';
import type { Plan } from './plan-types.ts';
import { noNotes, type RenderNotes, RenderStream } from './render-stream.ts';
import { mergeTimes } from './report.ts';
import { findingsIn } from './resolved.ts';
import { breatheOf, type Engine, makeExecutor, openReader, type RunOptions } from './session.ts';
import type { SourceReader } from './source-reader.ts';

/** What is remembered of a chunk besides its bytes: part of the report of the whole export. */
export interface ChunkNotes {
	readonly render: RenderNotes;
	/** MD5 of source frames first read for this chunk, by index. */
	readonly sourceMd5: readonly (readonly [number, string])[];
	/** What stages found of the chunk's shots; absent in chunks stored by versions that did not keep it. */
	readonly findings?: readonly Finding[];
}

/** What running chunks needs. */
export interface ChunkContext {
	readonly engine: Engine;
	readonly request: ExportRequest;
	readonly plan: Plan;
	readonly config: EncodeConfig;
	/** Handle of the encode worker's job. */
	readonly encodeJob: string;
	readonly jobs: JobStore;
	readonly bounds: readonly FrameRange[];
	readonly options: RunOptions;
	/** Frames were handed to the encoder; fewer than 0 when a chunk has to be rendered again. */
	readonly onFrames: (count: number) => void;
}

interface Running {
	/** All frames are handed over: the next chunk may render. */
	readonly handed: Promise<void>;
	readonly chunk: Promise<EncodedChunk>;
	readonly notes: RenderNotes;
	/** What stages found of its shots; complete when all frames are handed over. */
	readonly findings: () => Finding[];
	/** Frames handed over so far. */
	readonly count: () => number;
}

interface Session {
	readonly backend: Backend;
	readonly stream: RenderStream;
	readonly findings: (range: FrameRange) => Finding[];
	readonly times: () => StageTime[];
	readonly passing: Passing;
}

/** See the file's comment. */
export class ChunkRunner {
	readonly #context: ChunkContext;
	readonly #abort = new AbortController();
	readonly #sourceMd5 = new Map<number, string>();
	/** Source frames whose MD5 is stored with a chunk already. */
	readonly #noted = new Set<number>();
	readonly #signal: AbortSignal;
	#job: JobRecord;
	#reader: SourceReader | undefined;
	#session: Session | undefined;
	#times: StageTime[] = [];

	constructor(context: ChunkContext, job: JobRecord) {
		this.#context = context;
		this.#job = job;
		this.#signal = AbortSignal.any([context.options.signal, this.#abort.signal]);
	}

	/** Time by stage in this run. */
	times(): StageTime[] {
		return mergeTimes(this.#times, this.#session?.times() ?? []);
	}

	/** Seconds spent waiting for the decoder. */
	get decodeWait(): number {
		return this.#reader?.seconds ?? 0;
	}

	/** Runs all chunks of `missing` (indices, ascending) and returns the job's record with them. */
	async run(missing: readonly number[]): Promise<JobRecord> {
		const { request, bounds, engine, plan } = this.#context;
		const last = plan.window.end - 1;
		const end = Math.min(request.info.frames.length, (plan.levels.at(-1)!.sources[last] ?? 0) + 3);
		this.#reader = await openReader(engine, request, this.#sourceMd5, end);
		let storing: Promise<void> = Promise.resolve();
		try {
			for (const index of missing) {
				const running = await this.#render(bounds[index]!);
				await storing;
				storing = this.#store(index, running);
				// Thrown at the next await of it; until then it must not count as unhandled.
				storing.catch(() => undefined);
			}
			await storing;
			return this.#job;
		} catch (error) {
			this.#abort.abort();
			await storing.catch(() => undefined);
			throw error;
		} finally {
			this.#endSession();
			await this.#reader.close();
		}
	}

	/** Renders one chunk until all its frames are with the encoder; again on a new device when the old one is lost. */
	async #render(range: FrameRange): Promise<Running> {
		return this.#context.engine.host.resilient(async (backend) => {
			const running = this.#start(this.#sessionOn(backend), range);
			try {
				await Promise.race([running.handed, running.chunk.then(() => running.handed)]);
				return running;
			} catch (error) {
				await running.chunk.catch(() => undefined);
				this.#context.onFrames(-running.count());
				// The frame that failed says why; the encoder only says that its frames ended.
				const reason = await running.handed.then(
					() => error,
					(failed: unknown) => failed,
				);
				throw reason;
			}
		});
	}

	#sessionOn(backend: Backend): Session {
		if (this.#session?.backend === backend) return this.#session;
		this.#endSession();
		const { engine, request, plan, config, options } = this.#context;
		const reader = this.#reader!;
		const own = { ...options, signal: this.#signal };
		const passing = new Passing(backend.store);
		const executor = makeExecutor(engine, backend, request, plan.levels, reader, own, passing);
		const stream = new RenderStream({
			plan,
			executor,
			reader,
			compute: backend.compute,
			config,
			signal: this.#signal,
			breathe: breatheOf(engine, options.urgency),
		});
		const findings = ({ start, end }: FrameRange): Finding[] =>
			findingsIn(plan.levels, { start: plan.window.start + start, end: plan.window.start + end }, executor);
		this.#session = { backend, stream, findings, times: () => [...executor.times(), stream.time()], passing };
		return this.#session;
	}

	#endSession(): void {
		this.#times = mergeTimes(this.#times, this.#session?.times() ?? []);
		this.#session?.passing.end();
		this.#session = undefined;
	}

	#start({ stream, findings }: Session, range: FrameRange): Running {
		const notes = noNotes();
		const { engine, encodeJob, onFrames } = this.#context;
		let count = 0;
		let found: Finding[] = [];
		let done: () => void = () => undefined;
		let fail: (error: unknown) => void = () => undefined;
		const handed = new Promise<void>((resolve, reject) => {
			done = resolve;
			fail = reject;
		});
		handed.catch(() => undefined);
		const tracked = async function* (): AsyncGenerator<PlanarFrame> {
			let complete = false;
			try {
				for await (const frame of stream.frames(range, notes)) {
					yield frame;
					count++;
					onFrames(1);
				}
				complete = true;
				found = findings(range);
				done();
			} catch (error) {
				fail(error);
				throw error;
			} finally {
				if (!complete) fail(new EmulsionError('internal', 'The encoder stopped taking frames.'));
			}
		};
		const frames: FrameStream = {
			[Symbol.asyncIterator]: tracked,
			recycle: (data) => stream.recycle(data),
		};
		const chunk = engine.encode.encode(encodeJob, range, frames, this.#signal);
		chunk.catch((error: unknown) => fail(error));
		return { handed, chunk, notes, findings: () => found, count: () => count };
	}

	async #store(index: number, { chunk, notes, findings }: Running): Promise<void> {
		const encoded = await chunk;
		const sourceMd5 = [...this.#sourceMd5].filter(([frame]) => !this.#noted.has(frame));
		const stored: ChunkNotes = { render: notes, sourceMd5, findings: findings() };
		try {
			this.#job = await this.#context.jobs.add(this.#job, index, encoded, stored);
		} catch (thrown) {
			throw this.#spaceNeeded(toEmulsionError(thrown), encoded);
		}
		for (const [frame] of sourceMd5) this.#noted.add(frame);
	}

	/** Says how much the rest of the export will take, by what its chunks took so far. */
	#spaceNeeded(error: EmulsionError, failed: EncodedChunk): EmulsionError {
		if (error.code !== 'quota-exceeded') return error;
		const sizes = [...this.#job.chunks.map((c) => c.data.bytes), failed.data.size];
		const mean = sizes.reduce((sum, n) => sum + n, 0) / sizes.length;
		const left = this.#context.bounds.length - this.#job.chunks.length;
		const bytesNeeded = Math.ceil(mean * left);
		return new EmulsionError(
			'quota-exceeded',
			phrase('disk-full', {
				...{ kept: this.#job.chunks.length, chunks: this.#context.bounds.length },
				mebibytes: Math.ceil(bytesNeeded / 2 ** 20),
			}),
			{ retryable: true, bytesNeeded, cause: error },
		);
	}
}
