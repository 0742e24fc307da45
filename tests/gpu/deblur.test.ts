/** The transforms and kernels of `deblur`: shader and twin on the same numbers. Tiny: SwiftShader computes 0.3 GFLOP a second. */

import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/contracts/compute.ts';
import { fftOp, fftPlan, twiddles } from '../../src/gpu/ops/fft/op.ts';
import { canvasOp, graftOp, invertOp, splitOp } from '../../src/stages/deblur/ops.ts';
import { bothTwins, makeCpu, maxDifference, noise, withErrorScope } from './kit.ts';

type Floats = Float32Array<ArrayBuffer>;

/** All outputs of an op, from the shader and from its twin. */
function check<P>(name: string, op: Op<P>, inputs: readonly Floats[], lengths: readonly number[], params: P): void {
	it(name, () =>
		withErrorScope(async (compute) => {
			const blocks = inputs.map((data) => compute.upload(data));
			const outputs = lengths.map((length) => compute.block(length));
			compute.run(op, blocks, outputs, params);
			const twins = lengths.map((length) => new Float32Array(length));
			op.cpu(inputs, twins, params);
			for (const [i, output] of outputs.entries()) {
				const shader = new Float32Array(await compute.readback(output));
				expect(maxDifference(shader, twins[i]!)).toBeLessThan(2e-5);
				expect(twins[i]!.some((v) => v !== 0)).toBe(true);
			}
			[...blocks, ...outputs].forEach((block) => block.release());
		}),
	);
}

describe('fft: shader and twin agree', () => {
	for (const [width, height, axis, inverse] of [
		[64, 8, 0, false],
		[64, 8, 1, true],
		// Lines that do not fill a workgroup, and one that fills it alone.
		[16, 37, 0, false],
		[19, 4, 1, false],
		[2048, 2, 0, true],
	] as const) {
		const length = axis === 0 ? width : height;
		it(`${width}×${height}, axis ${axis}${inverse ? ', inverse' : ''}`, () =>
			withErrorScope(async (compute) => {
				const params = { width, height, fields: 2, axis, inverse };
				const data = noise(4 * width * height, 7, -1, 1);
				const { shader, twin } = await bothTwins(compute, fftOp, [data, twiddles(length)], data.length, params);
				expect(maxDifference(shader, twin)).toBeLessThan(1e-6 * (inverse ? 10 : 10 * length));
			}));
	}

	it('comes back to the values, as on the CPU', () =>
		withErrorScope(async (compute) => {
			const data = noise(32 * 16 * 4, 3);
			const plan = fftPlan(compute, 32, 16);
			const picture = compute.uploadPicture(data, 32, 16, 4);
			const spectrum = plan.forward(picture);
			const back = plan.inverse(spectrum);
			expect(maxDifference(new Float32Array(await compute.readback(back)), data)).toBeLessThan(1e-5);
			const cpu = makeCpu();
			const [twin, twinPlan] = [cpu.uploadPicture(data, 32, 16, 4), fftPlan(cpu, 32, 16)];
			const wanted = twinPlan.forward(twin);
			const got = new Float32Array(await compute.readback(spectrum));
			expect(maxDifference(got, new Float32Array(await cpu.readback(wanted)))).toBeLessThan(1e-3);
			[picture, spectrum, back, plan, twin, twinPlan, wanted].forEach((x) => x.release());
			cpu.destroy();
		}));
});

describe('deblur: shader and twin agree', () => {
	const place = { width: 32, height: 16, partWidth: 13, partHeight: 7, left: 9, top: 4 };
	const area = 32 * 16;
	const light = noise(3 * 13 * 7, 1);
	const brighter = light.map((v, i) => v + 0.001 + 0.0001 * (i % 200));
	const canvas = { ...place, delta: 1 / 64, least: 0.15 };
	check('canvas and weights', canvasOp, [light, brighter], [4 * area, 4 * area], canvas);
	const spectra = [noise(4 * area, 2, -1, 1), noise(4 * area, 3, -1, 1), noise(2 * area, 4, -1, 1)];
	check('inversion', invertOp, spectra, [4 * area, 4 * area], { area, fields: 2, rho: 0.8, mu: 0.1 });
	const planes = [1, 2, 3, 4].map((seed) => noise(4 * area, seed + 10));
	check('split', splitOp, planes, [4 * area, 4 * area], { count: 4 * area, rho: 0.7 });
	check('graft', graftOp, [noise(4 * area, 5), light], [4 * area], place);
});
