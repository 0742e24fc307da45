/** Between two GPU stages nothing comes back to the CPU: counted by the device's own calls, and by our counter. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StageEnv, WorkingFrame } from '../../src/contracts/stage.ts';
import type { WebGpuCompute } from '../../src/gpu/webgpu-compute.ts';
import { createModelRuntime } from '../../src/models/runtime.ts';
import { loadStage } from '../../src/stages/registry.ts';
import { releaseFrame } from '../../src/store/frames.ts';
import { noise, withErrorScope } from './kit.ts';

const SIDE = 16;
const COLOR = {
	primaries: 'bt709',
	transfer: 'bt709',
	matrix: 'bt709',
	range: 'limited',
	chromaLocation: 'left',
} as const;
const FRAME = {
	index: 0,
	pts: { num: 0, den: 1 },
	duration: { num: 1, den: 24 },
	origin: 'original',
	needs: [0],
	shot: 0,
} as const;

afterEach(() => {
	vi.restoreAllMocks();
});

async function render(id: string, params: object, input: WorkingFrame, env: StageEnv): Promise<WorkingFrame> {
	const stage = await loadStage(id);
	const request = {
		frame: FRAME,
		params: params as never,
		artifact: undefined,
		input: () => input,
		flow: () => {
			throw new Error('no flow was asked for');
		},
		guide: () => {
			throw new Error('no guide was asked for');
		},
		shot: { start: 0, end: 1 },
		view: 'result',
	};
	return stage.render(request, env);
}

describe('two stages in a row', () => {
	it('degrain, then upscale: no readback in between, neither ours nor onnxruntime’s', async () => {
		await withErrorScope(async (compute: WebGpuCompute) => {
			const models = await createModelRuntime({ compute, modelBase: '/models/' });
			const signal = new AbortController().signal;
			const env = { compute, models, signal, breathe: () => Promise.resolve(), onProgress: () => undefined };
			const picture = compute.uploadPicture(noise(SIDE * SIDE * 3, 1), SIDE, SIDE, 3);
			const input: WorkingFrame = { picture, sides: {}, color: COLOR };
			const both = async (): Promise<WorkingFrame> => {
				const first = await render('degrain', { sigma: 25, temporal: 0, luma: 1, chroma: 1 }, input, env);
				try {
					return await render('upscale', { factor: 2, size: '', character: 'faithful', blend: 1 }, first, env);
				} finally {
					releaseFrame(first);
				}
			};
			// The canaries read back, once; they are done after the first pass.
			releaseFrame(await both());
			// The real method still runs: the spy only counts.
			const maps = vi.spyOn(GPUBuffer.prototype, 'mapAsync');
			const before = compute.counters().readbacks;
			const result = await both();
			await compute.done();
			expect(maps).toHaveBeenCalledTimes(0);
			expect(compute.counters().readbacks - before).toBe(0);
			// The counters do count: this is the one readback there is.
			await compute.readback(result.picture);
			expect(maps).toHaveBeenCalledTimes(1);
			expect(compute.counters().readbacks - before).toBe(1);
			releaseFrame(result);
			picture.release();
			await models.release();
		});
	});
});
