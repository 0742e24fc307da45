import { describe, expect, it } from 'vitest';
import { estimateBlur, sizeOf } from './estimate.ts';
import { type Blur, kernelOf } from './kernels.ts';
import { leaves, photographed } from './scenes.testkit.ts';
import { type Spectrum, SpectrumMeter } from './spectrum.ts';

const MARGIN = 16;

/** The spectrum of two frames of one scene (two scenes for variety), blurred and grainy. */
function spectrumOf(blur: Blur, sigma: number, seed: number): Spectrum | undefined {
	const meter = new SpectrumMeter();
	for (const i of [0, 1]) {
		const scene = leaves(224, seed + 50 * i);
		meter.add(photographed(scene, kernelOf(blur), { margin: MARGIN, sigma, seed: seed + i }), 'srgb', sigma / 255);
	}
	return meter.spectrum();
}

describe('kernels', () => {
	const all: Blur[] = [
		{ cause: 'sharp' },
		{ cause: 'defocus', radius: 2.3, edge: 0.4 },
		{ cause: 'soft', sigma: 1.4 },
		{ cause: 'motion', length: 9, angle: 30 },
	];
	for (const blur of all) {
		it(`of ${blur.cause} sums to 1 and is symmetric about its middle`, () => {
			const { side, taps } = kernelOf(blur);
			expect(side % 2).toBe(1);
			expect(taps.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
			taps.forEach((v, i) => expect(taps[taps.length - 1 - i]).toBeCloseTo(v, 9));
		});
	}

	it('refuse sizes of 0', () => {
		expect(() => kernelOf({ cause: 'defocus', radius: 0, edge: 0 })).toThrow('above 0 px');
	});
});

describe('estimateBlur', () => {
	const cases: readonly [Blur, number][] = [
		[{ cause: 'defocus', radius: 2, edge: 0 }, 0],
		[{ cause: 'defocus', radius: 3.3, edge: -0.3 }, 2.5],
		[{ cause: 'soft', sigma: 1.5 }, 2.5],
		[{ cause: 'motion', length: 7, angle: 25 }, 0],
		[{ cause: 'motion', length: 12, angle: 120 }, 2.5],
	];
	for (const [blur, sigma] of cases) {
		it(`finds ${JSON.stringify(blur)} under grain of ${sigma} codes`, async () => {
			const found = await estimateBlur(spectrumOf(blur, sigma, 3)!);
			expect(found.cause).toBe(blur.cause);
			expect(Math.abs(sizeOf(found) / sizeOf(blur) - 1)).toBeLessThan(0.15);
			if (found.cause === 'motion' && blur.cause === 'motion')
				expect(Math.abs(found.angle - blur.angle)).toBeLessThan(5);
		});
	}

	it('invents no blur for sharp scenes, grainy or not', async () => {
		for (const seed of [1, 2, 3, 4]) {
			const sigma = seed % 2 === 0 ? 0 : 3;
			expect(await estimateBlur(spectrumOf({ cause: 'sharp' }, sigma, 10 * seed)!)).toEqual({ cause: 'sharp' });
		}
	});

	it('takes what the restorer says and looks for the rest', async () => {
		const spectrum = spectrumOf({ cause: 'motion', length: 9, angle: 40 }, 0, 7)!;
		const wish = { cause: 'motion', size: 9, angle: 'auto', edge: 'auto' } as const;
		const found = await estimateBlur(spectrum, wish);
		expect(found).toMatchObject({ cause: 'motion', length: 9 });
		expect(Math.abs((found as { angle: number }).angle - 40)).toBeLessThan(4);
		expect((await estimateBlur(spectrum, { ...wish, cause: 'soft', size: 'auto' })).cause).toBe('soft');
	});

	it('says nothing of pictures without detail', () => {
		const meter = new SpectrumMeter();
		meter.add({ data: new Float32Array(3 * 128 * 128).fill(0.4), width: 128, height: 128 }, 'srgb', 0);
		expect(meter.spectrum()).toBeUndefined();
	});
});
