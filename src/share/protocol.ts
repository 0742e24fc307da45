/**
 * What tab and share service say to each other: routes, who may call them, the shapes of every body, limits and refusals.
 * Both sides check what they receive by these schemas. The service sees ciphertext, sizes, times and votes; nothing here
 * carries a name, a text or a key in the clear.
 *
 * Every request but `create` and the health checks carries `Authorization: Emulsion TOKEN`, TOKEN being derived from the link's
 * secret (`secrets.ts`); the service keeps only its SHA-256.
 */

import * as v from 'valibot';

/** Where the service answers, below its origin. */
export const API = '/api/v1';

/** What a link lets its holder do. */
export const ROLES = ['owner', 'commenter', 'voter', 'viewer'] as const;
/** See {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Bounds that both sides keep. */
export const LIMITS = {
	/** Plain bytes of a chunk of an object; its ciphertext is {@link LIMITS.chunkOverhead} longer. The last may be shorter. */
	chunkBytes: 1024 * 1024,
	/** The GCM tag. */
	chunkOverhead: 16,
	/** Largest ciphertext of one object. */
	objectBytes: 2 * 1024 ** 3,
	/** Most objects of a review. */
	objects: 4096,
	/** Most links of a review. */
	links: 1000,
	/** Most presentations (pairs to judge) of a review. */
	presentations: 200,
	/** Largest ciphertext of a note, bytes. */
	noteBytes: 32 * 1024,
	/** Most notes of a review. */
	notes: 20_000,
	/** Largest sealed reason of a vote, bytes. */
	reasonBytes: 8 * 1024,
	/** Longest time a review may be kept, ms. */
	lifetimeMs: 366 * 24 * 3600 * 1000,
	/** Items of one page of a list. */
	page: 500,
} as const;

/**
 * Every route, by name: method and path below {@link API}. Answers: `create` Created; `review`, `update` ReviewInfo; `links` LinkList; `addLink`,
 * `revokeLink` LinkInfo; `declareObject`, `object`, `completeObject` ObjectInfo; `content` bytes; `notes` NoteList; `putNote`, `removeNote`
 * NoteRecord; `votes` VoteList; `putVote` VoteRecord; `remove`, `putChunk`, `removeObject` nothing (204). `create` repeated with the same
 * tokens, and whatever names its own id, answers as the first time.
 */
export const ROUTES = {
	create: 'POST /reviews',
	review: 'GET /review',
	update: 'PATCH /review',
	remove: 'DELETE /review',
	links: 'GET /links',
	addLink: 'POST /links',
	revokeLink: 'DELETE /links/:id',
	declareObject: 'PUT /objects/:id',
	object: 'GET /objects/:id',
	putChunk: 'PUT /objects/:id/chunks/:index',
	completeObject: 'POST /objects/:id/complete',
	content: 'GET /objects/:id/content',
	removeObject: 'DELETE /objects/:id',
	notes: 'GET /notes',
	putNote: 'PUT /notes/:id',
	removeNote: 'DELETE /notes/:id',
	votes: 'GET /votes',
	putVote: 'PUT /votes/:presentation',
} as const;
/** See {@link ROUTES}. */
export type Route = keyof typeof ROUTES;

/**
 * Who may call what. `create` needs no link. Voters see no notes, so that nobody's opinion steers a vote; they read their own
 * votes only. A note is changed or removed by the link that wrote it, or by the owner. The object that holds the owner's secrets is
 * given to the owner alone.
 */
export const MAY: Readonly<Record<Exclude<Route, 'create'>, readonly Role[]>> = {
	review: ROLES,
	update: ['owner'],
	remove: ['owner'],
	links: ['owner'],
	addLink: ['owner'],
	revokeLink: ['owner'],
	declareObject: ['owner'],
	object: ROLES,
	putChunk: ['owner'],
	completeObject: ['owner'],
	content: ROLES,
	removeObject: ['owner'],
	notes: ['owner', 'commenter', 'viewer'],
	putNote: ['owner', 'commenter'],
	removeNote: ['owner', 'commenter'],
	votes: ['owner', 'voter'],
	putVote: ['voter'],
};

/** Header names of the protocol. */
export const HEADERS = {
	/** Secret of a device on an open voter link: 32 random bytes, base64url. Needed by `votes` and `putVote` there. */
	voter: 'X-Emulsion-Voter',
	/** SHA-256 of a chunk's ciphertext, hexadecimal. */
	checksum: 'X-Emulsion-SHA256',
	/** `putVote`, `putNote`: a request repeated with the same key has the same effect, once. 8 to 128 of `A-Za-z0-9_-`. */
	idempotency: 'Idempotency-Key',
} as const;

