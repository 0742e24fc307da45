/**
 * The class worker: runs one job of ffmpeg.wasm with our own devices in its file system. Blocking is allowed here, and
 * wanted: the program is pulled by making its output device wait.
 */

import type { EmCore, EmFactory, EmFs, EmStreamOps } from './emscripten.ts';
import type { CoreInput, CoreJob, CoreOutput, CoreReply, CoreRequest } from './protocol.ts';
import { BytePipe, FrameRing } from './rings.ts';
import { ShowinfoLines } from './showinfo-lines.ts';

const scope = globalThis as unknown as {
	postMessage(message: CoreReply, transfer?: Transferable[]): void;
	onmessage: ((event: MessageEvent<CoreRequest>) => void) | null;
};

/** Bytes read at once from a Blob: ffmpeg asks for 32 KiB, and each FileReaderSync call costs a round trip. */
const READ_AHEAD = 1 << 20;
const ERRNO_IO = 29;
const ERRNO_SPIPE = 70;

let core: Promise<EmCore> | undefined;
let heap: WebAssembly.Memory | undefined;
let nextMajor = 100;

/** Log lines wait here until a record goes out or there are many: a message a line would cost more than decoding. */
class Log {
	#lines: string[] = [];
	readonly #infos: string[] = [];
	readonly #showinfo: ShowinfoLines | undefined;

	constructor(showinfo: boolean) {
		this.#showinfo = showinfo ? new ShowinfoLines() : undefined;
	}

