/** What `dust-bust` replaces and with what, on masks made by hand. The net itself: tests/browser/stages-dust-bust.test.ts. */

import { describe, expect, it } from 'vitest';
import type { Picture } from '../../contracts/compute.ts';
import { CpuCompute, cpuFloats } from '../../gpu/cpu-compute.ts';
import { mix } from '../../gpu/ops/mix/op.ts';
import { leveled, markOp, spread } from './gpu.ts';
import { type Choice, choose, thresholds } from './heal.ts';
import { params } from './meta.ts';
import { stage } from './stage.ts';
import { unrestOf } from './unrest.ts';

const W = 64;
const H = 48;
const AREA = W * H;
const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'test' });
const CHOICE: Choice = { sensitivity: 0.5, caution: 50, polarity: 'both', largest: 64, grow: 1 };

/** A picture of `channels` equal planes. */
function plane(value: (x: number, y: number) => number, channels = 1): Picture {
	const data = Float32Array.from({ length: channels * AREA }, (_, i) => value(i % W, Math.floor((i % AREA) / W)));
	return compute.uploadPicture(data, W, H, channels);
}

const inside = (x: number, y: number, left: number, top: number, width: number, height = width): boolean =>
	x >= left && x < left + width && y >= top && y < top + height;

/** What is chosen of squares of sure dirt: sides and brightness against the film by their left edge. */
function chosen(
	squares: readonly (readonly [number, number, number])[],
	choice: Partial<Choice>,
	value = 0.99,
): number[] {
	const hit = (x: number, y: number) => squares.find(([left, side]) => inside(x, y, left, 4, side));
	const frame = plane((x, y) => 0.5 + (hit(x, y)?.[2] ?? 0), 3);
	const healed = plane(() => 0.5, 3);
	const mask = plane((x, y) => (hit(x, y) ? value : 0.01));
	const unrest = plane(() => 0);
	const share = choose(compute, frame, { mask, healed, unrest }, { ...CHOICE, ...choice }, 0);
	const found = [...cpuFloats(share)];
	for (const p of [frame, healed, mask, unrest, share]) p.release();
	expect(compute.live).toBe(0);
	return squares.map(([left, side]) => {
		let count = 0;
		for (let y = 0; y < H; y++) {
			for (let x = left - 9; x < left + side + 9; x++) if ((found[y * W + x] ?? 0) > 0) count++;
		}
		return count;
	});
}

describe('what is replaced', () => {
	it('is the dirt and as many pixels around it as were asked for', () => {
		expect([0, 1, 3].map((grow) => chosen([[20, 4, 0.3]], { grow })[0])).toEqual([16, 36, 100]);
	});

	it('is dark, bright, or both', () => {
		const squares = [
			[10, 3, 0.3],
			[40, 3, -0.3],
		] as const;
		expect(chosen(squares, { grow: 0, polarity: 'both' })).toEqual([9, 9]);
		expect(chosen(squares, { grow: 0, polarity: 'bright' })).toEqual([9, 0]);
		expect(chosen(squares, { grow: 0, polarity: 'dark' })).toEqual([0, 9]);
	});

	it('is no thicker than the largest, with all its fringes', () => {
		const squares = [
			[10, 5, 0.3],
			[35, 20, 0.3],
		] as const;
		expect(chosen(squares, { grow: 0, largest: 12 })).toEqual([25, 0]);
		expect(chosen(squares, { grow: 0, largest: 30 })).toEqual([25, 400]);
	});

	it('needs surer dirt at a lower sensitivity, and doubtful pixels need a sure one near', () => {
		const at = (sensitivity: number, value: number) => chosen([[20, 4, 0.3]], { sensitivity, grow: 0 }, value)[0];
		expect([0, 0.5, 1].map((s) => at(s, 0.98))).toEqual([0, 16, 16]);
		expect([0, 0.5, 1].map((s) => at(s, 0.7))).toEqual([0, 0, 16]);
		const { sure, doubtful } = thresholds(0.5);
		expect(doubtful).toBeLessThan(sure);
		const frame = plane(() => 0.7, 3);
		const healed = plane(() => 0.5, 3);
		// Doubtful squares, one with a sure pixel 3 px away, one alone.
		const mask = plane((x, y) =>
			x === 13 && y === 8 ? 0.99 : inside(x, y, 14, 8, 4, 1) || inside(x, y, 40, 8, 4, 1) ? (sure + doubtful) / 2 : 0,
		);
		const unrest = plane(() => 0);
		const share = choose(compute, frame, { mask, healed, unrest }, { ...CHOICE, grow: 0 }, 0);
		const row = cpuFloats(share).subarray(8 * W, 9 * W);
		expect([...row].map((v, x) => (v > 0 ? x : -1)).filter((x) => x >= 0)).toEqual([13, 14, 15, 16, 17]);
		for (const p of [frame, healed, mask, unrest, share]) p.release();
	});

	it('is nothing where the neighbors disagree, unless it stands out by many times that', () => {
		const frame = plane((x, y) => (inside(x, y, 4, 20, 4) || inside(x, y, 50, 20, 4) ? 0.9 : 0.5), 3);
		const healed = plane(() => 0.5, 3);
		const mask = plane((x, y) => (inside(x, y, 4, 20, 4) || inside(x, y, 50, 20, 4) ? 0.999 : 0));
		// The halves of the middle agree on the left; on the right they lie 0.04 apart.
		const early = plane((x) => (x < 32 ? 0.5 : 0.52), 3);
		const late = plane((x) => (x < 32 ? 0.5 : 0.48), 3);
		const unrest = unrestOf(compute, early, late);
		const counts = (caution: number, sigma = 0): readonly number[] => {
			const share = choose(compute, frame, { mask, healed, unrest }, { ...CHOICE, caution, grow: 0 }, sigma);
			const found = [...cpuFloats(share)].map((v, i) => (v > 0 ? i % W : -1));
			share.release();
			return [found.filter((x) => x >= 0 && x < 32).length, found.filter((x) => x >= 32).length];
		};
		// Dirt of 0.4 stands out by ten times 0.04.
		expect([0, 8, 12, 40].map((caution) => counts(caution))).toEqual([
			[16, 16],
			[16, 16],
			[16, 0],
			[16, 0],
		]);
		// Grain of σ 0.04 makes halves differ so by itself.
		expect(counts(40, 0.04)).toEqual([16, 16]);
		for (const p of [frame, healed, mask, early, late, unrest]) p.release();
		expect(compute.live).toBe(0);
	});
});

