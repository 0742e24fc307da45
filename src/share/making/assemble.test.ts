import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { seeded } from '../ballot.ts';
import { Manifest, OwnerSecrets } from '../manifest.ts';
import { randomId } from '../bytes.ts';
import { assembleReview, checkWishes, type MadeShot, type MadeVersion, type ReviewWishes } from './assemble.ts';
import { encodePng } from './png.ts';

const LABELS = ['Marker-Source', 'Marker-Recipe-A', 'Marker-Recipe-B'];
const VERSIONS: readonly MadeVersion[] = LABELS.map((label, i) => ({
	label,
	recipe: i === 0 ? null : { version: 1, stages: [], note: label },
	source: i === 0,
}));

/** A stand-in of a clip with an `ftyp` box: padding needs no more. */
const mp4 = (bytes: number): Blob => new Blob([new Uint8Array(bytes).fill(1)], { type: 'video/mp4' });

async function png(side: number): Promise<Blob> {
	const rgb = Float32Array.from({ length: 3 * side * side }, (_v, i) => ((i * 7919) % 251) / 250);
	return encodePng({ size: { width: side, height: side }, rgb }, 8);
}

async function shot(name: string, versions: number, grainKept: number | null = null): Promise<MadeShot> {
	const clips = [];
	for (let i = 0; i < versions; i++) {
		clips.push({
			blob: mp4(1000 + 100 * i),
			mime: 'video/mp4' as const,
			codec: 'avc1.64000A',
			grainKept,
			metrics: null,
			stills: [{ frame: 3, blob: await png(8 + i) }],
			crop: { x: 0, y: 0, width: 8, height: 8, firstFrame: 0, frames: [await png(8 + i), await png(9 + i)] },
		});
	}
	const one = { num: 1, den: 1 };
	return {
		...{ name, width: 64, height: 48, pixelAspect: one, rate: { num: 24, den: 1 }, frames: 12 },
		...{ firstNumber: 100, base: 24, drop: false, sourceFrame: 100, sourceGrain: null, clips },
	};
}

const wishes = (change: Partial<ReviewWishes> = {}): ReviewWishes => ({
	title: 'Reel 3',
	question: 'Which is closer to film?',
	blind: true,
	tiesAllowed: true,
	minimumViewMs: 3000,
	pairs: 10,
	expiresAt: Date.now() + 86_400_000,
	links: [{ role: 'voter' }, { role: 'viewer' }],
	source: 'fingerprint',
	...change,
});

describe('a blind review', async () => {
	const shots = [await shot('one', 3), await shot('two', 3)];
	const review = await assembleReview(wishes(), VERSIONS, shots, seeded(5));
	const { manifest, secrets } = review;
	const sizeOf = new Map(review.assets.map(({ object, blob }) => [object, blob.size]));

	it('fits its own schemas', () => {
		expect(v.parse(Manifest, { ...manifest, review: randomId() }).shots).toHaveLength(2);
		expect(v.parse(OwnerSecrets, secrets).versions.map((x) => x.label)).toEqual(LABELS);
		expect(secrets.links.map(({ role }) => role)).toEqual(['owner', 'voter', 'viewer']);
	});

	it('says nothing of the versions in its manifest', () => {
		const text = JSON.stringify(manifest);
		for (const word of ['Marker', 'Recipe', 'fingerprint', ...secrets.versions.map(({ id }) => id)]) {
			expect(text).not.toContain(word);
		}
		for (const kind of ['trap', 'repeat', '"kind"']) expect(text).not.toContain(kind);
	});

	it('has files of one length for what stands for each other', () => {
		for (const { id, clips } of manifest.shots) {
			const all = [...clips, ...manifest.presentations.filter((p) => p.shot === id).flatMap(({ a, b }) => [a, b])];
			for (const of of [
				all.map((c) => c.bytes),
				all.map((c) => sizeOf.get(c.object)),
				all.map((c) => c.stills[0]!.bytes),
				clips.map((c) => c.crop!.frames[0]!.bytes),
				clips.map((c) => sizeOf.get(c.crop!.frames[1]!.object)),
			]) {
				expect(new Set(of).size).toBe(1);
			}
		}
	});

	it('uses no object twice, and the owner knows the version of each clip', () => {
		const { presentations } = manifest;
		expect(presentations).toHaveLength(12);
		expect(secrets.pairs.map(({ kind }) => kind).filter((kind) => kind !== 'pair')).toEqual(['trap', 'repeat']);
		const sides = presentations.flatMap(({ a, b }) => [a.object, b.object]);
		const listed = manifest.shots.flatMap(({ clips }) => clips.map((c) => c.object));
		expect(new Set([...sides, ...listed]).size).toBe(sides.length + listed.length);
		const version = new Map(secrets.clips.map((c) => [c.object, c.version]));
		for (const pair of secrets.pairs) {
			const shown = presentations.find((p) => p.id === pair.presentation)!;
			expect([version.get(shown.a.object), version.get(shown.b.object)]).toEqual([pair.a, pair.b]);
			if (pair.kind === 'trap') expect(pair.a).toBe(pair.b);
			if (pair.kind !== 'repeat') continue;
			const first = presentations.find((p) => p.id === pair.of)!;
			const before = secrets.pairs.find((p) => p.presentation === pair.of)!;
			expect([pair.a, pair.b, shown.salt]).toEqual([before.b, before.a, first.salt]);
		}
	});

	it('does not follow the versions’ or the pairs’ order', async () => {
		const orders = new Set<string>();
		const places = new Set<number>();
		for (let seed = 0; seed < 12; seed++) {
			const made = await assembleReview(wishes(), VERSIONS, shots, seeded(seed));
			const version = new Map(made.secrets.clips.map((c) => [c.object, c.version]));
			const names = made.manifest.shots[0]!.clips.map(
				(c) => made.secrets.versions.find((x) => x.id === version.get(c.object))!.label,
			);
			orders.add(names.join());
			const trap = made.secrets.pairs.find(({ kind }) => kind === 'trap')!.presentation;
			places.add(made.manifest.presentations.findIndex(({ id }) => id === trap));
		}
		expect(orders.size).toBeGreaterThan(3);
		expect(places.size).toBeGreaterThan(4);
	});
});

