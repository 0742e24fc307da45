import { describe, expect, it } from 'vitest';
import { orderFor, planPairs, seeded } from '../ballot.ts';
import type { Clip, Manifest, OwnerSecrets } from '../manifest.ts';
import type { Choice, VoteRecord } from '../protocol.ts';
import { tally } from './results.ts';

const id = (name: string): string => name.padEnd(22, '_');

/** A review of `versions` versions and `shots` shots, with its controls. */
function review(versions: number, shots: number, pairs: number): { manifest: Manifest; secrets: OwnerSecrets } {
	const plan = planPairs(shots, versions, pairs, seeded(7));
	const version = (i: number): string => id(`version${i}`);
	const clip = (i: number, side: string): Clip => ({
		...{ object: id(`${side}${i}`), bytes: 10, mime: 'video/mp4', codec: 'avc1.42001f', version: null },
		...{ grainKept: null, stills: [], crop: null },
	});
	const salts = plan.map((p, i) => id(`salt${p.of ?? i}`));
	const manifest: Manifest = {
		...{ version: 1, review: id('review'), title: 't', question: 'q', blind: true, tiesAllowed: true },
		...{ minimumViewMs: 1000, createdAt: 0, ownerKey: 'k'.repeat(87), versions: [] },
		shots: Array.from({ length: shots }, (_, i) => ({
			...{ id: id(`shot${i}`), name: `${i}`, width: 64, height: 48, pixelAspect: { num: 1, den: 1 } },
			...{ rate: { num: 24, den: 1 }, frames: 24, firstNumber: 0, base: 24, drop: false, sourceFrame: 0, clips: [] },
		})),
		presentations: plan.map((p, i) => ({
			...{ id: id(`pair${i}`), shot: id(`shot${p.shot}`), a: clip(i, 'a'), b: clip(i, 'b') },
			...{ salt: salts[i]!, onCrops: false },
		})),
	};
	const secrets: OwnerSecrets = {
		...{ version: 1, privateKey: 'k'.repeat(120), source: null, links: [], quality: null },
		versions: Array.from({ length: versions }, (_, i) => ({
			...{ id: version(i), label: `${i}`, recipe: null, source: i === 0 },
		})),
		clips: [],
		pairs: plan.map((p, i) => ({
			...{ presentation: id(`pair${i}`), kind: p.kind, of: p.of === null ? null : id(`pair${p.of}`) },
			...{ a: version(p.a), b: version(p.b) },
		})),
	};
	return { manifest, secrets };
}

/** A voter's votes: `prefer` gets the versions' indexes on the left and on the right. */
async function voterVotes(
	{ manifest, secrets }: ReturnType<typeof review>,
	voter: string,
	prefer: (left: number, right: number) => Choice,
	change: Partial<VoteRecord> = {},
): Promise<VoteRecord[]> {
	const order = await orderFor(voter, manifest.presentations);
	return order.map(({ index, swapped }, position) => {
		const shown = manifest.presentations[index]!;
		const pair = secrets.pairs[index]!;
		const number = (version: string): number => secrets.versions.findIndex((v) => v.id === version);
		const [left, right] = swapped ? [pair.b, pair.a] : [pair.a, pair.b];
		return {
			choice: prefer(number(left), number(right)),
			left: (swapped ? shown.b : shown.a).object,
			right: (swapped ? shown.a : shown.b).object,
			...{ position, viewedMs: 5000, plays: 1, reason: '', revision: 1, presentation: shown.id, link: id('link') },
			...{ voter, once: false, seq: 1, createdAt: 0, updatedAt: 0, ...change },
		};
	});
}

const higher = (left: number, right: number): Choice => (left === right ? 'tie' : left > right ? 'left' : 'right');

async function crowd(
	made: ReturnType<typeof review>,
	size: number,
	prefer: (voter: number) => (left: number, right: number) => Choice,
): Promise<VoteRecord[]> {
	const all = await Promise.all(Array.from({ length: size }, (_, i) => voterVotes(made, `voter ${i}`, prefer(i))));
	return all.flat();
}

