/** Deletion, maintenance, limits, several instances. */

import { eq } from 'drizzle-orm';
import { getTableName, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { HEADERS } from '../../../src/share/protocol.ts';
import { chunkName } from '../../blobs/blobs.ts';
import { doomed, objects, reviews, TABLES } from '../../database/schema.ts';
import { deleteReview } from '../deletion.ts';
import { maintain } from '../maintenance.ts';
import type { ShareConfig } from '../config.ts';
import * as kit from '../share.testkit.ts';

/** Counts are by the minute of the clock: what met the end of one is done once more. */
async function withinMinute(work: () => Promise<void>): Promise<void> {
	for (let tries = 1; ; tries++) {
		const minute = Math.floor(Date.now() / 60_000);
		try {
			return await work();
		} catch (error) {
			if (tries === 3 || Math.floor(Date.now() / 60_000) === minute) throw error;
		}
	}
}

async function blobsOf(service: kit.TestService, review: string): Promise<string[]> {
	const names: string[] = [];
	for await (const { name } of service.parts.blobs.list()) if (name.startsWith(`${review}/`)) names.push(name);
	return names;
}

/** Rows of every table that name a review or what belonged to it. */
async function rowsOf(service: kit.TestService, words: readonly string[]): Promise<string[]> {
	const found: string[] = [];
	for (const table of Object.values(TABLES)) {
		const { rows } = await service.parts.database.orm.execute(sql`SELECT * FROM ${table}`);
		for (const row of rows)
			if (words.some((word) => JSON.stringify(row).includes(word))) found.push(getTableName(table));
	}
	return found;
}

async function full(service: kit.TestService): Promise<kit.TestReview & { readonly object: string }> {
	const review = await kit.makeReview(service);
	const object = kit.newId();
	await kit.sendObject(service, review.tokens.owner, object, 3000);
	const [pair = ''] = await kit.openPairs(service, review);
	await kit.castVote(service, review.tokens.once, pair, kit.newVote());
	const body = { body: 'AAAA', revision: 0 };
	await kit.ask(service, 'putNote', { token: review.tokens.commenter, params: { id: kit.newId() }, body });
	return { ...review, object };
}

/** Runs the suite. @param fresh Starts another service on new stores, or on those of `on`. */
export function keepingSuite(
	service: () => kit.TestService,
	fresh: (change: Partial<ShareConfig>, on?: kit.TestService) => Promise<kit.TestService>,
	several: boolean,
): void {
	describe('deletion', () => {
		it('deletes: no row and no blob of the review is left', async () => {
			const review = await full(service());
			const words = [review.id, review.object, ...Object.values(review.links)];
			expect(await blobsOf(service(), review.id)).toHaveLength(1);
			expect(await rowsOf(service(), words)).not.toEqual([]);
			expect((await kit.ask(service(), 'remove', { token: review.tokens.owner })).status).toBe(204);
			expect(await blobsOf(service(), review.id)).toEqual([]);
			// What remains is counts of requests by link, hashed windows that end within the minute.
			expect((await rowsOf(service(), words)).filter((table) => table !== 'rates')).toEqual([]);
		});

		it('of an object whose blobs cannot be deleted now is finished by maintenance', async () => {
			const review = await full(service());
			const { blobs } = service().parts;
			const { removeAll } = blobs;
			blobs.removeAll = () => Promise.reject(new Error('the store is away'));
			try {
				const gone = await kit.ask(service(), 'remove', { token: review.tokens.owner });
				expect(gone.status).toBe(204);
			} finally {
				blobs.removeAll = removeAll;
			}
			expect(await blobsOf(service(), review.id)).toHaveLength(1);
			const report = await maintain(service().parts);
			expect(report!.prefixes).toBeGreaterThan(0);
			expect(await blobsOf(service(), review.id)).toEqual([]);
			expect(await service().parts.database.orm.select().from(doomed)).toEqual([]);
		});

		it('of expired reviews is done by maintenance, and a crash between rows and blobs is mended', async () => {
			const [expired, crashed, kept] = [await full(service()), await full(service()), await full(service())];
			const { orm } = service().parts.database;
			await orm.update(reviews).set({ expiresAt: 1 }).where(eq(reviews.id, expired.id));
			// The process dies after the transaction, before the blobs.
			await deleteReview(orm, crashed.id);
			expect(await blobsOf(service(), crashed.id)).toHaveLength(1);
			const report = await maintain(service().parts);
			expect(report!.reviews).toBeGreaterThanOrEqual(1);
			for (const { id } of [expired, crashed]) expect(await blobsOf(service(), id)).toEqual([]);
			expect((await kit.ask(service(), 'review', { token: expired.tokens.owner })).status).toBe(401);
			expect(
				(await kit.ask(service(), 'content', { token: kept.tokens.viewer, params: { id: kept.object } })).status,
			).toBe(200);
		});

		it('of blobs that no row names spares young ones, named ones and foreign ones', async () => {
			const review = await full(service());
			const { blobs, database } = service().parts;
			const bytes = Buffer.from('orphan');
			const [row] = await database.orm.select().from(objects).where(eq(objects.review, review.id));
			const orphans = [
				chunkName(review.id, row!.uid, 7, kit.sumOf(bytes)),
				chunkName(review.id, kit.newId(), 0, kit.sumOf(bytes)),
				chunkName(kit.newId(), kit.newId(), 0, kit.sumOf(bytes)),
			];
			for (const name of orphans) await blobs.put(name, bytes, kit.sumOf(bytes));
			await blobs.put('readme', bytes, kit.sumOf(bytes));
			expect((await maintain(service().parts))!.orphans).toBe(0);
			expect((await maintain(service().parts, -60_000))!.orphans).toBe(3);
			const left: string[] = [];
			for await (const { name } of blobs.list()) left.push(name);
			expect(left).toContain('readme');
			expect(orphans.filter((name) => left.includes(name))).toEqual([]);
			expect(
				(await kit.ask(service(), 'content', { token: review.tokens.owner, params: { id: review.object } })).status,
			).toBe(200);
			await blobs.remove('readme');
		});
	});

	describe('limits', () => {
		it('of an address, of a link, of making reviews and of guessing are kept, with the time to wait', () =>
			withinMinute(async () => {
				const rates = { address: 1000, link: 15, create: 3, guess: 4 };
				const small = await fresh({ rates, proxies: 1 });
				try {
					const from = (address: string) => ({ 'X-Forwarded-For': `203.0.113.250, ${address}` });
					const create = (address: string) =>
						kit.ask(small, 'create', {
							headers: from(address),
							body: { blind: true, expiresAt: kit.soon(), links: [kit.newLink(kit.newToken(), 'owner')] },
						});
					const made: kit.Answer[] = [];
					for (let i = 0; i < 4; i++) made.push(await create('198.51.100.1'));
					expect(made.map((a) => a.status)).toEqual([201, 201, 201, 429]);
					const { body, headers } = made[3]!;
					expect(body.error).toMatchObject({ code: 'rate', retryAfter: expect.any(Number) });
					expect(headers.get('retry-after')).toBe(String(body.error.retryAfter));
					expect(body.error.retryAfter).toBeLessThanOrEqual(3600);
					// The address that counts is the one the balancer saw; IPv6 counts by its first half.
					expect((await create('198.51.100.2')).status).toBe(201);
					for (let i = 1; i <= 3; i++) expect((await create(`2001:db8:1:1::${i}`)).status).toBe(201);
					expect((await create('2001:db8:1:1:ffff::9')).status).toBe(429);
					expect((await create('2001:db8:1:2::9')).status).toBe(201);

					const guess = (address: string, token = kit.newToken()) =>
						kit.ask(small, 'review', { token, headers: from(address) });
					const good = kit.newToken();
					await kit.ask(small, 'create', {
						headers: from('198.51.100.3'),
						body: { blind: true, expiresAt: kit.soon(), links: [kit.newLink(good, 'owner')] },
					});
					const statuses: number[] = [];
					for (let i = 0; i < 6; i++) statuses.push((await guess('198.51.100.4')).status);
					expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
					// A right guess is not told to who guesses, and is to others.
					expect((await guess('198.51.100.4', good)).status).toBe(429);
					expect((await guess('198.51.100.5', good)).status).toBe(200);

					const byLink: number[] = [];
					for (let i = 0; i < 15; i++) byLink.push((await guess(`198.51.100.${100 + i}`, good)).status);
					expect(byLink.slice(0, 13)).toEqual(Array(13).fill(200));
					expect(byLink.at(-1)).toBe(429);
				} finally {
					await small.close();
				}
			}));

		it('of an address hold for good links too, and X-Forwarded-For is not believed unless said', () =>
			withinMinute(async () => {
				const small = await fresh({ rates: { address: 6, link: 1000, create: 100, guess: 100 } });
				try {
					const review = await kit.makeReview(small);
					const statuses: number[] = [];
					for (let i = 0; i < 8; i++) {
						const headers = { 'X-Forwarded-For': `198.51.100.${i}`, 'X-Forwarded-Proto': 'https' };
						const answer = await kit.ask(small, 'review', { token: review.tokens.owner, headers });
						statuses.push(answer.status);
						expect(answer.headers.get('strict-transport-security')).toBeNull();
					}
					expect(statuses.at(0)).toBe(200);
					expect(statuses.at(-1)).toBe(429);
				} finally {
					await small.close();
				}
			}));

		it('of a review’s size count notes and votes', async () => {
			const small = await fresh({ quota: 5000 });
			try {
				const review = await kit.makeReview(small);
				const [pair = ''] = await kit.openPairs(small, review);
				const big = 'A'.repeat(4800);
				const note = await kit.ask(small, 'putNote', {
					token: review.tokens.owner,
					params: { id: kit.newId() },
					body: { body: big, revision: 0 },
				});
				expect(note.status).toBe(200);
				const vote = await kit.castVote(small, review.tokens.once, pair, kit.newVote());
				expect([vote.status, vote.body.error.code, vote.body.error.limit]).toEqual([413, 'too-large', 5000]);
			} finally {
				await small.close();
			}
		});

		it('of a review’s size are not used up by changing one’s mind', async () => {
			const small = await fresh({ quota: 5000 });
			try {
				const { tokens, ...review } = await kit.makeReview(small);
				const [pair = ''] = await kit.openPairs(small, { ...review, tokens });
				const used = async (): Promise<number> =>
					(await kit.ask(small, 'review', { token: tokens.owner })).body.storage.used;
				const vote = (revision: number, reason: string) =>
					kit.castVote(small, tokens.once, pair, { ...kit.newVote(), reason, revision });
				expect((await vote(0, 'A'.repeat(400))).status).toBe(200);
				const once = await used();
				for (let revision = 1; revision <= 30; revision++)
					expect((await vote(revision, 'B'.repeat(400))).status).toBe(200);
				expect(await used()).toBe(once);
				expect((await vote(31, '')).status).toBe(200);
				expect(await used()).toBe(once - 400);

				const id = kit.newId();
				const note = (revision: number, length: number) =>
					kit.ask(small, 'putNote', {
						...{ token: tokens.owner, params: { id } },
						body: { body: 'A'.repeat(length), revision },
					});
				const before = await used();
				for (let revision = 0; revision < 10; revision++) expect((await note(revision, 2000)).status).toBe(200);
				const kept = await used();
				expect(kept - before).toBeLessThan(2500);
				expect((await kit.ask(small, 'removeNote', { token: tokens.owner, params: { id } })).status).toBe(200);
				expect(kept - (await used())).toBe(2000);
			} finally {
				await small.close();
			}
		});
	});

	// PGlite's folder belongs to one process: there are no several instances.
	if (!several) return;
	describe('several instances', () => {
		it('share limits, votes and revocations, and migrate and maintain one at a time', () =>
			withinMinute(async () => {
				const rates = { address: 1e6, link: 30, create: 1e6, guess: 1e6 };
				const one = await fresh({ rates });
				const [two, three] = await Promise.all([fresh({}, one), fresh({}, one)]);
				try {
					const review = await kit.makeReview(one);
					const [pair = ''] = await kit.openPairs(two, review);
					const answers = await Promise.all(
						[one, two, three].flatMap((on, i) =>
							[0, 1, 2].map((j) =>
								kit.castVote(on, review.tokens.voter, pair, kit.newVote(), {
									[HEADERS.voter]: Buffer.alloc(32, i * 3 + j).toString('base64url'),
								}),
							),
						),
					);
					expect(answers.map((a) => a.status)).toEqual(Array(9).fill(200));
					expect(answers.map((a) => a.body.seq as number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
					await kit.ask(two, 'revokeLink', { token: review.tokens.owner, params: { id: review.links.viewer } });
					expect((await kit.ask(three, 'review', { token: review.tokens.viewer })).body.error.code).toBe('revoked');
					const statuses: number[] = [];
					for (let i = 0; i < 36; i++) {
						statuses.push(
							(await kit.ask([one, two, three][i % 3]!, 'review', { token: review.tokens.commenter })).status,
						);
					}
					// Thirty a minute, of all together.
					expect(statuses.filter((s) => s === 200)).toHaveLength(30);
					const rounds = await Promise.all([one, two, three].map((on) => maintain(on.parts)));
					expect(rounds.filter((r) => r !== null).length).toBeGreaterThanOrEqual(1);
				} finally {
					for (const on of [three, two, one]) await on.close();
				}
			}));
	});
}
