/** The CPU backend: ops run their TypeScript twins at once, pictures live in array buffers. */

import type { BackendInfo, Block, Compute, ComputeCounters, Op, Picture } from '../contracts/compute.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase, type Text } from '../core/phrases.ts';
import {
	asBytes,
	checkAliasing,
	checkPictureSize,
	newCounters,
	owned,
	PooledBlock,
	PooledPicture,
	readbackTarget,
} from './blocks.ts';
import type { BlockOwner } from './blocks.ts';
import { Pool } from './pool.ts';

/** Options of {@link CpuCompute}. */
export interface CpuOptions {
	/** Bytes of pictures and blocks, free ones included. */
	readonly memoryBudget: number;
	/** Threads that models may use; shown in the badge. */
	readonly threads: number;
	/** Why this backend was taken. */
	readonly reason: Text;
}

/** The numbers of a CPU block, as float32. Throws `internal` for blocks of the GPU. */
export function cpuFloats(block: Block): Float32Array<ArrayBuffer> {
	const storage = block.storage;
	if (storage.kind !== 'cpu') throw new EmulsionError('internal', 'The block lives on the GPU.');
	return new Float32Array(storage.data as ArrayBuffer, 0, block.words);
}

/** See the file's comment. */
export class CpuCompute implements Compute, BlockOwner {
	readonly info: BackendInfo;
	/** Threads that models may use. */
	readonly threads: number;
	/** Never settles: a CPU is not lost. */
	readonly lost: Promise<Error> = new Promise(() => undefined);
	readonly #pool: Pool<ArrayBuffer>;
	readonly #counters = newCounters();
	#live = 0;
	#closed = false;

	constructor({ memoryBudget, threads, reason }: CpuOptions) {
		this.threads = threads;
		this.info = {
			kind: 'wasm',
			name: phrase(threads === 1 ? 'cpu-thread' : 'cpu-threads', { threads }),
			software: false,
			reason,
			key: `wasm:${threads}`,
		};
		this.#pool = new Pool<ArrayBuffer>(memoryBudget, {
			allocate: (bytes) => {
				try {
					return new ArrayBuffer(bytes);
				} catch (cause) {
					throw new EmulsionError('out-of-memory', phrase('no-bytes', { bytes }), { cause });
				}
			},
			free: () => undefined,
		});
	}

	/** Blocks that somebody still owns; tests expect 0 at their end. */
	get live(): number {
		return this.#live;
	}

	picture(width: number, height: number, channels: number): Picture {
		checkPictureSize(width, height, channels);
		const data = this.#acquire(width * height * channels);
		return new PooledPicture(this, { kind: 'cpu', data }, width, height, channels, true);
	}

	block(words: number): Block {
		return new PooledBlock(this, { kind: 'cpu', data: this.#acquire(words) }, words, true);
	}

	upload(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Block {
		const started = performance.now();
		const source = asBytes(bytes);
		const words = Math.max(1, Math.ceil(source.byteLength / 4));
		const data = this.#acquire(words);
		new Uint8Array(data).set(source);
		this.#countUpload(source.byteLength, started);
		return new PooledBlock(this, { kind: 'cpu', data }, words, true);
	}

	uploadPicture(data: Float32Array<ArrayBuffer>, width: number, height: number, channels: number): Picture {
		const started = performance.now();
		checkPictureSize(width, height, channels);
		checkLength(data.length, width * height * channels);
		const buffer = this.#acquire(data.length);
		new Float32Array(buffer).set(data);
		this.#countUpload(data.byteLength, started);
		return new PooledPicture(this, { kind: 'cpu', data: buffer }, width, height, channels, true);
	}

	/**
	 * A picture around an array that is not copied (a model's output). The array must start at its buffer's beginning
	 * and nobody else may write it.
	 */
	adopt(data: Float32Array<ArrayBuffer>, width: number, height: number, channels: number): Picture {
		this.#check();
		checkPictureSize(width, height, channels);
		checkLength(data.length, width * height * channels);
		if (data.byteOffset !== 0) return this.uploadPicture(data, width, height, channels);
		this.#pool.adopt(data.byteLength);
		this.#live++;
		return new PooledPicture(this, { kind: 'cpu', data: data.buffer }, width, height, channels, false);
	}

	run<P>(op: Op<P>, inputs: readonly Block[], outputs: readonly Block[], params: P): void {
		this.#check();
		checkAliasing(inputs, outputs, op.id);
		this.#counters.dispatches++;
		op.cpu(
			inputs.map((block) => cpuFloats(owned(block, this))),
			outputs.map((block) => cpuFloats(owned(block, this))),
			params,
		);
	}

	// Async, so that what it throws is a rejection, as on the GPU.
	async readback(block: Block, into?: ArrayBuffer): Promise<ArrayBuffer> {
		this.#check();
		const started = performance.now();
		const floats = cpuFloats(owned(block, this));
		const copy = readbackTarget(block, into);
		new Float32Array(copy).set(floats);
		this.#counters.readbacks++;
		this.#counters.readbackBytes += copy.byteLength;
		this.#counters.readbackSeconds += (performance.now() - started) / 1000;
		return copy;
	}

	done(): Promise<void> {
		this.#check();
		return Promise.resolve();
	}

	counters(): ComputeCounters {
		return {
			...this.#counters,
			bytesInUse: this.#pool.inUse,
			bytesPooled: this.#pool.pooled,
			peakBytes: this.#pool.peak,
		};
	}

	destroy(): void {
		this.#closed = true;
		this.#pool.trim();
	}

	/** Called by blocks only. */
	reclaim(block: PooledBlock): void {
		this.#live--;
		const storage = block.storage;
		if (storage.kind !== 'cpu') return;
		if (block.pooled) this.#pool.recycle(storage.data as ArrayBuffer, block.words * 4);
		else this.#pool.disown(block.words * 4);
		if (this.#closed) this.#pool.trim();
	}

	#acquire(words: number): ArrayBuffer {
		this.#check();
		const data = this.#pool.acquire(words * 4);
		this.#live++;
		return data;
	}

	#countUpload(bytes: number, started: number): void {
		this.#counters.uploads++;
		this.#counters.uploadBytes += bytes;
		this.#counters.uploadSeconds += (performance.now() - started) / 1000;
	}

	#check(): void {
		if (this.#closed) throw new EmulsionError('internal', 'The CPU backend was destroyed.');
	}
}

function checkLength(got: number, expected: number): void {
	if (got !== expected) throw new EmulsionError('internal', `A picture needs ${expected} values, got ${got}.`);
}
