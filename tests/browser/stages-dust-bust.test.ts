/** `dust-bust` with the real networks on the wasm backend. Prints the figures of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import type { WorkingFrame } from '../../src/contracts/stage.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { dirtRun } from '../../src/models/dirt.ts';
import { type DustArtifact, stage } from '../../src/stages/dust-bust/stage.ts';
import { accessOf, clip, drop, envOf, frameOf, noisy, openBench, original, render } from './stages-kit.ts';

const bench = await openBench();
const { compute, models, env } = bench;
const W = 192;
const H = 192;
const AREA = W * H;
const values = { sensitivity: 0.5, caution: 50, polarity: 'both', largest: 24, grow: 1, regrain: true };
type Values = typeof values;

afterAll(() => bench.close());

const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());

/** Spots of about 3 to 13 px, dark and bright by turns, on one picture; the caller owns it. Returns what each pixel lost, too. */
function spotted(picture: Picture): { dirty: Picture; change: Float32Array } {
	const data = Float32Array.from(cpuFloats(picture));
	const change = new Float32Array(AREA);
	const spots = Array.from({ length: 12 }, (_, i) => ({
		x: 20 + ((i * 61) % (W - 40)),
		y: 20 + ((i * 97) % (H - 40)),
		radius: 1.5 + ((i * 5) % 6),
		light: i % 3 === 0 ? 0.9 : 0.05,
	}));
	for (let y = 0, i = 0; y < H; y++) {
		for (let x = 0; x < W; x++, i++) {
			for (const spot of spots) {
				const alpha = Math.min(1, Math.max(0, spot.radius + 0.5 - Math.hypot(x - spot.x, (y - spot.y) * 1.3)));
				for (let c = 0; c < 3; c++) {
					const before = data[c * AREA + i]!;
					data[c * AREA + i] = before + (spot.light - before) * alpha;
					change[i] = Math.max(change[i]!, Math.abs(data[c * AREA + i]! - cpuFloats(picture)[c * AREA + i]!));
				}
			}
		}
	}
	return { dirty: compute.uploadPicture(data, W, H, 3), change };
}

const psnrWhere = (a: Picture, b: Picture, at: (pixel: number) => boolean): number => {
	const [x, y] = [cpuFloats(a), cpuFloats(b)];
	let [sum, count] = [0, 0];
	for (let i = 0; i < 3 * AREA; i++) {
		if (!at(i % AREA)) continue;
		sum += (x[i]! - y[i]!) ** 2;
		count++;
	}
	return sum === 0 ? Infinity : -10 * Math.log10(sum / count);
};

/** True within `distance` pixels (a square) of where the change is above 0. */
function near(change: Float32Array, distance: number): (pixel: number) => boolean {
	const found = new Uint8Array(AREA);
	for (let i = 0; i < AREA; i++) {
		if (change[i]! < 1 / 255) continue;
		const [x, y] = [i % W, Math.floor(i / W)];
		for (let v = Math.max(0, y - distance); v <= Math.min(H - 1, y + distance); v++) {
			found.fill(1, v * W + Math.max(0, x - distance), v * W + Math.min(W, x + distance + 1));
		}
	}
	return (pixel) => found[pixel] === 1;
}

async function bust(
	shot: readonly WorkingFrame[],
	index: number,
	artifact: DustArtifact,
	{ view = 'result', ...more }: Partial<Values> & { view?: string } = {},
): Promise<WorkingFrame> {
	return render(stage, env, shot, original(index), { ...values, ...more }, { artifact, view });
}

const SIZE = { width: W, height: H };
const CLIPS = [
	['video/gestures/walk.mkv', 30, `crop=${W}:${H}`],
	['video/bikes.mp4', 60, `crop=${W}:${H}`],
	['video/gestures/sister.mkv', 40, `crop=${W}:${H}`],
] as const;

