/**
 * From rendered clips to a review that can be sent: pairs are planned, objects get random ids, the manifest says what everybody
 * may see and the owner's secrets the rest. In a blind review every presentation has objects of its own, all files of a shot that
 * stand for each other have one length, and neither ids, order nor manifest follow the versions.
 */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type ClipMetrics, GRAIN_KEPT_LEAST, type GrainSummary } from '../../core/quality.ts';
import type { Rational } from '../../core/rational.ts';
import { planPairs } from '../ballot.ts';
import { randomId } from '../bytes.ts';
import {
	MAX_LABEL,
	MAX_QUESTION,
	MAX_REVIEW_SHOTS,
	MAX_TITLE,
	MAX_VERSIONS,
	Manifest,
	OwnerSecrets,
	type PairSecret,
	type ReviewShot,
	type Still,
} from '../manifest.ts';
import { type AssetToSend, type LinkWish, makeKeys, type ReviewToSend } from '../publish.ts';
import { LIMITS } from '../protocol.ts';
import { toBase64Url } from '../bytes.ts';
import { PASSPHRASE_LEAST } from '../secrets.ts';
import { checked } from '../read.ts';
import { cleanText } from '../text.ts';
import { padBlob, type PaddedMime, paddedLength } from './padding.ts';

/** A version under review, as its maker knows it. */
export interface MadeVersion {
	readonly label: string;
	/** Recipe file's JSON; null for a film that came from elsewhere. */
	readonly recipe: unknown;
	/** The source as it is. */
	readonly source: boolean;
}

/** A lossless picture of one frame. */
export interface MadeStill {
	/** Frame of the shot, 0 first. */
	readonly frame: number;
	readonly blob: Blob;
}

/** Lossless pictures of one place, one a frame. */
export interface MadeCrop {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
	readonly firstFrame: number;
	readonly frames: readonly Blob[];
}

/** One version of one shot. */
export interface MadeClip {
	readonly blob: Blob;
	readonly mime: 'video/mp4' | 'video/webm';
	/** As WebCodecs names it. */
	readonly codec: string;
	/** Share of the version's grain power that the clip keeps; null where it was not measured or there is none. */
	readonly grainKept: number | null;
	readonly stills: readonly MadeStill[];
	readonly crop: MadeCrop | null;
	/** The judge's figures; null where they were not asked for. */
	readonly metrics: ClipMetrics | null;
}

/** A shot with a clip of every version, in the order of the versions. */
export interface MadeShot {
	readonly name: string;
	readonly width: number;
	readonly height: number;
	readonly pixelAspect: Rational;
	readonly rate: Rational;
	readonly frames: number;
	/** Reel number of the first frame, frames a timecode second, drop-frame. */
	readonly firstNumber: number;
	readonly base: number;
	readonly drop: boolean;
	/** Frame of the source at which the shot begins. */
	readonly sourceFrame: number;
	/** Of the film that all versions were made of; null where it was not measured. */
	readonly sourceGrain: GrainSummary | null;
	readonly clips: readonly MadeClip[];
}

/** What its maker wants of a review. */
export interface ReviewWishes {
	readonly title: string;
	readonly question: string;
	readonly blind: boolean;
	readonly tiesAllowed: boolean;
	/** Ms that both sides must have been in sight. */
	readonly minimumViewMs: number;
	/** Real pairs to be asked; 0 for a review without votes. Controls come on top in a blind one. */
	readonly pairs: number;
	/** Ms since 1970. */
	readonly expiresAt: number;
	readonly links: readonly LinkWish[];
	/** Fingerprint of the source in the project, null from a terminal. */
	readonly source: string | null;
}

/** A number in [0, 1) of the platform's generator: what hides the versions must not be guessed. */
export function secureRandom(): number {
	return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
	const out = [...items];
	for (let i = out.length - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[out[i], out[j]] = [out[j]!, out[i]!];
	}
	return out;
}

function usage(code: Parameters<typeof phrase>[0], values?: Parameters<typeof phrase>[1]): EmulsionError {
	return new EmulsionError('usage', phrase(code, values));
}

