/** The parts of Emscripten's run time in `@ffmpeg/core` that are used here; its package ships no types. Types only. */

/** An open file in Emscripten's file system. */
export interface EmStream {
	readonly node: { readonly size: number; readonly contents: Blob };
	position: number;
	seekable: boolean;
}

/** Operations of a device or file. `buffer` is the wasm heap; it may be replaced when the heap grows, so never keep it. */
export interface EmStreamOps {
	open?(stream: EmStream): void;
	close?(stream: EmStream): void;
	read?(stream: EmStream, buffer: Int8Array, offset: number, length: number, position: number): number;
	write?(stream: EmStream, buffer: Int8Array, offset: number, length: number, position: number): number;
	llseek?(stream: EmStream, offset: number, whence: number): number;
}

/** Emscripten's file system. */
export interface EmFs {
	mkdirTree(path: string): void;
	mkdev(path: string, mode: number, device: number): void;
	makedev(major: number, minor: number): number;
	registerDevice(device: number, ops: EmStreamOps): void;
	writeFile(path: string, data: Uint8Array): void;
	readFile(path: string, options: { encoding: 'binary' }): Uint8Array<ArrayBuffer>;
	unlink(path: string): void;
	mount(type: { stream_ops: EmStreamOps }, options: { blobs: { name: string; data: Blob }[] }, path: string): void;
	readonly filesystems: { readonly WORKERFS: { stream_ops: EmStreamOps } };
	readonly ErrnoError: new (errno: number) => Error;
}

/** The module that the core's factory gives. */
export interface EmCore {
	readonly FS: EmFs;
	readonly ret: number;
	exec(...args: string[]): number;
	ffprobe(...args: string[]): number;
	setLogger(logger: (log: { type: string; message: string }) => void): void;
}

/** Default export of `dist/esm/ffmpeg-core.js`. */
export type EmFactory = (overrides: {
	instantiateWasm: (imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) => object;
	mainScriptUrlOrBlob: string;
}) => Promise<EmCore>;
