import { describe, expect, it } from 'vitest';
import { orderFor, planPairs, seeded } from './ballot.ts';

describe('the plan', () => {
	it('asks every pair of versions equally often, over all shots', () => {
		for (const [shots, versions, pairs] of [
			[3, 4, 36],
			[5, 3, 30],
			[1, 2, 8],
			[4, 2, 16],
		] as const) {
			const plan = planPairs(shots, versions, pairs, seeded(shots));
			const real = plan.filter((p) => p.kind === 'pair');
			expect(real).toHaveLength(pairs);
			const count = (key: (p: (typeof real)[number]) => string): number[] => {
				const counts = new Map<string, number>();
				for (const p of real) counts.set(key(p), (counts.get(key(p)) ?? 0) + 1);
				return [...counts.values()];
			};
			const combinations = count((p) => [p.a, p.b].sort().join());
			expect(combinations).toHaveLength((versions * (versions - 1)) / 2);
			expect(Math.max(...combinations) - Math.min(...combinations)).toBe(0);
			const perShot = count((p) => `${p.shot}`);
			expect(perShot).toHaveLength(shots);
			expect(Math.max(...perShot) - Math.min(...perShot)).toBeLessThanOrEqual(pairs / shots / 2);
		}
	});

	it('mixes in traps of one version and repeats with sides exchanged, from four pairs on', () => {
		const plan = planPairs(2, 3, 20, seeded(1));
		const traps = plan.filter((p) => p.kind === 'trap');
		const repeats = plan.filter((p) => p.kind === 'repeat');
		expect([traps.length, repeats.length]).toEqual([2, 2]);
		for (const trap of traps) expect(trap.a).toBe(trap.b);
		for (const repeat of repeats) {
			const first = plan[repeat.of!]!;
			expect(first).toMatchObject({ kind: 'pair', shot: repeat.shot, a: repeat.b, b: repeat.a });
		}
		expect(planPairs(1, 2, 3).every((p) => p.kind === 'pair')).toBe(true);
	});

	it('has neither version always first', () => {
		const firsts = planPairs(4, 2, 100, seeded(2)).filter((p) => p.kind === 'pair' && p.a === 0).length;
		expect(firsts).toBeGreaterThan(30);
		expect(firsts).toBeLessThan(70);
	});

	it.each([
		[0, 2, 4],
		[1, 1, 4],
		[1, 5, 4],
		[1, 2, 0],
		[1, 2, 1.5],
		[1, 2, 190],
	])('refuses %i shots, %i versions, %i pairs', (shots, versions, pairs) => {
		expect(() => planPairs(shots, versions, pairs)).toThrow(expect.objectContaining({ code: 'usage' }));
	});
});

describe('a voter’s order', () => {
	const plan = planPairs(3, 2, 12, seeded(4));
	const presentations = plan.map((p, i) => ({ id: `pair ${i}`, salt: `salt ${p.of ?? i}` }));

	it('is a whole order, the same each time, and another for others', async () => {
		const mine = await orderFor('me', presentations);
		expect(mine.map((s) => s.index).sort((a, b) => a - b)).toEqual([...presentations.keys()]);
		expect(await orderFor('me', presentations)).toEqual(mine);
		expect(await orderFor('you', presentations)).not.toEqual(mine);
	});

	it('shows a repeat with its sides exchanged, never at once after the first', async () => {
		for (let voter = 0; voter < 50; voter++) {
			const order = await orderFor(`voter ${voter}`, presentations);
			for (const [index, pair] of plan.entries()) {
				if (pair.kind !== 'repeat') continue;
				const at = (i: number): number => order.findIndex((s) => s.index === i);
				// `a` and `b` are exchanged in the plan: equal `swapped` shows them exchanged.
				expect(order[at(index)]!.swapped).toBe(order[at(pair.of!)]!.swapped);
				expect(Math.abs(at(index) - at(pair.of!))).toBeGreaterThan(1);
			}
		}
	});

	it('puts each pair on each side, and at each place, for about as many voters', async () => {
		const orders = await Promise.all(Array.from({ length: 400 }, (_, i) => orderFor(`v${i}`, presentations)));
		for (const index of presentations.keys()) {
			const shown = orders.map((order) => order.find((s) => s.index === index)!);
			const left = shown.filter((s) => s.swapped).length;
			// Binomial(400, ½): four standard deviations.
			expect(Math.abs(left - 200)).toBeLessThan(40);
			const early = orders.filter(
				(order) => order.findIndex((s) => s.index === index) < presentations.length / 2,
			).length;
			expect(Math.abs(early - 200)).toBeLessThan(40);
		}
	});
});
