/** The device owner: choice of adapter, late errors, loss, reuse of buffers. */

import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/contracts/compute.ts';
import { say } from '../../src/core/phrases.ts';
import { createCompute } from '../../src/gpu/create.ts';
import { combineOp } from '../../src/gpu/ops/difference/op.ts';
import { add } from '../../src/gpu/ops/difference/op.ts';
import { filled } from '../../src/gpu/ops/fill/op.ts';
import { createModelRuntime } from '../../src/models/runtime.ts';
import { upscaleRun } from '../../src/models/sr.ts';
import { makeGpu, noise, withErrorScope } from './kit.ts';

const params = (count: number) => ({ count, magnitude: false, gainA: 1, gainB: 1, offset: 0 });
const signal = new AbortController().signal;
const breathe = () => Promise.resolve();

describe('createCompute', () => {
	it('auto never takes a software adapter, and says why', async () => {
		const compute = await createCompute({ wish: 'auto' });
		expect(compute.info.kind).toBe('wasm');
		expect(say(compute.info.reason)).toMatch(/software/);
		compute.destroy();
	});

	it('webgpu takes it and calls it software', async () => {
		const compute = await makeGpu();
		expect(compute.info).toMatchObject({ kind: 'webgpu', software: true });
		expect(compute.info.key).toMatch(/^webgpu:/);
		compute.destroy();
	});
});

describe('the queue', () => {
	it('batches many dispatches, keeps their order, reads back nothing by itself', () =>
		withErrorScope(async (compute) => {
			const one = filled(compute, 5, 5, 1, 1);
			let sum = filled(compute, 5, 5, 1, 0);
			for (let i = 0; i < 200; i++) {
				const next = add(compute, sum, one, i % 2 === 0 ? 2 : -1);
				sum.release();
				sum = next;
			}
			await compute.done();
			expect(compute.counters()).toMatchObject({ readbacks: 0, dispatches: 202 });
			expect(new Float32Array(await compute.readback(sum))).toEqual(new Float32Array(25).fill(100));
			expect(compute.counters().readbacks).toBe(1);
			// Released sums were reused: a handful of buffers, not two hundred.
			expect(compute.counters().peakBytes).toBeLessThan(8 * 256);
			one.release();
			sum.release();
		}));

	it('does not let an upload overtake a dispatch that still reads the recycled buffer', () =>
		withErrorScope(async (compute) => {
			const a = compute.uploadPicture(noise(64, 1), 8, 8, 1);
			const expected = noise(64, 1);
			const output = compute.picture(8, 8, 1);
			compute.run(combineOp, [a, a], [output], { ...params(64), gainB: 0 });
			a.release();
			const b = compute.uploadPicture(noise(64, 2), 8, 8, 1);
			const own = new ArrayBuffer(output.words * 4);
			expect(await compute.readback(output, own)).toBe(own);
			expect(new Float32Array(own)).toEqual(expected);
			output.release();
			b.release();
		}));

	it('uploads bytes of any length', () =>
		withErrorScope(async (compute) => {
			const bytes = Uint8Array.from({ length: 1021 }, (_, i) => i);
			const block = compute.upload(bytes.subarray(2));
			expect(new Uint8Array(await compute.readback(block)).subarray(0, 1019)).toEqual(bytes.slice(2));
			block.release();
		}));
});

describe('failures', () => {
	it('a validation error becomes a typed failure of the next call', async () => {
		const compute = await makeGpu();
		const broken: Op<null> = {
			id: 'test/broken',
			wgsl: 'this is not WGSL',
			uniforms: () => [],
			dispatch: () => [1, 1, 1],
			cpu: () => undefined,
		};
		const block = compute.block(4);
		compute.run(broken, [], [block], null);
		await expect(compute.done()).rejects.toMatchObject({ code: 'internal' });
		// One mistake makes several reports (shader, pipeline, submit); then the backend goes on.
		await compute.done().catch(() => undefined);
		await compute.done();
		compute.destroy();
	});

	it('the byte budget is kept, with a typed error', async () => {
		const compute = await makeGpu(100_000);
		const big = compute.picture(100, 100, 2);
		expect(() => compute.picture(100, 100, 2)).toThrowError(expect.objectContaining({ code: 'out-of-memory' }));
		big.release();
		compute.picture(100, 120, 2).release();
		await compute.done();
		compute.destroy();
	});

	it('a picture beyond what the GPU can bind is refused', async () => {
		const compute = await makeGpu(2 ** 40);
		const side = Math.ceil(Math.sqrt(compute.device.limits.maxStorageBufferBindingSize / 4)) + 64;
		expect(() => compute.picture(side, side, 1)).toThrowError(expect.objectContaining({ code: 'out-of-memory' }));
		compute.destroy();
	});

	it('a mapping that ends before the loss is told is a lost device, and never a cancellation', async () => {
		const ended = (): Promise<never> => Promise.reject(new DOMException('Buffer was unmapped.', 'AbortError'));
		const compute = await makeGpu();
		await expect(compute.orLost(ended())).rejects.toMatchObject({ code: 'internal' });
		const broken = compute.orLost(ended());
		compute.loseDevice();
		await expect(broken).rejects.toMatchObject({ code: 'device-lost', retryable: true });
	});

	it('a lost device is told, everything on it rejects, and a new one goes on with new sessions', async () => {
		const compute = await makeGpu();
		const models = await createModelRuntime({ compute, modelBase: '/models/' });
		const image = compute.uploadPicture(noise(16 * 16 * 3, 1), 16, 16, 3);
		const first = await upscaleRun(models, compute, 'spanx2', image, { signal, breathe });
		const expected = new Float32Array(await compute.readback(first));
		const running = upscaleRun(models, compute, 'spanx2', image, { signal, breathe });
		compute.loseDevice();
		await expect(running).rejects.toMatchObject({ code: 'device-lost', retryable: true });
		expect(await compute.lost).toMatchObject({ code: 'device-lost' });
		expect(() => compute.picture(1, 1, 1)).toThrowError(expect.objectContaining({ code: 'device-lost' }));
		await expect(compute.readback(first)).rejects.toMatchObject({ code: 'device-lost' });
		// The dead session is not entered again.
		await expect(
			models.run('spanx2', { image }, { upscaled: { width: 32, height: 32, channels: 3 } }, signal),
		).rejects.toMatchObject({ code: 'device-lost' });
		await models.release();
		compute.destroy();

		const second = await makeGpu();
		const again = await createModelRuntime({ compute: second, modelBase: '/models/' });
		const same = second.uploadPicture(noise(16 * 16 * 3, 1), 16, 16, 3);
		const result = await upscaleRun(again, second, 'spanx2', same, { signal, breathe });
		expect(new Float32Array(await second.readback(result))).toEqual(expected);
		same.release();
		result.release();
		await again.release();
		expect(second.live).toBe(0);
		second.destroy();
	});
});