const base64Url = (bytes: number) =>
	v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]*$/), v.maxLength(Math.ceil((bytes * 4) / 3)));
/** Exactly `bytes` bytes as base64url. */
const exactly = (bytes: number) => v.pipe(base64Url(bytes), v.length(Math.ceil((bytes * 4) / 3)));
/** 16 random bytes, base64url: objects, notes, presentations, links, reviews. */
export const Id = exactly(16);
/** Milliseconds since 1970 by the service's clock, up to the last moment that a Date holds. */
const Time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));
const Count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most));

/** A link to be made. */
export const NewLink = v.strictObject({
	/** SHA-256 of the characters of the link's token. */
	tokenHash: exactly(32),
	role: v.picklist(ROLES),
	/** Voters only: this link is one voter, wherever it is opened; otherwise each device is one. */
	once: v.boolean(),
	/** The wrapped content key opens only with a passphrase as well. */
	passphrase: v.boolean(),
	/** The review's content key, wrapped for this link. */
	wrappedKey: v.pipe(base64Url(128), v.minLength(1)),
	/** The owner's own name for the link, encrypted; empty for none. */
	label: base64Url(1024),
	/** Null: as long as the review. */
	expiresAt: v.nullable(Time),
});
export type NewLink = v.InferOutput<typeof NewLink>;

/** Body of `create`. Exactly one link is the owner's. */
export const CreateReview = v.strictObject({
	blind: v.boolean(),
	expiresAt: Time,
	links: v.pipe(v.array(NewLink), v.minLength(1), v.maxLength(LIMITS.links)),
});
export type CreateReview = v.InferOutput<typeof CreateReview>;

/** Answer of `create`: link ids in the order of the request. */
export const Created = v.object({ review: Id, links: v.array(Id), serverTime: Time });
export type Created = v.InferOutput<typeof Created>;

/** `draft`: only the owner reads; `open`: links work and votes count; `closed`: everything is read, nothing is voted or noted. */
export const REVIEW_STATES = ['draft', 'open', 'closed'] as const;

/** Answer of `review`: what the holder of a link may know. */
export const ReviewInfo = v.object({
	id: Id,
	link: Id,
	role: v.picklist(ROLES),
	once: v.boolean(),
	passphrase: v.boolean(),
	wrappedKey: v.string(),
	blind: v.boolean(),
	state: v.picklist(REVIEW_STATES),
	/** Object that holds the manifest; null while there is none. */
	manifest: v.nullable(Id),
	/** Object that holds the owner's secrets; null for everybody else. */
	ownerObject: v.nullable(Id),
	createdAt: Time,
	expiresAt: Time,
	linkExpiresAt: v.nullable(Time),
	/** The service's clock at the answer: clients measure times by it, never by their own. */
	serverTime: Time,
	/** Bytes of ciphertext kept and allowed; null but for the owner. */
	storage: v.nullable(v.object({ used: Count(2 ** 50), quota: Count(2 ** 50) })),
});
export type ReviewInfo = v.InferOutput<typeof ReviewInfo>;

/** Body of `update`: what is absent stays. A closed review may be opened again; none becomes a draft again. */
export const UpdateReview = v.strictObject({
	state: v.optional(v.picklist(['open', 'closed'])),
	manifest: v.optional(Id),
	ownerObject: v.optional(Id),
	/** Ids that may be voted on. */
	presentations: v.optional(v.pipe(v.array(Id), v.maxLength(LIMITS.presentations))),
	expiresAt: v.optional(Time),
});
export type UpdateReview = v.InferOutput<typeof UpdateReview>;

/** A link as its owner sees it. */
export const LinkInfo = v.object({
	id: Id,
	role: v.picklist(ROLES),
	once: v.boolean(),
	passphrase: v.boolean(),
	label: v.string(),
	createdAt: Time,
	expiresAt: v.nullable(Time),
	revokedAt: v.nullable(Time),
	/** When it was last used; null: never. */
	usedAt: v.nullable(Time),
});
export type LinkInfo = v.InferOutput<typeof LinkInfo>;
export const LinkList = v.object({ links: v.array(LinkInfo) });

/** Body of `declareObject`. Repeating it with the same numbers changes nothing; with others it is a conflict. */
export const DeclareObject = v.strictObject({
	/** Bytes of ciphertext, all chunks. */
	size: v.pipe(v.number(), v.integer(), v.minValue(LIMITS.chunkOverhead), v.maxValue(Number.MAX_SAFE_INTEGER)),
});
export type DeclareObject = v.InferOutput<typeof DeclareObject>;

