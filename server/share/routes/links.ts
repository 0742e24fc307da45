/** Links of a review. */

import { and, asc, count, eq, sql } from 'drizzle-orm';
import { LIMITS, type LinkInfo, NewLink } from '../../../src/share/protocol.ts';
import { NOW } from '../../database/database.ts';
import { links, reviews } from '../../database/schema.ts';
import { type Call, idParam, readJson } from '../call.ts';
import { newId } from '../ids.ts';
import { invalid, Refused } from '../refusal.ts';

type LinkRow = typeof links.$inferInsert;

/** What a schema does not say of a new link. @param path Before the field's name, for the refusal. @throws Refused `invalid`. */
export function checkLink(link: NewLink, path: string): void {
	if (link.once && link.role !== 'voter')
		throw invalid(`${path}once`, 'Only a voter’s link can be for one person alone.');
}

/** The row of a new link. */
export function linkRow(link: NewLink, review: string, place: number, now: number): LinkRow & { id: string } {
	return { ...link, id: newId(), review, place, createdAt: now };
}

function infoOf(row: typeof links.$inferSelect): LinkInfo {
	const { id, role, once, passphrase, label, createdAt, expiresAt, revokedAt, usedAt } = row;
	return { id, role, once, passphrase, label, createdAt, expiresAt, revokedAt, usedAt };
}

/** `links`. */
export async function list({ c, parts, session }: Call): Promise<Response> {
	const rows = await parts.database.orm
		.select()
		.from(links)
		.where(eq(links.review, session.review))
		.orderBy(asc(links.place));
	return c.json({ links: rows.map(infoOf) });
}

/** `addLink`. The same link again is the same link. */
export async function add({ c, parts, session }: Call): Promise<Response> {
	const body = await readJson(c, NewLink);
	checkLink(body, '');
	if (body.role === 'owner') throw invalid('role', 'A review has one owner: make links for others.');
	const made = await parts.database.orm.transaction(async (tx) => {
		await tx.select({ id: reviews.id }).from(reviews).where(eq(reviews.id, session.review)).for('no key update');
		const [known] = await tx.select().from(links).where(eq(links.tokenHash, body.tokenHash));
		if (known) {
			const same =
				known.review === session.review &&
				(['role', 'once', 'passphrase', 'wrappedKey', 'label', 'expiresAt'] as const).every(
					(k) => known[k] === body[k],
				);
			if (same) return { row: known, status: 200 as const };
			throw new Refused('conflict', 'Another link has this token: make a new one.');
		}
		const [all] = await tx.select({ count: count() }).from(links).where(eq(links.review, session.review));
		const used = all?.count ?? 0;
		if (used >= LIMITS.links) {
			throw new Refused('too-large', `A review has at most ${LIMITS.links} links.`, { limit: LIMITS.links, used });
		}
		const [row] = await tx
			.insert(links)
			.values(linkRow(body, session.review, used, session.now))
			.returning();
		return { row: row!, status: 201 as const };
	});
	return c.json(infoOf(made.row), made.status);
}

/** `revokeLink`. Again is no error. */
export async function revoke({ c, parts, session }: Call): Promise<Response> {
	const id = idParam(c, 'id');
	if (id === session.link) {
		throw new Refused('conflict', 'The owner’s own link is not withdrawn: delete the review instead.');
	}
	const [row] = await parts.database.orm
		.update(links)
		.set({ revokedAt: sql`coalesce(${links.revokedAt}, ${sql.raw(NOW)})` })
		.where(and(eq(links.review, session.review), eq(links.id, id)))
		.returning();
	if (!row) throw new Refused('not-found', 'The review has no such link.');
	return c.json(infoOf(row));
}
