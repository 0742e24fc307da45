/** The stages' own kernels: shader and CPU twin on the same numbers. */

import { describe, expect, it } from 'vitest';
import { agreeOp } from '../../src/stages/degrain/agree.ts';
import { fusedOp, gatherOp } from '../../src/stages/degrain/fuse.ts';
import { columnsOp, hash32, layOp, rowsOp, whiteOp } from '../../src/analysis/grain/field.ts';
import { decideOp, levelOp, markOp, rimOp, softenOp, spreadOp } from '../../src/stages/dust-bust/gpu.ts';
import { apartOp, vouchOp } from '../../src/stages/dust-bust/unrest.ts';
import {
	alongOp,
	bridgeOp,
	cureOp,
	decideOp as decideLinesOp,
	markOp as markLinesOp,
	showOp,
} from '../../src/stages/scratch/gpu.ts';
import { limitOp } from '../../src/stages/upscale/limit.ts';
import { provenanceOp } from '../../src/stages/upscale/provenance.ts';
import { bothTwins, bothTwinsOf, maxDifference, noise, withErrorScope } from './kit.ts';

const W = 37;
const H = 23;
const AREA = W * H;
const frame = noise(AREA * 3, 1, 0.3, 0.6);
/** Near the frame by noise of about 0.05, so that shares between 0 and 1 occur. */
const near = frame.map((v, i) => v + (noise(AREA * 3, 2)[i]! - 0.5) * 0.2);
const confidence = noise(AREA, 3);

