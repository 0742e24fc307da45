/** What is done every few minutes by one instance at a time: expired reviews, doomed blobs, orphans, old counts. */

import { inArray, lte, lt, sql } from 'drizzle-orm';
import { NOW } from '../database/database.ts';
import { objects, chunks, doomed, rates, reviews } from '../database/schema.ts';
import type { Parts } from './call.ts';
import { deleteReview, sweep } from './deletion.ts';
import { errorFields } from './log.ts';

/** What a round did. */
export interface MaintenanceReport {
	/** Reviews that had expired. */
	readonly reviews: number;
	/** Prefixes of blobs that were doomed and are gone. */
	readonly prefixes: number;
	/** Blobs that no row names: a process was killed between blob and row. */
	readonly orphans: number;
}

/** Looking for orphans lists the whole store: not in every round. Minutes. */
const ORPHANS_EVERY = 360;
/** Younger blobs may be of a request that has not written its row yet. */
const ORPHAN_AGE = 3_600_000;
const BATCH = 500;

async function deleteExpired(parts: Parts): Promise<number> {
	const { orm } = parts.database;
	const expired = await orm
		.select({ id: reviews.id })
		.from(reviews)
		.where(lte(reviews.expiresAt, sql.raw(NOW) as never));
	let deleted = 0;
	for (const { id } of expired) if (await deleteReview(orm, id)) deleted++;
	return deleted;
}

async function sweepDoomed(parts: Parts): Promise<number> {
	let swept = 0;
	for (const { prefix } of await parts.database.orm.select().from(doomed)) if (await sweep(parts, prefix)) swept++;
	return swept;
}

/** Removes the blobs of a batch that no row names. Names are `review/uid/place-checksum`; anything else in the store is left alone. */
async function removeOrphans({ database, blobs }: Parts, names: readonly string[]): Promise<number> {
	const uids = [...new Set(names.map((name) => name.split('/')[1] ?? ''))];
	const known = await database.orm
		.select({ uid: objects.uid, review: objects.review, place: chunks.place, sha256: chunks.sha256 })
		.from(objects)
		.innerJoin(chunks, sql`${chunks.object} = ${objects.uid}`)
		.where(inArray(objects.uid, uids));
	const kept = new Set(known.map((row) => `${row.review}/${row.uid}/${row.place}-${row.sha256}`));
	const orphans = names.filter((name) => !kept.has(name));
	for (const name of orphans) await blobs.remove(name);
	return orphans.length;
}

async function sweepOrphans(parts: Parts, age: number | null): Promise<number> {
	if (age === null) return 0;
	const oldest = Date.now() - age;
	let batch: string[] = [];
	let removed = 0;
	for await (const { name, modifiedAt } of parts.blobs.list()) {
		if (modifiedAt > oldest || !/^[\w-]{22}\/[\w-]{22}\/\d+-[0-9a-f]{64}(\.[\w-]+\.part)?$/.test(name)) continue;
		batch.push(name);
		if (batch.length < BATCH) continue;
		removed += await removeOrphans(parts, batch);
		batch = [];
	}
	if (batch.length > 0) removed += await removeOrphans(parts, batch);
	return removed;
}

/**
 * One round, or null where another instance is at it.
 * @param orphanAge Blobs younger than this, ms, are not looked at; null: no blob is.
 */
export async function maintain(parts: Parts, orphanAge: number | null = ORPHAN_AGE): Promise<MaintenanceReport | null> {
	let report: MaintenanceReport | null = null;
	await parts.database.alone('share-maintenance', async () => {
		const deleted = await deleteExpired(parts);
		await parts.database.orm.delete(rates).where(lt(rates.until, sql.raw(NOW) as never));
		report = { reviews: deleted, prefixes: await sweepDoomed(parts), orphans: await sweepOrphans(parts, orphanAge) };
	});
	return report;
}

/** Rounds every so many minutes; the first and then one in six hours looks for orphans. @returns Ends them and waits for the one that is running. */
export function maintainEvery(parts: Parts, minutes: number): () => Promise<void> {
	let running: Promise<void> = Promise.resolve();
	let rounds = 0;
	const round = (): void => {
		const orphans = rounds++ % Math.ceil(ORPHANS_EVERY / minutes) === 0;
		running = maintain(parts, orphans ? ORPHAN_AGE : null).then(
			(report) => {
				if (report) parts.log.event('info', 'maintenance', { ...report });
			},
			(error: unknown) => parts.log.event('error', 'maintenance failed', errorFields(error)),
		);
	};
	const timer = setInterval(round, minutes * 60_000);
	timer.unref();
	return () => {
		clearInterval(timer);
		return running;
	};
}
