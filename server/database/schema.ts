/**
 * The tables of the share service. `migrations/` makes them; a test compares the two. Ids, hashes and ciphertext are base64url
 * text as they came; times are milliseconds since 1970 by the database's clock, which is the one clock of all instances.
 */

import { bigint, boolean, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { CHOICES, REVIEW_STATES, ROLES } from '../../src/share/protocol.ts';

const time = (name: string) => bigint(name, { mode: 'number' });
const review = () =>
	text('review')
		.notNull()
		.references(() => reviews.id, { onDelete: 'cascade' });

/** A review. Its row is locked by whoever changes what is counted or numbered here. */
export const reviews = pgTable(
	'reviews',
	{
		id: text('id').primaryKey(),
		blind: boolean('blind').notNull(),
		state: text('state', { enum: REVIEW_STATES }).notNull(),
		manifest: text('manifest'),
		ownerObject: text('owner_object'),
		createdAt: time('created_at').notNull(),
		expiresAt: time('expires_at').notNull(),
		/** Bytes kept for the review: objects as declared, notes and votes as written. */
		storageUsed: bigint('storage_used', { mode: 'number' }).notNull(),
		/** Number of the last change of a vote; raised in the transaction that makes the change, so that numbers rise as changes become visible. */
		voteSeq: bigint('vote_seq', { mode: 'number' }).notNull(),
		/** The same for notes. */
		noteSeq: bigint('note_seq', { mode: 'number' }).notNull(),
	},
	(table) => [index('reviews_expires').on(table.expiresAt)],
);

/** Links. */
export const links = pgTable(
	'links',
	{
		id: text('id').primaryKey(),
		review: review(),
		/** Order of making. */
		place: integer('place').notNull(),
		tokenHash: text('token_hash').notNull().unique('links_token_hash'),
		role: text('role', { enum: ROLES }).notNull(),
		once: boolean('once').notNull(),
		passphrase: boolean('passphrase').notNull(),
		wrappedKey: text('wrapped_key').notNull(),
		label: text('label').notNull(),
		createdAt: time('created_at').notNull(),
		expiresAt: time('expires_at'),
		revokedAt: time('revoked_at'),
		/** To the minute. */
		usedAt: time('used_at'),
	},
	(table) => [index('links_review').on(table.review, table.place)],
);

/** Objects. Their bytes lie in the blob store below `review/uid/`. */
export const objects = pgTable(
	'objects',
	{
		review: review(),
		/** The client's. */
		id: text('id').notNull(),
		/** Ours: an object removed and declared again shares no blob with its former self. */
		uid: text('uid').notNull().unique('objects_uid'),
		size: bigint('size', { mode: 'number' }).notNull(),
		chunks: integer('chunks').notNull(),
		completedAt: time('completed_at'),
		/** It holds, or once held, the owner's secrets. */
		ownerOnly: boolean('owner_only').notNull(),
	},
	(table) => [primaryKey({ name: 'objects_key', columns: [table.review, table.id] })],
);

/** Chunks that have arrived whole. */
export const chunks = pgTable(
	'chunks',
	{
		object: text('object')
			.notNull()
			.references(() => objects.uid, { onDelete: 'cascade' }),
		place: integer('place').notNull(),
		/** Hexadecimal; part of the blob's name. */
		sha256: text('sha256').notNull(),
	},
	(table) => [primaryKey({ name: 'chunks_key', columns: [table.object, table.place] })],
);

/** Pairs that may be voted on. */
export const presentations = pgTable('presentations', { review: review(), id: text('id').notNull() }, (table) => [
	primaryKey({ name: 'presentations_key', columns: [table.review, table.id] }),
]);

/** Notes; a removed one keeps its row without its body, so that readers learn of it. */
export const notes = pgTable(
	'notes',
	{
		review: review(),
		id: text('id').notNull(),
		seq: bigint('seq', { mode: 'number' }).notNull(),
		author: text('author').notNull(),
		createdAt: time('created_at').notNull(),
		updatedAt: time('updated_at').notNull(),
		revision: integer('revision').notNull(),
		body: text('body'),
		/** Idempotency key of the last change. */
		key: text('key'),
	},
	(table) => [
		primaryKey({ name: 'notes_key', columns: [table.review, table.id] }),
		index('notes_seq').on(table.review, table.seq),
	],
);

/** Votes: one a voter and presentation. */
export const votes = pgTable(
	'votes',
	{
		review: review(),
		voter: text('voter').notNull(),
		presentation: text('presentation').notNull(),
		link: text('link').notNull(),
		once: boolean('once').notNull(),
		choice: text('choice', { enum: CHOICES }).notNull(),
		leftObject: text('left_object').notNull(),
		rightObject: text('right_object').notNull(),
		position: integer('position').notNull(),
		viewedMs: integer('viewed_ms').notNull(),
		plays: integer('plays').notNull(),
		reason: text('reason').notNull(),
		revision: integer('revision').notNull(),
		seq: bigint('seq', { mode: 'number' }).notNull(),
		createdAt: time('created_at').notNull(),
		updatedAt: time('updated_at').notNull(),
		/** Idempotency key of the last change. */
		key: text('key'),
	},
	(table) => [
		primaryKey({ name: 'votes_key', columns: [table.review, table.voter, table.presentation] }),
		index('votes_seq').on(table.review, table.seq),
	],
);

/** Blobs that nothing names any more and that are still to be deleted: prefixes. */
export const doomed = pgTable('doomed', { prefix: text('prefix').primaryKey(), since: time('since').notNull() });

/** Requests counted by window. Unlogged: a count lost in a crash costs nothing, and counting waits for no disk. */
export const rates = pgTable(
	'rates',
	{ key: text('key').primaryKey(), count: integer('count').notNull(), until: time('until').notNull() },
	(table) => [index('rates_until').on(table.until)],
);

/** What all instances share: `salt`, with which addresses are hashed. */
export const settings = pgTable('settings', { name: text('name').primaryKey(), value: text('value').notNull() });

/** All tables. */
export const TABLES = { reviews, links, objects, chunks, presentations, notes, votes, doomed, rates, settings };