/** An object and how much of it has arrived: upload resumes with the chunks that are missing. */
export const ObjectInfo = v.object({
	id: Id,
	size: v.number(),
	chunks: v.number(),
	/** Indexes of chunks that have not arrived; empty once complete. */
	missing: v.array(v.number()),
	complete: v.boolean(),
});
export type ObjectInfo = v.InferOutput<typeof ObjectInfo>;

/** Body of `putNote`. */
export const PutNote = v.strictObject({
	/** Ciphertext; what it says is the clients' business (`notes.ts`). */
	body: v.pipe(base64Url(LIMITS.noteBytes), v.minLength(1)),
	/** 0 makes the note; n replaces revision n, and is a conflict where the note has another. */
	revision: Count(1e6),
});
export type PutNote = v.InferOutput<typeof PutNote>;

/** A note as kept. */
export const NoteRecord = v.object({
	id: Id,
	/** Rises with every change of any note: `after` of `notes` asks for later ones. */
	seq: v.number(),
	/** Link that wrote it. */
	author: Id,
	createdAt: Time,
	updatedAt: Time,
	/** 1 for a new note. */
	revision: v.number(),
	/** Null once removed. */
	body: v.nullable(v.string()),
});
export type NoteRecord = v.InferOutput<typeof NoteRecord>;
/** Answer of `notes` (query `after`, a seq, 0 for all). `next` is the `after` of the following page, null at the end. */
export const NoteList = v.object({ notes: v.array(NoteRecord), next: v.nullable(v.number()), serverTime: Time });

/** What a voter answers to a pair. */
export const CHOICES = ['left', 'right', 'tie'] as const;
export type Choice = (typeof CHOICES)[number];

/** Body of `putVote`. Objects are named as they were shown, so that a vote says by itself what was chosen. */
export const PutVote = v.strictObject({
	choice: v.picklist(CHOICES),
	/** Object shown on the left. */
	left: Id,
	/** Object shown on the right. */
	right: Id,
	/** Place of the pair in this voter's order, 0 first. */
	position: Count(LIMITS.presentations - 1),
	/** How long both were in sight, ms. */
	viewedMs: Count(24 * 3600 * 1000),
	/** Passes through the clip. */
	plays: Count(1e6),
	/** Reason in words, sealed to the owner's key; empty for none. */
	reason: base64Url(LIMITS.reasonBytes),
	/** 0 for the first vote on this pair, which is revision 1; n changes revision n. */
	revision: Count(1e6),
});
export type PutVote = v.InferOutput<typeof PutVote>;

/** A vote as kept. */
export const VoteRecord = v.object({
	...PutVote.entries,
	presentation: Id,
	/** Link it came by. */
	link: Id,
	/** The voter: the link itself where it is for one voter, otherwise SHA-256 of the link's 16 bytes and the device's 32. */
	voter: v.string(),
	once: v.boolean(),
	/** Rises with every change of any vote. */
	seq: v.number(),
	createdAt: Time,
	updatedAt: Time,
});
export type VoteRecord = v.InferOutput<typeof VoteRecord>;
/** Answer of `votes` (query `after`). */
export const VoteList = v.object({ votes: v.array(VoteRecord), next: v.nullable(v.number()), serverTime: Time });

/** Why the service refuses, with the HTTP status. */
export const REFUSALS = {
	/** A body, parameter or header does not fit its schema: `path` says where. */
	invalid: 400,
	/** A chunk's bytes do not have the checksum or length they came with. */
	checksum: 400,
	/** No link, or one that nobody made. */
	unauthorized: 401,
	/** The link's role may not do this. */
	forbidden: 403,
	'not-found': 404,
	/** Somebody else changed it first: `current` is what is kept now. */
	conflict: 409,
	expired: 410,
	revoked: 410,
	/** More than a quota or limit allows: `limit` and `used` in bytes or pieces. */
	'too-large': 413,
	/** Voting and notes are closed, or the review is not yet open. */
	closed: 423,
	/** Too many requests: `retryAfter` seconds. */
	rate: 429,
	internal: 500,
	/** Database or blob store does not answer. */
	unavailable: 503,
} as const;
export type Refusal = keyof typeof REFUSALS;

/** Body of every answer that is not 2xx. */
export const RefusalBody = v.object({
	error: v.object({
		code: v.picklist(Object.keys(REFUSALS) as [Refusal, ...Refusal[]]),
		/** One English sentence that says what to do. */
		message: v.string(),
		path: v.optional(v.string()),
		limit: v.optional(v.number()),
		used: v.optional(v.number()),
		retryAfter: v.optional(v.number()),
		current: v.optional(v.unknown()),
	}),
});
export type RefusalBody = v.InferOutput<typeof RefusalBody>;
