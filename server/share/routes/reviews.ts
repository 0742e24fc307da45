/** Reviews: made, read, changed, deleted. */

import { and, eq, inArray } from 'drizzle-orm';
import { CreateReview, LIMITS, type Created, type ReviewInfo, UpdateReview } from '../../../src/share/protocol.ts';
import { reviewPrefix } from '../../blobs/blobs.ts';
import { type Orm, sqlState } from '../../database/database.ts';
import { links, objects, presentations, reviews } from '../../database/schema.ts';
import { type Call, JSON_BYTES, type Parts, readJson, type ShareContext } from '../call.ts';
import { deleteReview, sweep } from '../deletion.ts';
import { newId } from '../ids.ts';
import { countCreate } from '../limits.ts';
import { invalid, Refused } from '../refusal.ts';
import { checkLink, linkRow } from './links.ts';

const UNIQUE_VIOLATION = '23505';

function checkExpiry(expiresAt: number, now: number): void {
	const latest = now + LIMITS.lifetimeMs;
	if (expiresAt > now && expiresAt <= latest) return;
	// Whose clock is wrong learns the service's from `limit`.
	throw invalid('expiresAt', `A review is kept from now until ${new Date(latest).toISOString()} at most.`, {
		limit: latest,
	});
}

/** `create`. */
export async function create(c: ShareContext, parts: Parts): Promise<Response> {
	const now = await countCreate(parts, c);
	const body = await readJson(c, CreateReview, JSON_BYTES.create);
	checkExpiry(body.expiresAt, now);
	const owners = body.links.filter((link) => link.role === 'owner').length;
	if (owners !== 1) throw invalid('links', `A review has exactly one owner's link, got ${owners}.`);
	body.links.forEach((link, i) => checkLink(link, `links.${i}.`));
	const hashes = body.links.map((link) => link.tokenHash);
	if (new Set(hashes).size < hashes.length) throw invalid('links', 'Two links have one token: make each of its own.');
	const review = newId();
	const rows = body.links.map((link, place) => linkRow(link, review, place, now));
	try {
		await parts.database.orm.transaction(async (tx) => {
			await tx.insert(reviews).values({
				id: review,
				blind: body.blind,
				state: 'draft',
				createdAt: now,
				expiresAt: body.expiresAt,
				storageUsed: 0,
				voteSeq: 0,
				noteSeq: 0,
			});
			await tx.insert(links).values(rows);
		});
	} catch (error) {
		if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
		return c.json(await madeBefore(parts.database.orm, hashes, now), 200);
	}
	const answer: Created = { review, links: rows.map((row) => row.id), serverTime: now };
	return c.json(answer, 201);
}

/** What a repeated request made the first time: the same tokens say that it is the same. */
async function madeBefore(orm: Orm, hashes: readonly string[], now: number): Promise<Created> {
	const found = await orm
		.select({ id: links.id, review: links.review, hash: links.tokenHash })
		.from(links)
		.where(inArray(links.tokenHash, [...hashes]));
	const [first] = found;
	if (!first || found.length !== hashes.length || found.some((row) => row.review !== first.review)) {
		throw new Refused('conflict', 'A link with one of these tokens exists already: make new links.');
	}
	const ids = new Map(found.map((row) => [row.hash, row.id]));
	return { review: first.review, links: hashes.map((hash) => ids.get(hash) ?? ''), serverTime: now };
}

/** What the holder of the call's link may know. */
function infoOf({ session, parts }: Call, change: Partial<ReviewInfo> = {}): ReviewInfo {
	const owner = session.role === 'owner';
	return {
		id: session.review,
		link: session.link,
		role: session.role,
		once: session.once,
		passphrase: session.passphrase,
		wrappedKey: session.wrappedKey,
		blind: session.blind,
		state: session.state,
		manifest: session.manifest,
		ownerObject: owner ? session.ownerObject : null,
		createdAt: session.createdAt,
		expiresAt: session.expiresAt,
		linkExpiresAt: session.linkExpiresAt,
		serverTime: session.now,
		storage: owner ? { used: session.storageUsed, quota: parts.policy.quota } : null,
		...change,
	};
}

/** `review`. */
export async function review(call: Call): Promise<Response> {
	return call.c.json(infoOf(call));
}

type Transaction = Parameters<Parameters<Orm['transaction']>[0]>[0];

/** An object that the review may be made of. */
async function requireWhole(tx: Transaction, reviewId: string, id: string, field: string): Promise<void> {
	const [found] = await tx
		.select({ completedAt: objects.completedAt })
		.from(objects)
		.where(and(eq(objects.review, reviewId), eq(objects.id, id)));
	if (found?.completedAt == null)
		throw invalid(field, `${field} names no object that has arrived whole: send it first.`);
}

/** `update`. */
export async function update(call: Call): Promise<Response> {
	const { c, parts, session } = call;
	const body = await readJson(c, UpdateReview);
	if (body.expiresAt !== undefined) checkExpiry(body.expiresAt, session.now);
	if (body.presentations && new Set(body.presentations).size < body.presentations.length) {
		throw invalid('presentations', 'An id stands twice: name each pair once.');
	}
	const kept = await parts.database.orm.transaction(async (tx) => {
		const mine = eq(reviews.id, session.review);
		// Locked: votes number themselves by this row, and see the pairs before or after this change.
		const [before] = await tx.select().from(reviews).where(mine).for('no key update');
		if (!before) throw new Refused('unauthorized', 'The review was deleted.');
		if (body.manifest !== undefined) await requireWhole(tx, session.review, body.manifest, 'manifest');
		if (body.ownerObject !== undefined) {
			await requireWhole(tx, session.review, body.ownerObject, 'ownerObject');
			await tx
				.update(objects)
				.set({ ownerOnly: true })
				.where(and(eq(objects.review, session.review), eq(objects.id, body.ownerObject)));
		}
		if (body.presentations) {
			await tx.delete(presentations).where(eq(presentations.review, session.review));
			const rows = body.presentations.map((id) => ({ review: session.review, id }));
			if (rows.length > 0) await tx.insert(presentations).values(rows);
		}
		const change = {
			state: body.state ?? before.state,
			manifest: body.manifest ?? before.manifest,
			ownerObject: body.ownerObject ?? before.ownerObject,
			expiresAt: body.expiresAt ?? before.expiresAt,
		};
		if (change.manifest !== null && change.manifest === change.ownerObject) {
			throw invalid('ownerObject', 'One object cannot be both the manifest, which all read, and the owner’s own.');
		}
		await tx.update(reviews).set(change).where(mine);
		return { ...change, used: before.storageUsed };
	});
	const { used, ...change } = kept;
	return c.json(infoOf(call, { ...change, storage: { used, quota: parts.policy.quota } }));
}

/** `remove`. Answers when rows and blobs are gone; where the blob store does not answer, maintenance goes on. */
export async function remove({ c, parts, session }: Call): Promise<Response> {
	await deleteReview(parts.database.orm, session.review);
	await sweep(parts, reviewPrefix(session.review));
	return c.body(null, 204);
}
