/** Compute pipelines of one device, made once per shader and binding count. */

import type { Op } from '../contracts/compute.ts';

/** A pipeline with the layout its bind groups need. */
export interface CachedPipeline {
	readonly pipeline: GPUComputePipeline;
	readonly layout: GPUBindGroupLayout;
}

const COMPUTE_STAGE = 0x4;

/** See the file's comment. */
export class PipelineCache {
	readonly #device: GPUDevice;
	readonly #pipelines = new Map<string, Map<string, CachedPipeline>>();
	readonly #layouts = new Map<string, GPUBindGroupLayout>();

	constructor(device: GPUDevice) {
		this.#device = device;
	}

	/** The pipeline of an op with these bindings (see the contract of `Op`). */
	get<P>(op: Op<P>, uniform: boolean, inputs: number, outputs: number): CachedPipeline {
		const shape = `${uniform ? 1 : 0},${inputs},${outputs}`;
		const bySource = this.#pipelines.get(op.wgsl) ?? new Map<string, CachedPipeline>();
		this.#pipelines.set(op.wgsl, bySource);
		const known = bySource.get(shape);
		if (known !== undefined) return known;
		const layout = this.#layout(shape, uniform, inputs, outputs);
		const pipeline = this.#device.createComputePipeline({
			label: op.id,
			layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
			compute: { module: this.#device.createShaderModule({ label: op.id, code: op.wgsl }), entryPoint: 'main' },
		});
		const made = { pipeline, layout };
		bySource.set(shape, made);
		return made;
	}

	/** Explicit layouts: `auto` would drop bindings that a shader does not use and then refuse the bind group. */
	#layout(key: string, uniform: boolean, inputs: number, outputs: number): GPUBindGroupLayout {
		const known = this.#layouts.get(key);
		if (known !== undefined) return known;
		const types: GPUBufferBindingType[] = [
			...(uniform ? (['uniform'] as const) : []),
			...Array.from({ length: inputs }, () => 'read-only-storage' as const),
			...Array.from({ length: outputs }, () => 'storage' as const),
		];
		const layout = this.#device.createBindGroupLayout({
			entries: types.map((type, binding) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } })),
		});
		this.#layouts.set(key, layout);
		return layout;
	}
}
