import { describe, expect, it } from 'vitest';
import { dataFile } from '../../../tests/helpers/data.ts';
import { readStill, throughCodec } from '../../../tests/helpers/native-frames.ts';
import { fitAggd, fitGgd, gaussianOf, mahalanobis } from './niqe-fit.ts';
import { FEATURES, halved, niqe, niqePatches } from './niqe.ts';
import { lumaOf } from './planes.ts';
import { blurred, noisePlane, normals, planeOf, plus } from './scenes.testkit.ts';

describe('fits', () => {
	const next = normals(3);
	const values = Float64Array.from({ length: 40_000 }, () => 2 * next());

	it('know a normal distribution', () => {
		const { shape, variance } = fitGgd(values);
		expect(Math.abs(shape - 2)).toBeLessThan(0.05);
		expect(variance).toBeCloseTo(4, 0);
	});

	it('know a Laplacian and a uniform one', () => {
		// A product of an exponential's inverse and a sign.
		const laplace = values.map((v, i) => Math.sign(v) * -Math.log((((i * 7919) % 40_000) + 0.5) / 40_000));
		expect(fitGgd(laplace).shape).toBeCloseTo(1, 1);
		const even = Float64Array.from({ length: 10_001 }, (_, i) => i / 5000 - 1);
		expect(fitGgd(even).shape).toBeGreaterThan(9);
		expect(fitGgd(new Float64Array(9)).shape).toBeNaN();
	});

	it('tell left from right', () => {
		// An asymmetric distribution has as much more of its mass on a side as that is wider.
		const skewed = values.map((v, i) => (i % 4 === 0 ? -Math.abs(v) : 3 * Math.abs(v)));
		const { shape, mean, left, right } = fitAggd(skewed);
		expect(Math.sqrt(right / left)).toBeCloseTo(3, 1);
		expect(Math.abs(shape - 2)).toBeLessThan(0.1);
		// Two half normals of scales 2 and 6, weighted by their scales: (6 − 2) · √(2 ÷ π).
		expect(mean).toBeCloseTo(4 * Math.sqrt(2 / Math.PI), 1);
		const turned = fitAggd(skewed.map((v) => -v));
		expect(turned.mean).toBeCloseTo(-mean, 6);
		expect(turned.left).toBeCloseTo(right, 9);
	});

	it('measure distances in standard deviations', () => {
		const unit = { mean: [0, 0], covariance: Float64Array.of(1, 0, 0, 1) };
		expect(mahalanobis({ mean: [3, 4], covariance: Float64Array.of(1, 0, 0, 1) }, unit)).toBeCloseTo(5, 12);
		expect(mahalanobis({ mean: [3, 4], covariance: new Float64Array(4) }, unit)).toBeCloseTo(5 * Math.SQRT2, 12);
		const { mean, covariance } = gaussianOf([
			[0, 0],
			[2, 4],
		]);
		expect(mean).toEqual([1, 2]);
		expect([...covariance]).toEqual([2, 4, 4, 8]);
	});
});

describe('NIQE', () => {
	it('describes each patch by 36 numbers, halves by a filter that keeps brightness', () => {
		const patches = niqePatches(noisePlane(200, 100, 5));
		expect(patches).toHaveLength(2);
		expect(patches[0]!.features).toHaveLength(FEATURES);
		for (const v of halved(planeOf(30, 20, () => 0.4)).data) expect(v).toBeCloseTo(0.4, 6);
	});

	it('says nothing of blank and of small pictures', () => {
		expect(niqe(planeOf(192, 96, () => 0.5))).toBeNull();
		expect(niqe(noisePlane(95, 300, 1))).toBeNull();
	});

	it.for(['kodak03', 'kodak11'])('rises with blur, noise and coding of %s', (name, ctx) => {
		const still = readStill(dataFile(ctx, `photos/eval/${name}.png`));
		const luma = lumaOf(still);
		const clean = niqe(luma)!;
		expect(clean).toBeGreaterThan(1.5);
		expect(clean).toBeLessThan(5);
		const rises = (values: readonly number[]): void => {
			for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThan(values[i - 1]!);
		};
		rises([clean, ...[0.7, 1.5, 2.5].map((sigma) => niqe(blurred(luma, sigma))!)]);
		rises([clean, ...[8, 15, 30].map((codes) => niqe(plus(luma, noisePlane(luma.width, luma.height, 6), codes))!)]);
		const jpeg = (q: number): number => {
			const coder = ['-c:v', 'mjpeg', '-q:v', String(q), '-pix_fmt', 'yuvj420p'];
			return niqe(lumaOf(throughCodec([still], coder, 'mjpeg')[0]!))!;
		};
		rises([clean, jpeg(16), jpeg(31)]);
	});
});
