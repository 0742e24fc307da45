/** `deblur` with the real FFDNet on the wasm backend. Prints figures of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import { type Blur, kernelOf } from '../../src/analysis/blur/kernels.ts';
import { photographed } from '../../src/analysis/blur/scenes.testkit.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import type { Size } from '../../src/core/color.ts';
import { runTiled } from '../../src/gpu/tiling.ts';
import { deconvolve, marginOf, meanSquareSlope } from '../../src/stages/deblur/deconvolve.ts';
import { stage } from '../../src/stages/deblur/stage.ts';
import { accessOf, clip, defaultsOf, drop, envOf, frameOf, openBench, original, psnr, render } from './stages-kit.ts';

const bench = await openBench();
const { compute, models, env } = bench;
const auto = defaultsOf(stage);
const MARGIN = 16;
const W = 256;
const H = 192;

afterAll(() => bench.close());

const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());

/** A frame through a lens: `blurred` and the same part `sharp`, both with the same grain. */
function shoot(picture: Picture, blur: Blur, sigma: number, seed: number): { blurred: Picture; sharp: Picture } {
	const scene = { data: Float32Array.from(cpuFloats(picture)), width: picture.width, height: picture.height };
	const options = { margin: MARGIN, sigma, seed };
	const [a, b] = [
		photographed(scene, kernelOf(blur), options),
		photographed(scene, kernelOf({ cause: 'sharp' }), options),
	];
	const upload = ({ data, width, height }: typeof a): Picture =>
		compute.uploadPicture(Float32Array.from(data), width, height, 3);
	return { blurred: upload(a), sharp: upload(b) };
}

