/** Votes: one row a voter and pair, cast by one statement. */

import { and, asc, eq, gt } from 'drizzle-orm';
import { LIMITS, PutVote, type VoteRecord } from '../../../src/share/protocol.ts';
import type { Statement } from '../../database/database.ts';
import { presentations, reviews, votes } from '../../database/schema.ts';
import { voterOf } from '../auth.ts';
import { afterQuery, type Call, idempotencyKey, idParam, readJson } from '../call.ts';
import { NOW } from '../limits.ts';
import { Refused } from '../refusal.ts';

type VoteRow = typeof votes.$inferSelect;

/** What a row takes beside the sealed reason, bytes; counted against the quota with it. */
const ROW_BYTES = 256;

/**
 * $1 review, $2 voter, $3 presentation, $4 link, $5 once, $6 choice, $7 left, $8 right, $9 position, $10 viewedMs, $11 plays,
 * $12 reason, $13 revision that is replaced, $14 idempotency key, $15 bytes, $16 quota.
 *
 * The review's row is locked first and stays locked to the end of the statement: votes of a review get their numbers in
 * the order in which they become visible, so that a reader who asks for later numbers misses none; and a review that closes does so
 * before a vote or after it. The row of the vote is checked once more where it is written: what changed it while this one waited for
 * the lock wins.
 */
const CAST: Statement = {
	name: 'share_cast',
	text: `WITH gate AS (
	UPDATE reviews SET vote_seq = vote_seq + 1, storage_used = storage_used + $15::bigint
	WHERE id = $1 AND state = 'open' AND expires_at > ${NOW} AND storage_used + $15::bigint <= $16::bigint
		AND EXISTS (SELECT 1 FROM presentations WHERE review = $1 AND id = $3)
		AND coalesce((SELECT revision FROM votes WHERE review = $1 AND voter = $2 AND presentation = $3), 0) = $13::integer
		AND NOT EXISTS (SELECT 1 FROM votes WHERE review = $1 AND voter = $2 AND presentation = $3 AND key = $14::text)
	RETURNING vote_seq, ${NOW} AS now
)
INSERT INTO votes (review, voter, presentation, link, once, choice, left_object, right_object, position, viewed_ms, plays,
	reason, revision, seq, created_at, updated_at, key)
SELECT $1, $2, $3, $4, $5::boolean, $6, $7, $8, $9::integer, $10::integer, $11::integer,
	$12, $13::integer + 1, gate.vote_seq, gate.now, gate.now, $14::text
FROM gate
ON CONFLICT (review, voter, presentation) DO UPDATE SET link = excluded.link, once = excluded.once, choice = excluded.choice,
	left_object = excluded.left_object, right_object = excluded.right_object, position = excluded.position,
	viewed_ms = excluded.viewed_ms, plays = excluded.plays, reason = excluded.reason, revision = excluded.revision,
	seq = excluded.seq, updated_at = excluded.updated_at, key = excluded.key
WHERE votes.revision = $13::integer
RETURNING revision, seq, created_at AS "createdAt", updated_at AS "updatedAt"`,
};

type Cast = Pick<VoteRecord, 'revision' | 'seq' | 'createdAt' | 'updatedAt'>;

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
	const { revision, choice, left, right, position, viewedMs, plays, reason } = vote;
	const values = [
		...[session.review, voter, presentation, session.link, session.once],
		...[choice, left, right, position, viewedMs, plays, reason],
		...[revision, key, ROW_BYTES + reason.length, parts.policy.quota],
	];
	const [cast] = await parts.database.run<Cast>(CAST, values);
	if (cast) {
		const record: VoteRecord = { ...vote, ...cast, presentation, link: session.link, voter, once: session.once };
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
