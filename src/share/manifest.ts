/**
 * What a review shows: the manifest, an object that every link's holder opens, and the owner's secrets, an object that
 * only the owner's link opens. In a blind review the manifest names no version, and everything that would tell which side is
 * which (versions, recipes, which pairs are traps) is in the owner's secrets.
 */

import * as v from 'valibot';
import { Id } from './protocol.ts';
import { Line, Words } from './text.ts';

/** Most versions that one review compares. */
export const MAX_VERSIONS = 4;
/** Most shots of a review. */
export const MAX_REVIEW_SHOTS = 200;
/** Longest name of a version, in characters. */
export const MAX_LABEL = 120;
/** Longest title, in characters. */
export const MAX_TITLE = 200;
/** Longest question, in characters. */
export const MAX_QUESTION = 300;

const Whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const Positive = (most: number) => Whole(1, most);
/** A fraction of positive whole numbers. */
const Rate = v.object({ num: Positive(1e9), den: Positive(1e9) });
/** Containers and picture formats that a review holds. */
const Mime = v.picklist(['video/mp4', 'video/webm', 'image/png']);

/** An object with how many plain bytes it has. */
const Asset = v.object({ object: Id, bytes: Whole(1, 2 ** 40), mime: Mime });

/** A picture of one frame, lossless, of the whole frame or a crop of it. */
const Still = v.object({
	...Asset.entries,
	/** Frame of the shot, 0 first. */
	frame: Whole(0, 1e7),
});
export type Still = v.InferOutput<typeof Still>;

/** Lossless pictures of one place through two or three seconds: what grain and dirt are judged on where the clip's codec eats them. */
const Crop = v.object({
	/** Place and size in the frame, pixels. */
	x: Whole(0, 32767),
	y: Whole(0, 32767),
	width: Positive(32768),
	height: Positive(32768),
	/** First frame of the shot; the pictures follow each other. */
	firstFrame: Whole(0, 1e7),
	frames: v.pipe(v.array(Asset), v.minLength(1), v.maxLength(360)),
});
export type Crop = v.InferOutput<typeof Crop>;

/** One version of one shot. */
const Clip = v.object({
	...Asset.entries,
	/** As WebCodecs and `canPlayType` name it, `vp09.00.31.08`. */
	codec: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.+-]{1,64}$/)),
	/** Version, where the review is open; in a blind one null. */
	version: v.nullable(Id),
	/**
	 * Grain power that the codec kept, against the version before it was encoded; null: not measured. In a blind review the least of the
	 * shot's clips.
	 */
	grainKept: v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(100))),
	stills: v.pipe(v.array(Still), v.maxLength(16)),
	crop: v.nullable(Crop),
});
export type Clip = v.InferOutput<typeof Clip>;

/** A shot under review. Every clip of it has these frames, no more and no fewer. */
const ReviewShot = v.object({
	id: Id,
	name: Line(120),
	width: Positive(32768),
	height: Positive(32768),
	/** Pixel aspect ratio. */
	pixelAspect: Rate,
	/** Frames a second. */
	rate: Rate,
	frames: Positive(1e7),
	/** Frame number that the first frame carries in the reel: timecode is counted from here. */
	firstNumber: Whole(0, 1e9),
	/** Frames a timecode second, and drop-frame. */
	base: Whole(1, 120),
	drop: v.boolean(),
	/** Frame of the source's timeline where the shot begins: notes find their place on the restorer's timeline by it. */
	sourceFrame: Whole(0, 1e8),
	/** Clips that viewers and commenters compare; the same order in every shot only in an open review. */
	clips: v.pipe(v.array(Clip), v.maxLength(MAX_VERSIONS)),
});
export type ReviewShot = v.InferOutput<typeof ReviewShot>;

/** Two clips to judge. */
const Presentation = v.object({
	id: Id,
	/** Shot's id. */
	shot: Id,
	a: Clip,
	b: Clip,
	/** Decides, with the voter, which side `a` is on (`ballot.ts`). */
	salt: Id,
	/** Ask on the lossless crops instead of the clips. */
	onCrops: v.boolean(),
});
export type Presentation = v.InferOutput<typeof Presentation>;

/** The manifest. */
export const Manifest = v.object({
	version: v.literal(1),
	/** Id of the review: what is said in one cannot be moved to another. For a package without a service, its own. */
	review: Id,
	title: Line(MAX_TITLE),
	question: Words(MAX_QUESTION),
	blind: v.boolean(),
	tiesAllowed: v.boolean(),
	/** Both sides must have been in sight so long before a vote is taken, ms. */
	minimumViewMs: Whole(0, 600_000),
	createdAt: Whole(0, Number.MAX_SAFE_INTEGER),
	/** What reasons and vote files are sealed to (`sealed.ts`). */
	ownerKey: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{87}$/)),
	/** Open reviews only. */
	versions: v.pipe(v.array(v.object({ id: Id, label: Line(MAX_LABEL) })), v.maxLength(MAX_VERSIONS)),
	shots: v.pipe(v.array(ReviewShot), v.minLength(1), v.maxLength(MAX_REVIEW_SHOTS)),
	presentations: v.pipe(v.array(Presentation), v.maxLength(200)),
});
export type Manifest = v.InferOutput<typeof Manifest>;

/** What a version is, as its maker knows it. */
const VersionSecret = v.object({
	id: Id,
	label: Line(MAX_LABEL),
	/** Recipe that made it, as a recipe file's JSON; null for a file that came from elsewhere. `validateRecipe` reads it before use. */
	recipe: v.nullable(v.unknown()),
	/** True for the source as it is. */
	source: v.boolean(),
});
export type VersionSecret = v.InferOutput<typeof VersionSecret>;

/** Why a pair is asked: to compare, to see whether the voter looks (one version on both sides), or a second time, sides swapped. */
export const PAIR_KINDS = ['pair', 'trap', 'repeat'] as const;

/** What a presentation really shows. */
const PairSecret = v.object({
	presentation: Id,
	kind: v.picklist(PAIR_KINDS),
	/** Repeats: the presentation that it repeats. */
	of: v.nullable(Id),
	/** Version of `a` and of `b`. */
	a: Id,
	b: Id,
});
export type PairSecret = v.InferOutput<typeof PairSecret>;

/** The owner's secrets. */
export const OwnerSecrets = v.object({
	version: v.literal(1),
	/** PKCS #8 of the key that reasons are sealed to, base64url. */
	privateKey: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{100,400}$/)),
	/** The source's fingerprint in the project, or null: the winner can be adopted by the project that has it. */
	source: v.nullable(v.pipe(v.string(), v.maxLength(200))),
	versions: v.pipe(v.array(VersionSecret), v.minLength(1), v.maxLength(MAX_VERSIONS)),
	/** Version of every clip object, copies for single presentations included. */
	clips: v.pipe(
		v.array(
			v.object({
				object: Id,
				version: Id,
				/** This clip's own. */
				grainKept: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(100)))),
			}),
		),
		v.maxLength(4096),
	),
	pairs: v.pipe(v.array(PairSecret), v.maxLength(200)),
	/** Links that were handed out, so that a results page can show them again: secret (base64url) by link id. */
	links: v.pipe(v.array(v.object({ role: v.string(), secret: v.string() })), v.maxLength(1000)),
	/** The judge's figures (`judge/`), read by their own schema; null where it was not asked. */
	quality: v.nullable(v.unknown()),
});
export type OwnerSecrets = v.InferOutput<typeof OwnerSecrets>;