describe('deblur on moving clips', () => {
	const cases: readonly {
		readonly path: string;
		readonly start: number;
		readonly filter: string;
		/** As large as the kernel's estimate needs: every step is a run of FFDNet. */
		readonly size: Size;
		readonly blur: Blur;
		readonly sigma: number;
		/** Least gains in dB, the kernel given and found. */
		readonly given: number;
		readonly blind: number;
	}[] = [
		{
			...{ path: 'photos/eval/kodak08.png', start: 0, filter: 'loop=2:1,', size: { width: 192, height: 160 } },
			...{ blur: { cause: 'defocus', radius: 2.5, edge: 0 }, sigma: 2.55, given: 2.5, blind: 1.5 },
		},
		{
			...{ path: 'video/gestures/walk.mkv', start: 30, filter: '', size: { width: W, height: H } },
			...{ blur: { cause: 'motion', length: 9, angle: 30 }, sigma: 2.55, given: 3, blind: 2 },
		},
	];
	for (const { path, start, filter, size, blur, sigma, given, blind } of cases) {
		it(`gains over ${path} through ${blur.cause}: the kernel given, and found`, async (ctx) => {
			const frames = await clip(ctx, compute, path, [start, 3], `${filter}crop=${size.width}:${size.height}`, size);
			const shots = frames.map((frame, i) => shoot(frame, blur, sigma, i + 1));
			const blurred = shots.map((s) => s.blurred);
			const shot = blurred.map((p) => frameOf(p));
			const truth = shots[1]!.sharp;
			const input = psnr(blurred[1]!, truth);
			const told =
				blur.cause === 'motion'
					? { cause: 'motion', size: blur.length, angle: blur.angle }
					: { cause: 'defocus', size: 2.5, edge: 0 };
			const gains: number[] = [];
			for (const values of [{ ...auto, ...told, noise: sigma }, auto]) {
				const artifact = await stage.analyze!(accessOf(blurred), values, env);
				const result = await render(stage, env, shot, original(1), values, { artifact });
				gains.push(psnr(result.picture, truth) - input);
				if (values === auto) {
					console.log(`deblur ${path}: auto found ${JSON.stringify(artifact)}`);
					expect(artifact.blur.cause).toBe(blur.cause);
					expect(stage.resolved!(auto, artifact).size).toBeGreaterThan(0);
				}
				drop(result);
			}
			console.log(
				`deblur ${path}, σ ${sigma}: input ${input.toFixed(2)} dB, given, blind ${gains.map((g) => `+${g.toFixed(2)}`).join(', ')} dB`,
			);
			expect(gains[0]).toBeGreaterThan(given);
			expect(gains[1]).toBeGreaterThan(blind);
			release(...frames, ...shots.flatMap((s) => [s.blurred, s.sharp]));
		});
	}

	it('leaves real films alone that are not blurred', async (ctx) => {
		for (const [path, start, width, height] of [
			['film/street-1900s.mp4', 30, 640, 480],
			['video/tree.avi', 20, 320, 240],
			['video/vtest.avi', 20, 768, 576],
		] as const) {
			const frames = await clip(ctx, compute, path, [start, 4], 'null', { width, height });
			const artifact = await stage.analyze!(accessOf(frames), auto, env);
			console.log(`deblur ${path}: auto found ${JSON.stringify(artifact)}`);
			expect(artifact.blur).toEqual({ cause: 'sharp' });
			release(...frames);
		}
	});

	it('says why a shot is soft, and does not deconvolve what a codec softened', async (ctx) => {
		const size = { width: W, height: H };
		const frames = await clip(ctx, compute, 'photos/eval/kodak08.png', [0, 3], `loop=2:1,crop=${W}:${H}`, size);
		const lens = frames.map((frame, i) => shoot(frame, { cause: 'defocus', radius: 3.5, edge: 0 }, 2.55, i + 1));
		const blurred = lens.map((s) => s.blurred);
		const camera = await stage.analyze!(accessOf(blurred), auto, env);
		console.log(`deblur behind a lens: ${JSON.stringify(camera)}`);
		expect(camera.cause).toMatchObject({ leading: 'capture' });
		expect(camera.cause!.soft).toBeGreaterThan(0.9);
		expect(['blur-caused', 'blur-unsure']).toContain(stage.finding!(auto, camera)?.code);
		// As it comes, H.264.
		const coded = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 3], `crop=${W}:${H}`, size);
		const codec = await stage.analyze!(accessOf(coded), auto, env);
		console.log(`deblur of a coded clip: ${JSON.stringify(codec)}`);
		expect(codec.cause).toMatchObject({ leading: 'compression' });
		expect(codec.blur).toEqual({ cause: 'sharp' });
		// So light a loss is called soft or sharp as the way from 4:2:0 to R′G′B′ will have it (see the model's card).
		expect(['blur-by-net', 'blur-no-kernel', 'blur-sharp']).toContain(stage.finding!(auto, codec)?.code);
		// Two frames are too few to say anything.
		const short = await stage.analyze!(accessOf(blurred.slice(0, 2)), auto, env);
		expect(short.cause).toBeUndefined();
		expect(stage.finding!(auto, short)).toBeUndefined();
		release(...frames, ...coded, ...lens.flatMap((s) => [s.blurred, s.sharp]));
	});

	it('returns a shot that auto finds sharp bit for bit, and says so', async (ctx) => {
		const frames = await clip(ctx, compute, 'photos/eval/kodak08.png', [0, 2], `loop=1:1,crop=${W}:${H}`, {
			width: W,
			height: H,
		});
		const artifact = await stage.analyze!(accessOf(frames), auto, env);
		expect(artifact.blur).toEqual({ cause: 'sharp' });
		expect(stage.resolved!(auto, artifact)).toMatchObject({ size: 0 });
		const result = await render(
			stage,
			env,
			frames.map((p) => frameOf(p)),
			original(0),
			auto,
			{ artifact },
		);
		expect(cpuFloats(result.picture)).toEqual(cpuFloats(frames[0]!));
		expect(cpuFloats(result.sides.provenance!).every((v) => v === 0)).toBe(true);
		drop(result);
		release(...frames);
	});
});

