/** The pipeline's own ops: random inputs through the shader and through its CPU twin must agree. */

import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/contracts/compute.ts';
import { blendOp } from '../../src/pipeline/ops/blend.ts';
import { matteOp } from '../../src/pipeline/ops/matte.ts';
import { countProvenance, raiseOp } from '../../src/pipeline/ops/provenance.ts';
import { bothTwins, makeCpu, maxDifference, noise, withErrorScope } from './kit.ts';

const AREA = 37 * 23;
const a = noise(AREA * 3, 1, -0.2, 1.2);
const b = noise(AREA * 3, 2);
const matte = noise(AREA, 3, -0.5, 1.5);
const levels = (seed: number) => noise(AREA, seed, -0.4, 2.4).map((v) => Math.round(v));

function check<P>(name: string, op: Op<P>, inputs: readonly Float32Array<ArrayBuffer>[], length: number, params: P) {
	it(name, () =>
		withErrorScope(async (compute) => {
			const { shader, twin } = await bothTwins(compute, op, inputs, length, params);
			expect(maxDifference(shader, twin)).toBeLessThan(1e-6);
			expect(shader.some((v) => v !== 0)).toBe(true);
		}),
	);
}

describe('shader and twin agree', () => {
	check('blend by a matte', blendOp, [a, b, matte], AREA * 3, {
		area: AREA,
		channels: 3,
		hard: 0,
	});
	check('provenance within a matte', blendOp, [levels(4), levels(5), matte], AREA, {
		area: AREA,
		channels: 1,
		hard: 1,
	});
	check('matte of a picture', matteOp, [a], AREA, { area: AREA, inverted: 0 });
	check('what lies outside of it', matteOp, [a], AREA, { area: AREA, inverted: 1 });
	check('provenance raised', raiseOp, [levels(6)], AREA, { count: AREA, value: 1 });

	it('provenance counted', () =>
		withErrorScope(async (compute) => {
			const cpu = makeCpu();
			const plane = levels(7);
			const counts = [];
			for (const backend of [compute, cpu]) {
				const picture = backend.uploadPicture(plane, 37, 23, 1);
				counts.push(await countProvenance(backend, picture));
				picture.release();
			}
			cpu.destroy();
			const of = (value: number) => plane.filter((v) => v === value).length;
			expect(counts).toEqual([0, 1].map(() => ({ repaired: of(1), generated: of(2) })));
		}));
});
