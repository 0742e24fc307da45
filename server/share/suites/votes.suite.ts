/** Votes and notes: once each, in order, never lost. */

import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { HEADERS, LIMITS, NoteList, NoteRecord, VoteList, VoteRecord } from '../../../src/share/protocol.ts';
import { votes } from '../../database/schema.ts';
import * as kit from '../share.testkit.ts';

const device = (): Record<string, string> => ({ [HEADERS.voter]: kit.newToken() });
const keyed = (): Record<string, string> => ({ [HEADERS.idempotency]: kit.newId() });

/** Runs the suite on a service. */
export function votesSuite(service: () => kit.TestService): void {
	const allVotes = async (token: string): Promise<VoteRecord[]> =>
		(await kit.ask(service(), 'votes', { token })).body.votes as VoteRecord[];

	describe('votes', () => {
		it('are one a voter and pair: a device of an open link, or the link that is one person’s', async () => {
			const review = await kit.makeReview(service());
			const [a = '', b = ''] = await kit.openPairs(service(), review);
			const { tokens, links } = review;
			const [mine, yours] = [device(), device()];
			const first = await kit.castVote(service(), tokens.voter, a, kit.newVote({ choice: 'tie' }), mine);
			expect(v.parse(VoteRecord, first.body)).toMatchObject({
				choice: 'tie',
				presentation: a,
				link: links.voter,
				revision: 1,
			});
			expect((await kit.castVote(service(), tokens.voter, b, kit.newVote(), mine)).status).toBe(200);
			const other = await kit.castVote(service(), tokens.voter, a, kit.newVote(), yours);
			expect(other.body.voter).not.toBe(first.body.voter);
			const once = await kit.castVote(service(), tokens.once, a, kit.newVote(), device());
			expect(once.body).toMatchObject({ voter: links.once, once: true });
			const { body } = await kit.ask(service(), 'votes', { token: tokens.voter, headers: mine });
			expect(v.parse(VoteList, body).votes.map((r) => r.presentation)).toEqual([a, b]);
			expect((await allVotes(tokens.owner)).map((r) => r.seq)).toEqual([1, 2, 3, 4]);
		});

		it('are changed by revision until the review closes; who comes too late is shown what is kept', async () => {
			const review = await kit.makeReview(service());
			const [pair = ''] = await kit.openPairs(service(), review);
			const cast = (change: Parameters<typeof kit.newVote>[0]) =>
				kit.castVote(service(), review.tokens.once, pair, kit.newVote(change));
			expect((await cast({ choice: 'left' })).body).toMatchObject({ revision: 1, seq: 1 });
			expect((await cast({ choice: 'right', revision: 1, reason: 'abcd' })).body).toMatchObject({
				revision: 2,
				choice: 'right',
			});
			const late = await cast({ choice: 'tie', revision: 1 });
			expect([late.status, late.body.error.code]).toEqual([409, 'conflict']);
			expect(v.parse(VoteRecord, late.body.error.current)).toMatchObject({
				choice: 'right',
				revision: 2,
				reason: 'abcd',
			});
			expect((await cast({ revision: 7 })).status).toBe(409);
			const kept = await allVotes(review.tokens.owner);
			expect(kept).toHaveLength(1);
			expect(kept[0]!.updatedAt).toBeGreaterThanOrEqual(kept[0]!.createdAt);
			const unknown = await kit.castVote(service(), review.tokens.once, kit.newId(), kit.newVote());
			expect([unknown.status, unknown.body.error.code]).toEqual([404, 'not-found']);
			const first = await kit.castVote(service(), review.tokens.voter, pair, kit.newVote({ revision: 1 }), device());
			expect([first.status, first.body.error.current]).toEqual([409, null]);
		});

		it('sent again with their key count once, whatever came between', async () => {
			const review = await kit.makeReview(service());
			const [pair = ''] = await kit.openPairs(service(), review);
			const { once, owner } = review.tokens;
			const key = keyed();
			const answers = await Promise.all(
				Array.from({ length: 8 }, () => kit.castVote(service(), once, pair, kit.newVote({ reason: 'abcd' }), key)),
			);
			expect(answers.map((a) => a.status)).toEqual(Array(8).fill(200));
			expect(new Set(answers.map((a) => JSON.stringify([a.body.seq, a.body.revision])))).toHaveLength(1);
			// A replay after closing is answered by what it did then; after a change by another, it changes nothing.
			await kit.ask(service(), 'update', { token: owner, body: { state: 'closed' } });
			expect((await kit.castVote(service(), once, pair, kit.newVote(), key)).body).toMatchObject({ revision: 1 });
			await kit.ask(service(), 'update', { token: owner, body: { state: 'open' } });
			await kit.castVote(service(), once, pair, kit.newVote({ choice: 'right', revision: 1 }), keyed());
			const replay = await kit.castVote(service(), once, pair, kit.newVote(), key);
			expect([replay.status, replay.body.error.current.choice]).toEqual([409, 'right']);
			// The key that made the revision it names is a replay too.
			const last = keyed();
			await kit.castVote(service(), once, pair, kit.newVote({ choice: 'tie', revision: 2 }), last);
			const again = await kit.castVote(service(), once, pair, kit.newVote({ choice: 'left', revision: 3 }), last);
			expect(again.body).toMatchObject({ choice: 'tie', revision: 3 });
		});

		it('a link opened twice at once: one vote counts, the other is told which', async () => {
			const review = await kit.makeReview(service());
			const pairs = await kit.openPairs(service(), review, 20);
			const statuses = await Promise.all(
				pairs.flatMap((pair) =>
					(['left', 'right'] as const).map(async (choice) => {
						const answer = await kit.castVote(service(), review.tokens.once, pair, kit.newVote({ choice }), keyed());
						return { pair, choice, status: answer.status, current: answer.body.error?.current?.choice };
					}),
				),
			);
			const kept = await allVotes(review.tokens.owner);
			expect(kept).toHaveLength(20);
			for (const pair of pairs) {
				const [won, lost] = statuses.filter((s) => s.pair === pair).sort((x, y) => x.status - y.status);
				expect([won!.status, lost!.status]).toEqual([200, 409]);
				expect(lost!.current).toBe(won!.choice);
				expect(kept.find((r) => r.presentation === pair)!.choice).toBe(won!.choice);
			}
		});

		it('a reader who asks for later ones misses none while many are cast', async () => {
			const review = await kit.makeReview(service());
			const pairs = await kit.openPairs(service(), review, 5);
			const seen: number[] = [];
			let casting = true;
			const reader = (async () => {
				for (let after = 0, last = false; !last;) {
					last = !casting;
					const { body } = await kit.ask(service(), 'votes', { token: review.tokens.owner, query: `?after=${after}` });
					for (const { seq } of body.votes as VoteRecord[]) seen.push((after = seq));
				}
			})();
			await Promise.all(
				Array.from({ length: 20 }, async () => {
					const who = device();
					for (const pair of pairs) {
						expect((await kit.castVote(service(), review.tokens.voter, pair, kit.newVote(), who)).status).toBe(200);
					}
				}),
			);
			casting = false;
			await reader;
			expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
		});

		it('that come at once are cast together, each by its own merit', async () => {
			const review = await kit.makeReview(service());
			const [pair = ''] = await kit.openPairs(service(), review);
			const { database } = service().parts;
			const { run } = database;
			let statements = 0;
			database.run = (statement, values) => {
				if (statement.name === 'share_cast') statements++;
				return run(statement, values);
			};
			try {
				const answers = await Promise.all([
					...Array.from({ length: 60 }, () =>
						kit.castVote(service(), review.tokens.voter, pair, kit.newVote(), device()),
					),
					kit.castVote(service(), review.tokens.voter, kit.newId(), kit.newVote(), device()),
					kit.castVote(service(), review.tokens.voter, pair, kit.newVote({ revision: 3 }), device()),
				]);
				expect(answers.map((a) => a.status)).toEqual([...Array(60).fill(200), 404, 409]);
				expect(new Set(answers.slice(0, 60).map((a) => a.body.seq)).size).toBe(60);
				expect(statements).toBeLessThan(62);
			} finally {
				database.run = run;
			}
			expect(await allVotes(review.tokens.owner)).toHaveLength(60);
		});

		it('are listed page by page', async () => {
			const review = await kit.makeReview(service());
			const [presentation = ''] = await kit.openPairs(service(), review);
			const total = LIMITS.page + 3;
			const rows = Array.from({ length: total }, (_, i) => ({
				...{
					review: review.id,
					voter: kit.newId(),
					presentation,
					link: review.links.voter,
					once: false,
					choice: 'tie' as const,
				},
				...{ leftObject: kit.newId(), rightObject: kit.newId(), position: 0, viewedMs: 1, plays: 1, reason: '' },
				...{ revision: 1, seq: i + 1, createdAt: 1, updatedAt: 1, key: null },
			}));
			await service().parts.database.orm.insert(votes).values(rows);
			const first = await kit.ask(service(), 'votes', { token: review.tokens.owner });
			expect([first.body.votes.length, first.body.next]).toEqual([LIMITS.page, LIMITS.page]);
			const next = await kit.ask(service(), 'votes', {
				token: review.tokens.owner,
				query: `?after=${first.body.next}`,
			});
			expect([next.body.votes.length, next.body.next]).toEqual([3, null]);
		});

		it('an open link needs the device’s secret', async () => {
			const review = await kit.makeReview(service());
			const [pair = ''] = await kit.openPairs(service(), review);
			for (const headers of [{}, { [HEADERS.voter]: 'short' }, { [HEADERS.voter]: `${kit.newToken()}x` }]) {
				const vote = await kit.castVote(service(), review.tokens.voter, pair, kit.newVote(), headers);
				expect([vote.status, vote.body.error.path]).toEqual([400, HEADERS.voter]);
				expect((await kit.ask(service(), 'votes', { token: review.tokens.voter, headers })).status).toBe(400);
			}
		});

		it('a review that closes does so before a vote or after it', async () => {
			const review = await kit.makeReview(service());
			const [pair = ''] = await kit.openPairs(service(), review);
			const casting = Array.from({ length: 30 }, () =>
				kit.castVote(service(), review.tokens.voter, pair, kit.newVote(), device()),
			);
			const closing = kit.ask(service(), 'update', { token: review.tokens.owner, body: { state: 'closed' } });
			const statuses = (await Promise.all(casting)).map((a) => a.status);
			await closing;
			const counted = statuses.filter((s) => s === 200).length;
			expect(statuses.filter((s) => s === 423)).toHaveLength(30 - counted);
			expect(await allVotes(review.tokens.owner)).toHaveLength(counted);
		});
	});

	describe('notes', () => {
		const put = (token: string, id: string, body: unknown, headers = {}) =>
			kit.ask(service(), 'putNote', { token, params: { id }, body, headers });

		it('are written, changed by revision, removed, and read in order', async () => {
			const review = await kit.makeReview(service());
			await kit.openPairs(service(), review);
			const { commenter, viewer, owner } = review.tokens;
			const [a, b] = [kit.newId(), kit.newId()];
			expect(v.parse(NoteRecord, (await put(commenter, a, { body: 'AAAA', revision: 0 })).body)).toMatchObject({
				seq: 1,
				revision: 1,
			});
			await put(owner, b, { body: 'BBBB', revision: 0 });
			expect((await put(commenter, a, { body: 'CCCC', revision: 1 })).body).toMatchObject({
				seq: 3,
				revision: 2,
				author: review.links.commenter,
			});
			const late = await put(commenter, a, { body: 'DDDD', revision: 1 });
			expect([late.status, late.body.error.current.body]).toEqual([409, 'CCCC']);
			const list = await kit.ask(service(), 'notes', { token: viewer });
			expect(v.parse(NoteList, list.body).notes.map((n) => [n.id, n.body])).toEqual([
				[b, 'BBBB'],
				[a, 'CCCC'],
			]);
			expect((await kit.ask(service(), 'notes', { token: viewer, query: '?after=2' })).body.notes).toHaveLength(1);
			const gone = await kit.ask(service(), 'removeNote', { token: commenter, params: { id: a } });
			expect(gone.body).toMatchObject({ body: null, seq: 4 });
			expect((await kit.ask(service(), 'removeNote', { token: commenter, params: { id: a } })).body.seq).toBe(4);
			expect((await kit.ask(service(), 'notes', { token: viewer, query: '?after=3' })).body.notes).toMatchObject([
				{ id: a, body: null },
			]);
		});

		it('are the author’s and the owner’s to change, and nobody else’s', async () => {
			const review = await kit.makeReview(service());
			await kit.openPairs(service(), review);
			const stranger = kit.newToken();
			await kit.ask(service(), 'addLink', { token: review.tokens.owner, body: kit.newLink(stranger, 'commenter') });
			const id = kit.newId();
			await put(review.tokens.commenter, id, { body: 'AAAA', revision: 0 });
			for (const answer of [
				await put(stranger, id, { body: 'BBBB', revision: 1 }),
				await kit.ask(service(), 'removeNote', { token: stranger, params: { id } }),
			]) {
				expect([answer.status, answer.body.error.code]).toEqual([403, 'forbidden']);
			}
			expect((await put(review.tokens.owner, id, { body: 'CCCC', revision: 1 })).body).toMatchObject({
				author: review.links.commenter,
			});
			expect((await kit.ask(service(), 'removeNote', { token: review.tokens.owner, params: { id } })).status).toBe(200);
		});

		it('sent again with their key are one; written at once by many, none is lost or numbered twice', async () => {
			const review = await kit.makeReview(service());
			await kit.openPairs(service(), review);
			const [id, key] = [kit.newId(), keyed()];
			const same = await Promise.all(
				Array.from({ length: 5 }, () => put(review.tokens.commenter, id, { body: 'AAAA', revision: 0 }, key)),
			);
			expect(same.map((a) => [a.status, a.body.seq])).toEqual(Array(5).fill([200, 1]));
			await Promise.all(
				Array.from({ length: 20 }, () => put(review.tokens.commenter, kit.newId(), { body: 'AAAA', revision: 0 })),
			);
			const { body } = await kit.ask(service(), 'notes', { token: review.tokens.viewer });
			expect((body.notes as NoteRecord[]).map((n) => n.seq)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
		});
	});
}
