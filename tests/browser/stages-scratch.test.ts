/** `scratch` with the real network on the wasm backend. Prints the figures of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import type { WorkingFrame } from '../../src/contracts/stage.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { scratchRun } from '../../src/models/scratch.ts';
import { type ScratchArtifact, stage } from '../../src/stages/scratch/stage.ts';
import { scoreOf } from '../../src/stages/scratch/track.ts';
import { accessOf, clip, drop, envOf, frameOf, noisy, openBench, original, render } from './stages-kit.ts';

const bench = await openBench();
const { compute, models, env } = bench;
const W = 256;
const H = 192;
const AREA = W * H;
const COUNT = 6;
const values = { sensitivity: 0.5, polarity: 'both', widest: 16, grow: 1, regrain: true, lines: '', spare: '' };
type Values = typeof values;

afterAll(() => bench.close());

const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());

/** Where the two lines of frame `index` stand: they wander. */
const columnsOf = (index: number): readonly (readonly [column: number, light: number, opacity: number])[] => [
	[70 + 1.2 * Math.sin(1.7 * index), 1, 0.55],
	[181 + 1.3 * Math.sin(2.3 * index + 1), 0.02, 0.7],
];

/** A frame with a bright line and a dark one, 3 px wide, partly transparent; the caller owns it. */
function scratched(picture: Picture, index: number): Picture {
	const data = Float32Array.from(cpuFloats(picture));
	for (let y = 0, i = 0; y < H; y++) {
		for (let x = 0; x < W; x++, i++) {
			for (const [column, light, opacity] of columnsOf(index)) {
				const hidden = opacity * Math.min(1, Math.max(0, 2 - Math.abs(x - column - 0.4 * Math.sin(y / 20))));
				for (let c = 0; c < 3; c++) data[c * AREA + i] = data[c * AREA + i]! * (1 - hidden) + light * hidden;
			}
		}
	}
	return compute.uploadPicture(data, W, H, 3);
}

/** PSNR in dB over the pixels that the lines changed. */
function onLines(picture: Picture, clean: Picture, dirty: Picture): number {
	const [is, was, bad] = [cpuFloats(picture), cpuFloats(clean), cpuFloats(dirty)];
	let [sum, count] = [0, 0];
	for (let i = 0; i < 3 * AREA; i++) {
		if (Math.abs(bad[i]! - was[i]!) < 1 / 255) continue;
		sum += (is[i]! - was[i]!) ** 2;
		count++;
	}
	return -10 * Math.log10(sum / count);
}

async function mended(
	shot: readonly WorkingFrame[],
	index: number,
	artifact: ScratchArtifact,
	{ view = 'result', ...more }: Partial<Values> & { view?: string } = {},
): Promise<WorkingFrame> {
	return render(stage, env, shot, original(index), { ...values, ...more }, { artifact, view });
}

