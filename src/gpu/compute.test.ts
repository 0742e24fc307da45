/** Pool, reference counts, tiling and adapter choice: everything that needs no GPU. */

import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../core/errors.ts';
import { gpuInfo, isSoftware } from './adapter.ts';
import { CpuCompute } from './cpu-compute.ts';
import { combineOp } from './ops/difference/op.ts';
import { filled } from './ops/fill/op.ts';
import { copy, crop } from './ops/window/op.ts';
import { Pool } from './pool.ts';
import { runTiled } from './tiling.ts';

const make = (memoryBudget = 2 ** 20): CpuCompute => new CpuCompute({ memoryBudget, threads: 1, reason: 'test' });

function codeOf(work: () => unknown): string {
	try {
		work();
	} catch (error) {
		return error instanceof EmulsionError ? error.code : String(error);
	}
	return 'nothing thrown';
}

describe('Pool', () => {
	it('reuses a class, evicts the oldest free buffer, and refuses beyond its budget', () => {
		const freed: number[] = [];
		const pool = new Pool<number>(1024, { allocate: (bytes) => bytes, free: (size) => freed.push(size) });
		const a = pool.acquire(500);
		const b = pool.acquire(256);
		pool.recycle(a, 500);
		expect(pool.acquire(510)).toBe(512);
		expect([pool.inUse, pool.pooled]).toEqual([768, 0]);
		pool.recycle(b, 256);
		expect([pool.inUse, pool.pooled, freed.length]).toEqual([512, 256, 0]);
		// What lies idle stays within a quarter of the budget or one buffer: the class freed first goes first.
		pool.recycle(a, 510);
		expect([pool.inUse, pool.pooled, freed]).toEqual([0, 512, [256]]);
		pool.acquire(768);
		expect(freed).toEqual([256, 512]);
		expect(codeOf(() => pool.acquire(300))).toBe('out-of-memory');
		expect(pool.peak).toBeLessThanOrEqual(1024);
	});
});

describe('blocks', () => {
	it('return to the pool when their last owner releases them, and throw afterwards', () => {
		const compute = make();
		const picture = compute.picture(8, 8, 1);
		picture.retain().release();
		expect(compute.live).toBe(1);
		picture.release();
		expect(compute.live).toBe(0);
		expect(compute.counters().bytesPooled).toBe(256);
		expect(codeOf(() => picture.storage)).toBe('internal');
		expect(codeOf(() => picture.release())).toBe('internal');
		expect(codeOf(() => picture.retain())).toBe('internal');
	});

	it('are refused by a backend that does not own them, as aliased outputs, and with senseless sizes', () => {
		const compute = make();
		const picture = filled(compute, 4, 4, 1, 1);
		const params = { count: 16, magnitude: false, gainA: 1, gainB: 1, offset: 0 };
		expect(codeOf(() => make().run(combineOp, [picture, picture], [picture], params))).toBe('internal');
		expect(codeOf(() => compute.run(combineOp, [picture, picture], [picture], params))).toBe('internal');
		expect(codeOf(() => compute.picture(0, 4, 1))).toBe('internal');
	});

	it('stay within the byte budget: a typed error, then life goes on', () => {
		const compute = make(10_000);
		const big = compute.picture(40, 40, 1);
		expect(codeOf(() => compute.picture(40, 40, 1))).toBe('out-of-memory');
		big.release();
		compute.picture(30, 40, 2).release();
		expect(compute.live).toBe(0);
		expect(compute.counters().peakBytes).toBeLessThanOrEqual(10_000);
	});
});

describe('runTiled', () => {
	const ramp = Float32Array.from({ length: 50 * 33 * 2 }, (_, i) => Math.sin(i * 0.37));

	it('joins tiles exactly, padded sizes included', async () => {
		const compute = make();
		const input = compute.uploadPicture(ramp, 50, 33, 2);
		let tiles = 0;
		const options = { tile: 24, halo: 3, align: 4, scale: 1, channelsOut: 2 };
		const output = await runTiled(
			compute,
			input,
			options,
			() => Promise.resolve(),
			(tile) => {
				tiles++;
				expect(tile.width % 4).toBe(0);
				return Promise.resolve(copy(compute, tile));
			},
		);
		expect(tiles).toBeGreaterThan(4);
		expect(new Float32Array(await compute.readback(output))).toEqual(ramp);
		const own = new ArrayBuffer(output.words * 4);
		expect(await compute.readback(output, own)).toBe(own);
		expect(new Float32Array(own)).toEqual(ramp);
		await expect(compute.readback(output, new ArrayBuffer(4))).rejects.toMatchObject({ code: 'internal' });
		input.release();
		output.release();
		expect(compute.live).toBe(0);
	});

	it('feathers without changing what all tiles agree on', async () => {
		const compute = make();
		const input = compute.uploadPicture(ramp, 50, 33, 2);
		const options = { tile: 24, halo: 6, align: 2, scale: 1, channelsOut: 2, feather: 5 };
		const output = await runTiled(
			compute,
			input,
			options,
			() => Promise.resolve(),
			(tile) => Promise.resolve(copy(compute, tile)),
		);
		const values = new Float32Array(await compute.readback(output));
		values.forEach((v, i) => expect(v).toBeCloseTo(ramp[i] as number, 5));
		input.release();
		output.release();
	});

	it('stops at the next tile when the job is aborted, and lets go of everything', async () => {
		const compute = make();
		const input = compute.uploadPicture(ramp, 50, 33, 2);
		let tiles = 0;
		const options = { tile: 16, halo: 2, align: 2, scale: 1, channelsOut: 2 };
		const breathe = (): Promise<void> =>
			tiles === 2 ? Promise.reject(new EmulsionError('aborted', 'stop')) : Promise.resolve();
		const run = runTiled(compute, input, options, breathe, (tile) => {
			tiles++;
			return Promise.resolve(crop(compute, tile, { x: 0, y: 0, width: tile.width, height: tile.height }));
		});
		await expect(run).rejects.toMatchObject({ code: 'aborted' });
		expect(tiles).toBe(2);
		input.release();
		expect(compute.live).toBe(0);
	});
});

describe('adapters', () => {
	const facts = { vendor: '', architecture: '', device: '', description: '', fallback: false };

	it('knows software by any of its names', () => {
		for (const text of ['SwiftShader Device (LLVM 16)', 'llvmpipe', 'Microsoft Basic Render Driver', 'WARP']) {
			expect(isSoftware({ ...facts, description: text }), text).toBe(true);
		}
		expect(isSoftware({ ...facts, vendor: 'google', architecture: 'swiftshader' })).toBe(true);
		expect(isSoftware({ ...facts, fallback: true })).toBe(true);
		expect(isSoftware({ ...facts, vendor: 'nvidia', architecture: 'ampere' })).toBe(false);
		expect(isSoftware({ ...facts, vendor: 'apple', architecture: 'metal-3' })).toBe(false);
	});

	it('names what it can', () => {
		expect(gpuInfo({ ...facts, vendor: 'nvidia', architecture: 'hopper' }, 'r').name).toBe('nvidia hopper');
	});
});
