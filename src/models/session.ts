/** One onnxruntime session on one backend: pictures in, pictures out, without copies on the GPU. */

import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { Block, Compute, Picture } from '../contracts/compute.ts';
import type { TensorSize } from '../contracts/models.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { cpuFloats, CpuCompute } from '../gpu/cpu-compute.ts';
import { gpuBuffer, WebGpuCompute } from '../gpu/webgpu-compute.ts';
import { loadOrt } from './ort.ts';
import type { OrtModule } from './ort.ts';

/** A session that runs on the backend of a `Compute`. Calls must not overlap: the runtime's queue sees to that. */
export interface ModelSession {
	/** Runs once; the caller owns the outputs and keeps the inputs alive until the promise settles. */
	run(
		inputs: Readonly<Record<string, Picture>>,
		wanted: Readonly<Record<string, TensorSize>>,
	): Promise<Record<string, Picture>>;
	release(): Promise<void>;
}

const dims = (size: TensorSize): number[] => [1, size.channels, size.height, size.width];

/** Makes a session. On WebGPU any operator that would land on the CPU makes this throw `model-invalid`. */
export async function createSession(compute: Compute, model: ArrayBuffer): Promise<ModelSession> {
	try {
		if (compute instanceof WebGpuCompute) return await gpuSession(compute, model);
		if (compute instanceof CpuCompute) return await cpuSession(compute, model);
	} catch (error) {
		if (compute instanceof WebGpuCompute) compute.check();
		throw new EmulsionError('model-invalid', phrase('model-refused', { why: toEmulsionError(error).said }), {
			cause: error,
		});
	}
	throw new EmulsionError('internal', 'Models run on the backends of this program only.');
}

async function cpuSession(compute: CpuCompute, model: ArrayBuffer): Promise<ModelSession> {
	const ort = await loadOrt('wasm', compute.threads);
	const session = await ort.InferenceSession.create(new Uint8Array(model), {
		executionProviders: ['wasm'],
		graphOptimizationLevel: 'all',
	});
	return {
		async run(inputs, wanted) {
			const feeds = mapValues(inputs, (p) => new ort.Tensor('float32', cpuFloats(p), dims(p)));
			const results = await session.run(feeds, Object.keys(wanted));
			return mapValues(wanted, (size, name) => {
				const data = results[name]?.data;
				if (!(data instanceof Float32Array)) throw new EmulsionError('model-invalid', phrase('model-output', { name }));
				return compute.adopt(data as Float32Array<ArrayBuffer>, size.width, size.height, size.channels);
			});
		},
		release: () => session.release(),
	};
}

async function gpuSession(compute: WebGpuCompute, model: ArrayBuffer): Promise<ModelSession> {
	const ort = await loadOrt('webgpu', 1);
	const session = await compute.orLost(ort.InferenceSession.create(new Uint8Array(model), gpuOptions(compute.device)));
	return {
		run: (inputs, wanted) => gpuRun(ort, session, compute, inputs, wanted),
		release: () => session.release(),
	};
}

/** Our own device; NCHW, because NHWC computes some convolutions wrongly; no operator on the CPU (design §3). */
function gpuOptions(device: GPUDevice): InferenceSession.SessionOptions {
	const provider: InferenceSession.WebGpuExecutionProviderOption = {
		name: 'webgpu',
		// The library's typings predate the ones of this program; it is the same object.
		device: device as never,
		preferredLayout: 'NCHW',
	};
	return {
		executionProviders: [provider],
		graphOptimizationLevel: 'all',
		preferredOutputLocation: 'gpu-buffer',
		extra: { session: { disable_cpu_ep_fallback: '1' } },
	};
}

async function gpuRun(
	ort: OrtModule,
	session: InferenceSession,
	compute: WebGpuCompute,
	inputs: Readonly<Record<string, Picture>>,
	wanted: Readonly<Record<string, TensorSize>>,
): Promise<Record<string, Picture>> {
	const bind = (block: Block, size: TensorSize): Tensor =>
		ort.Tensor.fromGpuBuffer(gpuBuffer(block) as never, { dataType: 'float32', dims: dims(size) });
	const outputs: Record<string, Picture> = {};
	try {
		for (const [name, size] of Object.entries(wanted)) {
			outputs[name] = compute.picture(size.width, size.height, size.channels);
		}
		const feeds = mapValues(inputs, (p) => bind(p, p));
		const fetches = mapValues(outputs, (p) => bind(p, p));
		// onnxruntime submits to the same queue: what we enqueued must come first.
		compute.flush();
		await compute.orLost(session.run(feeds, fetches));
		compute.check();
		return outputs;
	} catch (error) {
		for (const picture of Object.values(outputs)) picture.release();
		compute.check();
		throw error;
	}
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
	return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