describe('dust-bust on moving clips', () => {
	for (const [path, start, filter] of CLIPS) {
		it(`heals spots on ${path}, and touches nothing else`, async (ctx) => {
			const clean = await clip(ctx, compute, path, [start, 3], filter, SIZE);
			const { dirty, change } = spotted(clean[1]!);
			const film = [clean[0]!, dirty, clean[2]!].map((p, i) => noisy(compute, p, 6, 40 + i));
			const undamaged = noisy(compute, clean[1]!, 6, 41);
			const artifact = { sigma: 6 / 255, profile: undefined };
			const result = await bust(
				film.map((p) => frameOf(p)),
				1,
				artifact,
			);
			const [inside, around] = [near(change, 0), near(change, 8)];
			const rim = (pixel: number): boolean => around(pixel) && !inside(pixel);
			const before = psnrWhere(film[1]!, clean[1]!, inside);
			const after = psnrWhere(result.picture, clean[1]!, inside);
			const edge = psnrWhere(result.picture, film[1]!, rim);
			const shown = [before, after, edge].map((v) => v.toFixed(1)).join(', ');
			console.log(`dust-bust ${path} σ 6: inside before, after; rim: ${shown} dB`);
			expect(after).toBeGreaterThan(before + 8);
			// Whatever is not marked as repaired is the film's own, bit by bit.
			const marks = cpuFloats(result.sides.provenance!);
			const [was, is] = [cpuFloats(film[1]!), cpuFloats(result.picture)];
			for (let i = 0; i < 3 * AREA; i++) if (marks[i % AREA] === 0) expect(is[i]).toBe(was[i]);
			const [marked, wrong] = [
				marks.filter((v) => v === 1).length,
				marks.filter((v, i) => v === 1 && !around(i)).length,
			];
			console.log(`dust-bust ${path}: ${marked} pixels repaired, ${wrong} of them far from any spot`);
			expect(marked).toBeGreaterThan(200);
			expect(wrong).toBeLessThan(0.1 * marked);
			drop(result);
			release(...clean, dirty, ...film, undamaged);
		});
	}

	it('lays grain of the shot’s power, of no neighbor’s making', async () => {
		// A picture without texture: what differs from it is grain alone.
		const smooth = Float32Array.from(
			{ length: 3 * AREA },
			(_, i) => 0.5 + 0.15 * Math.sin((i % W) / 30) * Math.cos((i % AREA) / W / 23),
		);
		const clean = compute.uploadPicture(smooth, W, H, 3);
		const { dirty, change } = spotted(clean);
		const film = [clean, dirty, clean].map((p, i) => noisy(compute, p, 8, 60 + i));
		const frames = film.map((p) => frameOf(p));
		const artifact = await stage.analyze!(accessOf([film[0]!, film[2]!]), values, env);
		expect(artifact.sigma * 255).toBeGreaterThan(6.5);
		const found = { new: 0, old: 0 };
		for (const regrain of [true, false]) {
			const result = await bust(frames, 1, artifact, { regrain });
			const marks = cpuFloats(result.sides.provenance!);
			const [is, truth] = [cpuFloats(result.picture), cpuFloats(clean)];
			const neighbors = [film[0]!, film[2]!].map((p) => cpuFloats(p));
			let [power, rim, donor, own, count, rims] = [0, 0, 0, 0, 0, 0];
			const around = near(change, 8);
			for (let i = 0; i < 3 * AREA; i++) {
				const grain = is[i]! - truth[i]!;
				if (marks[i % AREA] === 1 && change[i % AREA]! > 0.1) {
					const other = (neighbors[0]![i]! + neighbors[1]![i]!) / 2 - truth[i]!;
					power += grain ** 2;
					donor += grain * other;
					own += other ** 2;
					count++;
				} else if (marks[i % AREA] === 0 && around(i % AREA) && change[i % AREA]! < 1 / 255) {
					rim += grain ** 2;
					rims++;
				}
			}
			const ratio = power / count / (rim / rims);
			const alike = donor / Math.sqrt(power * own);
			console.log(
				`dust-bust grain, regrain ${regrain}: power ${ratio.toFixed(2)} of the rim’s, correlation with the neighbors’ ${alike.toFixed(2)}`,
			);
			found[regrain ? 'new' : 'old'] = alike;
			if (regrain) {
				expect(ratio).toBeGreaterThan(0.9);
				expect(ratio).toBeLessThan(1.1);
			}
			drop(result);
		}
		expect(found.old).toBeGreaterThan(0.5);
		expect(Math.abs(found.new)).toBeLessThan(0.1);
		release(clean, dirty, ...film);
	});
});

