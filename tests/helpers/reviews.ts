/** Real reviews for end-to-end tests: clips by ffmpeg whose frames say their number, written as a package by the app's own code. */

import { readFileSync, writeFileSync } from 'node:fs';
import { type Bytes, randomId, toBase64Url } from '../../src/share/bytes.ts';
import { reviewLink } from '../../src/share/links.ts';
import type { Clip, Manifest, OwnerSecrets } from '../../src/share/manifest.ts';
import { type LinkWish, makeKeys, type ReviewKeys, type ReviewToSend, writePackage } from '../../src/share/publish.ts';
import { ffmpeg, type Scratch } from './cli.ts';
import { COUNTER_HEIGHT, COUNTER_INPUT, COUNTER_WIDTH, counterFrames, H264, VP9 } from './counter-clips.ts';

/** Frames of every clip. */
export const REVIEW_FRAMES = 48;

/** What a test's review is like. */
export interface ReviewWish {
	readonly blind?: boolean;
	/** Names of versions, two to four. */
	readonly labels: readonly string[];
	readonly shots?: number;
	/** Every couple of versions on every shot. */
	readonly pairs?: boolean;
	readonly minimumViewMs?: number;
	readonly tiesAllowed?: boolean;
	readonly links?: readonly LinkWish[];
	/** Lossless stills of this frame. */
	readonly still?: number;
	/** Lossless crops of so many frames, asked on. */
	readonly crops?: number;
	/** Share of grain that the clips of each version keep. */
	readonly grain?: readonly (number | null)[];
	readonly question?: string;
	readonly title?: string;
	readonly expiresAt?: number;
}

/** A made review. */
export interface MadeReview {
	readonly review: ReviewToSend;
	readonly keys: ReviewKeys;
	/** Version id by label. */
	readonly versions: Readonly<Record<string, string>>;
}

const CODECS = [
	{ arguments: VP9, extension: 'webm', mime: 'video/webm', codec: 'vp09.00.10.08' },
	{ arguments: H264, extension: 'mp4', mime: 'video/mp4', codec: 'avc1.64000b' },
] as const;

const made = new Map<number, ReturnType<typeof encodeClip>>();

/** The clip of a version, encoded once a test file. */
function clipBytes(tmp: Scratch, version: number): ReturnType<typeof encodeClip> {
	const clip = made.get(version) ?? encodeClip(tmp, version);
	made.set(version, clip);
	return clip;
}

function encodeClip(
	tmp: Scratch,
	version: number,
): { readonly bytes: Buffer; readonly codec: (typeof CODECS)[number] } {
	const codec = CODECS[version % 2]!;
	const name = tmp.path(`count-${version}.${codec.extension}`);
	const raw = tmp.path(`count-${version}.gray`);
	writeFileSync(raw, counterFrames(REVIEW_FRAMES, 60 + version * 40));
	ffmpeg(...COUNTER_INPUT(raw), ...codec.arguments, name);
	return { bytes: readFileSync(name), codec };
}

function pictures(tmp: Scratch, version: number, first: number, count: number): Buffer[] {
	const raw = tmp.path(`stills-${version}.gray`);
	const size = COUNTER_WIDTH * COUNTER_HEIGHT;
	// Stills are a little lighter than clips, so that a test sees which is shown.
	writeFileSync(raw, counterFrames(first + count, 70 + version * 40).subarray(first * size));
	ffmpeg(...COUNTER_INPUT(raw), '-pix_fmt', 'rgb24', tmp.path(`still-${version}-%03d.png`));
	return Array.from({ length: count }, (_, i) =>
		readFileSync(tmp.path(`still-${version}-${String(i + 1).padStart(3, '0')}.png`)),
	);
}

