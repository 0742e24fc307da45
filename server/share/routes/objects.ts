/** Objects: declared, sent in chunks, completed, removed. Reading their bytes is `content.ts`. */

import { and, count, eq, sql } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import { chunksOfSealed, sealedRange } from '../../../src/share/objects.ts';
import { DeclareObject, HEADERS, LIMITS, type ObjectInfo } from '../../../src/share/protocol.ts';
import { chunkName, objectPrefix } from '../../blobs/blobs.ts';
import { NOW, sqlState, type Statement } from '../../database/database.ts';
import { chunks, objects, reviews } from '../../database/schema.ts';
import { type Call, idParam, readBody, readJson, wholeNumber } from '../call.ts';
import { doom, sweep } from '../deletion.ts';
import { newId } from '../ids.ts';
import { invalid, Refused } from '../refusal.ts';

/** An object's row. */
export type ObjectRow = typeof objects.$inferSelect;

/** The call's object. @throws Refused `not-found`, `forbidden` for what is the owner's alone. */
export async function objectOf({ c, parts, session }: Call): Promise<ObjectRow> {
	const id = idParam(c, 'id');
	const [row] = await parts.database.orm
		.select()
		.from(objects)
		.where(and(eq(objects.review, session.review), eq(objects.id, id)));
	if (!row) throw new Refused('not-found', 'The review has no such object.');
	checkOwnerOnly(row.ownerOnly, session.role);
	return row;
}

/** @throws Refused `forbidden` where an object is the owner's alone. */
export function checkOwnerOnly(ownerOnly: boolean, role: Call['session']['role']): void {
	if (ownerOnly && role !== 'owner')
		throw new Refused('forbidden', 'This object is given to the review’s owner alone.');
}

async function infoOf({ parts }: Call, row: ObjectRow): Promise<ObjectInfo> {
	const complete = row.completedAt !== null;
	const there = complete
		? []
		: await parts.database.orm.select({ place: chunks.place }).from(chunks).where(eq(chunks.object, row.uid));
	const arrived = new Set(there.map(({ place }) => place));
	const all = Array.from({ length: row.chunks }, (_, i) => i);
	const missing = complete ? [] : all.filter((i) => !arrived.has(i));
	return { id: row.id, size: row.size, chunks: row.chunks, missing, complete };
}

/** `object`. */
export async function info(call: Call): Promise<Response> {
	return call.c.json(await infoOf(call, await objectOf(call)));
}

/** `declareObject`: room is taken before a byte is sent. */
export async function declare(call: Call): Promise<Response> {
	const { c, parts, session } = call;
	const id = idParam(c, 'id');
	const { size } = await readJson(c, DeclareObject);
	if (size > LIMITS.objectBytes) {
		throw new Refused('too-large', `An object has at most ${LIMITS.objectBytes} bytes: send a shorter clip.`, {
			limit: LIMITS.objectBytes,
			used: size,
		});
	}
	const pieces = chunksOfSealed(size);
	if (pieces === undefined) throw invalid('size', 'No chunks have this length together: each has its tag and content.');
	const declared = await parts.database.orm.transaction(async (tx) => {
		const mine = eq(reviews.id, session.review);
		const [review] = await tx.select({ used: reviews.storageUsed }).from(reviews).where(mine).for('no key update');
		if (!review) throw new Refused('unauthorized', 'The review was deleted.');
		const [known] = await tx
			.select()
			.from(objects)
			.where(and(eq(objects.review, session.review), eq(objects.id, id)));
		if (known?.size === size) return { row: known, status: 200 as const };
		if (known) {
			const current = { id, size: known.size };
			throw new Refused('conflict', 'This object was declared with another size: remove it first.', { current });
		}
		const used = review.used + size;
		const limit = parts.policy.quota;
		if (used > limit) {
			throw new Refused('too-large', 'The review would be larger than its quota: send less.', { limit, used });
		}
		const [all] = await tx.select({ count: count() }).from(objects).where(eq(objects.review, session.review));
		if ((all?.count ?? 0) >= LIMITS.objects) {
			const fields = { limit: LIMITS.objects, used: all?.count ?? 0 };
			throw new Refused('too-large', `A review has at most ${LIMITS.objects} objects.`, fields);
		}
		await tx.update(reviews).set({ storageUsed: used }).where(mine);
		const values = { review: session.review, id, uid: newId(), size, chunks: pieces, ownerOnly: false };
		const [row] = await tx.insert(objects).values(values).returning();
		return { row: row!, status: 201 as const };
	});
	return c.json(await infoOf(call, declared.row), declared.status);
}

const FOREIGN_KEY_VIOLATION = '23503';

