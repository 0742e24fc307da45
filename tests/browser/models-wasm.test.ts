/** Models on the wasm backend: canaries, tiles against whole pictures, memory, aborts. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import { EmulsionError, throwIfAborted } from '../../src/core/errors.ts';
import { say } from '../../src/core/phrases.ts';
import { createCompute } from '../../src/gpu/create.ts';
import { CpuCompute } from '../../src/gpu/cpu-compute.ts';
import { filled } from '../../src/gpu/ops/fill/op.ts';
import { psnr } from '../../src/gpu/ops/stats/op.ts';
import { warp } from '../../src/gpu/ops/warp/op.ts';
import { channelsOf } from '../../src/gpu/ops/window/op.ts';
import { computeFlow, releaseFlow } from '../../src/analysis/flow/flow.ts';
import { causeRun } from '../../src/models/cause.ts';
import { deblurRun, UNKNOWN } from '../../src/models/deblur.ts';
import { dirtRun } from '../../src/models/dirt.ts';
import { denoiseRun } from '../../src/models/ffdnet.ts';
import { composeMid, interpolateRun } from '../../src/models/rife.ts';
import { createModelRuntime } from '../../src/models/runtime.ts';
import { scratchRun } from '../../src/models/scratch.ts';
import { upscaleRun } from '../../src/models/sr.ts';

const wasm = await createCompute({ wish: 'wasm', memoryBudget: 2 ** 29, threads: 2 });
if (!(wasm instanceof CpuCompute)) throw new Error('expected the CPU backend');
const compute = wasm;
const models = await createModelRuntime({ compute, modelBase: '/models' });
const signal = new AbortController().signal;
const breathe = (): Promise<void> => Promise.resolve();

/** A picture with edges, texture and a shift, so that flow has something to hold on to. */
function scene(width: number, height: number, shift = 0): Picture {
	const data = new Float32Array(width * height * 3);
	for (let c = 0, i = 0; c < 3; c++) {
		for (let y = 0; y < height; y++) {
			for (let x = 0; x < width; x++, i++) {
				const u = x - shift;
				const disc = Math.hypot(u - width / 2, y - height / 2) < height / 4 ? 0.35 : 0;
				data[i] = 0.35 + 0.12 * Math.sin(u / (3 + c)) * Math.cos(y / 5) + 0.1 * Math.sin((u + 2 * y) / 17) + disc;
			}
		}
	}
	return compute.uploadPicture(data, width, height, 3);
}

async function maxDifference(a: Picture, b: Picture): Promise<number> {
	const [x, y] = [new Float32Array(await compute.readback(a)), new Float32Array(await compute.readback(b))];
	expect(x.length).toBe(y.length);
	return x.reduce((max, v, i) => Math.max(max, Math.abs(v - (y[i] as number))), 0);
}

afterAll(async () => {
	await models.release();
	expect(compute.live, 'blocks not released').toBe(0);
});

