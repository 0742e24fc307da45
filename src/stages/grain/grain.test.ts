/** Kernels, measurement and fields of grain, against the physical model. */

import { describe, expect, it } from 'vitest';
import { booleanGrain, type Stock, uniforms } from '../../../tests/helpers/boolean-grain.ts';
import { ringSpectrum, spectrumDistance } from '../../../tests/helpers/spectrum.ts';
import { GrainMeter } from '../../analysis/grain/measure.ts';
import { ACF_RADIUS, ACF_SIDE, type GrainProfile, LEVELS, roundAcf } from '../../analysis/grain/profile.ts';
import { doubtfulCodec } from '../../analysis/noise/coded.ts';
import type { Rgb } from '../../analysis/noise/match.ts';
import { phrase } from '../../core/phrases.ts';
import { CpuCompute, cpuFloats } from '../../gpu/cpu-compute.ts';
import { grainField } from '../../analysis/grain/field.ts';
import { filterOf, grainKernel, mixingOf, overlap } from '../../analysis/grain/kernel.ts';
import { grainLook, stage } from './stage.ts';

const SIDE = 224;
const AREA = SIDE * SIDE;
const UNMIXED = [1, 0, 0, 0, 1, 0, 0, 0, 1];

const deviation = (values: ArrayLike<number>): number => {
	const all = Array.from(values);
	const mean = all.reduce((s, v) => s + v, 0) / all.length;
	return Math.sqrt(all.reduce((s, v) => s + (v - mean) ** 2, 0) / all.length);
};

const correlation = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
	const [x, y] = [Array.from(a), Array.from(b)];
	const [mx, my] = [x, y].map((v) => v.reduce((s, n) => s + n, 0) / v.length) as [number, number];
	return x.reduce((s, v, i) => s + (v - mx) * (y[i]! - my), 0) / x.length / (deviation(x) * deviation(y));
};

/** Two frames of a slow ramp, grained by the physical model. */
function film(stock: Stock, strength: number, isGray: boolean, seed = 1): [Rgb, Rgb] {
	const frame = (draw: number): Rgb => {
		const data = new Float32Array(3 * AREA);
		const layers = [0, 1, 2].map((c) => booleanGrain(0.5, stock, SIDE, SIDE, draw * 3 + (isGray ? 0 : c) + 1));
		const unit = deviation(layers[0]!);
		layers.forEach((layer, c) => {
			for (let i = 0; i < AREA; i++) {
				const level = 0.2 + (0.6 * (i % SIDE)) / SIDE;
				// Half as strong in the dark as in the light.
				data[c * AREA + i] = level + (((layer[i]! - 0.5) / unit) * strength * (0.5 + level)) / 255;
			}
		});
		return { data, width: SIDE, height: SIDE };
	};
	return [frame(seed), frame(seed + 1)];
}

function fieldOf(profile: GrainProfile, seed: number, side = SIDE): Float32Array[] {
	const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'test' });
	const look = grainLook({ strength: 'auto', size: 'auto', color: 'auto', amount: 1, seed }, { profile, scale: 1 })!;
	const field = grainField(compute, look, seed, { x: 0, y: 0, width: side, height: side });
	const all = Float32Array.from(cpuFloats(field));
	field.release();
	expect(compute.live).toBe(0);
	return [0, 1, 2].map((c) => all.subarray(c * side * side, (c + 1) * side * side));
}