describe('an open review', () => {
	it('names versions and asks real pairs only', async () => {
		const made = await assembleReview(wishes({ blind: false }), VERSIONS, [await shot('one', 3)], seeded(1));
		expect(made.manifest.versions.map(({ label }) => label)).toEqual(LABELS);
		expect(made.secrets.pairs.every(({ kind }) => kind === 'pair')).toBe(true);
		expect(made.manifest.presentations).toHaveLength(10);
		const version = new Map(made.secrets.clips.map((c) => [c.object, c.version]));
		for (const clip of made.manifest.shots[0]!.clips) expect(clip.version).toBe(version.get(clip.object));
		// Clips are sent once: film, still and two pictures of the crop of each version.
		expect(made.assets).toHaveLength(3 * 4);
	});

	it('has no votes where none are wanted', async () => {
		const made = await assembleReview(wishes({ blind: false, pairs: 0 }), VERSIONS, [await shot('one', 3)]);
		expect(made.manifest.presentations).toEqual([]);
	});
});

describe('grain that a codec eats', () => {
	it.each([
		[0.85, true],
		[0.95, false],
		[null, false],
	])('kept %s: asked on crops is %s', async (kept, crops) => {
		const made = await assembleReview(wishes(), VERSIONS, [await shot('one', 3, kept)], seeded(2));
		expect(made.manifest.presentations.every((p) => p.onCrops === crops)).toBe(true);
		expect(made.manifest.presentations.every((p) => (p.a.crop !== null) === crops)).toBe(true);
		expect(made.manifest.shots[0]!.clips.map((c) => c.grainKept)).toEqual([kept, kept, kept]);
		expect(made.secrets.clips.every((clip) => clip.grainKept === kept)).toBe(true);
	});
});

describe('what clips say of their loss', () => {
	it('is their own figure where versions have names, the least of the shot where they have none', async () => {
		const uneven = await shot('one', 3);
		const clips = uneven.clips.map((clip, i) => ({ ...clip, grainKept: [null, 0.95, 0.97][i]! }));
		const told = async (blind: boolean) => {
			const made = await assembleReview(wishes({ blind }), VERSIONS, [{ ...uneven, clips }], seeded(2));
			return made.manifest.shots[0]!.clips.map(({ grainKept }) => grainKept);
		};
		expect(await told(true)).toEqual([0.95, 0.95, 0.95]);
		expect(await told(false)).toEqual([null, 0.95, 0.97]);
	});
});

describe('what no review may be', () => {
	const now = Date.now();
	it.each([
		['one version', wishes(), VERSIONS.slice(0, 1), 1, '2 to 4 versions'],
		['no shots', wishes(), VERSIONS, 0, 'at least one shot'],
		['too many shots', wishes(), VERSIONS, 201, 'at most 200'],
		[
			'two of one name',
			wishes(),
			[VERSIONS[0]!, { ...VERSIONS[1]!, label: ' Marker-Source\u202e' }],
			1,
			'name of its own',
		],
		['no title', wishes({ title: ' \u0000' }), VERSIONS, 1, 'title'],
		['no end', wishes({ expiresAt: Infinity }), VERSIONS, 1, '366 days'],
		['its end before now', wishes({ expiresAt: now }), VERSIONS, 1, '366 days'],
		['half a pair', wishes({ pairs: 0.5 }), VERSIONS, 1, 'pairs'],
		[
			'too many links',
			wishes({ links: Array.from({ length: 1000 }, () => ({ role: 'voter' as const })) }),
			VERSIONS,
			1,
			'999',
		],
		['a novel for a question', wishes({ question: 'x'.repeat(301) }), VERSIONS, 1, '300'],
	])('%s', (_name, bad, versions, shots, text) => {
		expect(() => checkWishes(bad, versions, shots, now)).toThrow(text);
	});
});