describe('an edge', () => {
	it('that lies up to two pixels aside is not dirt; farther it may be', () => {
		const unrest = plane(() => 0);
		const healed = plane((x) => (x < 30 ? 0.8 : 0.3), 3);
		const replaced = (aside: number, caution: number): number => {
			const frame = plane((x) => (x < 30 + aside ? 0.8 : 0.3), 3);
			const mask = plane((x) => (x >= 30 && x < 30 + aside ? 0.999 : 0));
			const share = choose(compute, frame, { mask, healed, unrest }, { ...CHOICE, caution, grow: 0 }, 0);
			const count = [...cpuFloats(share)].filter((v) => v > 0).length;
			for (const p of [frame, mask, share]) p.release();
			return count;
		};
		expect([1, 2, 3].map((aside) => replaced(aside, 40))).toEqual([0, 0, 3 * H]);
		expect(replaced(2, 0)).toBe(2 * H);
		for (const p of [healed, unrest]) p.release();
		expect(compute.live).toBe(0);
	});
});

describe('what replaces it', () => {
	it('stands at the level of the frame around it, also where that is far away', () => {
		// The neighbors are 3 % darker, and one more bright thing stands beside the dirt, which is no matter of exposure.
		const frame = plane((x, y) => (inside(x, y, 20, 10, 6) ? 0 : inside(x, y, 27, 10, 3) ? 0.9 : 0.5), 3);
		const healed = plane(() => 0.47, 3);
		const small = plane((x, y) => (inside(x, y, 20, 10, 6) ? 1 : 0));
		const large = plane((x, y) => (inside(x, y, 0, 0, 50, H) ? 1 : 0));
		for (const mask of [small, large]) {
			const done = leveled(compute, frame, healed, mask, 0.01);
			expect(cpuFloats(done)[12 * W + 22]!).toBeGreaterThan(0.49);
			expect(cpuFloats(done)[12 * W + 22]!).toBeLessThan(0.51);
			done.release();
		}
		for (const p of [frame, healed, small, large]) p.release();
		expect(compute.live).toBe(0);
	});

	it('leaves every other pixel exactly as it was, and marks no other', () => {
		const frame = plane((x, y) => Math.fround(Math.sin(x * 12.9898 + y * 78.233) * 1.5), 3);
		const patch = plane(() => 0.25, 3);
		const share = plane((x, y) => (inside(x, y, 5, 5, 3) ? 0.5 : 0));
		const result = mix(compute, frame, patch, 1, share);
		const [a, b, m] = [cpuFloats(frame), cpuFloats(result), cpuFloats(share)];
		for (let i = 0; i < 3 * AREA; i++) expect(Object.is(a[i], b[i]) || a[i] === b[i]).toBe(m[i % AREA] === 0);
		const marks = new Float32Array(AREA);
		const before = new Float32Array(AREA).map((_, i) => (i === 0 ? 2 : 0));
		markOp.cpu([before, m], [marks], { area: AREA, level: 1 });
		expect(marks[0]).toBe(2);
		expect(marks.reduce((sum, v) => sum + v, 0)).toBe(2 + 9);
		for (const p of [frame, patch, share, result]) p.release();
	});

	it('is looked for in a square window, to the edges', () => {
		const one = plane((x, y) => (x === 1 && y === 2 ? 1 : 0));
		const wide = spread(compute, one, 3);
		const found = cpuFloats(wide);
		expect(found.reduce((sum, v) => sum + v, 0)).toBe(5 * 6);
		const back = spread(compute, wide, 3, false);
		// Windows end at the picture's edge: what lies beyond is neither dirt nor clean.
		expect(cpuFloats(back).reduce((sum, v) => sum + v, 0)).toBe(2 * 3);
		for (const p of [one, wide, back]) p.release();
		expect(compute.live).toBe(0);
	});
});

describe('the stage', () => {
	const values = { sensitivity: 0.5, caution: 50, polarity: 'both', largest: 24, grow: 1, regrain: true };
	const frame = (index: number) => {
		const time = { pts: { num: index, den: 24 }, duration: { num: 1, den: 24 } };
		return { index, ...time, origin: 'original', needs: [index], shot: 0 } as const;
	};

	it('has the defaults of its table', () => {
		for (const [name, { default: value }] of Object.entries(params)) expect(values).toMatchObject({ [name]: value });
	});

	it('asks for both neighbors, never for one across a cut', () => {
		const shot = { start: 10, end: 13 };
		const needs = (index: number) => stage.needs(frame(index), values, shot, { sigma: 0.02, profile: undefined });
		expect(needs(10)).toEqual({ inputs: [10] });
		expect(needs(12)).toEqual({ inputs: [12] });
		expect(needs(11).inputs).toEqual([11, 10, 12]);
		expect(needs(11).flows).toMatchObject([
			{ from: 11, to: 10, denoise: 0.02 },
			{ from: 11, to: 12, denoise: 0.02 },
		]);
	});
});
