/** The parts of Emscripten's run time in `@ffmpeg/core` that are used here; its package ships no types. Types only. */

/** An open file in Emscripten's file system. */
export interface EmStream {
	readonly fd: number;
	readonly node: { readonly size: number; readonly contents: Blob };
	position: number;
	seekable: boolean;
	stream_ops: EmStreamOps;
}

/** Operations of a device or file. `buffer` is the wasm heap; it may be replaced when the heap grows, so never keep it. */
export interface EmStreamOps {
	open?(stream: EmStream): void;
	close?(stream: EmStream): void;
	read?(stream: EmStream, buffer: Int8Array, offset: number, length: number, position: number): number;
	write?(stream: EmStream, buffer: Int8Array, offset: number, length: number, position: number): number;
	llseek?(stream: EmStream, offset: number, whence: number): number;
}

/** A mountable file system. */
export interface EmFsType {
	stream_ops?: EmStreamOps;
}

/** Emscripten's file system. */
export interface EmFs {
	mkdirTree(path: string): void;
	mkdev(path: string, mode: number, device: number): void;
	makedev(major: number, minor: number): number;
	registerDevice(device: number, ops: EmStreamOps): void;
	open(path: string, flags: string): EmStream;
	writeFile(path: string, data: Uint8Array | string): void;
	readFile(path: string, options: { encoding: string }): Uint8Array<ArrayBuffer> | string;
	unlink(path: string): void;
	rename(from: string, to: string): void;
	rmdir(path: string): void;
	readdir(path: string): string[];
	stat(path: string): { readonly mode: number };
	isDir(mode: number): boolean;
	mount(type: EmFsType, options: object, path: string): void;
	unmount(path: string): void;
	/** By descriptor: 2 is where the log goes. */
	readonly streams: readonly (EmStream | null | undefined)[];
	readonly filesystems: Readonly<Record<string, EmFsType | undefined>>;
	readonly ErrnoError: new (errno: number) => Error;
}

/** The module that the core's factory gives. */
export interface EmCore {
	readonly FS: EmFs;
	readonly ret: number;
	exec(...args: string[]): number;
	ffprobe(...args: string[]): number;
	setLogger(logger: (log: { type: string; message: string }) => void): void;
	setTimeout(milliseconds: number): void;
	reset(): void;
}

/** Default export of `dist/esm/ffmpeg-core.js`. */
export type EmFactory = (overrides: {
	instantiateWasm: (imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) => object;
	mainScriptUrlOrBlob: string;
}) => Promise<EmCore>;
