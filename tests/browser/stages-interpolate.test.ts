/** `interpolate` with the real RIFE and FFDNet on the wasm backend. Prints the figures of the stage's README. */

import { afterAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { rational } from '../../src/core/rational.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { stage } from '../../src/stages/interpolate/stage.ts';
import { RIFE_REFERENCE, scenePicture } from '../../scripts/reference/scene-picture.ts';
import reference from '../fixtures/rife-mid.rgb8?url';
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
const values = { factor: 2, rate: '', slow: 1, still: 0.3, scale: 1024, denoised: true };

afterAll(() => bench.close());

const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());
const street = (width: number, height: number, time: number): Picture =>
	compute.uploadPicture(scenePicture(0, width, height, time), width, height, 3);
const between = (num: number, den: number): TimelineFrame => ({
	...original(1),
	origin: 'created',
	needs: [0, 1],
	timestep: rational(num, den),
});

describe('interpolate', () => {
	it('agrees with PyTorch on the same weights to 50 dB, and marks what it made', async () => {
		const { width, height, times } = RIFE_REFERENCE;
		const pair = times.map((time) => street(width, height, time));
		const codes = new Uint8Array(await (await fetch(reference)).arrayBuffer());
		const expected = compute.uploadPicture(
			Float32Array.from(codes, (v) => v / 255),
			width,
			height,
			3,
		);
		const made = await render(
			stage,
			env,
			pair.map((p) => frameOf(p)),
			between(1, 2),
			values,
		);
		const db = psnr(made.picture, expected);
		console.log(`interpolate: middle frame against PyTorch ${db.toFixed(1)} dB`);
		expect(db).toBeGreaterThan(50);
		expect(cpuFloats(made.sides.provenance!).every((v) => v === 2)).toBe(true);
		release(...pair, expected);
		drop(made);
	});

	it('hits the exact moment, at full size by a motion estimated at a bounded one', async () => {
		const [width, height] = [448, 288];
		const span = 1 / 12;
		const pair = [0.8, 0.8 + span].map((time) => street(width, height, time));
		const truth = [1, 2, 3].map((quarter) => street(width, height, 0.8 + (span * quarter) / 4));
		for (const quarter of [1, 3]) {
			const bounded = { ...values, scale: 320 };
			const made = await render(
				stage,
				env,
				pair.map((p) => frameOf(p)),
				between(quarter, 4),
				bounded,
			);
			expect([made.picture.width, made.picture.height]).toEqual([width, height]);
			const found = truth.map((t) => psnr(made.picture, t));
			console.log(
				`interpolate: t = ${quarter}/4 against the truth at 1/4, 2/4, 3/4: ${found.map((v) => v.toFixed(2)).join(', ')} dB`,
			);
			expect(Math.max(...found)).toBe(found[quarter - 1]);
			expect(found[quarter - 1]).toBeGreaterThan(psnr(pair[0]!, truth[quarter - 1]!));
			drop(made);
		}
		release(...pair, ...truth);
	});

	it('sees the motion of grainy film better on denoised copies', async (ctx) => {
		const size = { width: 256, height: 192 };
		const gains: number[] = [];
		for (const [path, start, filter] of [
			['video/bikes.mp4', 60, 'crop=256:192'],
			['video/gestures/walk.mkv', 30, 'crop=256:192'],
			['video/bigbuckbunny.mp4', 40, 'scale=640:-2,crop=256:192'],
		] as const) {
			const clean = await clip(ctx, compute, path, [start, 3], filter, size);
			const noise = clean.map((p, i) => noisy(compute, p, 20, i + 1));
			const shot = [frameOf(noise[0]!), frameOf(noise[2]!)];
			const artifact = await stage.analyze!(accessOf(noise), values, env);
			expect(artifact!.sigma * 255).toBeGreaterThan(20 * 0.85);
			expect(artifact!.sigma * 255).toBeLessThan(20 * 1.15);
			const plain = await render(stage, env, shot, between(1, 2), { ...values, denoised: false }, { artifact });
			const better = await render(stage, env, shot, between(1, 2), values, { artifact });
			const [a, b] = [psnr(plain.picture, clean[1]!), psnr(better.picture, clean[1]!)];
			console.log(`interpolate: ${path} σ 20, by noisy frames ${a.toFixed(2)} dB, by denoised ${b.toFixed(2)} dB`);
			gains.push(b - a);
			[plain, better].forEach(drop);
			release(...clean, ...noise);
		}
		expect(Math.min(...gains)).toBeGreaterThan(0);
		expect(gains.reduce((sum, g) => sum + g, 0) / gains.length).toBeGreaterThan(1);
	});

	it('stops between two runs when aborted', async () => {
		const pair = [0, 0.1].map((time) => street(256, 192, time));
		const control = new AbortController();
		let runs = 0;
		const watched = counted(models, (count) => {
			runs = count;
			control.abort();
		});
		const artifact = { sigma: 20 / 255 };
		const aborting = render(
			stage,
			envOf(compute, watched, control.signal),
			pair.map((p) => frameOf(p)),
			between(1, 2),
			values,
			{ artifact },
		);
		const error = await aborting.catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(EmulsionError);
		expect((error as EmulsionError).code).toBe('aborted');
		expect(runs).toBe(1);
		release(...pair);
	});
});