/** Refuses what no review may be, before anything is rendered. @throws EmulsionError `usage`. */
export function checkWishes(
	wishes: Pick<ReviewWishes, 'title' | 'question' | 'pairs' | 'expiresAt' | 'links'>,
	versions: readonly MadeVersion[],
	shots: number,
	now: number,
): void {
	if (versions.length < 2 || versions.length > MAX_VERSIONS) {
		throw usage('ballot-versions', { most: MAX_VERSIONS, got: versions.length });
	}
	if (shots < 1) throw usage('ballot-shots');
	if (shots > MAX_REVIEW_SHOTS) throw usage('making-shots', { most: MAX_REVIEW_SHOTS, got: shots });
	const labels = versions.map((v) => cleanText(v.label).trim());
	if (labels.some((label) => label.length > MAX_LABEL)) throw usage('making-label', { most: MAX_LABEL });
	if (wishes.title.length > MAX_TITLE) throw usage('making-long-title', { most: MAX_TITLE });
	if (wishes.links.some(({ passphrase }) => passphrase !== undefined && [...passphrase].length < PASSPHRASE_LEAST)) {
		throw usage('passphrase-short', { least: PASSPHRASE_LEAST });
	}
	if (labels.some((label) => label === '') || new Set(labels).size !== labels.length) throw usage('making-labels');
	if (cleanText(wishes.title).trim() === '') throw usage('making-title');
	if (wishes.question.length > MAX_QUESTION) throw usage('making-question', { most: MAX_QUESTION });
	if (wishes.links.length + 1 > LIMITS.links) throw usage('making-links', { most: LIMITS.links - 1 });
	if (!(wishes.expiresAt > now) || wishes.expiresAt > now + LIMITS.lifetimeMs) {
		throw usage('making-expiry', { days: Math.floor(LIMITS.lifetimeMs / 86_400_000) });
	}
	// Throws what is wrong with the number of pairs.
	if (wishes.pairs !== 0) planPairs(shots, versions.length, wishes.pairs);
}

/** Every file of a shot that stands for another has the same length. */
async function evenShot(shot: MadeShot): Promise<MadeShot> {
	const even = async (blobs: readonly Blob[], mime: PaddedMime): Promise<Blob[]> => {
		const length = paddedLength(blobs.map((b) => b.size));
		return Promise.all(blobs.map((blob) => padBlob(blob, mime, length)));
	};
	const { clips } = shot;
	const [first] = clips;
	if (!first) return shot;
	const films = await even(
		clips.map((c) => c.blob),
		first.mime,
	);
	const stills: Blob[][] = [];
	for (const index of first.stills.keys()) {
		stills.push(
			await even(
				clips.map((c) => c.stills[index]!.blob),
				'image/png',
			),
		);
	}
	const crops: Blob[][] = [];
	for (const index of first.crop?.frames.keys() ?? []) {
		crops.push(
			await even(
				clips.map((c) => c.crop!.frames[index]!),
				'image/png',
			),
		);
	}
	return {
		...shot,
		clips: clips.map((clip, v) => ({
			...clip,
			blob: films[v]!,
			stills: clip.stills.map((still, i) => ({ ...still, blob: stills[i]![v]! })),
			crop: clip.crop && { ...clip.crop, frames: crops.map((frames) => frames[v]!) },
		})),
	};
}

type ManifestClip = ReviewShot['clips'][number];

/** Collects objects while the manifest is written. */
class Objects {
	readonly assets: AssetToSend[] = [];
	readonly versions: OwnerSecrets['clips'] = [];

