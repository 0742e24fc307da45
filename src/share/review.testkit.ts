/** A small review for tests: random bytes as clips, two versions, one shot, one pair. */

import { type Bytes, concat, randomBytes, randomId, toBase64Url } from './bytes.ts';
import type { VoterSecrets } from './client.ts';
import type { Clip, Manifest, OwnerSecrets } from './manifest.ts';
import type { KeptReturns } from './returns.ts';
import type { ReturnStore } from './package-backend.ts';
import { makeKeys, type LinkWish, type ReviewToSend, writePackage } from './publish.ts';

/** Devices as tests need them: one secret each, in memory. */
export function memoryDevice(secret: Bytes = randomBytes(32)): VoterSecrets {
	return { of: () => Promise.resolve(secret) };
}

/** A device's memory for packages. */
export function memoryReturns(): ReturnStore {
	const kept = new Map<string, KeptReturns>();
	return {
		load: (review) => Promise.resolve(structuredClone(kept.get(review))),
		save: (review, value) => {
			kept.set(review, structuredClone(value));
			return Promise.resolve();
		},
	};
}

/** Options of {@link smallReview}. */
export interface SmallReview {
	readonly blind?: boolean;
	readonly clipBytes?: number;
	readonly links?: readonly LinkWish[];
	readonly change?: Partial<Omit<Manifest, 'review'>>;
	readonly labels?: readonly [string, string];
}

/** Everything but the sending. */
export async function smallReview(options: SmallReview = {}): Promise<ReviewToSend> {
	const { blind = true, clipBytes = 1_500_000, labels = ['source', 'restored'] } = options;
	const wishes = options.links ?? [{ role: 'voter' }, { role: 'commenter' }, { role: 'viewer' }];
	const keys = await makeKeys(wishes);
	const versions = labels.map((label, i) => ({ id: randomId(), label, recipe: null, source: i === 0 }));
	const blobs = versions.map(() => new Blob(chunked(clipBytes)));
	const clips = versions.map((version): Clip => ({
		...{ object: randomId(), bytes: clipBytes, mime: 'video/mp4', codec: 'avc1.42001f' },
		...{ version: blind ? null : version.id, grainKept: null, stills: [], crop: null },
	}));
	const [shot, presentation] = [randomId(), randomId()];
	const [a, b] = clips as [Clip, Clip];
	const manifest: Omit<Manifest, 'review'> = {
		...{ version: 1, title: 'Title', question: 'Which?', blind, tiesAllowed: true, minimumViewMs: 0 },
		...{ createdAt: Date.now(), ownerKey: keys.seal.publicKey },
		versions: blind ? [] : versions.map(({ id, label }) => ({ id, label })),
		shots: [
			{
				...{ id: shot, name: 'Shot 1', width: 64, height: 48, pixelAspect: { num: 1, den: 1 } },
				...{ rate: { num: 24, den: 1 }, frames: 24, firstNumber: 86400, base: 24, drop: false, sourceFrame: 0, clips },
			},
		],
		presentations: [{ id: presentation, shot, a, b, salt: randomId(), onCrops: false }],
		...options.change,
	};
	const secrets: OwnerSecrets = {
		...{ version: 1, privateKey: keys.seal.privateKey, source: null, versions, quality: null },
		links: keys.links.map(({ role, secret }) => ({ role, secret: toBase64Url(secret) })),
		clips: clips.map((clip, i) => ({ object: clip.object, version: versions[i]!.id })),
		pairs: [{ presentation, kind: 'pair', of: null, a: versions[0]!.id, b: versions[1]!.id }],
	};
	const assets = clips.map((clip, i) => ({ object: clip.object, blob: blobs[i]! }));
	return { keys, blind, expiresAt: Date.now() + 3_600_000, assets, manifest, secrets };
}

/** The generator gives at most 65,536 bytes a call. */
function chunked(bytes: number): Bytes[] {
	const parts: Bytes[] = [];
	for (let at = 0; at < bytes; at += 65_536) parts.push(randomBytes(Math.min(65_536, bytes - at)));
	return parts;
}

/** A review as the bytes of a package. */
export async function packageBytes(review: ReviewToSend): Promise<Bytes> {
	const parts: Bytes[] = [];
	await writePackage(review, (bytes) => {
		parts.push(bytes.slice());
		return Promise.resolve();
	});
	return concat(...parts);
}
