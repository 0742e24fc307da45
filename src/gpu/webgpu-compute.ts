/**
 * The WebGPU backend: owner of the one device. Dispatches are batched into one command encoder per submit; failures that
 * WebGPU reports late (validation, memory, loss) become typed errors of the next call.
 */

import type { BackendInfo, Block, Compute, ComputeCounters, Op, Picture } from '../contracts/compute.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
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
import { PipelineCache } from './pipelines.ts';
import { Pool, sizeClass } from './pool.ts';
import { Readbacks } from './readbacks.ts';
import { UniformArena } from './uniforms.ts';

/** Dispatches after which a batch is submitted, so that the GPU does not wait for a long stage to be described. */
const BATCH = 32;

/** Milliseconds by which the loss of a device may be told later than what it broke. Only a failure waits for it. */
const LOSS_LATENESS = 1000;

const USAGE = { storage: 0x80, copyDst: 0x08, copySrc: 0x04 } as const;

/** The buffer of a GPU block. Throws `internal` for blocks of the CPU. */
export function gpuBuffer(block: Block): GPUBuffer {
	const storage = block.storage;
	if (storage.kind !== 'gpu') throw new EmulsionError('internal', 'The block lives on the CPU.');
	return storage.buffer;
}

/** See the file's comment. */
export class WebGpuCompute implements Compute, BlockOwner {
	/** The one device; models run on it as well. */
	readonly device: GPUDevice;
	readonly info: BackendInfo;
	readonly lost: Promise<Error>;
	readonly #pool: Pool<GPUBuffer>;
	readonly #pipelines: PipelineCache;
	readonly #uniforms: UniformArena;
	readonly #readbacks: Readbacks;
	readonly #counters = newCounters();
	/** Batch number in which a buffer was last used; it may be overwritten or destroyed only after that batch's submit. */
	readonly #lastUse = new WeakMap<GPUBuffer, number>();
	/** Who waits for the device and must be told when it is lost. */
	readonly #waiting = new Set<(error: Error) => void>();
	#encoder: GPUCommandEncoder | undefined;
	#pass: GPUComputePassEncoder | undefined;
	#batch = 1;
	#inBatch = 0;
	#live = 0;
	#closed = false;
	#loss: EmulsionError | undefined;
	#failure: EmulsionError | undefined;

