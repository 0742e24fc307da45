/** Our devices in ffmpeg.wasm's file system: the ring, records, chunks, pipes, Blobs read ahead, and the log. */

import { discarded } from '../../../core/buffers.ts';
import type { EmFs, EmStreamOps } from './emscripten.ts';
import type { CoreDevice, CoreEvent } from './protocol.ts';
import { BytePipe, FrameRing } from './rings.ts';
import { ShowinfoLines } from './showinfo-lines.ts';

/** Sends an event to the page's side. */
export type Post = (event: CoreEvent, transfer?: Transferable[]) => void;

/** Bytes read at once from a Blob: ffmpeg asks for 32 KiB, and each FileReaderSync call costs a round trip. */
const READ_AHEAD = 1 << 20;
const ERRNO_IO = 29;
const ERRNO_SPIPE = 70;
const STDERR = 2;
const NEWLINE = 10;

/** Log lines wait here until a record goes out or there are many: a message a line would cost more than decoding. */
export class Log {
	#lines: string[] = [];
	readonly #infos: string[] = [];
	readonly #post: Post;
	#showinfo: ShowinfoLines | undefined;

	constructor(post: Post) {
		this.#post = post;
	}

	/** From now on `showinfo` lines are kept for {@link nextInfo}. */
	describeRecords(): void {
		this.#showinfo ??= new ShowinfoLines();
	}

	add(line: string): void {
		const info = this.#showinfo?.add(line);
		if (info !== undefined) {
			if (info !== '') this.#infos.push(info);
			return;
		}
		// What Emscripten prints when the program exits, whatever its code.
		if (line.startsWith('Aborted(')) return;
		this.#lines.push(line);
		if (this.#lines.length >= 64) this.flush();
	}

	/** Description of the next record, in order. */
	nextInfo(): string {
		return this.#infos.shift() ?? '';
	}

	flush(): void {
		if (this.#lines.length > 0) this.#post({ type: 'stderr', message: this.#lines.join('\n') });
		this.#lines = [];
	}
}

function asBytes(buffer: Int8Array, offset: number, length: number): Uint8Array {
	return new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
}

/** Takes the program's error output in whole writes: Emscripten's own terminal makes a call of each character. */
export function captureLog(fs: EmFs, log: Log): void {
	const stream = fs.streams[STDERR];
	if (!stream) return;
	const decoder = new TextDecoder();
	// `showinfo` writes a frame's line in some twenty pieces: they are joined as bytes and decoded once.
	let line = new Uint8Array(1024);
	let filled = 0;
	const append = (bytes: Uint8Array): void => {
		if (filled + bytes.length > line.length) {
			const wider = new Uint8Array(2 * (filled + bytes.length));
			wider.set(line.subarray(0, filled));
			line = wider;
		}
		line.set(bytes, filled);
		filled += bytes.length;
	};
	stream.stream_ops = {
		...stream.stream_ops,
		write: (_stream, buffer, offset, length) => {
			let bytes = asBytes(buffer, offset, length);
			for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
				append(bytes.subarray(0, end));
				log.add(decoder.decode(line.subarray(0, filled)));
				filled = 0;
				bytes = bytes.subarray(end + 1);
			}
			append(bytes);
			return length;
		},
	};
}

/** Replaces WORKERFS' reader by one with a read-ahead window a stream. */
export function readAheadBlobs(fs: EmFs): void {
	const reader = new FileReaderSync();
	const windows = new WeakMap<object, { start: number; bytes: Uint8Array }>();
	const ops = fs.filesystems['WORKERFS']?.stream_ops;
	if (!ops) throw new Error('this core has no WORKERFS');
	ops.read = (stream, buffer, offset, length, position) => {
		const { size, contents } = stream.node;
		if (position >= size) return 0;
		let window = windows.get(stream);
		if (!window || position < window.start || position >= window.start + window.bytes.length) {
			// The program reads a whole film without a pause in which anything could be collected.
			if (window) discarded(window.bytes.length);
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
}

/** The devices of one core. */
export class Devices {
	readonly #fs: EmFs;
	readonly #log: Log;
	readonly #post: Post;
	readonly #rests: (() => number)[] = [];
	#nextMajor = 100;

	constructor(fs: EmFs, log: Log, post: Post) {
		this.#fs = fs;
		this.#log = log;
		this.#post = post;
	}

	/** Makes a device at a path; its folders are made as needed. */
	mount(device: CoreDevice, path: string): void {
		switch (device.fsType) {
			case 'RING': {
				const { buffer, frameBytes } = device.options;
				return this.#records(path, frameBytes, new FrameRing(buffer, frameBytes));
			}
			case 'RECORDS':
				return this.#records(path, device.options.frameBytes, undefined);
			case 'CHUNKS':
				return this.#make(path, {
					write: (_stream, buffer, offset, length) => {
						const data = asBytes(buffer, offset, length).slice();
						this.#post({ type: 'chunk', message: '', path, data }, [data.buffer]);
						return length;
					},
				});
			case 'PIPE': {
				const pipe = new BytePipe(device.options.buffer);
				return this.#make(path, {
					read: (_stream, buffer, offset, length) => pipe.readInto(asBytes(buffer, offset, length)),
				});
			}
			case 'SHOWINFO':
				this.#log.describeRecords();
		}
	}

	/** Bytes of unfinished records. */
	partialBytes(): number {
		return this.#rests.reduce((sum, rest) => sum + rest(), 0);
	}

	#make(path: string, ops: EmStreamOps): void {
		const fs = this.#fs;
		fs.mkdirTree(path.slice(0, path.lastIndexOf('/')) || '/');
		const device = fs.makedev(this.#nextMajor++, 0);
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

	/** Cuts a stream of bytes into records and hands each over. */
	#records(path: string, frameBytes: number, ring: FrameRing | undefined): void {
		let count = 0;
		let filled = 0;
		let slot = -1;
		let target: Uint8Array | undefined;
		const finish = (): void => {
			const message = this.#log.nextInfo();
			if (ring) this.#post({ type: 'frame', message, path, slot });
			else if (target) {
				const data = target.buffer as ArrayBuffer;
				this.#post({ type: 'frame', message, path, slot, data }, [data]);
			}
			count++;
			filled = 0;
			target = undefined;
		};
		this.#make(path, {
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
		this.#rests.push(() => filled);
	}
}