describe('dust-bust', () => {
	it('leaves a shot’s first and last frame alone, and says so', async (ctx) => {
		const clean = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 2], `crop=${W}:${H}`, SIZE);
		for (const index of [0, 1]) {
			const result = await bust(
				clean.map((p) => frameOf(p)),
				index,
				{ sigma: 0, profile: undefined },
			);
			expect(cpuFloats(result.picture)).toEqual(cpuFloats(clean[index]!));
			expect(Math.max(...cpuFloats(result.sides.provenance!))).toBe(0);
			drop(result);
		}
		release(...clean);
	});

	it('gives tiles what the whole would get', async (ctx) => {
		const [a, b, c] = await clip(ctx, compute, 'video/bikes.mp4', [60, 3], 'crop=320:100', { width: 320, height: 100 });
		const trust = compute.uploadPicture(new Float32Array(2 * 320 * 100).fill(0.9), 320, 100, 2);
		const views = { frame: b!, before: a!, after: c!, middle: a!, trust };
		const whole = await dirtRun(models, compute, views, 0.01, { ...env, tile: 512 });
		const tiled = await dirtRun(models, compute, views, 0.01, { ...env, tile: 96 });
		for (const key of ['mask', 'healed'] as const) {
			const [x, y] = [cpuFloats(whole[key]), cpuFloats(tiled[key])];
			expect(x.reduce((max, v, i) => Math.max(max, Math.abs(v - y[i]!)), 0)).toBeLessThan(1e-4);
		}
		expect(cpuFloats(whole.mask).some((v) => v > 0.5)).toBe(true);
		release(a!, b!, c!, trust, whole.mask, whole.healed, tiled.mask, tiled.healed);
	});

	it('shows its mask and what it changed, and ends at once when aborted', async (ctx) => {
		const clean = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 3], `crop=${W}:${H}`, SIZE);
		const { dirty, change } = spotted(clean[1]!);
		const shot = [clean[0]!, dirty, clean[2]!].map((p) => frameOf(p));
		const artifact = { sigma: 0, profile: undefined };
		// Film without any grain, whose neighbors differ by their compression alone: caution would ask too much of it.
		const mask = await bust(shot, 1, artifact, { view: 'mask', caution: 0 });
		const residual = await bust(shot, 1, artifact, { view: 'residual', caution: 0 });
		const [m, r] = [cpuFloats(mask.picture), cpuFloats(residual.picture)];
		expect(m.length).toBe(3 * AREA);
		for (let i = 0; i < AREA; i++) {
			if (m[i] === 0) expect(r[i]).toBe(0.5);
		}
		const strong = change.map((v, i) => (v > 0.2 && m[i]! > 0 ? 1 : 0)).reduce((s, v) => s + v, 0);
		expect(strong / change.filter((v) => v > 0.2).length).toBeGreaterThan(0.8);
		const aborted = new AbortController();
		aborted.abort();
		const stopped = { ...env, ...envOf(compute, models, aborted.signal) };
		const late = render(stage, stopped, shot, original(1), values, { artifact });
		await expect(late).rejects.toBeInstanceOf(EmulsionError);
		drop(mask);
		drop(residual);
		release(...clean, dirty);
	});
});
