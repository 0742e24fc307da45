/** Takes the backend that a wish and the machine allow. */

import type { Compute } from '../contracts/compute.ts';
import type { BackendWish } from '../contracts/workers.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase, type Text } from '../core/phrases.ts';
import { adapterFacts, findAdapter, gpuInfo, isSoftware, requestDevice } from './adapter.ts';
import { CpuCompute } from './cpu-compute.ts';
import { WebGpuCompute } from './webgpu-compute.ts';

/** Options of {@link createCompute}. */
export interface ComputeOptions {
	readonly wish: BackendWish;
	/** Bytes of pictures, free ones included; default 2 GiB on a GPU, 1 to 3 GiB on the CPU (by what the machine has). */
	readonly memoryBudget?: number;
	/** Threads of the CPU backend; default what the machine has, at most 8, and 1 without cross-origin isolation. */
	readonly threads?: number;
}

const GPU_BUDGET = 2 * 2 ** 30;
/** Two 8192×8192 pictures and their planes fit the upper bound. */
const CPU_BUDGET = { min: 2 ** 30, max: 3 * 2 ** 30, share: 3 / 8 };
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
	if (options.wish === 'wasm') return cpu(options, phrase('backend-chosen'));
	const { adapter, reason: said } = await findAdapter();
	if (adapter === undefined) {
		if (options.wish === 'webgpu') throw new EmulsionError('backend-unavailable', said);
		return cpu(options, said);
	}
	const facts = adapterFacts(adapter);
	if (options.wish === 'auto' && isSoftware(facts)) {
		return cpu(options, phrase('webgpu-software', { adapter: gpuInfo(facts, said).name }));
	}
	try {
		const device = await requestDevice(adapter);
		const why = options.wish === 'webgpu' ? phrase('backend-chosen') : said;
		return new WebGpuCompute(device, gpuInfo(facts, why), options.memoryBudget ?? GPU_BUDGET);
	} catch (error) {
		if (options.wish === 'webgpu' || !(error instanceof EmulsionError)) throw error;
		return cpu(options, error.said);
	}
}

/** A share of the memory that the browser admits to (at most 8 GiB, none at all in some). */
function cpuBudget(): number {
	const { deviceMemory = 8 } = navigator as { readonly deviceMemory?: number };
	return Math.min(CPU_BUDGET.max, Math.max(CPU_BUDGET.min, deviceMemory * 2 ** 30 * CPU_BUDGET.share));
}

function cpu(options: ComputeOptions, reason: Text): CpuCompute {
	return new CpuCompute({
		memoryBudget: options.memoryBudget ?? cpuBudget(),
		threads: usableThreads(options.threads),
		reason,
	});
}
