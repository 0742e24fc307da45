/** Every model of the manifest on WebGPU: no operator on the CPU, and the canary's numbers. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCanary } from '../../src/models/canary.ts';
import { fetchManifest, fetchModel } from '../../src/models/manifest.ts';
import { createSession } from '../../src/models/session.ts';
import type { WebGpuCompute } from '../../src/gpu/webgpu-compute.ts';
import { denoiseRun } from '../../src/models/ffdnet.ts';
import { createModelRuntime } from '../../src/models/runtime.ts';
import { upscaleRun } from '../../src/models/sr.ts';
import { makeGpu, noise } from './kit.ts';

const BASE = '/models/';
/** An ONNX file of one node, Round (opset 17), which onnxruntime has for the CPU only. */
const ROUND =
	'CAg6TAoNCgF4EgF5IgVSb3VuZBIBZ1obCgF4EhYKFAgBEhAKAggBCgIIAQoCCAIKAggCYhsKAXkSFgoUCAESEAoCCAEKAggBCgIIAgoCCAJCBAoAEBE=';
const manifest = await fetchManifest(BASE);

describe('models on WebGPU', () => {
	let compute: WebGpuCompute;

	beforeAll(async () => {
		compute = await makeGpu();
		compute.device.pushErrorScope('validation');
	});

	afterAll(async () => {
		expect((await compute.device.popErrorScope())?.message).toBeUndefined();
		expect(compute.live, 'blocks not released').toBe(0);
		compute.destroy();
	});

	for (const spec of manifest.models) {
		it(`${spec.id}: wholly on the GPU, canary ≤ 1e-3 within 10 s`, async () => {
			// The session is made with CPU fallback forbidden: an operator without a GPU kernel would throw here.
			const session = await createSession(compute, await fetchModel(BASE, spec));
			try {
				const { error, seconds: first } = await runCanary(compute, BASE, spec, session);
				// A machine that is busy with something else gets a second try (its shaders are compiled by then).
				const seconds = first < 10 ? first : (await runCanary(compute, BASE, spec, session)).seconds;
				console.log(`${spec.id}: canary ${error.toExponential(1)} in ${seconds.toFixed(1)} s`);
				expect(error).toBeLessThanOrEqual(1e-3);
				expect(seconds).toBeLessThan(10);
			} finally {
				await session.release();
			}
		});
	}

	it('a model with an operator that has no GPU kernel is refused, not run on the CPU', async () => {
		const bytes = Uint8Array.from(atob(ROUND), (c) => c.charCodeAt(0)).buffer;
		await expect(createSession(compute, bytes)).rejects.toMatchObject({ code: 'model-invalid' });
	});

	it('two stages follow each other on the GPU without a readback', async () => {
		const models = await createModelRuntime({ compute, modelBase: BASE });
		const run = { signal: new AbortController().signal, breathe: () => Promise.resolve() };
		const image = compute.uploadPicture(noise(16 * 16 * 3, 5), 16, 16, 3);
		const chain = async (): Promise<void> => {
			const denoised = await denoiseRun(models, compute, image, 0.1, run);
			const upscaled = await upscaleRun(models, compute, 'spanx2', denoised, run);
			denoised.release();
			upscaled.release();
		};
		// The first time, canaries read their outputs back.
		await chain();
		const before = compute.counters().readbacks;
		await chain();
		await compute.done();
		expect(compute.counters().readbacks).toBe(before);
		image.release();
		await models.release();
	});
});