describe('canaries on wasm', () => {
	for (const id of [
		'rife',
		'ffdnet',
		'degrain',
		'dirt',
		'deblur-small',
		'deblur-full',
		'blur-cause',
		'scratch',
		'spanx2',
		'spanx4',
		'realesrgan-x4fast',
	]) {
		it(`${id} ≤ 1e-4 against onnxruntime on the CPU`, async () => {
			const side = models.spec(id).align === 64 || id === 'blur-cause' ? 64 : 16;
			const image = scene(side, side);
			const outputs: Picture[] = [];
			if (id === 'rife') {
				outputs.push(...Object.values(await interpolateRun(models, compute, image, image, 0.5, ['mid'], signal)));
			} else if (id === 'dirt') {
				const trust = filled(compute, side, side, 2, 1);
				const views = { frame: image, before: image, after: image, middle: image, trust };
				const { mask, healed } = await dirtRun(models, compute, views, 0.01, { signal, breathe });
				outputs.push(trust, mask, healed);
			} else if (id === 'blur-cause') {
				const rect = { x: 0, y: 0, width: side, height: side };
				const evidence = await causeRun(models, compute, [image, image, image], rect, signal);
				expect(evidence).toHaveLength(11);
				expect(evidence.every(Number.isFinite)).toBe(true);
			} else if (id === 'scratch') {
				outputs.push(await scratchRun(models, compute, image, 0.01, { signal, breathe }));
			} else if (id === 'deblur-small' || id === 'deblur-full') {
				const net = id === 'deblur-small' ? 'small' : 'full';
				outputs.push(await deblurRun(models, compute, image, { storage: 0.2 }, net, { signal, breathe }));
			} else if (id === 'ffdnet' || id === 'degrain') {
				outputs.push(await denoiseRun(models, compute, image, 0.1, { signal, breathe }, id));
			} else {
				outputs.push(await upscaleRun(models, compute, id as 'spanx2', image, { signal, breathe }));
			}
			const use = models.used().find((u) => u.id === id);
			expect(use?.canaryError).toBeLessThanOrEqual(1e-4);
			expect(use?.sha256).toMatch(/^[0-9a-f]{64}$/);
			[image, ...outputs].forEach((p) => p.release());
		});
	}

	it('uses two threads where the page is isolated', () => {
		expect(crossOriginIsolated).toBe(true);
		expect(say(compute.info.name)).toBe('CPU, 2 threads');
	});
});

describe('tiled equals untiled (≤ 1e-3)', () => {
	it('ffdnet, with a noise map', async () => {
		const image = scene(151, 97);
		const map = filled(compute, 151, 97, 1, 25 / 255);
		const whole = await denoiseRun(models, compute, image, map, { signal, breathe, tile: 512 });
		const tiled = await denoiseRun(models, compute, image, 25 / 255, { signal, breathe, tile: 80 });
		expect(await maxDifference(whole, tiled)).toBeLessThan(1e-3);
		expect(await psnr(compute, whole, image)).toBeGreaterThan(25);
		[image, map, whole, tiled].forEach((p) => p.release());
	});

	for (const [net, tile] of [
		['small', 80],
		['full', 160],
	] as const) {
		it(`deblur-${net}`, async () => {
			const image = scene(151, 97);
			const causes = { duplication: 0.6, compression: UNKNOWN };
			const whole = await deblurRun(models, compute, image, causes, net, { signal, breathe, tile: 512 });
			const tiled = await deblurRun(models, compute, image, causes, net, { signal, breathe, tile });
			expect(await maxDifference(whole, tiled)).toBeLessThan(1e-3);
			expect(await maxDifference(whole, image)).toBeGreaterThan(0.01);
			[image, whole, tiled].forEach((p) => p.release());
		});
	}

	for (const [model, tile] of [
		['spanx2', 64],
		['spanx4', 64],
		['realesrgan-x4fast', 88],
	] as const) {
		it(model, async () => {
			const image = scene(99, 61);
			const whole = await upscaleRun(models, compute, model, image, { signal, breathe, tile: 256 });
			const tiled = await upscaleRun(models, compute, model, image, { signal, breathe, tile });
			expect(whole.width).toBe(99 * models.spec(model).scale);
			expect(await maxDifference(whole, tiled)).toBeLessThan(1e-3);
			[image, whole, tiled].forEach((p) => p.release());
		});
	}
});

