/**
 * Runs `@ffmpeg/core` 0.12 (FFmpeg 5.1, single-threaded, GPL-2.0-or-later: it is served as a file of its own) in a
 * worker of its own: one fresh worker a job, ended with the job. The wasm module is compiled once a thread and shared,
 * so that a further worker costs an instantiation only.
 */

import coreUrl from '@ffmpeg/core?url';
import wasmUrl from '@ffmpeg/core/wasm?url';
import { EmulsionError, throwIfAborted } from '../../../core/errors.ts';
import type { CoreJob, CoreReply, CoreRequest } from './protocol.ts';

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
	const response = await fetch(new URL(wasmUrl, import.meta.url));
	if (!response.ok) throw new Error(`the server answered ${response.status}`);
	// Streaming needs the server to name the type.
	if (response.headers.get('Content-Type')?.startsWith('application/wasm'))
		return WebAssembly.compileStreaming(response);
	return WebAssembly.compile(await response.arrayBuffer());
}

/** The compiled core. @throws EmulsionError `capability-missing` when it cannot be fetched or compiled; a later call tries again. */
export function compileCore(): Promise<WebAssembly.Module> {
	compiled ??= compile().catch((cause: unknown) => {
		compiled = undefined;
		throw new EmulsionError('capability-missing', 'The decoder (ffmpeg-core.wasm) could not be loaded.', {
			cause,
			retryable: true,
		});
	});
	return compiled;
}

/** One record of a `frames` or `records` output. */
export interface CoreFrame {
	readonly path: string;
	/** Slot in the ring, −1 for `records`. */
	readonly slot: number;
	/** The frame's `showinfo` lines joined by a space; empty without `showinfo`. */
	readonly info: string;
	/** Bytes of a `records` output. */
	readonly data?: ArrayBuffer;
}

/** What to do with what comes before the program ends. */
export interface CoreHandlers {
	readonly onLog?: (line: string) => void;
	readonly onFrame?: (frame: CoreFrame) => void;
	/** Absent: chunks are collected into the result. */
	readonly onChunk?: (path: string, data: Uint8Array<ArrayBuffer>) => void;
}

/** How a run ended. */
export interface CoreResult {
	/** The program's exit code: 0 is success. ffprobe gives −1 when it just returns, whether it worked or not: judge it by its output. */
	readonly code: number;
	/** Last lines of the log, newest last (at most 200). */
	readonly log: readonly string[];
	/** Bytes of `file` outputs, by path. */
	readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
	/** Chunks of `stream` outputs that no handler took, by path. */
	readonly chunks: Readonly<Record<string, readonly Uint8Array<ArrayBuffer>[]>>;
	/** Bytes of an unfinished record. */
	readonly partialBytes: number;
	readonly heapBytes: number;
}

const LOG_LINES = 200;
/** Milliseconds before a start that found no memory is tried again. */
const START_DELAYS = [100, 300, 1000, 3000, 5000];
let live = 0;

/** Workers of this thread that are alive: tests show that none is left over. */
export function liveCoreWorkers(): number {
	return live;
}

/**
 * A worker with the core instantiated, good for one job. `run` or `terminate` ends it.
 * @example const result = await runCore({ tool: 'ffmpeg', args: ['-i', '/in/a.mov', '-f', 'null', '-'], inputs: [{ kind: 'blob', path: '/in/a.mov', blob }] });
 */
export class CoreWorker {
	readonly #worker: Worker;
	#reply: ((reply: CoreReply) => void) | undefined;
	#fail: ((error: EmulsionError) => void) | undefined;
	#ended = false;
	#used = false;

