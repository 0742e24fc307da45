/**
 * Loads onnxruntime-web: one of its two builds, set up once per worker. The plain wasm build is half the size of the
 * WebGPU (asyncify) build and its convolutions are not slowed down by it.
 */

import type * as Ort from 'onnxruntime-web';
import type { BackendKind } from '../contracts/compute.ts';
import gpuLoader from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import cpuLoader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import cpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';

/** The library, whichever build. */
export type OrtModule = typeof Ort;

const loaded = new Map<BackendKind, Promise<OrtModule>>();

/** The library for a backend. Threads are fixed by the first call (onnxruntime cannot change them later). */
export function loadOrt(kind: BackendKind, threads: number): Promise<OrtModule> {
	const known = loaded.get(kind);
	if (known !== undefined) return known;
	const loading = kind === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm');
	const ready = loading.then((ort) => {
		const absolute = (url: string): string => new URL(url, globalThis.location.href).href;
		ort.env.wasm.numThreads = threads;
		ort.env.wasm.wasmPaths =
			kind === 'webgpu'
				? { mjs: absolute(gpuLoader), wasm: absolute(gpuWasm) }
				: { mjs: absolute(cpuLoader), wasm: absolute(cpuWasm) };
		ort.env.logLevel = 'error';
		return ort;
	});
	loaded.set(kind, ready);
	// A failed load (the network, a deployment in between) may succeed the next time.
	ready.catch(() => loaded.delete(kind));
	return ready;
}
