/** Votes: one row a voter and pair (`casting.ts`). */

import { and, asc, eq, gt } from 'drizzle-orm';
import { LIMITS, PutVote, type VoteRecord } from '../../../src/share/protocol.ts';
import { presentations, reviews, votes } from '../../database/schema.ts';
import { voterOf } from '../auth.ts';
import { afterQuery, type Call, idempotencyKey, idParam, readJson } from '../call.ts';
import { ROW_BYTES } from '../casting.ts';
import { Refused } from '../refusal.ts';

type VoteRow = typeof votes.$inferSelect;

function recordOf(row: VoteRow): VoteRecord {
	return {
		presentation: row.presentation,
		link: row.link,
		voter: row.voter,
		once: row.once,
		choice: row.choice,
		left: row.leftObject,
		right: row.rightObject,
		position: row.position,
		viewedMs: row.viewedMs,
		plays: row.plays,
		reason: row.reason,
		revision: row.revision,
		seq: row.seq,
		createdAt: row.createdAt,
		updatedAt: row.updatedAt,
	};
}

/** `putVote`. */
export async function put(call: Call): Promise<Response> {
	const { c, parts, session } = call;
	const presentation = idParam(c, 'presentation');
	const voter = voterOf(c, session);
	const key = idempotencyKey(c);
	const vote = await readJson(c, PutVote);
	const { link, once } = session;
	const ballot = { voter, presentation, link, once, vote, key, bytes: ROW_BYTES + vote.reason.length };
	const cast = await parts.casting.cast(session.review, ballot);
	if (cast) {
		const record: VoteRecord = { ...vote, ...cast, presentation, link, voter, once };
		return c.json(record);
	}
	return c.json(await notCast(call, { presentation, voter, key, vote }));
}

interface Attempt {
	readonly presentation: string;
	readonly voter: string;
	readonly key: string | null;
	readonly vote: PutVote;
}

/** Why nothing was cast. A request that was cast before, by its key, gets the vote it made. @throws Refused */
async function notCast({ parts, session }: Call, { presentation, voter, key, vote }: Attempt): Promise<VoteRecord> {
	const { orm } = parts.database;
	const [kept] = await orm
		.select()
		.from(votes)
		.where(and(eq(votes.review, session.review), eq(votes.voter, voter), eq(votes.presentation, presentation)));
	if (kept && key !== null && kept.key === key) return recordOf(kept);
	const [review] = await orm.select().from(reviews).where(eq(reviews.id, session.review));
	if (!review) throw new Refused('unauthorized', 'The review was deleted.');
	if (review.expiresAt <= session.now) throw new Refused('expired', 'The review has expired.');
	if (review.state !== 'open') throw new Refused('closed', 'Voting is closed: what you sent before counts.');
	const [pair] = await orm
		.select()
		.from(presentations)
		.where(and(eq(presentations.review, session.review), eq(presentations.id, presentation)));
	if (!pair) throw new Refused('not-found', 'The review does not ask this pair: open it again.');
	if ((kept?.revision ?? 0) !== vote.revision) {
		throw new Refused('conflict', 'Another vote on this pair was counted meanwhile: look at it and vote again.', {
			current: kept ? recordOf(kept) : null,
		});
	}
	const used = review.storageUsed + ROW_BYTES + vote.reason.length;
	if (used > parts.policy.quota) {
		throw new Refused('too-large', 'The review is full: ask its owner.', { limit: parts.policy.quota, used });
	}
	throw new Refused('unavailable', 'The vote met another change of the review: send it again.', { retryAfter: 1 });
}

/** `votes`: a voter's own, the owner's all. */
export async function list({ c, parts, session }: Call): Promise<Response> {
	const after = afterQuery(c);
	const mine = session.role === 'owner' ? undefined : eq(votes.voter, voterOf(c, session));
	const rows = await parts.database.orm
		.select()
		.from(votes)
		.where(and(eq(votes.review, session.review), gt(votes.seq, after), mine))
		.orderBy(asc(votes.seq))
		.limit(LIMITS.page + 1);
	const page = rows.slice(0, LIMITS.page).map(recordOf);
	const next = rows.length > LIMITS.page ? (page.at(-1)?.seq ?? null) : null;
	return c.json({ votes: page, next, serverTime: session.now });
}