describe('deblur', () => {
	const blur: Blur = { cause: 'motion', length: 6, angle: 40 };

	it('gives tiles nearly what the whole would get', async (ctx) => {
		const [frame] = await clip(ctx, compute, 'photos/eval/kodak05.png', [0, 1], 'crop=256:96', {
			width: 256,
			height: 96,
		});
		const { blurred, sharp } = shoot(frame!, blur, 0, 1);
		const kernel = kernelOf(blur);
		const slope = await meanSquareSlope(compute, blurred, 'srgb');
		const job = { kernel, noise: 1 / 255, steps: 5, transfer: 'srgb', slope, strength: 1, keepGrain: true } as const;
		const margin = marginOf(kernel);
		const whole = await deconvolve(env, blurred, job);
		const options = { tile: 128, halo: 2 * margin, align: 1, scale: 1, channelsOut: 3, feather: 16 };
		const tiled = await runTiled(compute, blurred, options, env.breathe, (part) => deconvolve(env, part, job));
		const [one, other, input] = [whole, tiled, blurred].map((p) => psnr(p, sharp)) as [number, number, number];
		console.log(
			`deblur tiled: whole ${one.toFixed(2)}, tiles ${other.toFixed(2)}, input ${input.toFixed(2)} dB; tiles against whole ${psnr(tiled, whole).toFixed(1)} dB`,
		);
		expect(one).toBeGreaterThan(input + 2);
		// Tiles a third as wide as the stage's: their borders are unknown data too.
		expect(other).toBeGreaterThan(one - 1);
		release(frame!, blurred, sharp, whole, tiled);
	});

	it('leaves flat areas flat, blends by strength, shows what it did', async () => {
		const data = new Float32Array(3 * 128 * 96).map((_, i) => (i % 128 < 64 ? 0.2 : 0.7));
		const edge = compute.uploadPicture(data, 128, 96, 3);
		const { blurred, sharp } = shoot(edge, { cause: 'defocus', radius: 2, edge: 0 }, 0, 1);
		const values = { ...auto, cause: 'defocus', size: 2, edge: 0, noise: 0 } as const;
		const artifact = await stage.analyze!(accessOf([blurred]), values, env);
		const shot = [frameOf(blurred)];
		const full = await render(stage, env, shot, original(0), values, { artifact });
		const half = await render(stage, env, shot, original(0), { ...values, strength: 0.5 }, { artifact });
		const view = await render(stage, env, shot, original(0), values, { artifact, view: 'residual' });
		const [a, b, h, t, v] = [full, { picture: blurred }, half, { picture: sharp }, view].map(({ picture }) =>
			cpuFloats(picture),
		) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
		// The rim lies in the middle of 96 columns: 8 pixels off it the picture is flat.
		let ringing = 0;
		a.forEach((value, i) => {
			if (Math.abs((i % 96) - 47.5) > 8) ringing = Math.max(ringing, Math.abs(value - t[i]!));
			expect(h[i]).toBeCloseTo((value + b[i]!) / 2, 4);
			expect(v[i]).toBeCloseTo(0.5 + 8 * (value - b[i]!), 3);
		});
		console.log(
			`deblur ringing beside an edge: ${(ringing * 255).toFixed(2)} codes, ${psnr(blurred, sharp).toFixed(1)} → ${psnr(full.picture, sharp).toFixed(1)} dB`,
		);
		expect(ringing * 255).toBeLessThan(2);
		[full, half, view].forEach(drop);
		release(edge, blurred, sharp);
	});

	it('is not asked where the strength is 0, and ends when it is aborted', async () => {
		expect(stage.touches(original(0), { ...auto, strength: 0 })).toBe(false);
		const control = new AbortController();
		const data = new Float32Array(3 * 64 * 64).map((_, i) => (i % 7) / 7);
		const picture = compute.uploadPicture(data, 64, 64, 3);
		const values = { ...auto, cause: 'soft', size: 1, noise: 1 } as const;
		const artifact = await stage.analyze!(accessOf([picture]), values, env);
		control.abort();
		const aborted = render(stage, envOf(compute, models, control.signal), [frameOf(picture)], original(0), values, {
			artifact,
		});
		await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
		picture.release();
	});
});