describe('kernels', () => {
	it('give white noise the autocorrelation they were made for', () => {
		for (const size of [0.5, 1.5, 3]) {
			const acf = roundAcf(size);
			const { radius, taps } = filterOf(acf, 1);
			const side = 2 * radius + 1;
			const lag = (dx: number, dy: number): number => {
				let sum = 0;
				for (let y = 0; y < side - dy; y++)
					for (let x = 0; x < side - dx; x++) sum += taps[y * side + x]! * taps[(y + dy) * side + x + dx]!;
				return sum;
			};
			for (const [dx, dy] of [
				[0, 0],
				[1, 0],
				[0, 1],
				[1, 1],
				[2, 0],
			] as const) {
				const wanted = acf[(dy + ACF_RADIUS) * ACF_SIDE + dx + ACF_RADIUS]!;
				expect(lag(dx, dy), `size ${size} lag ${dx},${dy}`).toBeCloseTo(wanted, 1.7);
			}
		}
	});

	it('stay within few separable terms, of unit energy, also enlarged', () => {
		for (const scale of [1, 2, 4]) {
			const kernel = grainKernel(roundAcf(2), scale);
			expect(kernel.terms.length).toBeLessThanOrEqual(3);
			expect(overlap(kernel, kernel)).toBeCloseTo(1, 3);
			expect(kernel.radius).toBeGreaterThanOrEqual(scale);
		}
		expect(overlap(grainKernel(roundAcf(1)), grainKernel(roundAcf(4)))).toBeLessThan(0.8);
	});

	it('mix channels as correlated as is possible', () => {
		expect(mixingOf([1, 1, 1, 1, 1, 1, 1, 1, 1])).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0]);
		const m = mixingOf([1, 0.5, 0.2, 0.5, 1, 0.5, 0.2, 0.5, 1]);
		const at = (i: number, j: number): number => [0, 1, 2].reduce((s, k) => s + m[i * 3 + k]! * m[j * 3 + k]!, 0);
		expect([at(0, 0), at(1, 0), at(2, 0), at(2, 1)].map((v) => v.toFixed(3))).toEqual([
			'1.000',
			'0.500',
			'0.200',
			'0.500',
		]);
		// No three channels are all opposite to each other.
		expect(mixingOf([1, -1, -1, -1, 1, -1, -1, -1, 1]).every(Number.isFinite)).toBe(true);
	});
});

describe('grain of the physical model', () => {
	for (const [stock, isGray] of [
		[{ radius: 0.4, spread: 0.3 }, false],
		[{ radius: 0.8, spread: 0.5 }, false],
		[{ radius: 1.2, spread: 0.3 }, true],
	] as const) {
		it(`radius ${stock.radius}, ${isGray ? 'black and white' : 'color'}: measured, and made again alike`, () => {
			const strength = 8;
			const meter = new GrainMeter();
			for (const seed of [1, 3, 5]) expect(meter.add(...film(stock, strength, isGray, seed))).toBe(true);
			const profile = meter.profile()!;
			// Levels 2…5 of 8 lie within the ramp.
			for (let k = 2; k <= 5; k++) {
				const wanted = (strength * (0.5 + (k + 0.5) / LEVELS)) / 255;
				const found = Math.sqrt([0, 1, 2].reduce((s, ch) => s + profile.sigma[ch]![k]! ** 2, 0) / 3);
				expect(found / wanted, `level ${k}`).toBeGreaterThan(0.95);
				expect(found / wanted, `level ${k}`).toBeLessThan(1.05);
			}
			expect(profile.correlation[1]!).toBeCloseTo(isGray ? 1 : 0, 1);
			const [red, green] = fieldOf(profile, 7);
			expect(deviation(red!)).toBeCloseTo(1, 1);
			expect(Math.abs(correlation(red!, green!) - profile.correlation[1]!)).toBeLessThan(0.05);
			const reference = booleanGrain(0.5, stock, SIDE, SIDE, 99);
			const unit = deviation(reference);
			const wanted = ringSpectrum(
				reference.map((v) => v / unit),
				SIDE,
				SIDE,
			);
			const other = booleanGrain(0.5, stock, SIDE, SIDE, 98);
			const otherUnit = deviation(other);
			const chance = spectrumDistance(
				wanted,
				ringSpectrum(
					other.map((v) => v / otherUnit),
					SIDE,
					SIDE,
				),
			);
			const got = spectrumDistance(wanted, ringSpectrum(red!, SIDE, SIDE));
			// 0.03–0.05 as measured; two draws of the model itself are 0.02–0.04 apart.
			expect(got).toBeLessThan(0.05 + chance);
		});
	}

	it('is told in the parameters’ words', () => {
		const acf = [1, 2, 3].map((size) => roundAcf(size));
		const sigma = acf.map(() => new Array<number>(LEVELS).fill(5 / 255));
		const profile = { acf, sigma, correlation: [1, 0.5, 0.2, 0.5, 1, 0.5, 0.2, 0.5, 1] };
		const auto = { strength: 'auto', size: 'auto', color: 'auto', amount: 1, seed: 1 } as const;
		const told = stage.resolved!(auto, { profile, scale: 1 });
		expect(told.strength).toBeCloseTo(5);
		expect(told.size).toBeCloseTo(2, 0);
		expect(told.color).toBeCloseTo(0.6);
		expect(stage.resolved!({ ...auto, strength: 3 }, { profile, scale: 1 }).strength).toBeUndefined();
		expect(stage.resolved!(auto, { profile: undefined, scale: 1 }).strength).toBe(0);
		expect(stage.finding!(auto, { profile, scale: 1, codec: doubtfulCodec('h264') })).toEqual(
			phrase('measured-coded', { codec: 'H.264' }),
		);
		for (const codec of ['ffv1', 'dpx', 'prores', 'unknown'])
			expect(stage.finding!(auto, { profile, scale: 1, codec: doubtfulCodec(codec) })).toBeUndefined();
	});

	it('is not measured where a frame is repeated, or all is motion', () => {
		const [a] = film({ radius: 0.5, spread: 0.3 }, 8, false);
		expect(new GrainMeter().add(a, a)).toBe(false);
		expect(new GrainMeter().profile()).toBeUndefined();
	});
});