describe('tally', () => {
	it('finds the version that everybody prefers, whichever side it was on', async () => {
		const made = review(2, 3, 6);
		const results = tally({ ...made, votes: await crowd(made, 12, () => higher) });
		expect(results.excluded).toEqual([]);
		expect(results.controls).toEqual({ asked: 24, failed: 0 });
		expect(results.counted).toBe(72);
		const [pair] = results.pairs;
		expect(pair).toMatchObject({ aWins: 0, bWins: 72, ties: 0, rate: 0, persons: { a: 0, b: 12 }, verdict: 'b' });
		expect(pair!.p).toBeCloseTo(2 / 4096, 10);
		expect(results.winner).toBe(made.secrets.versions[1]!.id);
		expect(results.shots.map((s) => s.pairs[0]!.bWins)).toEqual([24, 24, 24]);
	});

	it('says that nothing is shown where opinions differ, and for one person whatever that person says', async () => {
		const made = review(2, 2, 6);
		const split = tally({ ...made, votes: await crowd(made, 12, (i) => (i % 2 ? higher : (l, r) => higher(r, l))) });
		expect(split.pairs[0]).toMatchObject({ rate: 0.5, verdict: 'none', p: 1 });
		expect(split.winner).toBeNull();
		const alone = tally({ ...made, votes: await crowd(made, 1, () => higher) });
		expect(alone.pairs[0]).toMatchObject({ rate: 0, verdict: 'none', p: 1, effective: 1 });
	});

	it('ranks four versions', async () => {
		const made = review(4, 2, 12);
		const results = tally({ ...made, votes: await crowd(made, 10, () => higher) });
		expect(results.scores?.map((s) => s.version)).toEqual([3, 2, 1, 0].map((i) => made.secrets.versions[i]!.id));
		expect(results.winner).toBe(made.secrets.versions[3]!.id);
		for (const { score, interval } of results.scores!) {
			expect(interval[0]).toBeLessThanOrEqual(score);
			expect(interval[1]).toBeGreaterThanOrEqual(score);
		}
	});

	it('leaves out who does not look, and says why', async () => {
		const made = review(2, 4, 12);
		const honest = await crowd(made, 3, () => higher);
		const lefty = await voterVotes(made, 'left', () => 'left');
		const hasty = await voterVotes(made, 'hasty', higher, { viewedMs: 10 });
		const results = tally({ ...made, votes: [...honest, ...lefty, ...hasty] });
		expect(results.counted).toBe(36);
		const reasons = results.excluded.map((e) => [e.voter, e.reason, e.votes]);
		// Left every time: prefers one of two equal sides, and the other version when sides are exchanged.
		expect(reasons).toContainEqual(['left', 'controls', 14]);
		expect(reasons).toContainEqual(['hasty', 'too-short', 14]);
	});

	it('leaves out one side every time where there are no controls to fail', async () => {
		const made = review(2, 4, 12);
		const noControls = {
			manifest: { ...made.manifest, presentations: made.manifest.presentations.slice(0, 12) },
			secrets: { ...made.secrets, pairs: made.secrets.pairs.slice(0, 12) },
		};
		const votes = await voterVotes(noControls, 'left', () => 'left');
		expect(tally({ ...noControls, votes }).excluded).toEqual([{ voter: 'left', reason: 'one-side', votes: 12 }]);
	});

	it('does not count what is not of this review', async () => {
		const made = review(2, 1, 4);
		const votes = await voterVotes(made, 'v', higher);
		const strange: VoteRecord[] = [
			{ ...votes[0]!, presentation: id('nowhere') },
			{ ...votes[1]!, left: votes[2]!.left },
			{ ...votes[2]!, left: votes[2]!.right },
		];
		const results = tally({ ...made, votes: [...strange, ...votes.slice(3)] });
		expect(results.excluded).toEqual([{ voter: 'v', reason: 'not-a-pair', votes: 3 }]);
		const noTies = { ...made, manifest: { ...made.manifest, tiesAllowed: false } };
		const ties = await voterVotes(made, 'v', () => 'tie');
		expect(tally({ ...noTies, votes: ties }).excluded).toEqual([{ voter: 'v', reason: 'not-a-pair', votes: 6 }]);
	});

	it('has an answer for no votes', () => {
		const results = tally({ ...review(3, 1, 3), votes: [] });
		expect(results).toMatchObject({ votes: 0, voters: 0, counted: 0, scores: null, winner: null });
		expect(results.pairs.every((p) => p.verdict === 'none' && p.p === 1)).toBe(true);
	});
});
