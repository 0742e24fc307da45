/** `degrain` with the real FFDNet and RIFE on the wasm backend. Prints the table of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { fromOpponent, toOpponent } from '../../src/gpu/ops/opponent/op.ts';
import { filled } from '../../src/gpu/ops/fill/op.ts';
import { denoiseRun } from '../../src/models/ffdnet.ts';
import { stage } from '../../src/stages/degrain/stage.ts';
import { booleanGrain } from '../helpers/boolean-grain.ts';
import { scenePicture } from '../../scripts/reference/scene-picture.ts';
import {
	accessOf,
	clip,
	counted,
	drop,
	envOf,
	frameOf,
	noisy,
	openBench,
	original,
	psnr,
	render,
} from './stages-kit.ts';

const bench = await openBench();
const { compute, models, env } = bench;
const values = { sigma: 25, luma: 1, chroma: 1, grain: 'fine', temporal: 0 } as const;
const W = 192;
const H = 192;

afterAll(() => bench.close());

const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());
const street = (width: number, height: number, time: number): Picture =>
	compute.uploadPicture(scenePicture(0, width, height, time), width, height, 3);

describe('degrain on moving clips', () => {
	for (const [path, start, filter] of [
		['video/bikes.mp4', 60, `crop=${W}:${H}`],
		['video/gestures/walk.mkv', 30, `crop=${W}:${H}`],
		['video/bigbuckbunny.mp4', 40, `scale=640:-2,crop=${W}:${H}`],
	] as const) {
		it(`fuses neighbors of ${path}: at least 0.5 dB above the single frame`, async (ctx) => {
			const clean = await clip(ctx, compute, path, [start, 5], filter, { width: W, height: H });
			const noise = clean.map((p, i) => noisy(compute, p, 25, i + 1));
			const shot = noise.map((p) => frameOf(p));
			const found: number[] = [];
			for (const temporal of path.includes('walk') ? [0, 1, 2] : [0, 1]) {
				const result = await render(stage, env, shot, original(2), { ...values, temporal });
				found.push(psnr(result.picture, clean[2]!));
				drop(result);
			}
			const [single = 0, one = 0, two = one] = found;
			const shown = [psnr(noise[2]!, clean[2]!), ...found].map((v) => v.toFixed(2)).join(' → ');
			console.log(`degrain σ 25 ${path}: noisy, single, temporal 1, 2: ${shown} dB`);
			expect(one).toBeGreaterThan(single + 0.5);
			expect(two).toBeGreaterThan(single + 0.5);
			release(...clean, ...noise);
		});
	}

	/** The picture with coarse grain of σ (8-bit codes); the caller owns it. */
	function coarse(clean: Picture, sigma: number, seed: number): Picture {
		const data = Float32Array.from(cpuFloats(clean));
		for (let c = 0; c < 3; c++) {
			const layer = booleanGrain(0.5, { radius: 1, spread: 0.4 }, W, H, seed + c);
			const unit = Math.sqrt(layer.reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / layer.length);
			for (let i = 0; i < W * H; i++) data[c * W * H + i]! += ((layer[i]! - 0.5) / unit) * (sigma / 255);
		}
		return compute.uploadPicture(data, W, H, 3);
	}

	it('takes coarse film grain better with the network that was trained for it', async (ctx) => {
		const size = { width: W, height: H };
		const [clean] = await clip(ctx, compute, 'photos/eval/kodak08.png', [0, 1], `loop=1:1,crop=${W}:${H}`, size);
		const film = coarse(clean!, 14, 1);
		const found: number[] = [];
		for (const grain of ['fine', 'coarse'] as const) {
			const result = await render(stage, env, [frameOf(film)], original(0), { ...values, sigma: 14, grain });
			found.push(psnr(result.picture, clean!));
			drop(result);
		}
		console.log(`degrain coarse grain σ 14: fine ${found[0]!.toFixed(2)}, coarse ${found[1]!.toFixed(2)} dB`);
		expect(found[1]).toBeGreaterThan(found[0]! + 0.5);
		release(clean!, film);
	});

	it('fuses neighbors of coarse grain too, which guides still have a part of', async (ctx) => {
		const size = { width: W, height: H };
		const clean = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 3], `crop=${W}:${H}`, size);
		const film = clean.map((p, i) => coarse(p, 14, 10 * i + 1));
		const found: number[] = [];
		for (const temporal of [0, 1]) {
			const set = { ...values, sigma: 14, grain: 'coarse', temporal } as const;
			const shot = film.map((p) => frameOf(p));
			const result = await render(stage, env, shot, original(1), set);
			found.push(psnr(result.picture, clean[1]!));
			drop(result);
		}
		console.log(
			`degrain coarse grain σ 14, walk: single ${found[0]!.toFixed(2)}, temporal 1 ${found[1]!.toFixed(2)} dB`,
		);
		expect(found[1]).toBeGreaterThan(found[0]! + 0.5);
		release(...clean, ...film);
	});

	it('measures the noise of a shot by itself, and then removes it', async (ctx) => {
		const size = { width: W, height: H };
		const clean = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 4], `crop=${W}:${H}`, size);
		for (const sigma of [5, 15, 50] as const) {
			const noise = clean.map((p, i) => noisy(compute, p, sigma, 20 + i));
			const artifact = await stage.analyze!(accessOf(noise, noise, 'h264'), { ...values, sigma: 'auto' }, env);
			expect(stage.finding!({ ...values, sigma: 'auto' }, artifact)?.code).toBe('measured-coded');
			expect(stage.finding!(values, artifact)).toBeUndefined();
			expect(artifact!.sigma * 255).toBeGreaterThan(sigma * 0.85);
			expect(artifact!.sigma * 255).toBeLessThan(sigma * 1.15);
			if (sigma === 15) {
				const shot = noise.map((p) => frameOf(p));
				const result = await render(stage, env, shot, original(1), { ...values, sigma: 'auto' }, { artifact });
				expect(psnr(result.picture, clean[1]!)).toBeGreaterThan(psnr(noise[1]!, clean[1]!) + 8);
				drop(result);
			}
			release(...noise);
		}
		release(...clean);
	});
});

