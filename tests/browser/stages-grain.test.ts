/** `grain` behind `degrain`, on real clips with the grain of the physical model: measured, taken off, put back. */

import { afterAll, describe, expect, it } from 'vitest';
import { GrainMeter } from '../../src/analysis/grain/measure.ts';
import { type GrainProfile, strengthOf } from '../../src/analysis/grain/profile.ts';
import type { Picture } from '../../src/contracts/compute.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { stage } from '../../src/stages/grain/stage.ts';
import { booleanGrain } from '../helpers/boolean-grain.ts';
import { ringSpectrum, spectrumDistance } from '../helpers/spectrum.ts';
import { accessOf, clip, drop, envOf, frameOf, openBench, original, render } from './stages-kit.ts';

const { compute, models, env, close } = await openBench();
const SIDE = 192;
const AREA = SIDE * SIDE;
const values = { strength: 'auto', size: 'auto', color: 'auto', amount: 1, seed: 1 } as const;
const release = (...pictures: readonly Picture[]): void => pictures.forEach((p) => p.release());

afterAll(() => close());

/** The picture with grain of the physical model, `sigma` 8-bit codes strong. */
function grained(picture: Picture, sigma: number, seed: number): Picture {
	const data = Float32Array.from(cpuFloats(picture));
	for (let c = 0; c < 3; c++) {
		const layer = booleanGrain(0.5, { radius: 0.8, spread: 0.4 }, SIDE, SIDE, seed * 3 + c + 1);
		const unit = Math.sqrt(layer.reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / AREA);
		for (let i = 0; i < AREA; i++) data[c * AREA + i]! += ((layer[i]! - 0.5) / unit) * (sigma / 255);
	}
	return compute.uploadPicture(data, SIDE, SIDE, 3);
}

function measured(pictures: readonly Picture[]): GrainProfile {
	const meter = new GrainMeter();
	const rgb = pictures.map((p) => ({ data: Float32Array.from(cpuFloats(p)), width: p.width, height: p.height }));
	for (let i = 0; i + 1 < rgb.length; i++) meter.add(rgb[i]!, rgb[i + 1]!);
	return meter.profile()!;
}

const green = (a: Picture, b: Picture): Float32Array =>
	Float32Array.from({ length: AREA }, (_, i) => cpuFloats(a)[AREA + i]! - cpuFloats(b)[AREA + i]!);

describe('grain', () => {
	it('puts back what the source has: strength within 10 %, spectrum within 10 %', async (ctx) => {
		const size = { width: SIDE, height: SIDE };
		const clean = await clip(ctx, compute, 'video/gestures/walk.mkv', [30, 6], `crop=${SIDE}:${SIDE}`, size);
		const film = clean.map((p, i) => grained(p, 8, i + 1));
		const artifact = (await stage.analyze!(accessOf(clean, film, 'mpeg2video'), values, env))!;
		expect(stage.finding!(values, artifact)?.code).toBe('measured-coded');
		expect(artifact.scale).toBe(1);
		const shot = clean.map((p) => frameOf(p));
		const again: Picture[] = [];
		for (let i = 0; i < 4; i++) {
			const { picture, sides } = await render(stage, env, shot, original(i), values, { artifact });
			Object.values(sides).forEach((side) => side.release());
			again.push(picture);
		}
		const ratio = strengthOf(measured(again)) / strengthOf(measured(film));
		const spectrum = (pictures: readonly Picture[]): number[] => {
			const all = again.map((_, k) => ringSpectrum(green(pictures[k]!, clean[k]!), SIDE, SIDE));
			const mean = all[0]!.map((_, bin) => all.reduce((sum, rings) => sum + rings[bin]!, 0) / all.length);
			// Its shape: how strong it is was compared above. The power of all frequencies is that of the rings times their radius.
			const power = mean.reduce((sum, v, bin) => sum + (bin + 0.5) * v, 0);
			return mean.map((v) => v / power);
		};
		const distance = spectrumDistance(spectrum(film), spectrum(again));
		console.log(`grain: put back ${ratio.toFixed(3)} of the strength, spectrum distance ${distance.toFixed(3)}`);
		expect(ratio).toBeGreaterThan(0.9);
		expect(ratio).toBeLessThan(1.1);
		expect(distance).toBeLessThan(0.1);
		// New in every frame.
		const [got, next] = [green(again[0]!, clean[0]!), green(again[1]!, clean[1]!)];
		const same = got.reduce((sum, v, i) => sum + v * next[i]!, 0) / got.reduce((sum, v) => sum + v * v, 0);
		expect(Math.abs(same)).toBeLessThan(0.03);
		release(...clean, ...film, ...again);
	});

	it('leaves a source without grain alone, and says original', async (ctx) => {
		const size = { width: 64, height: 64 };
		const clean = await clip(ctx, compute, 'photos/eval/kodak08.png', [0, 3], 'loop=3:1,crop=64:64', size);
		const artifact = (await stage.analyze!(accessOf(clean), values, env))!;
		const shot = clean.map((p) => frameOf(p));
		const result = await render(stage, env, shot, original(1), values, { artifact });
		expect(cpuFloats(result.picture)).toEqual(cpuFloats(clean[1]!));
		expect(Math.max(...cpuFloats(result.sides.provenance!))).toBe(0);
		drop(result);
		release(...clean);
	});

	it('lays what is asked for where nothing is measured, coarser on an enlarged picture', async () => {
		const flat = compute.uploadPicture(new Float32Array(3 * 128 * 128).fill(0.5), 128, 128, 3);
		const byHand = { strength: 6, size: 1.5, color: 0, amount: 1, seed: 4 };
		const widths: number[] = [];
		for (const scale of [1, 3]) {
			const artifact = { profile: undefined, scale };
			const { picture } = await render(stage, env, [frameOf(flat)], original(0), byHand, { artifact });
			const data = cpuFloats(picture)
				.subarray(0, 128 * 128)
				.map((v) => v - 0.5);
			expect(cpuFloats(picture)[5]).toBeCloseTo(cpuFloats(picture)[5 + 2 * 128 * 128]!, 5);
			const power = data.reduce((sum, v) => sum + v * v, 0);
			expect(Math.sqrt(power / data.length) * 255).toBeGreaterThan(5);
			expect(Math.sqrt(power / data.length) * 255).toBeLessThan(7);
			let lag = 0;
			for (let i = 0; i + 2 < data.length; i++) lag += data[i]! * data[i + 2]!;
			widths.push(lag / power);
			picture.release();
		}
		expect(widths[0]).toBeLessThan(0.15);
		expect(widths[1]).toBeGreaterThan(0.5);
		flat.release();
	});

	it('stops between its parts when it is aborted', async () => {
		const controller = new AbortController();
		controller.abort();
		const flat = compute.uploadPicture(new Float32Array(3 * 64 * 64).fill(0.5), 64, 64, 3);
		const call = render(
			stage,
			envOf(compute, models, controller.signal),
			[frameOf(flat)],
			original(0),
			{ ...values, strength: 5 },
			{ artifact: { profile: undefined, scale: 1 } },
		);
		await expect(call).rejects.toBeInstanceOf(EmulsionError);
		flat.release();
	});
});