	add(line: string): void {
		const info = this.#showinfo?.add(line);
		if (info !== undefined) {
			if (info !== '') this.#infos.push(info);
			return;
		}
		// What Emscripten prints when the program exits, whatever its code.
		if (line === 'Aborted()') return;
		this.#lines.push(line);
		if (this.#lines.length >= 64) this.flush();
	}

	/** Description of the next record, in order. */
	nextInfo(): string {
		return this.#infos.shift() ?? '';
	}

	flush(): void {
		if (this.#lines.length > 0) scope.postMessage({ type: 'log', lines: this.#lines });
		this.#lines = [];
	}
}

function asBytes(buffer: Int8Array, offset: number, length: number): Uint8Array {
	return new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
}

function makeDevice(fs: EmFs, path: string, ops: EmStreamOps): void {
	fs.mkdirTree(path.slice(0, path.lastIndexOf('/')) || '/');
	const device = fs.makedev(nextMajor++, 0);
	const refuse = (): never => {
		throw new fs.ErrnoError(ERRNO_SPIPE);
	};
	fs.registerDevice(device, {
		open: (stream) => {
			stream.seekable = false;
		},
		close: () => undefined,
		llseek: refuse,
		...ops,
	});
	fs.mkdev(path, 0o666, device);
}

/** Replaces WORKERFS' reader by one with a read-ahead window a stream. */
function mountBlobs(fs: EmFs, inputs: readonly Extract<CoreInput, { kind: 'blob' }>[]): void {
	const reader = new FileReaderSync();
	const windows = new WeakMap<object, { start: number; bytes: Uint8Array }>();
	fs.filesystems.WORKERFS.stream_ops.read = (stream, buffer, offset, length, position) => {
		const { size, contents } = stream.node;
		if (position >= size) return 0;
		let window = windows.get(stream);
		if (!window || position < window.start || position >= window.start + window.bytes.length) {
			try {
				const slice = contents.slice(position, Math.min(size, position + Math.max(READ_AHEAD, length)));
				window = { start: position, bytes: new Uint8Array(reader.readAsArrayBuffer(slice)) };
			} catch {
				throw new fs.ErrnoError(ERRNO_IO);
			}
			windows.set(stream, window);
		}
		const part = window.bytes.subarray(position - window.start, position - window.start + length);
		asBytes(buffer, offset, part.length).set(part);
		return part.length;
	};
	for (const input of inputs) {
		const cut = input.path.lastIndexOf('/');
		const dir = input.path.slice(0, cut) || '/';
		fs.mkdirTree(dir);
		fs.mount(fs.filesystems.WORKERFS, { blobs: [{ name: input.path.slice(cut + 1), data: input.blob }] }, dir);
	}
}

function addInputs(fs: EmFs, inputs: readonly CoreInput[]): void {
	mountBlobs(
		fs,
		inputs.filter((input) => input.kind === 'blob'),
	);
	for (const input of inputs) {
		if (input.kind === 'bytes') {
			fs.mkdirTree(input.path.slice(0, input.path.lastIndexOf('/')) || '/');
			fs.writeFile(input.path, input.data);
		} else if (input.kind === 'pipe') {
			const pipe = new BytePipe(input.buffer);
			makeDevice(fs, input.path, {
				read: (_stream, buffer, offset, length) => pipe.readInto(asBytes(buffer, offset, length)),
			});
		}
	}
}

/** Cuts a stream of bytes into records and hands each over. Returns a function that tells what is left over. */
function recordDevice(fs: EmFs, output: Extract<CoreOutput, { kind: 'frames' | 'records' }>, log: Log): () => number {
	const { path, frameBytes } = output;
	const ring = output.kind === 'frames' ? new FrameRing(output.buffer, frameBytes) : undefined;
	let count = 0;
	let filled = 0;
	let slot = -1;
	let target: Uint8Array | undefined;
	const finish = (): void => {
		const info = log.nextInfo();
		if (ring) scope.postMessage({ type: 'frame', path, slot, info });
		else if (target) {
			const data = target.buffer as ArrayBuffer;
			scope.postMessage({ type: 'frame', path, slot, info, data }, [data]);
		}
		count++;
		filled = 0;
		target = undefined;
	};
	makeDevice(fs, path, {
		write: (_stream, buffer, offset, length) => {
			let done = 0;
			while (done < length) {
				if (!target) {
					slot = ring ? ring.acquire(count) : -1;
					target = ring ? ring.slot(slot) : new Uint8Array(frameBytes);
				}
				const part = Math.min(length - done, frameBytes - filled);
				target.set(asBytes(buffer, offset + done, part), filled);
				filled += part;
				done += part;
				if (filled === frameBytes) finish();
			}
			return length;
		},
	});
	return () => filled;
}

function addOutputs(fs: EmFs, outputs: readonly CoreOutput[], log: Log): (() => number)[] {
	const rests: (() => number)[] = [];
	for (const output of outputs) {
		if (output.kind === 'frames' || output.kind === 'records') rests.push(recordDevice(fs, output, log));
		else if (output.kind === 'stream') {
			makeDevice(fs, output.path, {
				write: (_stream, buffer, offset, length) => {
					const data = asBytes(buffer, offset, length).slice();
					scope.postMessage({ type: 'chunk', path: output.path, data }, [data.buffer]);
					return length;
				},
			});
		} else fs.mkdirTree(output.path.slice(0, output.path.lastIndexOf('/')) || '/');
	}
	return rests;
}

function takeFiles(fs: EmFs, outputs: readonly CoreOutput[]): Record<string, Uint8Array<ArrayBuffer>> {
	const files: Record<string, Uint8Array<ArrayBuffer>> = {};
	for (const output of outputs) {
		if (output.kind !== 'file') continue;
		try {
			files[output.path] = fs.readFile(output.path, { encoding: 'binary' });
			fs.unlink(output.path);
		} catch {
			// The program failed before it made the file; its exit code says so.
		}
	}
	return files;
}

async function prepare(coreUrl: string, module: WebAssembly.Module): Promise<EmCore> {
	const { default: factory } = (await import(/* @vite-ignore */ coreUrl)) as { default: EmFactory };
	return factory({
		mainScriptUrlOrBlob: `${coreUrl}#${btoa(JSON.stringify({ wasmURL: '', workerURL: '' }))}`,
		instantiateWasm: (imports, receive) => {
			void WebAssembly.instantiate(module, imports).then((instance) => {
				heap = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
				receive(instance);
			}, crash);
			return {};
		},
	});
}

async function run(job: CoreJob): Promise<void> {
	if (!core) throw new Error('run before prepare');
	const { FS: fs, ...rest } = await core.then((c) => ({ FS: c.FS, c }));
	const program = rest.c;
	const log = new Log(job.showinfo ?? false);
	program.setLogger(({ message }) => {
		log.add(message);
	});
	const outputs = job.outputs ?? [];
	addInputs(fs, job.inputs ?? []);
	const rests = addOutputs(fs, outputs, log);
	const code = job.tool === 'ffmpeg' ? program.exec(...job.args) : program.ffprobe(...job.args);
	log.flush();
	const files = takeFiles(fs, outputs);
	const partialBytes = rests.reduce((sum, rest) => sum + rest(), 0);
	scope.postMessage(
		{ type: 'done', code, files, partialBytes, heapBytes: heap?.buffer.byteLength ?? 0 },
		Object.values(files).map((file) => file.buffer),
	);
}

function crash(thrown: unknown): void {
	scope.postMessage({
		type: 'crash',
		message: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
	});
}

scope.onmessage = ({ data }) => {
	if (data.type === 'prepare') {
		core = prepare(data.coreUrl, data.module);
		core.then(() => {
			scope.postMessage({ type: 'ready' });
		}, crash);
	} else run(data.job).catch(crash);
};