describe('degrain', () => {
	it('gives tiles what the whole would get', async () => {
		const clean = street(352, 64, 0.8);
		const picture = noisy(compute, clean, 20, 3);
		const whole = await denoiseRun(models, compute, picture, 20 / 255, { ...env, tile: 512 });
		const staged = await render(stage, env, [frameOf(picture)], original(0), { ...values, sigma: 20 });
		const [a, b] = [cpuFloats(whole), cpuFloats(staged.picture)];
		expect(a.reduce((max, v, i) => Math.max(max, Math.abs(v - b[i]!)), 0)).toBeLessThan(1e-3);
		release(clean, picture, whole);
		drop(staged);
	});

	it('treats luma and chroma apart and shows what it removed eightfold', async () => {
		const clean = street(96, 64, 0.8);
		const picture = noisy(compute, clean, 25, 4);
		const shot = [frameOf(picture)];
		const full = await render(stage, env, shot, original(0), values);
		const chroma = await render(stage, env, shot, original(0), { ...values, luma: 0 });
		const residual = await render(stage, env, shot, original(0), values, { view: 'residual' });
		const [before, all, some] = [picture, full.picture, chroma.picture].map((p) => toOpponent(compute, p));
		const area = 96 * 64;
		cpuFloats(some!).forEach((v, i) => {
			expect(Math.abs(v - cpuFloats(i < area ? before! : all!)[i]!)).toBeLessThan(1e-5);
		});
		cpuFloats(residual.picture).forEach((v, i) => {
			const removed = cpuFloats(picture)[i]! - cpuFloats(full.picture)[i]!;
			expect(Math.abs(v - (0.5 + 8 * removed))).toBeLessThan(1e-5);
		});
		const back = fromOpponent(compute, before!);
		expect(psnr(back, clean)).toBeCloseTo(psnr(picture, clean), 3);
		release(clean, picture, before!, all!, some!, back);
		[full, chroma, residual].forEach(drop);
	});

	it('leaves alone what needs nothing', async () => {
		expect(stage.touches(original(0), { ...values, sigma: 0 })).toBe(false);
		expect(stage.touches(original(0), { ...values, luma: 0, chroma: 0 })).toBe(false);
		expect(stage.touches(original(0), { ...values, sigma: 'auto' })).toBe(true);
		const picture = street(32, 32, 0);
		const marked = filled(compute, 32, 32, 1, 2);
		const nothing = { sigma: 0.0001, channels: [0.0001, 0.0001, 0.0001] as const };
		for (const input of [frameOf(picture), frameOf(picture, { provenance: marked })]) {
			const options = { artifact: nothing };
			const result = await render(stage, env, [input], original(0), { ...values, sigma: 'auto' }, options);
			expect([...cpuFloats(result.picture)]).toEqual([...cpuFloats(picture)]);
			expect(cpuFloats(result.sides.provenance!)[0]).toBe(input.sides.provenance ? 2 : 0);
			drop(result);
		}
		expect(stage.needs(original(0), { ...values, temporal: 2 }, { start: 0, end: 2 }, undefined).inputs).toEqual([
			0, 1,
		]);
		release(picture, marked);
	});

	it('stops within a tile when aborted', async () => {
		const picture = street(600, 300, 0.4);
		const control = new AbortController();
		let runs = 0;
		const watched = counted(models, (count) => {
			runs = count;
			control.abort();
		});
		const aborting = render(stage, envOf(compute, watched, control.signal), [frameOf(picture)], original(0), values);
		const error = await aborting.catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(EmulsionError);
		expect((error as EmulsionError).code).toBe('aborted');
		expect(runs).toBe(1);
		release(picture);
	});
});
