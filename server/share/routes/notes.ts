/** Notes: ciphertext with an author and a revision. */

import { and, asc, count, eq, gt } from 'drizzle-orm';
import { LIMITS, type NoteRecord, PutNote } from '../../../src/share/protocol.ts';
import { notes, reviews } from '../../database/schema.ts';
import { afterQuery, type Call, idempotencyKey, idParam, readJson } from '../call.ts';
import type { Transaction } from '../deletion.ts';
import { Refused } from '../refusal.ts';

type NoteRow = typeof notes.$inferSelect;

/** What a row takes beside its body, bytes. */
const ROW_BYTES = 128;

function recordOf({ id, seq, author, createdAt, updatedAt, revision, body }: NoteRow): NoteRecord {
	return { id, seq, author, createdAt, updatedAt, revision, body };
}

/**
 * Runs a change of a note with the review's row locked, so that notes are numbered in the order in which they become visible and a review
 * closes before or after the change.
 * @param change Gets the note as it is and the number of the change; what it returns is written. Null: nothing changes.
 */
async function changing(
	{ parts, session }: Call,
	id: string,
	bytes: number,
	change: (tx: Transaction, kept: NoteRow | undefined, seq: number) => Promise<NoteRow | null>,
): Promise<NoteRow> {
	return parts.database.orm.transaction(async (tx) => {
		const mine = eq(reviews.id, session.review);
		const [review] = await tx.select().from(reviews).where(mine).for('no key update');
		if (!review) throw new Refused('unauthorized', 'The review was deleted.');
		const [kept] = await tx
			.select()
			.from(notes)
			.where(and(eq(notes.review, session.review), eq(notes.id, id)));
		const seq = review.noteSeq + 1;
		const changed = await change(tx, kept, seq);
		if (changed === null) return kept!;
		if (review.state !== 'open') throw new Refused('closed', 'Notes are closed: what you sent before is kept.');
		// What a note becomes takes the room of what it was.
		const before = kept ? ROW_BYTES + (kept.body?.length ?? 0) : 0;
		const used = review.storageUsed + bytes - before;
		if (used > parts.policy.quota && used > review.storageUsed) {
			throw new Refused('too-large', 'The review is full: ask its owner.', { limit: parts.policy.quota, used });
		}
		await tx.update(reviews).set({ noteSeq: seq, storageUsed: used }).where(mine);
		await tx
			.insert(notes)
			.values(changed)
			.onConflictDoUpdate({ target: [notes.review, notes.id], set: changed });
		return changed;
	});
}

function checkAuthor(kept: NoteRow, { session }: Call): void {
	if (kept.author === session.link || session.role === 'owner') return;
	throw new Refused('forbidden', 'Somebody else wrote this note: answer it in one of your own.');
}

/** `putNote`. */
export async function put(call: Call): Promise<Response> {
	const { c, session } = call;
	const id = idParam(c, 'id');
	const key = idempotencyKey(c);
	const { body, revision } = await readJson(c, PutNote);
	const row = await changing(call, id, ROW_BYTES + body.length, async (tx, kept, seq) => {
		if (kept) checkAuthor(kept, call);
		if (kept && key !== null && kept.key === key) return null;
		if ((kept?.revision ?? 0) !== revision) {
			throw new Refused('conflict', 'The note was changed meanwhile: look at it and write again.', {
				current: kept ? recordOf(kept) : null,
			});
		}
		if (!kept) await checkRoom(tx, session.review);
		const createdAt = kept?.createdAt ?? session.now;
		const author = kept?.author ?? session.link;
		const updatedAt = Math.max(session.now, kept?.updatedAt ?? 0);
		return { review: session.review, id, seq, author, createdAt, updatedAt, revision: revision + 1, body, key };
	});
	return c.json(recordOf(row));
}

async function checkRoom(tx: Transaction, review: string): Promise<void> {
	const [all] = await tx.select({ count: count() }).from(notes).where(eq(notes.review, review));
	const used = all?.count ?? 0;
	if (used < LIMITS.notes) return;
	throw new Refused('too-large', `A review has at most ${LIMITS.notes} notes.`, { limit: LIMITS.notes, used });
}

/** `removeNote`: its body goes, its id stays, so that readers learn of it. Again is no error. */
export async function remove(call: Call): Promise<Response> {
	const { c, session } = call;
	const row = await changing(call, idParam(c, 'id'), ROW_BYTES, async (_, kept, seq) => {
		if (!kept) throw new Refused('not-found', 'The review has no such note.');
		checkAuthor(kept, call);
		if (kept.body === null) return null;
		const updatedAt = Math.max(session.now, kept.updatedAt);
		return { ...kept, seq, updatedAt, revision: kept.revision + 1, body: null, key: null };
	});
	return c.json(recordOf(row));
}

/** `notes`. */
export async function list({ c, parts, session }: Call): Promise<Response> {
	const rows = await parts.database.orm
		.select()
		.from(notes)
		.where(and(eq(notes.review, session.review), gt(notes.seq, afterQuery(c))))
		.orderBy(asc(notes.seq))
		.limit(LIMITS.page + 1);
	const page = rows.slice(0, LIMITS.page).map(recordOf);
	const next = rows.length > LIMITS.page ? (page.at(-1)?.seq ?? null) : null;
	return c.json({ notes: page, next, serverTime: session.now });
}