describe('kernels of the stages: shader and twin agree', () => {
	it('degrain/gather', () =>
		withErrorScope(async (compute) => {
			const sums = noise(AREA * 5, 4);
			const inputs = [frame, near, confidence, sums];
			const params = { width: W, height: H, noise: 3 * 0.05 ** 2 };
			const { shader, twin } = await bothTwins(compute, gatherOp, inputs, AREA * 5, params);
			expect(maxDifference(shader, twin)).toBeLessThan(1e-4);
			const added = shader.subarray(3 * AREA, 4 * AREA).map((v, i) => v - sums[3 * AREA + i]!);
			expect(Math.max(...added)).toBeGreaterThan(0.3);
		}));

	it('degrain/agree', () =>
		withErrorScope(async (compute) => {
			const params = { width: W, height: H, scale: 200 };
			const { shader, twin } = await bothTwins(compute, agreeOp, [frame, near, confidence], AREA, params);
			expect(maxDifference(shader, twin)).toBeLessThan(1e-5);
			expect(Math.max(...shader)).toBeGreaterThan(0.1);
		}));

	it('degrain/fused', () =>
		withErrorScope(async (compute) => {
			const sums = noise(AREA * 5, 5);
			const params = { width: W, height: H, sigma: 0.1 };
			const [a, b] = [compute.upload(frame), compute.upload(sums)];
			const [mean, level] = [compute.block(AREA * 3), compute.block(AREA)];
			compute.run(fusedOp, [a, b], [mean, level], params);
			const got = [mean, level].map((block) => compute.readback(block));
			const twins = [new Float32Array(AREA * 3), new Float32Array(AREA)];
			fusedOp.cpu([frame, sums], twins, params);
			for (const [i, twin] of twins.entries()) {
				expect(maxDifference(new Float32Array(await got[i]!), twin)).toBeLessThan(1e-5);
			}
			[a, b, mean, level].forEach((block) => block.release());
		}));

	it('grain/white: the same numbers on every machine', () =>
		withErrorScope(async (compute) => {
			const params = {
				rect: { x: -5, y: 7, width: W, height: H },
				seed: hash32(9),
				mixing: [1, 0, 0, 0.6, 0.8, 0, 0.1, 0.2, 0.9],
			};
			const { shader, twin } = await bothTwins(compute, whiteOp, [], AREA * 3, params);
			expect(maxDifference(shader, twin)).toBeLessThan(1e-6);
			expect(Math.max(...shader)).toBeGreaterThan(2);
		}));

	it('grain/rows and grain/columns', () =>
		withErrorScope(async (compute) => {
			const radius = 3;
			const taps = noise(4 * 6 * (2 * radius + 1), 11, -0.5, 0.5);
			const params = { width: W, height: H, radius, first: 7, step: 14 };
			const wide = noise(3 * (W + 2 * radius) * H, 12, -2, 2);
			const rows = await bothTwins(compute, rowsOp, [wide, taps], AREA * 3, params);
			expect(maxDifference(rows.shader, rows.twin)).toBeLessThan(1e-5);
			const high = noise(3 * W * (H + 2 * radius), 13, -2, 2);
			const columns = await bothTwins(compute, columnsOp, [high, frame, taps], AREA * 3, params);
			expect(maxDifference(columns.shader, columns.twin)).toBeLessThan(1e-5);
		}));

	it('grain/lay', () =>
		withErrorScope(async (compute) => {
			const picture = noise(AREA * 3, 14, -0.2, 1.2);
			const strengths = noise(24, 15, 0, 0.1);
			const params = { width: W, height: H, levels: 8 };
			const { shader, twin } = await bothTwins(compute, layOp, [picture, near, strengths], AREA * 3, params);
			expect(maxDifference(shader, twin)).toBeLessThan(1e-5);
		}));

	it('dust-bust/spread: the same numbers, in rows and columns, largest and smallest', () =>
		withErrorScope(async (compute) => {
			const plane = noise(AREA, 16, -1, 1);
			for (const radius of [1, 4, 40]) {
				for (const vertical of [false, true]) {
					for (const largest of [false, true]) {
						const params = { width: W, height: H, radius, vertical, largest };
						const { shader, twin } = await bothTwins(compute, spreadOp, [plane], AREA, params);
						expect(maxDifference(shader, twin)).toBe(0);
					}
				}
			}
		}));

	it('dust-bust/decide', () =>
		withErrorScope(async (compute) => {
			const [mask, around] = [noise(AREA, 17), noise(AREA, 18, 0.5, 1)];
			for (const polarity of [-1, 0, 1]) {
				const params = { area: AREA, sure: 0.8, doubtful: 0.4, polarity };
				const inputs = [mask, around, frame, near];
				const { shader, twin } = await bothTwins(compute, decideOp, inputs, AREA, params);
				expect(maxDifference(shader, twin)).toBe(0);
				const share = shader.reduce((sum, v) => sum + v, 0) / AREA;
				expect(share).toBeGreaterThan(0.05);
				expect(share).toBeLessThan(0.5);
			}
		}));

	it('dust-bust/apart, vouch', () =>
		withErrorScope(async (compute) => {
			const apart = await bothTwins(compute, apartOp, [frame, near], AREA, { area: AREA });
			expect(maxDifference(apart.shader, apart.twin)).toBeLessThan(1e-6);
			expect(Math.max(...apart.shader)).toBeGreaterThan(0.05);
			// Contrasts of 0.1 and 0.2, asked for are 0.02 and 0.18; half of the pixels lie beyond what is near. None is on a border.
			const healed = frame.map((v, i) => v - (i % 2 === 0 ? 0.1 : 0.2));
			const around = noise(AREA, 24).map((v) => (v > 0.5 ? 0.028 : 0.012));
			const high = noise(AREA, 25).map((v, i) => {
				const y = 0.2126 * frame[i]! + 0.7152 * frame[AREA + i]! + 0.0722 * frame[2 * AREA + i]!;
				return y - (v > 0.5 ? 0.15 : 0.02);
			});
			const low = high.map((v) => v - 0.5);
			const inputs = [noise(AREA, 17), frame, healed, around, high, low];
			const params = { area: AREA, times: 10, grain: 0.01, apart: 0.6 };
			const vouch = await bothTwins(compute, vouchOp, inputs, AREA, params);
			expect(maxDifference(vouch.shader, vouch.twin)).toBe(0);
			const shown = vouch.shader.filter((v) => v > 0).length / AREA;
			expect(shown).toBeGreaterThan(0.25);
			expect(shown).toBeLessThan(0.5);
		}));

	it('dust-bust/soften, rim, level, mark', () =>
		withErrorScope(async (compute) => {
			const mask = noise(AREA, 19).map((v) => (v > 0.6 ? 1 : 0));
			const soft = await bothTwins(compute, softenOp, [mask], AREA, { width: W, height: H });
			expect(maxDifference(soft.shader, soft.twin)).toBeLessThan(1e-6);
			const rim = await bothTwins(compute, rimOp, [frame, near, mask], AREA * 4, { area: AREA, scale: 60 });
			expect(maxDifference(rim.shader, rim.twin)).toBeLessThan(1e-6);
			expect(Math.max(...rim.shader.subarray(3 * AREA))).toBeGreaterThan(0.5);
			const far = noise(AREA * 4, 20, 0.1, 0.2);
			const inputs = [near, rim.twin as Float32Array<ArrayBuffer>, far];
			const level = await bothTwins(compute, levelOp, inputs, AREA * 3, { area: AREA, share: 0.02 });
			expect(maxDifference(level.shader, level.twin)).toBeLessThan(1e-5);
			const before = noise(AREA, 21).map((v) => (v > 0.9 ? 2 : 0));
			const marks = await bothTwins(compute, markOp, [before, mask], AREA, { area: AREA, level: 1 });
			expect(maxDifference(marks.shader, marks.twin)).toBe(0);
			expect(new Set(marks.shader)).toEqual(new Set([0, 1, 2]));
		}));

	it('scratch/along, decide, show', () =>
		withErrorScope(async (compute) => {
			const lines = noise(AREA * 2, 22);
			const size = { width: W, height: H };
			const even = await bothTwins(compute, alongOp, [lines], AREA * 2, { ...size, channels: 2, rows: 5 });
			expect(maxDifference(even.shader, even.twin)).toBeLessThan(1e-6);
			const table = Float32Array.from([0, 9.5, 3, 0.55, 1, 22, -6, 0.5, 1, 24, 0, 0.45]);
			const params = { ...size, count: 3, grow: 1, corridor: 4.5 };
			const sign = await bothTwins(compute, decideLinesOp, [lines, table], AREA, params);
			expect(maxDifference(sign.shader, sign.twin)).toBe(0);
			expect(new Set(sign.shader)).toEqual(new Set([-1, 0, 1]));
			const rails = Float32Array.from([9.5, 3, 1, 0, 0, 22, -6, 0, 1, 0]);
			const show = { ...size, count: 2, corridor: 4.5, thick: 1.5 };
			const shown = await bothTwins(compute, showOp, [frame, rails], AREA * 3, show);
			expect(maxDifference(shown.shader, shown.twin)).toBe(0);
			expect(shown.shader.filter((v) => v === 1).length).toBeGreaterThan(2 * H);
		}));

	it('scratch/bridge, cure, mark', () =>
		withErrorScope(async (compute) => {
			// Runs of every length, at the edges too, and one row that is all line.
			const sign = noise(AREA, 23).map((v, i) => (Math.floor(i / W) === 4 || v > 0.6 ? (i % 5 === 0 ? -1 : 1) : 0));
			const light = { bright: 0.95, dark: 0.05 };
			const params = { width: W, height: H, reach: 3, ...light };
			const bridge = await bothTwinsOf(compute, bridgeOp, [frame, sign], [AREA * 3, AREA * 4], params);
			for (const { shader, twin } of bridge) expect(maxDifference(shader, twin)).toBeLessThan(1e-6);
			const [bridged, sums] = bridge.map(({ twin }) => twin as Float32Array<ArrayBuffer>);
			const cure = await bothTwinsOf(compute, cureOp, [frame, bridged!, sign, sums!], [AREA * 3, AREA], {
				area: AREA,
				...light,
				opaque: 0.5,
				span: 0.45,
				rows: 17,
				doubt: 0.5,
			});
			for (const { shader, twin } of cure) expect(maxDifference(shader, twin)).toBeLessThan(1e-5);
			for (let i = 0; i < 3 * AREA; i++) if (sign[i % AREA] === 0) expect(cure[0]!.shader[i]).toBe(frame[i]);
			expect(cure[1]!.shader.some((v) => v > 0 && v < 1)).toBe(true);
			const before = noise(AREA, 21).map((v) => (v > 0.9 ? 2 : 0));
			const marks = await bothTwins(compute, markLinesOp, [before, sign], AREA, { area: AREA, level: 1 });
			expect(maxDifference(marks.shader, marks.twin)).toBe(0);
			expect(new Set(marks.shader)).toEqual(new Set([0, 1, 2]));
		}));

	for (const [width, height] of [
		[74, 46],
		[111, 69],
		[50, 31],
	] as const) {
		it(`upscale/limit to ${width}×${height}`, () =>
			withErrorScope(async (compute) => {
				const large = noise(width * height * 3, 6, -0.5, 1.5);
				const params = { inWidth: W, inHeight: H, width, height, channels: 3, slack: 0.35, floorSlack: 0.01 };
				const { shader, twin } = await bothTwins(compute, limitOp, [frame, large], large.length, params);
				expect(maxDifference(shader, twin)).toBeLessThan(1e-5);
				expect(Math.max(...shader)).toBeLessThan(0.75);
			}));

		it(`upscale/provenance to ${width}×${height}`, () =>
			withErrorScope(async (compute) => {
				const plane = noise(AREA, 7).map((v) => Math.floor(v * 3));
				const params = { inWidth: W, inHeight: H, width, height, level: 1 };
				const { shader, twin } = await bothTwins(compute, provenanceOp, [plane], width * height, params);
				expect(maxDifference(shader, twin)).toBe(0);
				expect([Math.min(...shader), Math.max(...shader)]).toEqual([1, 2]);
			}));
	}
});
