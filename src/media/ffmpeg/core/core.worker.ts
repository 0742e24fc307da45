/**
 * Our class worker for `@ffmpeg/ffmpeg`: answers its class's messages as its own worker does, and adds devices to the file
 * system, so that planes stream out while the program runs. Blocking is allowed here, and wanted: the program is pulled by
 * making its output device wait. Whatever goes wrong is answered; the class would wait for an answer forever.
 */

import { captureLog, Devices, Log, readAheadBlobs, type Post } from './devices.ts';
import type { EmCore, EmFactory } from './emscripten.ts';
import type { CoreDevice, CoreLoad } from './protocol.ts';

/** A message of the class; `data` is what its method of that name was given. */
type Request = { readonly id: number } & (
	| { readonly type: 'LOAD'; readonly data: CoreLoad }
	| {
			readonly type: 'EXEC' | 'FFPROBE';
			readonly data: { readonly args: readonly string[]; readonly timeout?: number };
	  }
	| { readonly type: 'WRITE_FILE'; readonly data: { readonly path: string; readonly data: Uint8Array | string } }
	| { readonly type: 'READ_FILE'; readonly data: { readonly path: string; readonly encoding: string } }
	| {
			readonly type: 'DELETE_FILE' | 'CREATE_DIR' | 'LIST_DIR' | 'DELETE_DIR';
			readonly data: { readonly path: string };
	  }
	| { readonly type: 'RENAME'; readonly data: { readonly oldPath: string; readonly newPath: string } }
	| {
			readonly type: 'MOUNT';
			readonly data: { readonly fsType: string; readonly options: object; readonly mountPoint: string };
	  }
	| { readonly type: 'UNMOUNT'; readonly data: { readonly mountPoint: string } }
);

const scope = globalThis as unknown as {
	postMessage(message: unknown, transfer?: Transferable[]): void;
	onmessage: ((event: MessageEvent<Request>) => void) | null;
	addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
	addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
};

const DEVICES: readonly string[] = ['RING', 'RECORDS', 'CHUNKS', 'PIPE', 'SHOWINFO'] satisfies CoreDevice['fsType'][];

const post: Post = (event, transfer = []) => {
	scope.postMessage({ type: 'LOG', data: event }, transfer);
};

interface Loaded {
	readonly core: EmCore;
	readonly devices: Devices;
	readonly log: Log;
	readonly memory: WebAssembly.Memory | undefined;
}

let loaded: Loaded | undefined;
/** Requests that wait for an answer. */
const pending = new Set<number>();

async function load({ coreURL, wasmURL, module }: CoreLoad): Promise<boolean> {
	if (loaded) return false;
	const { default: factory } = (await import(/* @vite-ignore */ coreURL)) as { default: EmFactory };
	let memory: WebAssembly.Memory | undefined;
	const core = await new Promise<EmCore>((resolve, reject) => {
		factory({
			mainScriptUrlOrBlob: `${coreURL}#${btoa(JSON.stringify({ wasmURL, workerURL: '' }))}`,
			instantiateWasm: (imports, receive) => {
				// Where memory is short this rejects, and the factory's own promise would never settle.
				void WebAssembly.instantiate(module, imports).then((instance) => {
					memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
					receive(instance);
				}, reject);
				return {};
			},
		}).then(resolve, reject);
	});
	const log = new Log(post);
	core.setLogger(({ message }) => {
		log.add(message);
	});
	captureLog(core.FS, log);
	readAheadBlobs(core.FS);
	loaded = { core, devices: new Devices(core.FS, log, post), log, memory };
	return true;
}

function run(tool: 'EXEC' | 'FFPROBE', args: readonly string[], timeout: number): number {
	const { core, devices, log, memory } = ready();
	core.setTimeout(timeout);
	const code = tool === 'EXEC' ? core.exec(...args) : core.ffprobe(...args);
	core.reset();
	log.flush();
	post({
		type: 'end',
		message: '',
		partialBytes: devices.partialBytes(),
		heapBytes: memory?.buffer.byteLength ?? 0,
	});
	return code;
}

function mount(fsType: string, options: object, mountPoint: string): boolean {
	const { core, devices } = ready();
	if (DEVICES.includes(fsType)) {
		devices.mount({ fsType, options } as CoreDevice, mountPoint);
		return true;
	}
	const type = core.FS.filesystems[fsType];
	if (!type) return false;
	core.FS.mkdirTree(mountPoint);
	core.FS.mount(type, options, mountPoint);
	return true;
}

function ready(): Loaded {
	if (!loaded) throw new Error('ffmpeg is not loaded, call `await ffmpeg.load()` first');
	return loaded;
}

/** The answer to a request, as the class's own worker gives it. */
function answer(request: Exclude<Request, { type: 'LOAD' }>): unknown {
	const { FS: fs } = ready().core;
	switch (request.type) {
		case 'EXEC':
		case 'FFPROBE':
			return run(request.type, request.data.args, request.data.timeout ?? -1);
		case 'WRITE_FILE':
			fs.writeFile(request.data.path, request.data.data);
			return true;
		case 'READ_FILE':
			return fs.readFile(request.data.path, { encoding: request.data.encoding });
		case 'DELETE_FILE':
			fs.unlink(request.data.path);
			return true;
		case 'RENAME':
			fs.rename(request.data.oldPath, request.data.newPath);
			return true;
		case 'CREATE_DIR':
			fs.mkdirTree(request.data.path);
			return true;
		case 'LIST_DIR':
			return fs.readdir(request.data.path).map((name) => {
				const { mode } = fs.stat(`${request.data.path}/${name}`);
				return { name, isDir: fs.isDir(mode) };
			});
		case 'DELETE_DIR':
			fs.rmdir(request.data.path);
			return true;
		case 'MOUNT':
			return mount(request.data.fsType, request.data.options, request.data.mountPoint);
		case 'UNMOUNT':
			fs.unmount(request.data.mountPoint);
			return true;
	}
}

function refuse(id: number, thrown: unknown): void {
	pending.delete(id);
	const data = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
	scope.postMessage({ id, type: 'ERROR', data });
}

async function handle(request: Request): Promise<void> {
	const { id, type } = request;
	pending.add(id);
	try {
		const data = request.type === 'LOAD' ? await load(request.data) : answer(request);
		pending.delete(id);
		scope.postMessage({ id, type, data }, data instanceof Uint8Array ? [data.buffer] : []);
	} catch (thrown) {
		refuse(id, thrown);
	}
}

/** Something failed outside of any call: all that waits is answered. */
function crash(thrown: unknown): void {
	if (pending.size === 0) post({ type: 'crash', message: String(thrown) });
	for (const id of [...pending]) refuse(id, thrown);
}

scope.addEventListener('error', (event) => {
	event.preventDefault();
	crash(event.error ?? event.message);
});
scope.addEventListener('unhandledrejection', (event) => {
	event.preventDefault();
	crash(event.reason);
});
scope.onmessage = ({ data }) => {
	void handle(data);
};
post({ type: 'hello', message: '' });
