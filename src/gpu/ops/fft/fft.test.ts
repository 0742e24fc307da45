import { describe, expect, it } from 'vitest';
import { CpuCompute, cpuFloats } from '../../cpu-compute.ts';
import { fftPlan } from './op.ts';

const compute = new CpuCompute({ memoryBudget: 2 ** 26, threads: 1, reason: 'test' });

/** Reproducible values −1…1. */
function values(count: number, seed: number): Float32Array<ArrayBuffer> {
	let state = seed;
	return Float32Array.from({ length: count }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 31 - 1;
	});
}

/** The definition, term by term. */
function naive(data: Float32Array, width: number, height: number): Float64Array {
	const area = width * height;
	const out = new Float64Array(2 * area);
	for (let v = 0; v < height; v++) {
		for (let u = 0; u < width; u++) {
			for (let y = 0; y < height; y++) {
				for (let x = 0; x < width; x++) {
					const angle = -2 * Math.PI * ((u * x) / width + (v * y) / height);
					const [re, im] = [data[y * width + x]!, data[area + y * width + x]!];
					out[v * width + u]! += re * Math.cos(angle) - im * Math.sin(angle);
					out[area + v * width + u]! += re * Math.sin(angle) + im * Math.cos(angle);
				}
			}
		}
	}
	return out;
}

describe('fft', () => {
	for (const [width, height] of [
		[8, 16],
		[32, 2],
		[2, 8],
	] as const) {
		it(`is the discrete Fourier transform, ${width}×${height}`, () => {
			const data = values(4 * width * height, width);
			const plan = fftPlan(compute, width, height);
			const picture = compute.uploadPicture(data, width, height, 4);
			const spectrum = plan.forward(picture);
			const got = cpuFloats(spectrum);
			for (const field of [0, 1]) {
				const start = 2 * field * width * height;
				const wanted = naive(data.subarray(start, start + 2 * width * height), width, height);
				wanted.forEach((v, i) => expect(got[start + i]).toBeCloseTo(v, 4));
			}
			[picture, spectrum, plan].forEach((x) => x.release());
		});
	}

	it('comes back to the values', () => {
		const data = values(2 * 256 * 64, 5);
		const plan = fftPlan(compute, 256, 64);
		const picture = compute.uploadPicture(data, 256, 64, 2);
		const spectrum = plan.forward(picture);
		const back = plan.inverse(spectrum);
		const got = cpuFloats(back);
		expect(Math.max(...data.map((v, i) => Math.abs(v - got[i]!)))).toBeLessThan(1e-5);
		[picture, spectrum, back, plan].forEach((x) => x.release());
		expect(compute.live).toBe(0);
	});

	it('refuses sides that are no powers of two, or too long', () => {
		expect(() => fftPlan(compute, 48, 64)).toThrow('48×64');
		expect(() => fftPlan(compute, 64, 4096)).toThrow('64×4096');
		expect(compute.live).toBe(0);
	});
});