describe('RIFE', () => {
	it('finds a shift, trusts it, and makes the middle frame of an odd size', async () => {
		const [a, b, middle] = [scene(150, 90), scene(150, 90, 6), scene(150, 90, 3)];
		const field = await computeFlow({ compute, models, signal }, a, b);
		expect([field.width, field.height]).toEqual([150, 90]);
		const vectors = new Float32Array(await compute.readback(field.vectors));
		const trust = new Float32Array(await compute.readback(field.confidence));
		const inside = (x: number, y: number): number => y * 150 + x;
		let dx = 0;
		let sure = 0;
		for (let y = 30; y < 60; y++) {
			for (let x = 50; x < 100; x++) {
				dx += (vectors[inside(x, y)] as number) / 1500;
				sure += (trust[inside(x, y)] as number) / 1500;
			}
		}
		expect(dx).toBeGreaterThan(5);
		expect(dx).toBeLessThan(7);
		expect(sure).toBeGreaterThan(0.7);
		const { mid, flow, mask } = await interpolateRun(models, compute, a, b, 0.5, ['mid', 'flow', 'mask'], signal);
		expect(await psnr(compute, mid, middle)).toBeGreaterThan(32);
		const composed = composeMid(compute, a, b, flow, mask);
		expect(await psnr(compute, composed, mid)).toBeGreaterThan(38);
		// The middle is asked on purpose: at t = 0 the network's own flow aligns b worse with a.
		const end = await interpolateRun(models, compute, a, b, 0, ['flow'], signal);
		const direct = channelsOf(compute, end.flow, 2, 2);
		const [aligned, worse] = [warp(compute, b, field.vectors), warp(compute, b, direct)];
		expect(await psnr(compute, aligned, a)).toBeGreaterThan((await psnr(compute, worse, a)) + 3);
		[end.flow, direct, aligned, worse].forEach((p) => p.release());
		releaseFlow(field);
		[a, b, middle, mid, flow, mask, composed].forEach((p) => p.release());
	});
});

describe('limits', () => {
	it('an abort reaches a running job within one tile', async () => {
		const image = scene(160, 96);
		const controller = new AbortController();
		let tiles = 0;
		const run = upscaleRun(models, compute, 'spanx2', image, {
			signal: controller.signal,
			tile: 64,
			breathe: async () => {
				await new Promise((resolve) => setTimeout(resolve));
				throwIfAborted(controller.signal);
				if (++tiles === 2) setTimeout(() => controller.abort());
			},
		});
		await expect(run).rejects.toMatchObject({ code: 'aborted' });
		expect(tiles).toBe(2);
		image.release();
	});

	it('a queued run that was aborted never starts', async () => {
		const image = scene(16, 16);
		const controller = new AbortController();
		const runs = models.used().find((u) => u.id === 'spanx2')?.runs;
		const wanted = { upscaled: { width: 32, height: 32, channels: 3 } };
		const first = models.run('spanx2', { image }, wanted, signal);
		const second = models.run('spanx2', { image }, wanted, controller.signal);
		controller.abort();
		image.release();
		const { upscaled } = await first;
		upscaled?.release();
		await expect(second).rejects.toMatchObject({ code: 'aborted' });
		expect(models.used().find((u) => u.id === 'spanx2')?.runs).toBe((runs ?? 0) + 1);
	});

	it('a picture beyond the budget is refused by type, and nothing leaks', async () => {
		const small = new CpuCompute({ memoryBudget: 300_000, threads: 2, reason: 'test' });
		const few = await createModelRuntime({ compute: small, modelBase: '/models/' });
		const image = small.picture(100, 100, 3);
		const run = upscaleRun(few, small, 'spanx4', image, { signal, breathe, tile: 64 });
		await expect(run).rejects.toMatchObject({ code: 'out-of-memory' });
		image.release();
		expect(small.live).toBe(0);
	});

	it('wrong sizes, unknown models and outputs are refused by name', async () => {
		const image = scene(15, 15);
		const sigma = filled(compute, 8, 8, 1, 0);
		const size = { width: 15, height: 15, channels: 3 };
		await expect(models.run('ffdnet', { image, sigma }, { denoised: size }, signal)).rejects.toThrow(/multiple of 2/);
		await expect(models.run('spanx2', { image }, { other: size }, signal)).rejects.toThrow(/no output other/);
		await expect(models.run('spanx2', { image }, { upscaled: size }, signal)).rejects.toThrow(/expected 30×30×3/);
		expect(() => models.spec('nothing')).toThrowError(EmulsionError);
		[image, sigma].forEach((p) => p.release());
	});
});
