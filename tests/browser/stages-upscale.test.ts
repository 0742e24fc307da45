/** `upscale` with the real SPAN, Real-ESRGAN and FFDNet on the wasm backend. Prints the tables of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import type { Transfer } from '../../src/core/color.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { filled } from '../../src/gpu/ops/fill/op.ts';
import { lanczos } from '../../src/gpu/ops/lanczos/op.ts';
import { stage } from '../../src/stages/upscale/stage.ts';
import { scenePicture } from '../../scripts/reference/scene-picture.ts';
import { clip, counted, drop, envOf, frameOf, noisy, openBench, original, psnr, render, SRGB } from './stages-kit.ts';

const bench = await openBench();
const { compute, models, env } = bench;
const values = { factor: 2, size: '', character: 'faithful', blend: 1 };

afterAll(() => bench.close());

const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());
const harbor = (width: number, height: number): Picture =>
	compute.uploadPicture(scenePicture(1, width, height, 0.5), width, height, 3);
const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

describe('upscale on photographs', () => {
	it.for([
		{ factor: 2, gain: 2 },
		{ factor: 4, gain: 1.2 },
	])('faithful ×$factor is at least $gain dB above Lanczos', async ({ factor, gain }, ctx) => {
		const [width, height] = [288, 192];
		const found = { lanczos: [] as number[], exact: [] as number[], faithful: [] as number[] };
		for (const number of ['01', '02', '03', '04', '05', '06']) {
			const path = `photos/eval/kodak${number}.png`;
			const small = { width: width / factor, height: height / factor };
			const crop = number === '04' ? 'crop=288:192:100:220' : 'crop=288:192';
			const [truth] = await clip(ctx, compute, path, [0, 1], crop, { width, height });
			const reduce = `${crop},scale=${small.width}:${small.height}:flags=bicubic`;
			const [input] = await clip(ctx, compute, path, [0, 1], reduce, small);
			const plain = lanczos(compute, input!, width, height);
			found.lanczos.push(psnr(plain, truth!, 4));
			for (const character of ['exact', 'faithful'] as const) {
				const made = await render(stage, env, [frameOf(input!)], original(0), { ...values, factor, character });
				found[character].push(psnr(made.picture, truth!, 4));
				drop(made);
			}
			release(truth!, input!, plain);
		}
		const shown = Object.entries(found).map(([name, list]) => `${name} ${mean(list).toFixed(2)}`);
		console.log(`upscale ×${factor}, Kodak 01–06: ${shown.join(', ')} dB`);
		expect(mean(found.faithful)).toBeGreaterThan(mean(found.lanczos) + gain);
	});
});

describe('upscale', () => {
	it('does not let a still shot shimmer, and no pixel explode', async () => {
		const still = harbor(112, 80);
		for (const sigma of [4, 10, 30]) {
			const takes = [1, 2, 3].map((seed) => noisy(compute, still, sigma, seed));
			const artifact = { sigma: sigma / 255, channels: [sigma / 255, sigma / 255, sigma / 255] as const };
			const deviation: Record<string, number> = {};
			for (const character of ['exact', 'faithful']) {
				const made: Float32Array[] = [];
				for (const take of takes) {
					const result = await render(stage, env, [frameOf(take)], original(0), { ...values, character }, { artifact });
					made.push(cpuFloats(result.picture).slice());
					drop(result);
				}
				const [a, b, c] = made as [Float32Array, Float32Array, Float32Array];
				const variance = a.map((v, i) => {
					const m = (v + b[i]! + c[i]!) / 3;
					return ((v - m) ** 2 + (b[i]! - m) ** 2 + (c[i]! - m) ** 2) / 2;
				});
				deviation[character] = Math.sqrt(mean([...variance])) * 255;
				const most = a.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
				expect(most).toBeLessThan(1.5 + (5 * sigma) / 255);
			}
			const { exact = 0, faithful = 0 } = deviation;
			console.log(
				`upscale: still shot, σ ${sigma}: temporal deviation exact ${exact.toFixed(2)}, faithful ${faithful.toFixed(2)} codes`,
			);
			expect(faithful).toBeLessThan(exact * 1.15);
			release(...takes);
		}
		release(still);
	});

	it('says in provenance what it made, and keeps what was said before', async () => {
		const picture = harbor(24, 16);
		const before = filled(compute, 24, 16, 1, 0);
		cpuFloats(before).fill(2, 0, 24 * 8);
		for (const [character, blend, level] of [
			['exact', 1, 0],
			['faithful', 1, 1],
			['vivid', 0.3, 2],
			['vivid', 0, 0],
		] as const) {
			const params = { ...values, factor: 3, character, blend };
			const made = await render(stage, env, [frameOf(picture, { provenance: before })], original(0), params);
			expect([made.picture.width, made.picture.height]).toEqual([72, 48]);
			const plane = cpuFloats(made.sides.provenance!);
			expect([plane[0], plane[72 * 24 - 1], plane[72 * 24], plane[72 * 48 - 1]]).toEqual([2, 2, level, level]);
			drop(made);
		}
		release(picture, before);
	});

	it('blends the character with the exact picture', async () => {
		const picture = harbor(32, 24);
		const made = [];
		for (const params of [{ character: 'exact' }, { character: 'vivid' }, { character: 'vivid', blend: 0.25 }]) {
			made.push(await render(stage, env, [frameOf(picture)], original(0), { ...values, ...params }));
		}
		const [exact, vivid, mixed] = made.map((frame) => cpuFloats(frame.picture));
		mixed!.forEach((v, i) => expect(Math.abs(v - (0.75 * exact![i]! + 0.25 * vivid![i]!))).toBeLessThan(1e-5));
		made.forEach(drop);
		release(picture);
	});

	it('resamples light: fine stripes keep their brightness, in every transfer', async () => {
		const [width, height] = [32, 16];
		for (const transfer of ['srgb', 'bt709', 'pq', 'log', 'linear', 'unknown'] as Transfer[]) {
			const flat = compute.uploadPicture(new Float32Array(3 * width * height).fill(0.4), width, height, 3);
			const frame = { ...frameOf(flat), color: { ...SRGB, transfer } };
			const made = await render(stage, env, [frame], original(0), { ...values, character: 'exact', size: '48x48' });
			expect([made.picture.width, made.picture.height]).toEqual([48, 24]);
			expect(cpuFloats(made.picture).every((v) => Math.abs(v - 0.4) < 1e-4)).toBe(true);
			drop(made);
			release(flat);
		}
		const stripes = Float32Array.from({ length: 3 * width * height }, (_, i) => (i % 2 === 0 ? 1 : 0));
		const picture = compute.uploadPicture(stripes, width, height, 3);
		const shrunk = await render(stage, env, [frameOf(picture)], original(0), { ...values, size: '16x8' });
		// Half of the light is sRGB code 188, not 128.
		expect(cpuFloats(shrunk.picture)[16 * 4 + 8]! * 255).toBeCloseTo(188, 0);
		drop(shrunk);
		release(picture);
	});

	it('stops within a tile when aborted', async () => {
		const picture = harbor(280, 40);
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
