/**
 * Deletion in two steps that survive a crash between them: rows go in one transaction that also writes down which blobs are
 * doomed; the blobs go next, and what is written down is struck out when they are gone.
 */

import { eq, sql } from 'drizzle-orm';
import { reviewPrefix } from '../blobs/blobs.ts';
import { NOW, type Orm } from '../database/database.ts';
import { doomed, reviews } from '../database/schema.ts';
import type { Parts } from './call.ts';
import { errorFields } from './log.ts';

/** Drizzle's transaction. */
export type Transaction = Parameters<Parameters<Orm['transaction']>[0]>[0];

/** Writes down blobs to be deleted. */
export async function doom(tx: Transaction, prefix: string): Promise<void> {
	await tx
		.insert(doomed)
		.values({ prefix, since: sql.raw(NOW) as never })
		.onConflictDoNothing();
}

/** Deletes a review's rows and dooms its blobs. False where it is gone already. */
export async function deleteReview(orm: Orm, id: string): Promise<boolean> {
	return orm.transaction(async (tx) => {
		const gone = await tx.delete(reviews).where(eq(reviews.id, id)).returning({ id: reviews.id });
		if (gone.length === 0) return false;
		await doom(tx, reviewPrefix(id));
		return true;
	});
}

/** Deletes doomed blobs. A store that does not answer is logged and leaves them to the next round. @returns Whether they are gone. */
export async function sweep(
	{ database, blobs, log }: Pick<Parts, 'database' | 'blobs' | 'log'>,
	prefix: string,
): Promise<boolean> {
	try {
		await blobs.removeAll(prefix);
		await database.orm.delete(doomed).where(eq(doomed.prefix, prefix));
		return true;
	} catch (error) {
		log.event('warn', 'blobs could not be deleted now; maintenance tries again', errorFields(error));
		return false;
	}
}
