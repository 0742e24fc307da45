/** The shipped models on the tab's GPU, in both layouts. A software adapter is told, never measured. */

import { say } from '../../../src/core/phrases.ts';
import { createCompute } from '../../../src/gpu/create.ts';
import { WebGpuCompute } from '../../../src/gpu/webgpu-compute.ts';
import { runCanary } from '../../../src/models/canary.ts';
import { fetchManifest, fetchModel } from '../../../src/models/manifest.ts';
import { loadOrt } from '../../../src/models/ort.ts';
import type { ModelSpec } from '../../../src/contracts/models.ts';
import type { GpuAnswer, GpuCase, GpuResult } from './api.ts';
import { bareSession, type Bindings, drained, makeBindings, runBound } from './tiles.ts';

const BASE = '/models/';
const LAYOUTS = ['NCHW', 'NHWC'] as const;

type Ort = Awaited<ReturnType<typeof loadOrt>>;
type Session = Awaited<ReturnType<typeof bareSession>>;

async function medianRun(compute: WebGpuCompute, session: Session, bindings: Bindings, runs: number): Promise<number> {
	const times: number[] = [];
	for (let i = -3; i < runs; i++) {
		const started = performance.now();
		await runBound(session, bindings);
		await drained(compute);
		if (i >= 0) times.push((performance.now() - started) / 1000);
	}
	return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** The canary on a bare session of either layout; it throws beyond the tolerance, here the error is the figure. */
async function canaryError(ort: Ort, compute: WebGpuCompute, spec: ModelSpec, session: Session): Promise<number> {
	const open = { ...spec, canary: { ...spec.canary, toleranceWebgpu: Infinity } };
	const dims = (p: { channels: number; height: number; width: number }) => [1, p.channels, p.height, p.width];
	const { error } = await runCanary(compute, BASE, open, {
		async run(inputs, wanted) {
			const outputs = Object.fromEntries(
				Object.entries(wanted).map(([name, s]) => [name, compute.picture(s.width, s.height, s.channels)]),
			);
			const bind = (record: typeof inputs) =>
				Object.fromEntries(
					Object.entries(record).map(([name, p]) => {
						if (p.storage.kind !== 'gpu') throw new Error('the canary is not on the GPU');
						const options = { dataType: 'float32', dims: dims(p) } as const;
						return [name, ort.Tensor.fromGpuBuffer(p.storage.buffer as never, options)];
					}),
				);
			compute.flush();
			await session.run(bind(inputs), bind(outputs));
			return outputs;
		},
		release: () => session.release(),
	});
	return error;
}

/** See the file's comment. */
export async function gpuModels(cases: readonly GpuCase[], runs: number): Promise<GpuAnswer> {
	let compute;
	try {
		compute = await createCompute({ wish: 'webgpu' });
	} catch (error) {
		return { adapter: 'none', refused: error instanceof Error ? error.message : String(error), results: [] };
	}
	const { name, software } = compute.info;
	const adapter = say(name);
	if (!(compute instanceof WebGpuCompute) || software) {
		compute.destroy();
		return { adapter, refused: `The adapter is software (${adapter}): that is not a GPU.`, results: [] };
	}
	const results = await measureModels(compute, cases, runs);
	compute.destroy();
	return { adapter, results };
}

/** Every shipped model that has a case, in both layouts; `runs` timed runs of each. What the device is, is the caller's to say. */
export async function measureModels(
	compute: WebGpuCompute,
	cases: readonly GpuCase[],
	runs: number,
): Promise<GpuResult[]> {
	const ort = await loadOrt('webgpu', 1);
	const manifest = await fetchManifest(BASE);
	const results: GpuResult[] = [];
	for (const spec of manifest.models.filter((m) => cases.some((c) => c.model === m.id))) {
		const model = await fetchModel(BASE, spec);
		for (const layout of LAYOUTS) {
			const session = await bareSession(ort, compute, model, layout);
			const error = await canaryError(ort, compute, spec, session);
			for (const one of cases.filter((c) => c.model === spec.id)) {
				const bindings = makeBindings(ort, compute, spec, one.width, one.height);
				const seconds = await medianRun(compute, session, bindings, runs);
				results.push({ ...one, layout, seconds, canaryError: error });
				bindings.release();
			}
			await session.release();
		}
	}
	return results;
}