	#add<M extends string>(blob: Blob, mime: M): { readonly object: string; readonly bytes: number; readonly mime: M } {
		const object = randomId();
		this.assets.push({ object, blob });
		return { object, bytes: blob.size, mime };
	}

	/** A clip with objects of its own. */
	clip(
		made: MadeClip,
		version: string,
		{ named, cropped, told }: { named: boolean; cropped: boolean; told: number | null },
	): ManifestClip {
		const film = this.#add(made.blob, made.mime);
		const stills: Still[] = made.stills.map(({ frame, blob }) => ({ ...this.#add(blob, 'image/png'), frame }));
		const crop = cropped ? made.crop : null;
		const clip: ManifestClip = {
			...film,
			codec: made.codec,
			version: named ? version : null,
			grainKept: told,
			stills,
			crop: crop && { ...crop, frames: crop.frames.map((blob) => this.#add(blob, 'image/png')) },
		};
		this.versions.push({ object: film.object, version, grainKept: made.grainKept });
		return clip;
	}
}

/** What a clip says of its codec's loss: its own figure, in a blind review the least of its shot's, as each clip's own would tell them apart. */
function toldOf(clip: MadeClip, shot: MadeShot, blind: boolean): number | null {
	if (!blind) return clip.grainKept;
	const figures = shot.clips.flatMap(({ grainKept }) => (grainKept === null ? [] : [grainKept]));
	return figures.length === 0 ? null : Math.min(...figures);
}

/** Questions about these clips are asked on crops. */
function onCrops(clips: readonly MadeClip[]): boolean {
	const eaten = clips.some(({ grainKept }) => grainKept !== null && grainKept < GRAIN_KEPT_LEAST);
	return eaten && clips.every(({ crop }) => crop !== null);
}

function shotEntry(shot: MadeShot, clips: ManifestClip[]): ReviewShot {
	const { name, width, height, pixelAspect, rate, frames, firstNumber, base, drop, sourceFrame } = shot;
	return {
		...{ id: randomId(), name, width, height, frames, firstNumber, base, drop, sourceFrame, clips },
		...{ pixelAspect: { ...pixelAspect }, rate: { ...rate } },
	};
}

function checkShot(shot: MadeShot, versions: number): void {
	const [first] = shot.clips;
	const alike = shot.clips.every(
		(clip) =>
			clip.mime === first?.mime &&
			clip.codec === first.codec &&
			clip.stills.length === first.stills.length &&
			clip.crop?.frames.length === first.crop?.frames.length,
	);
	if (shot.clips.length !== versions || !alike)
		throw new TypeError(`clips of ${shot.name} do not stand for each other`);
}

/** The judge's record: every clip that was measured, by the ids of the review. Null where none was. */
function qualityOf(shots: readonly MadeShot[], entries: readonly ReviewShot[], versions: readonly string[]): unknown {
	const clips = shots.flatMap(({ clips: all }, shot) =>
		all.flatMap(({ metrics }, version) =>
			metrics ? [{ shot: entries[shot]!.id, version: versions[version]!, metrics }] : [],
		),
	);
	if (clips.length === 0) return null;
	const sources = shots.map(({ sourceGrain }, shot) => ({ shot: entries[shot]!.id, grain: sourceGrain }));
	return { format: 1, sources, clips };
}

/**
 * Makes a review of rendered clips.
 * @param random In [0, 1): order of shots' clips, pairs, sides, objects. Tests give a seeded one.
 * @throws EmulsionError `usage` (see {@link checkWishes}).
 */
export async function assembleReview(
	wishes: ReviewWishes,
	versions: readonly MadeVersion[],
	shots: readonly MadeShot[],
	random: () => number = secureRandom,
): Promise<ReviewToSend> {
	const now = Date.now();
	checkWishes(wishes, versions, shots.length, now);
	for (const shot of shots) checkShot(shot, versions.length);
	const { blind } = wishes;
	const made = blind ? await Promise.all(shots.map(evenShot)) : shots;
	const ids = versions.map(() => randomId());
	const objects = new Objects();
	const entries: ReviewShot[] = [];
	/** Clips of the shot list by shot and version. */
	const listed: ManifestClip[][] = [];
	for (const shot of made) {
		const clips = shot.clips.map((clip, version) =>
			objects.clip(clip, ids[version]!, { named: !blind, cropped: true, told: toldOf(clip, shot, blind) }),
		);
		listed.push(clips);
		entries.push(shotEntry(shot, blind ? shuffled(clips, random) : clips));
	}
	const planned = wishes.pairs === 0 ? [] : planPairs(shots.length, versions.length, wishes.pairs, random);
	// Where labels are read a trap is none, and a repeat is recognized.
	const plan = blind ? planned : planned.filter(({ kind }) => kind === 'pair');
	const salts = plan.map(() => randomId());
	const presentations = plan.map(({ shot, a, b, of }, index) => {
		const { clips } = made[shot]!;
		// In a blind review the whole shot or none of it: a pair that is asked otherwise would tell which version lost its grain.
		const cropped = onCrops(blind ? clips : [clips[a]!, clips[b]!]);
		const side = (version: number): ManifestClip =>
			blind
				? objects.clip(clips[version]!, ids[version]!, {
						named: false,
						cropped,
						told: toldOf(clips[version]!, made[shot]!, blind),
					})
				: listed[shot]![version]!;
		return {
			id: randomId(),
			shot: entries[shot]!.id,
			...{ a: side(a), b: side(b), salt: salts[of ?? index]!, onCrops: cropped },
		};
	});
	// Manifest and owner's secrets are objects as well.
	const count = objects.assets.length + 2;
	if (count > LIMITS.objects) throw usage('making-objects', { got: count, most: LIMITS.objects });
	const pairs: PairSecret[] = plan.map(({ kind, of, a, b }, index) => ({
		presentation: presentations[index]!.id,
		kind,
		of: of === null ? null : presentations[of]!.id,
		a: ids[a]!,
		b: ids[b]!,
	}));
	const keys = await makeKeys(wishes.links);
	const manifest: Omit<Manifest, 'review'> = {
		version: 1,
		title: wishes.title,
		question: wishes.question,
		blind,
		tiesAllowed: wishes.tiesAllowed,
		minimumViewMs: wishes.minimumViewMs,
		createdAt: now,
		ownerKey: keys.seal.publicKey,
		versions: blind ? [] : versions.map(({ label }, i) => ({ id: ids[i]!, label })),
		shots: entries,
		presentations: shuffled(presentations, random),
	};
	const secrets: OwnerSecrets = {
		version: 1,
		privateKey: keys.seal.privateKey,
		source: wishes.source,
		versions: versions.map(({ label, recipe, source }, i) => ({ id: ids[i]!, label, recipe: recipe ?? null, source })),
		clips: objects.versions,
		pairs,
		links: keys.links.map(({ role, secret }) => ({ role, secret: toBase64Url(secret) })),
		quality: qualityOf(made, entries, ids),
	};
	// What its readers would refuse is refused before anything of it is sent.
	checked(Manifest, { ...manifest, review: randomId() });
	checked(OwnerSecrets, secrets);
	return { keys, blind, expiresAt: wishes.expiresAt, assets: shuffled(objects.assets, random), manifest, secrets };
}
