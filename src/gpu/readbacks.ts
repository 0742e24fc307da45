/** Staging buffers through which blocks come back to the CPU. */

import { sizeClass } from './pool.ts';

const MAP_READ_COPY_DST = 0x01 | 0x08;
const MODE_READ = 0x01;
/** Free staging buffers kept; readbacks are rare and of few sizes. */
const KEPT = 4;

/** See the file's comment. */
export class Readbacks {
	readonly #device: GPUDevice;
	#free: GPUBuffer[] = [];

	constructor(device: GPUDevice) {
		this.#device = device;
	}

	/** Copies a buffer's first bytes into `target`, as many as that holds, and returns it; everything submitted before is included. */
	async read(source: GPUBuffer, target: ArrayBuffer): Promise<ArrayBuffer> {
		const bytes = target.byteLength;
		const staging = this.#take(sizeClass(bytes));
		const encoder = this.#device.createCommandEncoder();
		encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
		this.#device.queue.submit([encoder.finish()]);
		try {
			await staging.mapAsync(MODE_READ, 0, bytes);
			new Uint8Array(target).set(new Uint8Array(staging.getMappedRange(0, bytes)));
			staging.unmap();
			this.#keep(staging);
			return target;
		} catch (error) {
			staging.destroy();
			throw error;
		}
	}

	#take(size: number): GPUBuffer {
		const index = this.#free.findIndex((buffer) => buffer.size === size);
		const found = index < 0 ? undefined : this.#free.splice(index, 1)[0];
		return found ?? this.#device.createBuffer({ label: 'readback', size, usage: MAP_READ_COPY_DST });
	}

	#keep(staging: GPUBuffer): void {
		this.#free.push(staging);
		while (this.#free.length > KEPT) this.#free.shift()?.destroy();
	}
}
