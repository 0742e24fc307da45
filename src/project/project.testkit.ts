/** Documents and stage tables for the project's tests. */

import type { StageMeta } from '../contracts/stage.ts';
import type { Shot } from '../core/shots.ts';
import type { AdoptionEntry, ApprovalEntry, ReviewRef } from './review-records.ts';
import { emptyProject, type MatteRef, newReel, type Project, type Reel, type SourceRef } from './schema.ts';

const base = {
	version: 1,
	doc: 'A stage.',
	models: [],
	changesTimeline: false,
	changesSize: false,
	provenance: 'repaired',
	views: ['residual'],
} as const;

/** Two stages with one parameter of each type. */
export const METAS: readonly StageMeta[] = [
	{
		...base,
		id: 'clean',
		label: 'Clean',
		order: 10,
		params: {
			sigma: { type: 'number', default: 'auto', auto: true, min: 0, max: 75, step: 0.5, unit: '', doc: 'Strength.' },
			luma: { type: 'boolean', default: true, unit: '', doc: 'Luma.' },
			mode: {
				type: 'enum',
				default: 'a',
				values: [
					{ value: 'a', doc: 'A' },
					{ value: 'b', doc: 'B' },
				],
				unit: '',
				doc: 'Mode.',
			},
		},
	},
	{
		...base,
		id: 'grow',
		label: 'Grow',
		order: 20,
		changesSize: true,
		params: {
			to: {
				type: 'text',
				default: '',
				pattern: '\\d+x\\d+',
				expected: 'a size such as 1920x1080',
				unit: '',
				doc: 'Size.',
			},
		},
	},
];

/** A source of 100 frames at 24 fps. */
export const SOURCE: SourceRef = {
	name: 'reel1.mov',
	kind: 'file',
	fingerprint: 'f00d',
	bytes: 1234,
	frames: 100,
	size: { width: 320, height: 240 },
	rate: { num: 24, den: 1 },
};

/** A moving matte for {@link SOURCE}. */
export const MATTE: MatteRef = {
	id: 'face',
	name: 'face.mkv',
	kind: 'file',
	fingerprint: 'face',
	frames: 100,
	size: { width: 160, height: 120 },
};

/** Three shots that tile {@link SOURCE}. */
export const SHOTS: readonly Shot[] = [
	{ start: 0, end: 30, transitionIn: 'start', source: 'detected' },
	{ start: 30, end: 70, transitionIn: 'dissolve', dissolve: { from: 25, to: 36 }, source: 'detected' },
	{ start: 70, end: 100, transitionIn: 'cut', source: 'edl' },
];

/** A reel of {@link SOURCE} with a matte, numbered from 86400. */
export function testReel(id = 'r1'): Reel {
	return { ...newReel(id, SOURCE, { firstFrame: 86_400, base: 24, drop: false }), mattes: [MATTE], shots: SHOTS };
}

/** A project with one reel. */
export function testProject(): Project {
	return { ...emptyProject('p1', 'Test'), reels: [testReel()], activeReel: 'r1' };
}

/** A review of {@link testReel} on a service. */
export const REVIEW: ReviewRef = {
	id: 'R'.repeat(22),
	reel: 'r1',
	title: 'Reel 1, degrain',
	place: 'service',
	origin: 'https://films.example/',
	ownerSecret: 's'.repeat(43),
	blind: true,
	createdAt: 1_700_000_000_000,
	expiresAt: 1_702_000_000_000,
};

/** What a vote led to. */
export const ADOPTION: AdoptionEntry = {
	kind: 'adopted',
	reel: 'r1',
	review: REVIEW.id,
	version: 'Recipe B',
	recordedAt: 1_701_000_000_000,
	...{ votes: 24, voters: 6, wins: 20, losses: 3, ties: 1, p: 0.03, shown: true },
};

/** A curator's word. */
export const APPROVAL: ApprovalEntry = {
	kind: 'approval',
	reel: 'r1',
	start: 0,
	end: 30,
	version: 'Recipe B',
	recordedAt: 1_701_000_000_000,
	approval: {
		...{ name: 'A. Curator', review: REVIEW.id, shot: 'S'.repeat(22), clip: 'C'.repeat(22), text: '' },
		...{ clipHash: '0f'.repeat(32), verdict: 'approved', at: 1_700_500_000_000 },
		...{ key: 'k'.repeat(87), signature: 'g'.repeat(86) },
	},
};

/** {@link testProject} with a kept version, a review and a record. */
export function reviewedProject(): Project {
	const reel = testReel();
	const versions = [{ id: 'v1', name: 'Recipe B', recipe: reel.recipe, keptAt: 1_700_000_000_000 }];
	return { ...testProject(), reels: [{ ...reel, versions }], reviews: [REVIEW], record: [APPROVAL, ADOPTION] };
}

/** A small deterministic generator (mulberry32): 0 ≤ x < 1. */
export function seeded(seed: number): () => number {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}