	constructor(device: GPUDevice, info: BackendInfo, memoryBudget: number) {
		this.device = device;
		this.info = info;
		this.#pool = new Pool<GPUBuffer>(memoryBudget, {
			allocate: (bytes) => this.#allocate(bytes),
			free: (buffer) => this.#free(buffer),
		});
		this.#pipelines = new PipelineCache(device);
		this.#uniforms = new UniformArena(device);
		this.#readbacks = new Readbacks(device);
		device.addEventListener('uncapturederror', (event) => this.#onError((event as GPUUncapturedErrorEvent).error));
		this.lost = new Promise((resolve) => {
			void device.lost.then((info) => {
				if (this.#closed) return;
				this.#loss = new EmulsionError('device-lost', phrase('gpu-lost', { why: info.message || info.reason }), {
					retryable: true,
				});
				for (const reject of this.#waiting) reject(this.#loss);
				this.#waiting.clear();
				resolve(this.#loss);
			});
		});
	}

	/** Blocks that somebody still owns; tests expect 0 at their end. */
	get live(): number {
		return this.#live;
	}

	picture(width: number, height: number, channels: number): Picture {
		checkPictureSize(width, height, channels);
		const buffer = this.#acquire(width * height * channels);
		return new PooledPicture(this, { kind: 'gpu', buffer }, width, height, channels, true);
	}

	block(words: number): Block {
		return new PooledBlock(this, { kind: 'gpu', buffer: this.#acquire(words) }, words, true);
	}

	upload(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Block {
		const source = asBytes(bytes);
		const block = this.block(Math.max(1, Math.ceil(source.byteLength / 4)));
		this.#write(gpuBuffer(block), source);
		return block;
	}

	uploadPicture(data: Float32Array<ArrayBuffer>, width: number, height: number, channels: number): Picture {
		checkPictureSize(width, height, channels);
		const expected = width * height * channels;
		if (data.length !== expected) {
			throw new EmulsionError('internal', `A picture needs ${expected} values, got ${data.length}.`);
		}
		const picture = this.picture(width, height, channels);
		this.#write(gpuBuffer(picture), asBytes(data));
		return picture;
	}

	run<P>(op: Op<P>, inputs: readonly Block[], outputs: readonly Block[], params: P): void {
		this.check();
		checkAliasing(inputs, outputs, op.id);
		const buffers = [...inputs, ...outputs].map((block) => gpuBuffer(owned(block, this)));
		const values = op.uniforms(params);
		const pipeline = this.#pipelines.get(op, values.length > 0, inputs.length, outputs.length);
		if (values.length > 0 && !this.#uniforms.fits(values.length)) this.flush();
		const entries: GPUBindGroupEntry[] = buffers.map((buffer, index) => ({
			binding: index + (values.length > 0 ? 1 : 0),
			resource: { buffer },
		}));
		if (values.length > 0) entries.unshift({ binding: 0, resource: this.#uniforms.push(values) });
		const group = this.device.createBindGroup({ layout: pipeline.layout, entries });
		this.#encoder ??= this.device.createCommandEncoder();
		this.#pass ??= this.#encoder.beginComputePass();
		this.#pass.setPipeline(pipeline.pipeline);
		this.#pass.setBindGroup(0, group);
		this.#pass.dispatchWorkgroups(...op.dispatch(params));
		for (const buffer of buffers) this.#lastUse.set(buffer, this.#batch);
		this.#counters.dispatches++;
		if (++this.#inBatch >= BATCH) this.flush();
	}

	/** Submits what was enqueued. Needed before anybody else (a model, the viewer) uses the queue. */
	flush(): void {
		if (this.#encoder === undefined) return;
		this.#pass?.end();
		this.#uniforms.write();
		this.device.queue.submit([this.#encoder.finish()]);
		this.#encoder = undefined;
		this.#pass = undefined;
		this.#inBatch = 0;
		this.#batch++;
	}

	async readback(block: Block, into?: ArrayBuffer): Promise<ArrayBuffer> {
		this.check();
		const started = performance.now();
		const bytes = block.words * 4;
		const buffer = gpuBuffer(owned(block, this));
		const target = readbackTarget(block, into);
		this.flush();
		try {
			const copy = await this.orLost(this.#readbacks.read(buffer, target));
			this.check();
			this.#counters.readbacks++;
			this.#counters.readbackBytes += bytes;
			this.#counters.readbackSeconds += (performance.now() - started) / 1000;
			return copy;
		} catch (error) {
			// A map that fails because the device died is reported as the death.
			this.check();
			throw error;
		}
	}

	async done(): Promise<void> {
		this.check();
		this.flush();
		await this.orLost(this.device.queue.onSubmittedWorkDone());
		this.check();
	}

	counters(): ComputeCounters {
		return {
			...this.#counters,
			bytesInUse: this.#pool.inUse,
			bytesPooled: this.#pool.pooled,
			peakBytes: this.#pool.peak,
		};
	}

	/** Loses the device on purpose, as a driver reset would: for tests of recovery. */
	loseDevice(): void {
		this.device.destroy();
	}

	destroy(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#encoder = undefined;
		this.#pass = undefined;
		this.device.destroy();
	}

	/** Throws what WebGPU reported since the last call, `device-lost`, or `internal` after `destroy`. */
	check(): void {
		if (this.#loss !== undefined) throw this.#loss;
		if (this.#closed) throw new EmulsionError('internal', 'The WebGPU backend was destroyed.');
		const failure = this.#failure;
		this.#failure = undefined;
		if (failure !== undefined) throw failure;
	}

	/**
	 * The result of `work`, or a `device-lost` rejection as soon as the device is gone: work on a dead device may never
	 * settle. (A race with {@link lost} would keep every result alive for as long as the device.) A mapping that a dying device
	 * ends is told as an `AbortError`, sometimes before the loss itself; nobody here aborts a mapping, so it is never `aborted`.
	 */
	orLost<T>(work: Promise<T>): Promise<T> {
		if (this.#loss !== undefined) return Promise.reject(this.#loss);
		return new Promise<T>((resolve, reject) => {
			this.#waiting.add(reject);
			const explain = async (error: unknown): Promise<void> => {
				const ended = error instanceof DOMException && error.name === 'AbortError';
				if (ended) await Promise.race([this.lost, new Promise((done) => setTimeout(done, LOSS_LATENESS))]);
				reject(this.#loss ?? (ended ? new EmulsionError('internal', error.message, { cause: error }) : error));
			};
			work.then(resolve, explain).finally(() => this.#waiting.delete(reject));
		});
	}

	/** Called by blocks only. */
	reclaim(block: PooledBlock): void {
		this.#live--;
		const storage = block.storage;
		if (storage.kind === 'gpu') this.#pool.recycle(storage.buffer, block.words * 4);
	}

	#acquire(words: number): GPUBuffer {
		this.check();
		const buffer = this.#pool.acquire(words * 4);
		this.#live++;
		return buffer;
	}

	#allocate(size: number): GPUBuffer {
		const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
		const largest = Math.min(maxBufferSize, maxStorageBufferBindingSize);
		if (size > largest) {
			throw new EmulsionError('out-of-memory', phrase('gpu-buffer', { size, largest }));
		}
		return this.device.createBuffer({
			size: sizeClass(size),
			usage: USAGE.storage | USAGE.copyDst | USAGE.copySrc,
		});
	}

	#free(buffer: GPUBuffer): void {
		// Destroying a buffer that an unsubmitted batch names would make the whole batch invalid.
		if (this.#lastUse.get(buffer) === this.#batch) this.flush();
		buffer.destroy();
	}

	#write(buffer: GPUBuffer, source: Uint8Array<ArrayBuffer>): void {
		const started = performance.now();
		// writeBuffer runs before anything not yet submitted: a recycled buffer may still be read by the open batch.
		if (this.#lastUse.get(buffer) === this.#batch) this.flush();
		const whole = source.byteLength & ~3;
		if (whole > 0) this.device.queue.writeBuffer(buffer, 0, source.buffer, source.byteOffset, whole);
		if (whole < source.byteLength) {
			const tail = new Uint8Array(4);
			tail.set(source.subarray(whole));
			this.device.queue.writeBuffer(buffer, whole, tail);
		}
		this.#counters.uploads++;
		this.#counters.uploadBytes += source.byteLength;
		this.#counters.uploadSeconds += (performance.now() - started) / 1000;
	}

	#onError(error: GPUError): void {
		const memory = typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError;
		this.#failure ??= memory
			? new EmulsionError('out-of-memory', phrase('gpu-memory', { why: error.message }), { retryable: true })
			: new EmulsionError('internal', `WebGPU reported: ${error.message}`);
	}
}