	private constructor() {
		this.#worker = new Worker(new URL('./core.worker.ts', import.meta.url), { type: 'module', name: 'ffmpeg' });
		live++;
		this.#worker.onmessage = (event: MessageEvent<CoreReply>) => {
			if (event.data.type === 'crash') this.#crash(event.data.message);
			else this.#reply?.(event.data);
		};
		this.#worker.onerror = (event) => {
			event.preventDefault();
			this.#crash(event.message || 'the worker could not be started');
		};
		this.#worker.onmessageerror = () => {
			this.#crash('a message could not be read');
		};
	}

	#crash(message: string): void {
		const memory = /memory|allocation|RangeError/i.test(message);
		const error = new EmulsionError(memory ? 'out-of-memory' : 'worker-crashed', `ffmpeg.wasm stopped: ${message}`, {
			retryable: !memory,
		});
		// `#fail` ends the worker itself; `terminate` first would report the crash as a cancellation.
		if (this.#fail) this.#fail(error);
		else this.terminate();
	}

	/**
	 * A worker that is ready to run. Each instance reserves address space, which a terminated worker gives back only when it
	 * is collected; a start that finds no memory therefore waits and tries again before it gives up.
	 * @throws EmulsionError `aborted`, `out-of-memory`, `worker-crashed`.
	 */
	static async start(signal?: AbortSignal): Promise<CoreWorker> {
		const module = await compileCore();
		for (let attempt = 0; ; attempt++) {
			throwIfAborted(signal);
			try {
				return await CoreWorker.#prepared(module, signal);
			} catch (error) {
				const delay = START_DELAYS[attempt];
				if (delay === undefined || !(error instanceof EmulsionError) || error.code !== 'out-of-memory') throw error;
				await new Promise((resolve) => setTimeout(resolve, delay));
			}
		}
	}

	static async #prepared(module: WebAssembly.Module, signal: AbortSignal | undefined): Promise<CoreWorker> {
		const worker = new CoreWorker();
		await worker.#exchange<true>(
			{ type: 'prepare', coreUrl: new URL(coreUrl, import.meta.url).href, module },
			signal,
			(reply, resolve) => {
				if (reply.type === 'ready') resolve(true);
			},
		);
		return worker;
	}

	#exchange<T>(
		request: CoreRequest,
		signal: AbortSignal | undefined,
		take: (reply: CoreReply, resolve: (value: T) => void) => void,
	): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			const onAbort = (): void => {
				this.#fail?.(new EmulsionError('aborted', 'The operation was canceled.'));
			};
			const settle = (): void => {
				signal?.removeEventListener('abort', onAbort);
				this.#reply = undefined;
				this.#fail = undefined;
			};
			this.#fail = (error) => {
				settle();
				this.terminate();
				reject(error);
			};
			this.#reply = (reply) => {
				take(reply, (value) => {
					settle();
					resolve(value);
				});
			};
			if (signal?.aborted) onAbort();
			else {
				signal?.addEventListener('abort', onAbort, { once: true });
				this.#worker.postMessage(request);
			}
		});
	}

	/**
	 * Runs the job and ends the worker. A program that fails resolves too, with its exit code and log: what that means
	 * is the caller's to say.
	 * @throws EmulsionError `aborted` when the signal fires or the worker is terminated, `worker-crashed`, `out-of-memory`.
	 */
	async run(job: CoreJob, handlers: CoreHandlers = {}, signal?: AbortSignal): Promise<CoreResult> {
		if (this.#used || this.#ended) throw new EmulsionError('internal', 'A core worker runs one job.');
		this.#used = true;
		const log: string[] = [];
		const chunks: Record<string, Uint8Array<ArrayBuffer>[]> = {};
		try {
			return await this.#exchange<CoreResult>({ type: 'run', job }, signal, (reply, resolve) => {
				if (reply.type === 'log') {
					log.push(...reply.lines);
					if (log.length > LOG_LINES) log.splice(0, log.length - LOG_LINES);
					if (handlers.onLog) reply.lines.forEach(handlers.onLog);
				} else if (reply.type === 'frame') handlers.onFrame?.(reply);
				else if (reply.type === 'chunk') {
					if (handlers.onChunk) handlers.onChunk(reply.path, reply.data);
					else (chunks[reply.path] ??= []).push(reply.data);
				} else if (reply.type === 'done') resolve({ ...reply, log, chunks });
			});
		} finally {
			this.terminate();
		}
	}

	/** Ends the worker at once, whatever it does; a pending run rejects with `aborted`. Idempotent. */
	terminate(): void {
		if (this.#ended) return;
		this.#ended = true;
		live--;
		this.#worker.terminate();
		this.#fail?.(new EmulsionError('aborted', 'The operation was canceled.'));
	}
}

/** Starts a worker, runs one job in it, ends it. See {@link CoreWorker.run}. */
export async function runCore(job: CoreJob, handlers: CoreHandlers = {}, signal?: AbortSignal): Promise<CoreResult> {
	const worker = await CoreWorker.start(signal);
	return worker.run(job, handlers, signal);
}
