/** Uniform blocks of one batch, written to the GPU in one piece before its submit. */

import type { UniformValue } from '../contracts/compute.ts';

/** Slots start at multiples of this: WebGPU's default `minUniformBufferOffsetAlignment`. */
const SLOT = 256;
const SLOTS = 128;
const UNIFORM_COPY_DST = 0x40 | 0x08;

/** Packs scalars into 16-byte-padded uniform bytes. */
export function packUniforms(values: readonly UniformValue[]): ArrayBuffer {
	const bytes = new ArrayBuffer(Math.ceil(values.length / 4) * 16);
	const view = new DataView(bytes);
	values.forEach((value, index) => {
		if ('f32' in value) view.setFloat32(index * 4, value.f32, true);
		else if ('u32' in value) view.setUint32(index * 4, value.u32, true);
		else view.setInt32(index * 4, value.i32, true);
	});
	return bytes;
}

/** See the file's comment. A batch must be submitted before a block that does not fit is pushed. */
export class UniformArena {
	readonly #device: GPUDevice;
	readonly #buffer: GPUBuffer;
	readonly #staging = new Uint8Array(SLOT * SLOTS);
	#used = 0;

	constructor(device: GPUDevice) {
		this.#device = device;
		this.#buffer = device.createBuffer({ label: 'uniforms', size: SLOT * SLOTS, usage: UNIFORM_COPY_DST });
	}

	/** True when a block of this many scalars fits what is left of the batch. */
	fits(scalars: number): boolean {
		return this.#used + Math.ceil((scalars * 4) / SLOT) * SLOT <= this.#staging.byteLength;
	}

	/** Adds a block; returns what to bind. */
	push(values: readonly UniformValue[]): GPUBufferBinding {
		const bytes = new Uint8Array(packUniforms(values));
		const offset = this.#used;
		this.#staging.set(bytes, offset);
		this.#used += Math.ceil(bytes.byteLength / SLOT) * SLOT;
		return { buffer: this.#buffer, offset, size: bytes.byteLength };
	}

	/** Enqueues the blocks' contents; the next batch starts over (the queue keeps the order). */
	write(): void {
		if (this.#used > 0) this.#device.queue.writeBuffer(this.#buffer, 0, this.#staging, 0, this.#used);
		this.#used = 0;
	}
}
