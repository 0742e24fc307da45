/**
 * Casting votes. A review's votes wait for each other, because they are numbered; a statement each would let each wait for the disk
 * as well. So the votes that come while a statement is under way go together in the next one: an audience that votes at once waits for a few
 * writes, not for hundreds, and a vote that comes alone is sent at once. Nothing is answered before it is kept, and nothing is decided
 * here: what this process holds is requests it has not answered.
 */

import type { PutVote, VoteRecord } from '../../src/share/protocol.ts';
import { NOW, type Database, type Statement } from '../database/database.ts';

/** A vote to be cast. */
export interface Ballot {
	readonly voter: string;
	readonly presentation: string;
	readonly link: string;
	readonly once: boolean;
	readonly vote: PutVote;
	/** Idempotency key. */
	readonly key: string | null;
	/** What it takes of the review's quota. */
	readonly bytes: number;
}

/** What casting made. */
export type Cast = Pick<VoteRecord, 'revision' | 'seq' | 'createdAt' | 'updatedAt'>;

/** Most votes of one statement. */
const MOST = 200;

/** Columns of a ballot, in the statement's order from $3 on: name, SQL type, value. */
const COLUMNS: readonly (readonly [string, string, (ballot: Ballot) => string | number | boolean | null])[] = [
	['voter', 'text', (b) => b.voter],
	['presentation', 'text', (b) => b.presentation],
	['link', 'text', (b) => b.link],
	['once', 'boolean', (b) => b.once],
	['choice', 'text', (b) => b.vote.choice],
	['left_object', 'text', (b) => b.vote.left],
	['right_object', 'text', (b) => b.vote.right],
	['position', 'integer', (b) => b.vote.position],
	['viewed_ms', 'integer', (b) => b.vote.viewedMs],
	['plays', 'integer', (b) => b.vote.plays],
	['reason', 'text', (b) => b.vote.reason],
	['revision', 'integer', (b) => b.vote.revision],
	['key', 'text', (b) => b.key],
	['bytes', 'bigint', (b) => b.bytes],
];

/** What a vote's row takes beside the sealed reason, bytes; counted against the quota with it. */
export const ROW_BYTES = 256;

/**
 * $1 review, $2 quota, then an array a column. Of ballots of one voter on one pair there is only one in a statement.
 *
 * The review's row is locked before a vote is written and stays locked to the end of the statement: votes of a review get their numbers in
 * the order in which they become visible, so that a reader who asks for later numbers misses none; and a review that closes does so
 * before a vote or after it. The revision is checked once more where the row is written: what changed it while this statement waited for
 * the lock wins.
 */
const CAST: Statement = {
	name: 'share_cast',
	text: `WITH asked AS MATERIALIZED (
	SELECT * FROM unnest(${COLUMNS.map(([, type], i) => `$${i + 3}::${type}[]`).join(', ')})
		WITH ORDINALITY AS asked (${COLUMNS.map(([name]) => name).join(', ')}, place)
),
fit AS MATERIALIZED (
	SELECT asked.*, asked.bytes - coalesce(${ROW_BYTES} + length(v.reason), 0) AS grows FROM asked
	JOIN presentations p ON p.review = $1 AND p.id = asked.presentation
	LEFT JOIN votes v ON v.review = $1 AND v.voter = asked.voter AND v.presentation = asked.presentation
	WHERE coalesce(v.revision, 0) = asked.revision AND (asked.key IS NULL OR v.key IS DISTINCT FROM asked.key)
),
total AS MATERIALIZED (SELECT max(place) AS votes, sum(grows)::bigint AS bytes FROM fit),
gate AS (
	UPDATE reviews SET vote_seq = vote_seq + total.votes, storage_used = storage_used + total.bytes FROM total
	WHERE id = $1 AND total.votes > 0 AND state = 'open' AND expires_at > ${NOW} AND storage_used + total.bytes <= $2::bigint
	RETURNING vote_seq - total.votes AS before, ${NOW} AS now
)
INSERT INTO votes (review, voter, presentation, link, once, choice, left_object, right_object, position, viewed_ms, plays,
	reason, revision, seq, created_at, updated_at, key)
SELECT $1, voter, presentation, link, once, choice, left_object, right_object, position, viewed_ms, plays,
	reason, revision + 1, gate.before + place, gate.now, gate.now, key
FROM gate, fit
ON CONFLICT (review, voter, presentation) DO UPDATE SET link = excluded.link, once = excluded.once, choice = excluded.choice,
	left_object = excluded.left_object, right_object = excluded.right_object, position = excluded.position,
	viewed_ms = excluded.viewed_ms, plays = excluded.plays, reason = excluded.reason, revision = excluded.revision,
	seq = excluded.seq, updated_at = excluded.updated_at, key = excluded.key
WHERE votes.revision = excluded.revision - 1
RETURNING voter, presentation, revision, seq, created_at AS "createdAt", updated_at AS "updatedAt"`,
};

interface Waiting {
	readonly ballot: Ballot;
	readonly done: (cast: Cast | undefined) => void;
	readonly failed: (error: unknown) => void;
}

const pairOf = (b: { readonly voter: string; readonly presentation: string }): string => `${b.voter}/${b.presentation}`;

/** Casts the votes of one process. A vote that changes another takes the room of what it changes. */
export class Casting {
	readonly #database: Pick<Database, 'run'>;
	readonly #quota: number;
	/** By review: votes that wait for the statement under way. */
	readonly #waiting = new Map<string, Waiting[]>();

	/** @param quota Most bytes of a review. */
	constructor(database: Pick<Database, 'run'>, quota: number) {
		this.#database = database;
		this.#quota = quota;
	}

	/** What was made, once it is kept; undefined where nothing was cast. Rejects with the database's error. */
	cast(review: string, ballot: Ballot): Promise<Cast | undefined> {
		return new Promise((done, failed) => {
			const one = { ballot, done, failed };
			const waiting = this.#waiting.get(review);
			if (waiting) waiting.push(one);
			else {
				this.#waiting.set(review, [one]);
				void this.#work(review);
			}
		});
	}

	/** Sends what waits, until nothing does. */
	async #work(review: string): Promise<void> {
		for (let batch = this.#next(review); batch.length > 0; batch = this.#next(review)) {
			try {
				const cast = await this.#send(review, batch);
				for (const { ballot, done } of batch) done(cast.get(pairOf(ballot)));
			} catch (error) {
				for (const { failed } of batch) failed(error);
			}
		}
	}

	/** Takes what can go together: of votes of one voter on one pair the first. */
	#next(review: string): Waiting[] {
		const pairs = new Set<string>();
		const batch: Waiting[] = [];
		const rest: Waiting[] = [];
		for (const one of this.#waiting.get(review) ?? []) {
			const pair = pairOf(one.ballot);
			if (pairs.has(pair) || batch.length === MOST) rest.push(one);
			else batch.push(one);
			pairs.add(pair);
		}
		if (batch.length > 0) this.#waiting.set(review, rest);
		else this.#waiting.delete(review);
		return batch;
	}

	async #send(review: string, batch: readonly Waiting[]): Promise<Map<string, Cast>> {
		const columns = COLUMNS.map(([, , value]) => batch.map(({ ballot }) => value(ballot)));
		const rows = await this.#database.run<Cast & { voter: string; presentation: string }>(CAST, [
			...[review, this.#quota],
			...columns,
		]);
		return new Map(rows.map(({ voter, presentation, ...cast }) => [pairOf({ voter, presentation }), cast] as const));
	}
}
