/**
 * What callers ask of ffmpeg.wasm, and what travels beside the messages of `@ffmpeg/ffmpeg`'s class (LOAD, MOUNT, EXEC …) to
 * and from our class worker. One job a worker: ffmpeg keeps global state between runs, so a worker is never reused.
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

/** A device of ours, mounted as the class mounts file systems: `mount(fsType, options, path)`. */
export type CoreDevice =
	| { readonly fsType: 'RING'; readonly options: Omit<Extract<CoreOutput, { kind: 'frames' }>, 'kind' | 'path'> }
	| { readonly fsType: 'RECORDS'; readonly options: { readonly frameBytes: number } }
	| { readonly fsType: 'CHUNKS'; readonly options: Readonly<Record<string, never>> }
	| { readonly fsType: 'PIPE'; readonly options: { readonly buffer: SharedArrayBuffer } }
	/** No file: from now on `showinfo` lines describe records. */
	| { readonly fsType: 'SHOWINFO'; readonly options: Readonly<Record<string, never>> };

/** What the worker loads; the class hands its whole configuration on. */
export interface CoreLoad {
	readonly coreURL: string;
	readonly wasmURL: string;
	/** `wasmURL` compiled: shared by all workers of a thread. */
	readonly module: WebAssembly.Module;
}

/** What the class's `log` event carries: it hands on whatever a LOG message holds. */
export type CoreEvent =
	/** The worker's script runs. */
	| { readonly type: 'hello'; readonly message: string }
	/** Lines of the program's log, joined by newlines. */
	| { readonly type: 'stderr'; readonly message: string }
	/** A record. `message` has its `showinfo` text; `slot` is −1 for `RECORDS`, whose bytes come in `data`. */
	| {
			readonly type: 'frame';
			readonly message: string;
			readonly path: string;
			readonly slot: number;
			readonly data?: ArrayBuffer;
	  }
	| {
			readonly type: 'chunk';
			readonly message: string;
			readonly path: string;
			readonly data: Uint8Array<ArrayBuffer>;
	  }
	/** The program has ended: bytes left over in record devices (a frame cut short), and of the wasm heap. */
	| { readonly type: 'end'; readonly message: string; readonly partialBytes: number; readonly heapBytes: number }
	/** The worker failed while nothing was asked of it. */
	| { readonly type: 'crash'; readonly message: string };