describe('fields', () => {
	const recipe = { kernels: [1, 2, 3].map((size) => grainKernel(roundAcf(size))), mixing: UNMIXED };
	const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'test' });
	const draw = (seed: number, x: number, y: number, width: number, height: number): Float32Array => {
		const field = grainField(compute, recipe, seed, { x, y, width, height });
		const out = Float32Array.from(cpuFloats(field));
		field.release();
		return out;
	};

	it('join without a seam: a part made alone is the part of the whole', () => {
		const whole = draw(3, -20, -10, 96, 64);
		const part = draw(3, 11, 7, 33, 21);
		for (let c = 0; c < 3; c++) {
			for (let y = 0; y < 21; y++) {
				for (let x = 0; x < 33; x++) {
					const expected = whole[c * 96 * 64 + (y + 17) * 96 + x + 31]!;
					expect(part[c * 33 * 21 + y * 33 + x]!).toBeCloseTo(expected, 6);
				}
			}
		}
	});

	it('are normal, and unlike with another seed', () => {
		const [a, b] = [draw(1, 0, 0, SIDE, SIDE), draw(2, 0, 0, SIDE, SIDE)];
		for (let c = 0; c < 3; c++) {
			const [p, q] = [a, b].map((f) => f.subarray(c * AREA, (c + 1) * AREA)) as [Float32Array, Float32Array];
			expect(deviation(p)).toBeGreaterThan(0.97);
			expect(deviation(p)).toBeLessThan(1.03);
			expect(Math.abs(correlation(p, q))).toBeLessThan(0.03);
			const kurtosis = p.reduce((s, v) => s + v ** 4, 0) / AREA / deviation(p) ** 4;
			expect(kurtosis).toBeGreaterThan(2.85);
			expect(kurtosis).toBeLessThan(3.15);
		}
	});

	it('do not repeat within a frame', () => {
		const next = uniforms(5);
		const field = draw(1, 0, 0, SIDE, SIDE).subarray(0, AREA);
		for (let trial = 0; trial < 8; trial++) {
			const [dx, dy] = [16 + Math.floor(next() * 100), 16 + Math.floor(next() * 100)];
			const here: number[] = [];
			const there: number[] = [];
			for (let y = 0; y + dy < SIDE; y++) {
				for (let x = 0; x + dx < SIDE; x++) {
					here.push(field[y * SIDE + x]!);
					there.push(field[(y + dy) * SIDE + x + dx]!);
				}
			}
			expect(Math.abs(correlation(here, there))).toBeLessThan(0.04);
		}
	});
});
