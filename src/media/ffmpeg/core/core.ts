/**
 * Runs `@ffmpeg/core` 0.12 (FFmpeg 5.1, single-threaded, GPL-2.0-or-later: it is served as a file of its own) through
 * `@ffmpeg/ffmpeg` with a class worker of ours: one fresh worker a job, ended with the job. The wasm module is compiled once a thread and shared,
 * so that a further worker costs an instantiation only.
 */

import coreUrl from '@ffmpeg/core?url';
import wasmUrl from '@ffmpeg/core/wasm?url';
import { type FFFSMountOptions, type FFFSType, FFmpeg } from '@ffmpeg/ffmpeg';
import { EmulsionError, throwIfAborted } from '../../../core/errors.ts';
import { phrase } from '../../../core/phrases.ts';
import workerUrl from './core.worker.ts?worker&url';
import type { CoreDevice, CoreEvent, CoreInput, CoreJob, CoreLoad, CoreOutput } from './protocol.ts';

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
		throw new EmulsionError('capability-missing', phrase('no-core'), {
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
/** Milliseconds that a worker's script has to load and run; a busy machine takes a second or two. */
const START_DEADLINE = 30_000;
/** Milliseconds before a start that found no memory is tried again. */
const START_DELAYS = [100, 300, 1000, 3000, 5000];
let live = 0;

/** Workers of this thread that are alive: tests show that none is left over. */
export function liveCoreWorkers(): number {
	return live;
}

/** For tests: another class worker, and how long its script may take to say that it runs. */
export interface StartOptions {
	readonly classWorkerURL?: string;
	/** Milliseconds; default 30 000. */
	readonly deadline?: number;
}

/**
 * A worker with the core instantiated, good for one job. `run` or `terminate` ends it. It is `@ffmpeg/ffmpeg`'s class with our
 * class worker, which adds devices to the file system (`devices.ts`); what they give comes as `log` events.
 * @example const result = await runCore({ tool: 'ffmpeg', args: ['-i', '/in/a.mov', '-f', 'null', '-'], inputs: [{ kind: 'blob', path: '/in/a.mov', blob }] });
 */
export class CoreWorker {
	readonly #ffmpeg = new FFmpeg();
	#handlers: CoreHandlers = {};
	#fail: ((error: EmulsionError) => void) | undefined;
	#ended = false;
	#used = false;
	#onHello: (() => void) | undefined;
	readonly #log: string[] = [];
	readonly #chunks: Record<string, Uint8Array<ArrayBuffer>[]> = {};
	#end = { partialBytes: 0, heapBytes: 0 };

	private constructor() {
		live++;
		this.#ffmpeg.on('log', (event) => {
			this.#take(event as CoreEvent);
		});
	}

	#take(event: CoreEvent): void {
		const { onLog, onFrame, onChunk } = this.#handlers;
		if (event.type === 'frame') {
			const { path, slot, message: info, data } = event;
			onFrame?.({ path, slot, info, ...(data ? { data } : {}) });
		} else if (event.type === 'chunk') {
			if (onChunk) onChunk(event.path, event.data);
			else (this.#chunks[event.path] ??= []).push(event.data);
		} else if (event.type === 'stderr') {
			const lines = event.message.split('\n');
			this.#log.push(...lines);
			if (this.#log.length > LOG_LINES) this.#log.splice(0, this.#log.length - LOG_LINES);
			if (onLog) lines.forEach(onLog);
		} else if (event.type === 'end') this.#end = event;
		else if (event.type === 'hello') this.#onHello?.();
		else this.#crash(event.message);
	}

	#crash(message: string): void {
		// `#fail` ends the worker itself; `terminate` first would report the crash as a cancellation.
		if (this.#fail) this.#fail(crashed(message));
		else this.terminate();
	}

	/**
	 * A worker that is ready to run. Each instance reserves address space, which a terminated worker gives back only when it
	 * is collected; a start that finds no memory therefore waits and tries again before it gives up.
	 * @throws EmulsionError `aborted`, `out-of-memory`, `worker-crashed`.
	 */
	static async start(signal?: AbortSignal, options: StartOptions = {}): Promise<CoreWorker> {
		const module = await compileCore();
		for (let attempt = 0; ; attempt++) {
			throwIfAborted(signal);
			try {
				return await CoreWorker.#loaded(module, signal, options);
			} catch (error) {
				const delay = START_DELAYS[attempt];
				if (delay === undefined || !(error instanceof EmulsionError) || error.code !== 'out-of-memory') throw error;
				await new Promise((resolve) => setTimeout(resolve, delay));
			}
		}
	}

	static async #loaded(
		module: WebAssembly.Module,
		signal: AbortSignal | undefined,
		{ classWorkerURL, deadline = START_DEADLINE }: StartOptions,
	): Promise<CoreWorker> {
		const worker = new CoreWorker();
		const load: CoreLoad & { classWorkerURL: string } = {
			classWorkerURL: new URL(classWorkerURL ?? workerUrl, import.meta.url).href,
			coreURL: new URL(coreUrl, import.meta.url).href,
			wasmURL: new URL(wasmUrl, import.meta.url).href,
			module,
		};
		// The class does not hear of a script that cannot be loaded.
		const timer = setTimeout(() => {
			worker.#crash(`its worker did not start within ${deadline / 1000} s`);
		}, deadline);
		worker.#onHello = () => {
			clearTimeout(timer);
		};
		try {
			await worker.#during(() => worker.#ffmpeg.load(load), signal);
			return worker;
		} finally {
			clearTimeout(timer);
		}
	}

	/** Waits for calls of the class; whatever ends first counts: their result, an error of the worker, an abort. */
	#during<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			const onAbort = (): void => {
				this.#fail?.(new EmulsionError('aborted', 'The operation was canceled.'));
			};
			const settle = (): void => {
				signal?.removeEventListener('abort', onAbort);
				this.#fail = undefined;
			};
			this.#fail = (error) => {
				settle();
				this.terminate();
				reject(error);
			};
			if (signal?.aborted) {
				onAbort();
				return;
			}
			signal?.addEventListener('abort', onAbort, { once: true });
			call().then(
				(value) => {
					settle();
					resolve(value);
				},
				(thrown: unknown) => this.#fail?.(crashed(thrown instanceof Error ? thrown.message : String(thrown))),
			);
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
		this.#handlers = handlers;
		try {
			return await this.#during(() => this.#job(job), signal);
		} finally {
			this.terminate();
		}
	}

	async #job({ tool, args, inputs = [], outputs = [], showinfo = false }: CoreJob): Promise<CoreResult> {
		const ffmpeg = this.#ffmpeg;
		// The worker answers in order: nothing needs to be waited for before the program is asked for.
		const prepared = [...inputs.map((input) => this.#input(input)), ...outputs.map((output) => this.#output(output))];
		if (showinfo) prepared.push(this.#mount({ fsType: 'SHOWINFO', options: {} }, '/'));
		const ended = tool === 'ffmpeg' ? ffmpeg.exec([...args]) : ffmpeg.ffprobe([...args]);
		const [code] = await Promise.all([ended, ...prepared]);
		const files: Record<string, Uint8Array<ArrayBuffer>> = {};
		for (const output of outputs) {
			if (output.kind !== 'file') continue;
			// Missing where the program failed before it made the file; its exit code says so.
			const data = await ffmpeg.readFile(output.path).catch(() => undefined);
			if (data instanceof Uint8Array) files[output.path] = data as Uint8Array<ArrayBuffer>;
		}
		const { partialBytes, heapBytes } = this.#end;
		return { code, files, partialBytes, heapBytes, log: this.#log, chunks: this.#chunks };
	}

	#input(input: CoreInput): Promise<unknown> {
		const cut = input.path.lastIndexOf('/');
		const [folder, name] = [input.path.slice(0, cut) || '/', input.path.slice(cut + 1)];
		if (input.kind === 'blob')
			return this.#ffmpeg.mount('WORKERFS' as FFFSType, { blobs: [{ name, data: input.blob }] }, folder);
		if (input.kind === 'pipe') return this.#mount({ fsType: 'PIPE', options: { buffer: input.buffer } }, input.path);
		// The class transfers what it writes; the caller's bytes stay the caller's.
		return Promise.all([this.#ffmpeg.createDir(folder), this.#ffmpeg.writeFile(input.path, input.data.slice())]);
	}

	#output(output: CoreOutput): Promise<unknown> {
		const { path } = output;
		if (output.kind === 'file') return this.#ffmpeg.createDir(path.slice(0, path.lastIndexOf('/')) || '/');
		if (output.kind === 'stream') return this.#mount({ fsType: 'CHUNKS', options: {} }, path);
		const { frameBytes } = output;
		return this.#mount(
			output.kind === 'frames'
				? { fsType: 'RING', options: { buffer: output.buffer, frameBytes } }
				: { fsType: 'RECORDS', options: { frameBytes } },
			path,
		);
	}

	#mount({ fsType, options }: CoreDevice, path: string): Promise<unknown> {
		// The class knows Emscripten's file systems by name and hands the name on; ours are more of them.
		return this.#ffmpeg.mount(fsType as string as FFFSType, options as FFFSMountOptions, path);
	}

	/** Ends the worker at once, whatever it does; a pending run rejects with `aborted`. Idempotent. */
	terminate(): void {
		if (this.#ended) return;
		this.#ended = true;
		live--;
		const fail = this.#fail;
		this.#fail = undefined;
		this.#ffmpeg.terminate();
		fail?.(new EmulsionError('aborted', 'The operation was canceled.'));
	}
}

function crashed(message: string): EmulsionError {
	const memory = /memory|allocation|RangeError/i.test(message);
	return new EmulsionError(memory ? 'out-of-memory' : 'worker-crashed', phrase('core-stopped', { why: message }), {
		retryable: !memory,
	});
}

/** Starts a worker, runs one job in it, ends it. See {@link CoreWorker.run}. */
export async function runCore(job: CoreJob, handlers: CoreHandlers = {}, signal?: AbortSignal): Promise<CoreResult> {
	const worker = await CoreWorker.start(signal);
	return worker.run(job, handlers, signal);
}
