/** A backend that counts the uploads and readbacks of one stage, for the report. All work is the inner backend's. */

import type { Block, Compute, ComputeCounters, Op, Picture } from '../contracts/compute.ts';

/** Seconds that one stage spent moving pictures. */
export interface Meter {
	uploadSeconds: number;
	readbackSeconds: number;
}

/** Delegates to a backend and adds the time of transfers to a meter. */
export class MeteredCompute implements Compute {
	readonly #inner: Compute;
	readonly #meter: Meter;

	constructor(inner: Compute, meter: Meter) {
		this.#inner = inner;
		this.#meter = meter;
	}

	get info() {
		return this.#inner.info;
	}
	get lost(): Promise<Error> {
		return this.#inner.lost;
	}

	picture(width: number, height: number, channels: number): Picture {
		return this.#inner.picture(width, height, channels);
	}
	block(words: number): Block {
		return this.#inner.block(words);
	}
	upload(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Block {
		return this.#timed('uploadSeconds', () => this.#inner.upload(bytes));
	}
	uploadPicture(data: Float32Array<ArrayBuffer>, width: number, height: number, channels: number): Picture {
		return this.#timed('uploadSeconds', () => this.#inner.uploadPicture(data, width, height, channels));
	}
	run<P>(op: Op<P>, inputs: readonly Block[], outputs: readonly Block[], params: P): void {
		this.#inner.run(op, inputs, outputs, params);
	}
	async readback(block: Block, into?: ArrayBuffer): Promise<ArrayBuffer> {
		const started = performance.now();
		try {
			return await this.#inner.readback(block, into);
		} finally {
			this.#meter.readbackSeconds += (performance.now() - started) / 1000;
		}
	}
	done(): Promise<void> {
		return this.#inner.done();
	}
	counters(): ComputeCounters {
		return this.#inner.counters();
	}
	destroy(): void {
		this.#inner.destroy();
	}

	#timed<R>(field: keyof Meter, work: () => R): R {
		const started = performance.now();
		try {
			return work();
		} finally {
			this.#meter[field] += (performance.now() - started) / 1000;
		}
	}
}
