/** Every op: random inputs through the shader and through its CPU twin must agree. */

import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/contracts/compute.ts';
import { CINEON } from '../../src/gpu/color/transfer.ts';
import { transferOp } from '../../src/gpu/color/transfer-op.ts';
import { blitOp } from '../../src/gpu/ops/blit/op.ts';
import { confidenceOp } from '../../src/gpu/ops/confidence/op.ts';
import { combineOp } from '../../src/gpu/ops/difference/op.ts';
import { fillOp } from '../../src/gpu/ops/fill/op.ts';
import { lanczosOp } from '../../src/gpu/ops/lanczos/op.ts';
import { mixMaskedOp, mixOp } from '../../src/gpu/ops/mix/op.ts';
import { FROM_OPPONENT, matrixOp, TO_OPPONENT } from '../../src/gpu/ops/opponent/op.ts';
import { resizeOp } from '../../src/gpu/ops/resize/op.ts';
import { stackOp } from '../../src/gpu/ops/stack/op.ts';
import { statsOp } from '../../src/gpu/ops/stats/op.ts';
import { warpOp } from '../../src/gpu/ops/warp/op.ts';
import { windowOp } from '../../src/gpu/ops/window/op.ts';
import type { Transfer } from '../../src/core/color.ts';
import { bothTwins, maxDifference, noise, withErrorScope } from './kit.ts';

const W = 37;
const H = 23;
const AREA = W * H;

interface Case<P> {
	readonly op: Op<P>;
	readonly inputs: readonly Float32Array<ArrayBuffer>[];
	readonly length: number;
	readonly params: P;
	readonly initial?: Float32Array<ArrayBuffer>;
}

const a = noise(AREA * 3, 1, -0.2, 1.2);
const b = noise(AREA * 3, 2);
const flow = noise(AREA * 2, 3, -9, 9);
const size = { inWidth: W, inHeight: H };

function check<P>(name: string, { op, inputs, length, params, initial }: Case<P>, tolerance = 1e-5): void {
	it(name, () =>
		withErrorScope(async (compute) => {
			const { shader, twin } = await bothTwins(compute, op, inputs, length, params, initial);
			expect(maxDifference(shader, twin)).toBeLessThan(tolerance);
			expect(shader.some((v) => v !== 0)).toBe(true);
		}),
	);
}

describe('shader and twin agree', () => {
	const rect = { x: -5, y: 7, width: 50, height: 29 };
	const window = { ...size, rect, firstChannel: 1, channels: 2 };
	check('window, all four edges repeated', { op: windowOp, inputs: [a], length: 50 * 29 * 2, params: window }, 1e-9);
	const both = { count: AREA * 5, first: AREA * 3 };
	check('stack', { op: stackOp, inputs: [a, flow], length: AREA * 5, params: both }, 1e-9);
	check('blit with feather', {
		op: blitOp,
		inputs: [a],
		length: 60 * 40 * 3,
		initial: noise(60 * 40 * 3, 9),
		params: {
			...size,
			...{ outWidth: 60, outHeight: 40, channels: 3, fromX: 3, fromY: 2, toX: 11, toY: 9 },
			...{ width: 30, height: 20, featherX: 6, featherY: 4 },
		},
	});
	check('mix', { op: mixOp, inputs: [a, b], length: AREA * 3, params: { count: AREA * 3, area: AREA, amount: 0.3 } });
	const masked = { count: AREA * 3, area: AREA, amount: 0.8 };
	check('mix, masked', { op: mixMaskedOp, inputs: [a, b, noise(AREA, 4)], length: AREA * 3, params: masked });
	for (const [width, height] of [
		[80, 51],
		[11, 9],
	] as const) {
		const params = { ...size, width, height, channels: 3, gain0: 2, gain1: 0.5 };
		check(`resize to ${width}×${height}`, { op: resizeOp, inputs: [a], length: width * height * 3, params });
		const along = { ...size, width, height: H, channels: 3, axis: 0 as const, lobes: 3 };
		check(`lanczos along x to ${width}`, { op: lanczosOp, inputs: [a], length: width * H * 3, params: along });
		const down = { ...size, width: W, height, channels: 3, axis: 1 as const, lobes: 3 };
		check(`lanczos along y to ${height}`, { op: lanczosOp, inputs: [a], length: W * height * 3, params: down });
	}
	for (const filter of ['bilinear', 'bicubic'] as const) {
		const params = { width: W, height: H, channels: 3, filter, scale: 1.5 };
		check(`warp, ${filter}`, { op: warpOp, inputs: [a, flow], length: AREA * 3, params }, 2e-5);
	}
	check('combine', {
		op: combineOp,
		inputs: [a, b],
		length: AREA * 3,
		params: { count: AREA * 3, magnitude: true, gainA: 8, gainB: -8, offset: 0 },
	});
	check('fill', { op: fillOp, inputs: [], length: 1000, params: { count: 1000, value: 0.25 } }, 1e-9);
	const back = flow.map((v, i) => -v + 0.3 * Math.sin(i));
	const sizeOnly = { width: W, height: H, absolute: 0.5, relative: 0.01 };
	const smooth = flow.map((_, i) => (i < AREA ? 2.3 : -1.7));
	check('confidence', { op: confidenceOp, inputs: [flow, back], length: AREA, params: sizeOnly });
	const steady = smooth.map((v) => -v);
	check('confidence of a steady shift', { op: confidenceOp, inputs: [smooth, steady], length: AREA, params: sizeOnly });
	check('matrix', { op: matrixOp, inputs: [a], length: AREA * 3, params: { area: AREA, matrix: TO_OPPONENT } });
	check('matrix back', { op: matrixOp, inputs: [a], length: AREA * 3, params: { area: AREA, matrix: FROM_OPPONENT } });
	const sums = { area: AREA, channels: 3, difference: true };
	check('stats', { op: statsOp, inputs: [a, b], length: 18, params: sums }, 1e-3);
});

describe('transfer functions', () => {
	const curves: Transfer[] = ['linear', 'bt709', 'gamma22', 'gamma28', 'smpte240m', 'srgb', 'pq', 'hlg', 'log'];
	for (const transfer of curves) {
		const params = { count: AREA * 3, transfer, cineon: CINEON };
		const input = noise(AREA * 3, 5, transfer === 'log' ? 0 : -0.3, 1.05);
		const toLinear = { ...params, direction: 'toLinear' as const };
		const fromLinear = { ...params, direction: 'fromLinear' as const };
		check(`${transfer} to light`, { op: transferOp, inputs: [input], length: AREA * 3, params: toLinear }, 4e-4);
		check(`light to ${transfer}`, { op: transferOp, inputs: [input], length: AREA * 3, params: fromLinear }, 1e-4);
	}
});
