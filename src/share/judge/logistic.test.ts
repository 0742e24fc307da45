import { describe, expect, it } from 'vitest';
import { calibrationSlope, fitLogistic, predictLogit, sigmoid } from './logistic.ts';

describe('logistic regression on differences', () => {
	it('finds the weight that one metric and many votes determine', () => {
		// Scaled differences are ±1 (root mean square 2 before), σ(0.8) of the votes for the higher one.
		const rows = [2, -2].map((x) => ({ values: [x], weight: 1e6, share: sigmoid(0.8 * Math.sign(x)) }));
		const { weights, scales, covariance } = fitLogistic(rows, 1);
		expect(scales).toEqual([2]);
		expect(weights[0]).toBeCloseTo(0.8, 4);
		// 1 ÷ Σ n · p · (1 − p), the prior aside.
		expect(covariance[0]).toBeCloseTo(1 / (2e6 * sigmoid(0.8) * sigmoid(-0.8)), 9);
	});

	it('is its prior without votes, and finite where votes all agree', () => {
		expect(fitLogistic([], 2).weights).toEqual([0, 0]);
		const one = fitLogistic([{ values: [5, null], weight: 1, share: 1 }], 2);
		// w = 1 − σ(w): the slope of prior and likelihood are equal.
		expect(one.weights[0]).toBeCloseTo(0.4013, 3);
		expect(one.weights[1]).toBe(0);
		const all = fitLogistic(
			Array.from({ length: 1000 }, () => ({ values: [1, 0.5], weight: 1, share: 1 })),
			2,
		);
		expect(all.weights.every(Number.isFinite)).toBe(true);
	});

	it('shares a weight between metrics that say the same', () => {
		const rows = [1, -1, 2, -2].map((x) => ({ values: [x, x], weight: 50, share: sigmoid(x) }));
		const { weights } = fitLogistic(rows, 2);
		expect(weights[0]).toBeCloseTo(weights[1]!, 9);
	});

	it('is less sure far from what it has seen', () => {
		const fit = fitLogistic(
			[1, -1].map((x) => ({ values: [x], weight: 3, share: sigmoid(4 * x) })),
			1,
		);
		expect(predictLogit(fit, [10])).toBeLessThan(10 * predictLogit(fit, [1]));
		expect(predictLogit(fit, [-3])).toBeCloseTo(-predictLogit(fit, [3]), 12);
		expect(predictLogit(fit, [null])).toBe(0);
	});
});

describe('calibration', () => {
	const said = [2, -2, 3, -3];
	it('leaves predictions alone that are as sure as they are right, or less', () => {
		expect(calibrationSlope(said.map((z) => ({ logit: z, weight: 100, share: sigmoid(z) })))).toBe(1);
		expect(calibrationSlope(said.map((z) => ({ logit: z, weight: 100, share: sigmoid(2 * z) })))).toBe(1);
		expect(calibrationSlope([])).toBe(1);
	});
	it('lowers those that are too sure', () => {
		expect(calibrationSlope(said.map((z) => ({ logit: z, weight: 100, share: sigmoid(z / 2) })))).toBeCloseTo(0.5, 1);
		expect(calibrationSlope(said.map((z) => ({ logit: z, weight: 100, share: 0.5 })))).toBeLessThan(0.15);
	});
});