/** Everything of a review but the sending. */
export async function makeReview(tmp: Scratch, wish: ReviewWish): Promise<MadeReview> {
	const { blind = true, labels, shots = 1, pairs = true } = wish;
	const keys = await makeKeys(wish.links ?? [{ role: 'voter' }, { role: 'commenter' }, { role: 'viewer' }]);
	const versions = labels.map((label, i) => ({ id: randomId(), label, recipe: null, source: i === 0 }));
	const grain = labels.map((_, i) => (wish.grain ? wish.grain[i]! : 0.84));
	const figures = grain.filter((kept) => kept !== null);
	const least = figures.length === 0 ? null : Math.min(...figures);
	const files = labels.map((_, i) => clipBytes(tmp, i));
	const assets: { object: string; blob: Blob }[] = [];
	const owned: OwnerSecrets['clips'] = [];
	const put = (bytes: Buffer): string => {
		const object = randomId();
		assets.push({ object, blob: new Blob([new Uint8Array(bytes)]) });
		return object;
	};
	const clip = (version: number): Clip => {
		const { bytes, codec } = files[version]!;
		const object = put(bytes);
		owned.push({ object, version: versions[version]!.id, grainKept: grain[version]! });
		const png = (data: Buffer) => ({ object: put(data), bytes: data.length, mime: 'image/png' as const });
		const stills =
			wish.still === undefined
				? []
				: pictures(tmp, version, wish.still, 1).map((data) => ({ ...png(data), frame: wish.still! }));
		const crop =
			wish.crops === undefined
				? null
				: {
						...{ x: 0, y: 0, width: COUNTER_WIDTH, height: COUNTER_HEIGHT, firstFrame: 4 },
						frames: pictures(tmp, version, 4, wish.crops).map(png),
					};
		return {
			...{ object, bytes: bytes.length, mime: codec.mime, codec: codec.codec },
			...{ version: blind ? null : versions[version]!.id, grainKept: blind ? least : grain[version]!, stills, crop },
		};
	};
	const shotList: Manifest['shots'] = Array.from({ length: shots }, (_, i) => ({
		...{ id: randomId(), name: `Shot ${i + 1}`, width: COUNTER_WIDTH, height: COUNTER_HEIGHT },
		...{ pixelAspect: { num: 1, den: 1 }, rate: { num: 24, den: 1 }, frames: REVIEW_FRAMES },
		...{ firstNumber: 86400 + i * REVIEW_FRAMES, base: 24, drop: false, sourceFrame: i * REVIEW_FRAMES },
		clips: labels.map((_, v) => clip(v)),
	}));
	const presentations: Manifest['presentations'] = [];
	const secretPairs: OwnerSecrets['pairs'] = [];
	if (pairs) {
		for (const shot of shotList) {
			for (let a = 0; a < labels.length; a++) {
				for (let b = a + 1; b < labels.length; b++) {
					const id = randomId();
					const onCrops = wish.crops !== undefined;
					presentations.push({ id, shot: shot.id, a: clip(a), b: clip(b), salt: randomId(), onCrops });
					secretPairs.push({ presentation: id, kind: 'pair', of: null, a: versions[a]!.id, b: versions[b]!.id });
				}
			}
		}
	}
	const review: ReviewToSend = {
		keys,
		blind,
		expiresAt: wish.expiresAt ?? Date.now() + 3_600_000,
		assets,
		manifest: {
			...{ version: 1, title: wish.title ?? 'The Lost Reel', question: wish.question ?? 'Which picture is better?' },
			...{ blind, tiesAllowed: wish.tiesAllowed ?? true, minimumViewMs: wish.minimumViewMs ?? 0 },
			...{ createdAt: Date.now(), ownerKey: keys.seal.publicKey, shots: shotList, presentations },
			versions: blind ? [] : versions.map(({ id, label }) => ({ id, label })),
		},
		secrets: {
			...{ version: 1, privateKey: keys.seal.privateKey, source: null, versions, quality: null },
			...{ clips: owned, pairs: secretPairs },
			links: keys.links.map(({ role, secret }) => ({ role, secret: toBase64Url(secret) })),
		},
	};
	return { review, keys, versions: Object.fromEntries(versions.map((v) => [v.label, v.id])) };
}

/** The review as a package on disk. */
export async function writeReviewPackage(path: string, review: ReviewToSend): Promise<void> {
	const parts: Bytes[] = [];
	await writePackage(review, (bytes) => {
		parts.push(bytes.slice());
		return Promise.resolve();
	});
	writeFileSync(path, Buffer.concat(parts));
}

/** Address of a made review's link; `index` 0 is the owner's. */
export function addressOf(origin: string, made: MadeReview, index: number, packagePath?: string): string {
	return reviewLink(origin, made.keys.links[index]!.secret, packagePath);
}