describe('scratch on a moving clip', () => {
	it('finds the film’s lines, heals them, touches nothing else, and shows what it found', async (ctx) => {
		const clean = await clip(ctx, compute, 'video/bikes.mp4', [60, COUNT], `crop=${W}:${H}`, { width: W, height: H });
		const film = clean.map((p, i) => noisy(compute, p, 4, 70 + i));
		const dirty = film.map((p, i) => scratched(p, i));
		const artifact = await stage.analyze!(accessOf(dirty), values, env);
		const taken = artifact.lines.filter((line) => scoreOf(line) > 0);
		console.log(
			`scratch bikes: ${artifact.lines.map((l) => `${l.path[0]![1].toFixed(1)} ${scoreOf(l).toFixed(1)}`).join(', ')}`,
		);
		for (const [index, polarity] of [0, 1].entries()) {
			const column = columnsOf(0)[index]![0];
			expect(taken.filter((l) => l.polarity === polarity && Math.abs(l.path[0]![1] - column) < 2)).toHaveLength(1);
		}
		const shot = dirty.map((p) => frameOf(p));
		const result = await mended(shot, 2, artifact);
		const [before, after] = [onLines(dirty[2]!, film[2]!, dirty[2]!), onLines(result.picture, film[2]!, dirty[2]!)];
		console.log(`scratch bikes σ 4: on the lines before, after: ${before.toFixed(1)}, ${after.toFixed(1)} dB`);
		expect(after).toBeGreaterThan(before + 6);
		const marks = cpuFloats(result.sides.provenance!);
		const [was, is] = [cpuFloats(dirty[2]!), cpuFloats(result.picture)];
		for (let i = 0; i < 3 * AREA; i++) if (marks[i % AREA] === 0) expect(is[i]).toBe(was[i]);
		const repaired = marks.filter((v) => v === 1).length;
		expect(repaired).toBeGreaterThan(2 * H);
		expect(repaired).toBeLessThan(0.2 * AREA);
		// The restorer sees the columns, the pixels, and what was changed.
		const [lines, mask, residual] = [
			await mended(shot, 2, artifact, { view: 'lines' }),
			await mended(shot, 2, artifact, { view: 'mask' }),
			await mended(shot, 2, artifact, { view: 'residual' }),
		];
		const shown = new Set(cpuFloats(mask.picture));
		expect([...shown].sort()).toEqual([0, 0.5, 1]);
		const changed = cpuFloats(residual.picture);
		for (let i = 0; i < 3 * AREA; i++) if (marks[i % AREA] === 0) expect(changed[i]).toBe(0.5);
		const row = cpuFloats(lines.picture).subarray(2 * AREA + 96 * W, 2 * AREA + 97 * W);
		expect(row.some((v) => v === 1)).toBe(true);
		// Spared and named by hand.
		const named = await mended(shot, 2, artifact, { spare: '70', lines: '181', sensitivity: 0 });
		const hand = cpuFloats(named.sides.provenance!);
		expect(hand.some((v, i) => v === 1 && i % W < 100)).toBe(false);
		expect(hand.some((v, i) => v === 1 && i % W > 150)).toBe(true);
		[result, lines, mask, residual, named].forEach(drop);
		release(...clean, ...film, ...dirty);
	});

	it('lays grain of the film’s power where a line hid everything', async () => {
		// A picture without texture: what differs from it is grain alone.
		const smooth = Float32Array.from(
			{ length: 3 * AREA },
			(_, i) => 0.45 + 0.1 * Math.sin((i % W) / 40) * Math.cos((i % AREA) / W / 33),
		);
		const clean = compute.uploadPicture(smooth, W, H, 3);
		const film = Array.from({ length: COUNT }, (_, i) => noisy(compute, clean, 8, 80 + i));
		const columns = [40, 90, 140, 200];
		const dirty = film.map((p) => {
			const data = Float32Array.from(cpuFloats(p));
			for (let i = 0; i < 3 * AREA; i++) {
				const line = columns.findIndex((column) => Math.abs((i % W) - column) <= 2);
				if (line >= 0) data[i] = line % 2 ? 0.05 : 0.95;
			}
			return compute.uploadPicture(data, W, H, 3);
		});
		const artifact = await stage.analyze!(accessOf(dirty), values, env);
		const lines = columns.join(', ');
		const ratios: number[] = [];
		for (const regrain of [true, false]) {
			const result = await mended(
				dirty.map((p) => frameOf(p)),
				2,
				artifact,
				{ regrain, lines },
			);
			const marks = cpuFloats(result.sides.provenance!);
			const [is, was, next] = [result.picture, film[2]!, film[3]!].map((p) => cpuFloats(p));
			let [power, rim, alike, other, count, rims] = [0, 0, 0, 0, 0, 0];
			for (let i = 0; i < 3 * AREA; i++) {
				const away = Math.min(...columns.map((column) => Math.abs((i % W) - column)));
				const [grain, neighbor] = [is![i]! - smooth[i]!, next![i]! - smooth[i]!];
				if (away <= 2 && marks[i % AREA] === 1) {
					power += grain ** 2;
					alike += grain * neighbor;
					other += neighbor ** 2;
					count++;
				} else if (away > 4 && away <= 12) {
					rim += (was![i]! - smooth[i]!) ** 2;
					rims++;
				}
			}
			expect(count).toBeGreaterThan(3 * 4 * H);
			ratios.push(power / count / (rim / rims));
			const same = alike / Math.sqrt(power * other);
			console.log(
				`scratch grain, regrain ${regrain}: power ${ratios.at(-1)!.toFixed(2)} of the rim’s, correlation with the next frame’s ${same.toFixed(2)}`,
			);
			expect(Math.abs(same)).toBeLessThan(0.1);
			drop(result);
		}
		expect(ratios[0]).toBeGreaterThan(0.9);
		expect(ratios[0]).toBeLessThan(1.1);
		expect(ratios[1]).toBeLessThan(0.8);
		release(clean, ...film, ...dirty);
	});

	it('returns frames without lines bit by bit', async (ctx) => {
		const size = { width: W, height: H };
		const clean = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, COUNT], `crop=${W}:${H}`, size);
		const artifact = await stage.analyze!(accessOf(clean), values, env);
		expect(artifact.lines.filter((line) => scoreOf(line) > 0)).toEqual([]);
		const result = await mended(
			clean.map((p) => frameOf(p)),
			3,
			artifact,
		);
		expect(cpuFloats(result.picture)).toEqual(cpuFloats(clean[3]!));
		expect(Math.max(...cpuFloats(result.sides.provenance!))).toBe(0);
		drop(result);
		release(...clean);
	});
});

describe('scratch', () => {
	it('gives tiles what the whole would get', async (ctx) => {
		const size = { width: 96, height: 480 };
		const [frame] = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 1], 'crop=96:480', size);
		const whole = await scratchRun(models, compute, frame!, 0.01, { ...env, tile: 1024 });
		const tiled = await scratchRun(models, compute, frame!, 0.01, { ...env, tile: 8 });
		const [x, y] = [cpuFloats(whole), cpuFloats(tiled)];
		expect(x.reduce((max, v, i) => Math.max(max, Math.abs(v - y[i]!)), 0)).toBeLessThan(1e-4);
		release(frame!, whole, tiled);
	});

	it('ends at once when aborted', async () => {
		const frame = compute.uploadPicture(new Float32Array(3 * 64 * 64).fill(0.4), 64, 64, 3);
		const aborted = new AbortController();
		aborted.abort();
		const stopped = { ...env, ...envOf(compute, models, aborted.signal) };
		await expect(stage.analyze!(accessOf([frame, frame]), values, stopped)).rejects.toBeInstanceOf(EmulsionError);
		const artifact = { sigma: 0, profile: undefined, lines: [], gap: 1 };
		const late = render(stage, stopped, [frameOf(frame)], original(0), { ...values, lines: '20' }, { artifact });
		await expect(late).rejects.toBeInstanceOf(EmulsionError);
		release(frame);
	});
});
