/** Every model of the manifest on WebGPU: no operator on the CPU, and the canary's numbers. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCanary } from '../../src/models/canary.ts';
import { fetchManifest, fetchModel } from '../../src/models/manifest.ts';
import { createSession } from '../../src/models/session.ts';
import type { WebGpuCompute } from '../../src/gpu/webgpu-compute.ts';
import { makeGpu } from './kit.ts';

const BASE = '/models/';
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
				const { error, seconds } = await runCanary(compute, BASE, spec, session);
				console.log(`${spec.id}: canary ${error.toExponential(1)} in ${seconds.toFixed(1)} s`);
				expect(error).toBeLessThanOrEqual(1e-3);
				expect(seconds).toBeLessThan(10);
			} finally {
				await session.release();
			}
		});
	}
});
