/**
 * What a page or worker says to the worker that runs ffmpeg.wasm, and what it answers. One job a worker: ffmpeg keeps
 * global state between runs, so a worker is never reused.
 */

/** Something the program reads. Paths are absolute; folders are made as needed. */
export type CoreInput =
	/** A Blob or File of any size, read in place (WORKERFS) with a small read-ahead; read-only, seekable. */
	| { readonly kind: 'blob'; readonly path: string; readonly blob: Blob }
	/** Small bytes in memory (MEMFS). */
	| { readonly kind: 'bytes'; readonly path: string; readonly data: Uint8Array }
	/** A byte stream from another thread: a {@link BytePipe}'s buffer. Reading blocks until bytes come or the pipe is ended. */
	| { readonly kind: 'pipe'; readonly path: string; readonly buffer: SharedArrayBuffer };

/** Something the program writes. */
export type CoreOutput =
	/** A write-only device: each write comes out as a chunk at once (`onChunk`), or is collected into the result. Not seekable. */
	| { readonly kind: 'stream'; readonly path: string }
	/** A file in memory (MEMFS), seekable, given back when the program has ended. */
	| { readonly kind: 'file'; readonly path: string }
	/** A write-only device cut into records of `frameBytes` bytes, handed over through a {@link FrameRing}; blocks while it is full. */
	| { readonly kind: 'frames'; readonly path: string; readonly buffer: SharedArrayBuffer; readonly frameBytes: number }
	/**
	 * As `frames`, for browsers without SharedArrayBuffer: records are posted as they come, without back-pressure. The
	 * caller bounds the run (`-frames:v`).
	 */
	| { readonly kind: 'records'; readonly path: string; readonly frameBytes: number };

/** One run of `ffmpeg` or `ffprobe`. */
export interface CoreJob {
	readonly tool: 'ffmpeg' | 'ffprobe';
	/** Arguments after the program's name (`-nostdin -y` is already there for ffmpeg). */
	readonly args: readonly string[];
	readonly inputs?: readonly CoreInput[];
	readonly outputs?: readonly CoreOutput[];
	/** When set, pairs of `showinfo` log lines are sent with the records they describe instead of as log lines. */
	readonly showinfo?: boolean;
}

/** To the worker. */
export type CoreRequest =
	| { readonly type: 'prepare'; readonly coreUrl: string; readonly module: WebAssembly.Module }
	| { readonly type: 'run'; readonly job: CoreJob };

/** From the worker. `frame.slot` is −1 for `records`, whose bytes then come in `data`. */
export type CoreReply =
	| { readonly type: 'ready' }
	| { readonly type: 'log'; readonly lines: readonly string[] }
	| { readonly type: 'chunk'; readonly path: string; readonly data: Uint8Array<ArrayBuffer> }
	| {
			readonly type: 'frame';
			readonly path: string;
			readonly slot: number;
			readonly info: string;
			readonly data?: ArrayBuffer;
	  }
	| {
			readonly type: 'done';
			readonly code: number;
			readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
			/** Bytes left over in a record device: a frame that was cut short. */
			readonly partialBytes: number;
			/** Wasm heap at the end, in bytes. */
			readonly heapBytes: number;
	  }
	| { readonly type: 'crash'; readonly message: string };
