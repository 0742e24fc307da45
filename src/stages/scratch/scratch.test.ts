import { describe, expect, it } from 'vitest';
import { CpuCompute, cpuFloats } from '../../gpu/cpu-compute.ts';
import { along, bridgeOp, cureOp, decideOp } from './gpu.ts';
import { columnsOf, type LineChoice, linesAt, placedColumns } from './lines.ts';
import { columnAt, DARK, displacement, findLines, type Line, type Look, momentsOf, scoreOf } from './track.ts';

const W = 160;
const ROWS = 20;
const HEIGHT = ROWS * 8;
const breathe = (): Promise<void> => Promise.resolve();

/** A number 0…1 by its place: texture without a pattern. */
function texture(x: number, y: number): number {
	let h = Math.imul(x + 4096 * y + 77, 0x7feb352d);
	h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
	return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

interface LineOn {
	readonly polarity: number;
	readonly column: (frame: number) => number;
	readonly strength?: number;
}

/** A frame whose picture has moved by `pan` pixels a frame, and what the net would say of its lines. */
function look(index: number, pan: number, lines: readonly LineOn[]): Look {
	const evidence = new Float32Array(2 * ROWS * W);
	const luma = new Float32Array(ROWS * W);
	for (let r = 0; r < ROWS; r++) {
		for (let x = 0; x < W; x++) luma[r * W + x] = texture(Math.floor((x - pan * index + 1000) / 3), r);
		for (const { polarity, column, strength = 0.9 } of lines) {
			const at = column(index);
			for (let x = Math.floor(at) - 1; x <= Math.floor(at) + 2; x++) {
				if (x < 0 || x >= W) continue;
				const near = Math.max(0, 1 - Math.abs(x - at) / 2);
				evidence[(polarity * ROWS + r) * W + x] = Math.max(evidence[(polarity * ROWS + r) * W + x]!, strength * near);
			}
		}
	}
	return { index, width: W, rows: ROWS, lines: evidence, luma };
}

const looks = (pan: number, lines: readonly LineOn[], count = 12): Look[] =>
	Array.from({ length: count }, (_, i) => look(i, pan, lines));

describe('the lines of a shot', () => {
	it('takes the line that stays on the screen, and not the one that goes with the picture', async () => {
		const scratch = { polarity: DARK, column: (f: number) => 50 + 0.3 * Math.sin(f) };
		const pole = { polarity: DARK, column: (f: number) => 90 + f };
		const found = await findLines(looks(1, [scratch, pole]), HEIGHT, breathe);
		const at = (column: number): Line[] => found.filter(({ path }) => Math.abs(path[0]![1] - column) < 3);
		expect(at(50)).toHaveLength(1);
		expect(scoreOf(at(50)[0]!)).toBeGreaterThan(2);
		expect(at(90)).toHaveLength(1);
		expect(scoreOf(at(90)[0]!)).toBeLessThan(-2);
		expect(columnAt(at(90)[0]!, 11, 0)!).toBeCloseTo(101, 0);
	});

	it('leaves a line alone that stands as still as its picture, and takes one that wanders over it', async () => {
		const still = { polarity: 0, column: () => 60 };
		const wanders = { polarity: 0, column: (f: number) => 110 + 1.4 * Math.sin(f * 1.9) };
		const found = await findLines(looks(0, [still, wanders]), HEIGHT, breathe);
		const score = (column: number): number => scoreOf(found.find(({ path }) => Math.abs(path[0]![1] - column) < 4)!);
		expect(score(60)).toBeLessThan(0);
		expect(score(110)).toBeGreaterThan(0);
	});

	it('finds nothing where there is no evidence, and no line for a few frames of many', async () => {
		expect(await findLines(looks(1, []), HEIGHT, breathe)).toEqual([]);
		const brief = looks(1, []).map((own, i) => (i < 2 ? look(i, 1, [{ polarity: 0, column: () => 70 }]) : own));
		expect(await findLines(brief, HEIGHT, breathe)).toEqual([]);
		expect(await findLines([], HEIGHT, breathe)).toEqual([]);
	});

	it('measures how the picture moved around a column', () => {
		const [a, b] = [look(0, 2, []), look(1, 2, [])];
		expect(displacement(a, b, 80).moved).toBeCloseTo(2, 1);
		expect(displacement(a, b, 80).variance).toBeLessThan(1);
		const flat = { ...a, luma: new Float32Array(ROWS * W) };
		expect(displacement(flat, flat, 80).variance).toBeGreaterThan(4);
	});

	it('looks at pairs of neighbors all over a long shot, and at all of a short one', () => {
		expect(momentsOf({ start: 3, end: 8 })).toEqual([3, 4, 5, 6, 7]);
		const many = momentsOf({ start: 100, end: 400 });
		expect(many).toHaveLength(24);
		expect(many.slice(0, 2)).toEqual([100, 101]);
		expect(many.slice(-2)).toEqual([398, 399]);
		for (let i = 1; i < many.length; i += 2) expect(many[i]).toBe(many[i - 1]! + 1);
	});

	it('ends when it is aborted', async () => {
		const stop = (): Promise<void> => Promise.reject(new Error('aborted'));
		await expect(findLines(looks(1, []), HEIGHT, stop)).rejects.toThrow('aborted');
	});
});

describe('what is mended', () => {
	const line = (column: number, evidence: number, polarity = 0): Line => ({
		polarity,
		lean: 4,
		path: [
			[10, column],
			[20, column + 2],
		],
		evidence,
		motion: 0,
	});
	const choice: LineChoice = { sensitivity: 0.5, polarity: 'both', lines: '', spare: '' };
	const taken = (lines: readonly Line[], more: Partial<LineChoice> = {}, frame = 15, gap = 0): number[] =>
		linesAt(lines, frame, gap, { ...choice, ...more }).flatMap(({ column, least }) =>
			least === undefined ? [] : [column],
		);

	it('follows sensitivity, polarity and the hand', () => {
		const lines = [line(40, 0.9), line(80, 0.4), line(120, 0.8, DARK)];
		expect(taken(lines)).toEqual([41, 121]);
		expect(taken(lines, { sensitivity: 0 })).toEqual([]);
		expect(taken(lines, { sensitivity: 1 })).toEqual([41, 81, 121]);
		expect(taken(lines, { polarity: 'dark' })).toEqual([121]);
		expect(taken(lines, { spare: '120' })).toEqual([41]);
		expect(taken(lines, { lines: '81, 200.5', polarity: 'bright' })).toEqual([41, 81, 200.5]);
		// Where a weak candidate was is not known well enough to say how it moved.
		expect(taken([0.39, 0.41].map((evidence, i) => ({ ...line(40 * (i + 1), evidence), motion: 10 })))).toEqual([81]);
		expect(columnsOf('7, 8.5 9')).toEqual([7, 8.5, 9]);
	});

	it('ends where the line does', () => {
		expect(taken([line(40, 0.9)], {}, 9)).toEqual([]);
		expect(taken([line(40, 0.9)], {}, 9, 1)).toEqual([40]);
		expect(taken([line(40, 0.9)], {}, 22, 1)).toEqual([]);
		expect(placedColumns(linesAt([line(40, 0.9)], 10, 0, choice))).toEqual([0, 40, 4, 0.35]);
	});

	it('takes a half-transparent line back exactly, and bridges an opaque one; all else keeps its value', () => {
		const compute = new CpuCompute({ memoryBudget: 2 ** 24, threads: 1, reason: 'test' });
		const [width, height] = [32, 48];
		const area = width * height;
		// Steep across the line: what the sides suggest is wrong at every single row, but right on the mean.
		const clean = Float32Array.from({ length: 3 * area }, (_, i) => {
			const [x, y] = [i % width, Math.floor((i % area) / width)];
			return 0.35 + 0.004 * x + 0.12 * (texture(x, y) - 0.5);
		});
		for (const [opacity, least] of [
			// Taken for a line, and none: what is fitted is chance.
			[0, 45],
			[0.4, 30],
			[1, 20],
		] as const) {
			const isOn = (i: number): boolean => i % width >= 14 && i % width <= 16;
			const scratched = clean.map((v, i) => (isOn(i) ? v + (0.95 - v) * opacity : v));
			const frame = compute.uploadPicture(scratched, width, height, 3);
			const evidence = compute.uploadPicture(
				Float32Array.from({ length: 2 * area }, (_, i) => (i < area && isOn(i) ? 1 : 0)),
				width,
				height,
				2,
			);
			const even = along(compute, evidence, 16);
			const table = compute.upload(Float32Array.from([0, 15, 0, 0.4]));
			const [sign, bridged, sums] = [1, 3, 4].map((c) => compute.picture(width, height, c));
			const decide = { width, height, count: 1, grow: 0, corridor: 5 };
			compute.run(decideOp, [even, table], [sign!], decide);
			const light = { bright: 0.95, dark: 0.05 };
			compute.run(bridgeOp, [frame, sign!], [bridged!, sums!], { width, height, reach: 32, ...light });
			const fitted = along(compute, sums!, 8);
			const [healed, share] = [3, 1].map((c) => compute.picture(width, height, c));
			const cure = { area, ...light, opaque: 0.85, span: 0.2, rows: 17, doubt: 8 };
			compute.run(cureOp, [frame, bridged!, sign!, fitted], [healed!, share!], cure);
			let [error, count] = [0, 0];
			cpuFloats(healed!).forEach((v, i) => {
				if (!isOn(i)) {
					expect(v).toBe(scratched[i]);
					return;
				}
				error += (v - clean[i]!) ** 2;
				count++;
			});
			expect(count).toBe(3 * 3 * height);
			expect(-10 * Math.log10(error / count)).toBeGreaterThan(least);
			expect(cpuFloats(share!).some((v) => v > 0.9)).toBe(opacity === 1);
			[frame, evidence, even, table, sign!, bridged!, sums!, fitted, healed!, share!].forEach((p) => p.release());
		}
		expect(compute.live).toBe(0);
		compute.destroy();
	});
});