/** $1 object's uid, $2 place, $3 checksum. Keeps what came first. */
const ARRIVED: Statement = {
	name: 'share_chunk',
	text: `WITH added AS (
	INSERT INTO chunks (object, place, sha256) VALUES ($1, $2, $3) ON CONFLICT (object, place) DO NOTHING RETURNING sha256
)
SELECT sha256 FROM added UNION ALL SELECT sha256 FROM chunks WHERE object = $1 AND place = $2 LIMIT 1`,
};

function checksumOf(call: Call): string {
	const text = call.c.req.header(HEADERS.checksum) ?? '';
	if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
	throw invalid(
		HEADERS.checksum,
		`${HEADERS.checksum}: the SHA-256 of the chunk in 64 hexadecimal digits is expected.`,
	);
}

/** `putChunk`: counts once its bytes, checked, are in the blob store. The same chunk again is no error; another one is a conflict. */
export async function putChunk(call: Call): Promise<Response> {
	const { c, parts } = call;
	const sha256 = checksumOf(call);
	const row = await objectOf(call);
	const place = wholeNumber('index', c.req.param('index'), row.chunks - 1);
	const [start, end] = sealedRange(place, row.size);
	const bytes = await readBody(c, end - start);
	if (!bytes || bytes.length !== end - start) {
		const got = bytes ? bytes.length : 'more';
		throw new Refused('checksum', `Chunk ${place} has ${end - start} bytes, got ${got}: send it again.`, {
			limit: end - start,
		});
	}
	if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
		throw new Refused('checksum', `Chunk ${place} does not have its checksum: send it again.`);
	}
	const [known] = await parts.database.orm
		.select({ sha256: chunks.sha256 })
		.from(chunks)
		.where(and(eq(chunks.object, row.uid), eq(chunks.place, place)));
	if (!known) await keep(call, row, place, bytes, sha256);
	else checkSame(known.sha256, sha256, place);
	return c.body(null, 204);
}

async function keep(
	{ parts, session }: Call,
	object: ObjectRow,
	place: number,
	bytes: Buffer,
	sha256: string,
): Promise<void> {
	const name = chunkName(session.review, object.uid, place, sha256);
	await parts.blobs.put(name, bytes, sha256);
	try {
		const [arrived] = await parts.database.run<{ sha256: string }>(ARRIVED, [object.uid, place, sha256]);
		// Another request's chunk arrived in the same moment and is not seen by this statement: the next try sees it.
		if (!arrived) throw new Refused('unavailable', 'This chunk is arriving twice: send it again.', { retryAfter: 1 });
		if (arrived.sha256 !== sha256) await parts.blobs.remove(name);
		checkSame(arrived.sha256, sha256, place);
	} catch (error) {
		if (sqlState(error) !== FOREIGN_KEY_VIOLATION) throw error;
		await parts.blobs.remove(name);
		throw new Refused('not-found', 'The object was removed while its chunk arrived.');
	}
}

function checkSame(kept: string, sent: string, place: number): void {
	if (kept === sent) return;
	const fields = { current: { checksum: kept } };
	throw new Refused(
		'conflict',
		`Chunk ${place} has arrived with other bytes: remove the object and declare it again.`,
		fields,
	);
}

/** `completeObject`. Again is no error. */
export async function complete(call: Call): Promise<Response> {
	const row = await objectOf(call);
	const now = await infoOf(call, row);
	if (now.missing.length > 0) {
		const first = now.missing.length;
		throw new Refused('conflict', `${first} chunks have not arrived: send what is missing, then complete.`, {
			current: now,
		});
	}
	await call.parts.database.orm
		.update(objects)
		.set({ completedAt: sql`coalesce(${objects.completedAt}, ${sql.raw(NOW)})` })
		.where(eq(objects.uid, row.uid));
	return call.c.json({ ...now, complete: true });
}

/** `removeObject`: its room is free again. What the review is made of is not removed. */
export async function remove(call: Call): Promise<Response> {
	const { c, parts, session } = call;
	const row = await objectOf(call);
	await parts.database.orm.transaction(async (tx) => {
		const mine = eq(reviews.id, session.review);
		const [review] = await tx.select().from(reviews).where(mine).for('no key update');
		if (review?.manifest === row.id || review?.ownerObject === row.id) {
			throw new Refused('conflict', 'The review is made of this object: name another one first.');
		}
		const gone = await tx.delete(objects).where(eq(objects.uid, row.uid)).returning({ size: objects.size });
		if (!gone[0]) return;
		await tx
			.update(reviews)
			.set({ storageUsed: sql`${reviews.storageUsed} - ${gone[0].size}` })
			.where(mine);
		await doom(tx, objectPrefix(session.review, row.uid));
	});
	await sweep(parts, objectPrefix(session.review, row.uid));
	return c.body(null, 204);
}
