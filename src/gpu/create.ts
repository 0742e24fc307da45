/** Takes the backend that a wish and the machine allow. */

import type { Compute } from '../contracts/compute.ts';
import type { BackendWish } from '../contracts/workers.ts';
import { EmulsionError } from '../core/errors.ts';
import { adapterFacts, findAdapter, gpuInfo, isSoftware, requestDevice } from './adapter.ts';
import { CpuCompute } from './cpu-compute.ts';
import { WebGpuCompute } from './webgpu-compute.ts';

/** Options of {@link createCompute}. */
export interface ComputeOptions {
	readonly wish: BackendWish;
	/** Bytes of pictures, free ones included; default 2 GiB on a GPU, 1 GiB on the CPU. */
	readonly memoryBudget?: number;
	/** Threads of the CPU backend; default what the machine has, at most 8, and 1 without cross-origin isolation. */
	readonly threads?: number;
}

const GPU_BUDGET = 2 * 2 ** 30;
const CPU_BUDGET = 2 ** 30;
const MAX_THREADS = 8;

/** Threads that the wasm backend can have here. */
export function usableThreads(wish?: number): number {
	if (globalThis.crossOriginIsolated !== true) return 1;
	return Math.max(1, Math.min(wish ?? MAX_THREADS, navigator.hardwareConcurrency));
}

/**
 * Makes the backend. `auto` takes the GPU unless it is a software adapter or missing, and says why not; `webgpu` takes
 * any adapter and throws `backend-unavailable` where there is none; `wasm` never asks for one.
 */
export async function createCompute(options: ComputeOptions): Promise<Compute> {
	if (options.wish === 'wasm') return cpu(options, 'Chosen by the user.');
	const { adapter, reason } = await findAdapter();
	if (adapter === undefined) {
		if (options.wish === 'webgpu') throw new EmulsionError('backend-unavailable', reason);
		return cpu(options, reason);
	}
	const facts = adapterFacts(adapter);
	if (options.wish === 'auto' && isSoftware(facts)) {
		return cpu(options, `The only WebGPU adapter is software (${gpuInfo(facts, '').name}), slower than wasm.`);
	}
	try {
		const device = await requestDevice(adapter);
		const why = options.wish === 'webgpu' ? 'Chosen by the user.' : reason;
		return new WebGpuCompute(device, gpuInfo(facts, why), options.memoryBudget ?? GPU_BUDGET);
	} catch (error) {
		if (options.wish === 'webgpu' || !(error instanceof EmulsionError)) throw error;
		return cpu(options, error.message);
	}
}

function cpu(options: ComputeOptions, reason: string): CpuCompute {
	return new CpuCompute({
		memoryBudget: options.memoryBudget ?? CPU_BUDGET,
		threads: usableThreads(options.threads),
		reason,
	});
}
