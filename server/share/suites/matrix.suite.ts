/** Every route with every capability, generated from the protocol. */

import { beforeAll, describe, expect, it } from 'vitest';
import { HEADERS, MAY, type Route, ROLES, ROUTES } from '../../../src/share/protocol.ts';
import * as kit from '../share.testkit.ts';

/** Who asks. */
const ASKERS = [
	...ROLES,
	'no token',
	'unknown token',
	'revoked link',
	'expired link',
	'link of an expired review',
	'other review',
] as const;
type Asker = (typeof ASKERS)[number];
type Guarded = Exclude<Route, 'create'>;
const GUARDED = Object.keys(MAY) as Guarded[];
/** Routes whose path names something of the review, which another review's link does not find. */
const NAMED: readonly Guarded[] = [
	'revokeLink',
	'object',
	'putChunk',
	'completeObject',
	'content',
	'removeObject',
	'removeNote',
	'putVote',
];

/** A review with something of everything, so that what is allowed succeeds. */
interface Stage {
	readonly review: kit.TestReview;
	readonly object: string;
	readonly note: string;
	readonly pair: string;
}

async function stage(service: kit.TestService): Promise<Stage> {
	const review = await kit.makeReview(service);
	const object = kit.newId();
	await kit.sendObject(service, review.tokens.owner, object, 100);
	const [pair = ''] = await kit.openPairs(service, review, 1);
	const note = kit.newId();
	const body = { body: 'abc', revision: 0 };
	const { status } = await kit.ask(service, 'putNote', { token: review.tokens.commenter, params: { id: note }, body });
	expect(status).toBe(200);
	return { review, object, note, pair };
}

/** A request that is right in everything but, perhaps, who makes it. */
async function requestOf(service: kit.TestService, route: Guarded, on: Stage): Promise<kit.Asked> {
	const owner = on.review.tokens.owner;
	const voter = { [HEADERS.voter]: kit.newToken() };
	switch (route) {
		case 'update':
			return { body: { state: 'open' } };
		case 'addLink':
			return { body: kit.newLink(kit.newToken(), 'viewer') };
		case 'revokeLink': {
			const body = kit.newLink(kit.newToken(), 'viewer');
			const made = await kit.ask(service, 'addLink', { token: owner, body });
			return { params: { id: made.body.id } };
		}
		case 'declareObject':
			return { params: { id: kit.newId() }, body: { size: 100 } };
		case 'object':
		case 'content':
			return { params: { id: on.object } };
		case 'putChunk': {
			const id = kit.newId();
			await kit.ask(service, 'declareObject', { token: owner, params: { id }, body: { size: 100 } });
			const body = Buffer.alloc(100);
			return { params: { id, index: '0' }, headers: { [HEADERS.checksum]: kit.sumOf(body) }, body };
		}
		case 'completeObject':
			return { params: { id: on.object } };
		case 'removeObject': {
			const id = kit.newId();
			await kit.ask(service, 'declareObject', { token: owner, params: { id }, body: { size: 100 } });
			return { params: { id } };
		}
		case 'putNote':
			return { params: { id: kit.newId() }, body: { body: 'abc', revision: 0 } };
		case 'removeNote':
			return { params: { id: on.note } };
		case 'votes':
			return { headers: voter };
		case 'putVote':
			return { params: { presentation: on.pair }, headers: voter, body: kit.newVote() };
		default:
			return {};
	}
}

const REFUSED: Readonly<Partial<Record<Asker, readonly [number, string]>>> = {
	'no token': [401, 'unauthorized'],
	'unknown token': [401, 'unauthorized'],
	'revoked link': [410, 'revoked'],
	'expired link': [410, 'expired'],
	'link of an expired review': [410, 'expired'],
};

/** Runs the matrix on a service. */
export function matrixSuite(service: () => kit.TestService): void {
	describe('matrix', () => {
		let on: Stage;
		let other: Stage;
		let expired: Stage;
		beforeAll(async () => {
			on = await stage(service());
			[other, expired] = [await stage(service()), await stage(service())];
			const { orm } = service().parts.database;
			await orm.execute(`UPDATE reviews SET expires_at = 1 WHERE id = '${expired.review.id}'`);
		});

		/** The token of who asks. Withdrawn and expired links have a role that may do what is asked. */
		async function tokenOf(asker: Asker, route: Guarded): Promise<string | undefined> {
			const role = MAY[route][0]!;
			const { tokens } = on.review;
			switch (asker) {
				case 'no token':
					return undefined;
				case 'unknown token':
					return kit.newToken();
				case 'link of an expired review':
					return expired.review.tokens[role];
				case 'other review':
					return other.review.tokens[role];
				case 'revoked link':
				case 'expired link': {
					// Owners' links are neither: what they may do is refused to a viewer's link that is revoked just the same.
					const token = kit.newToken();
					const link = kit.newLink(token, role === 'owner' ? 'viewer' : role);
					const { body } = await kit.ask(service(), 'addLink', { token: tokens.owner, body: link });
					const column = asker === 'revoked link' ? 'revoked_at' : 'expires_at';
					await service().parts.database.orm.execute(`UPDATE links SET ${column} = 1 WHERE id = '${body.id}'`);
					return token;
				}
				default:
					return tokens[asker];
			}
		}

		it.each(GUARDED)('%s', async (route) => {
			for (const asker of ASKERS) {
				const asked = await requestOf(service(), route, on);
				const token = await tokenOf(asker, route);
				// Last, because it is the end of the review.
				if (route === 'remove' && asker === 'owner') continue;
				if (route === 'remove' && asker === 'other review') continue;
				const { status, body } = await kit.ask(service(), route, { ...asked, token });
				const got = [asker, status, body?.error?.code];
				const refused = REFUSED[asker];
				if (refused) expect(got).toEqual([asker, ...refused]);
				else if (asker === 'other review') expect(got).toEqual([asker, ...elsewhere(route)]);
				else if (!MAY[route].includes(asker as never)) expect(got).toEqual([asker, 403, 'forbidden']);
				else expect([asker, Math.floor(status / 100), body?.error]).toEqual([asker, 2, undefined]);
			}
			if (route !== 'remove') return;
			// Another review's owner deletes that one, and nothing of this.
			expect((await kit.ask(service(), route, { token: other.review.tokens.owner })).status).toBe(204);
			expect((await kit.ask(service(), 'review', { token: other.review.tokens.owner })).status).toBe(401);
			expect(
				(await kit.ask(service(), 'object', { token: on.review.tokens.owner, params: { id: on.object } })).status,
			).toBe(200);
			expect((await kit.ask(service(), route, { token: on.review.tokens.owner })).status).toBe(204);
			for (const token of Object.values(on.review.tokens)) {
				expect((await kit.ask(service(), 'review', { token })).status).toBe(401);
			}
			on = await stage(service());
			other = await stage(service());
		});

		it('create: everybody, whatever link comes with it', async () => {
			for (const asker of ASKERS) {
				const token = await tokenOf(asker, 'update');
				const made = kit.newToken();
				const body = { blind: false, expiresAt: kit.soon(), links: [kit.newLink(made, 'owner')] };
				const { status } = await kit.ask(service(), 'create', { ...(token === undefined ? {} : { token }), body });
				expect([asker, status]).toEqual([asker, 201]);
				const review = await kit.ask(service(), 'review', { token: made });
				expect(review.body).toMatchObject({ role: 'owner', state: 'draft' });
				expect((await kit.ask(service(), 'remove', { token: made })).status).toBe(204);
			}
		});

		/** What a link gets that asks another review for what is not its own: not found, or its own and nothing else. */
		function elsewhere(route: Guarded): readonly [number, string | undefined] {
			if (NAMED.includes(route)) return [404, 'not-found'];
			return [expect.toSatisfy((s: number) => s >= 200 && s < 300) as number, undefined];
		}

		it('has every route of the protocol, and no other answers', async () => {
			expect(Object.keys(ROUTES).sort()).toEqual([...GUARDED, 'create'].sort());
			for (const path of ['/api/v1', '/api/v1/', '/api/v1/nothing', '/api/v2/review']) {
				const { status } = await fetch(service().origin + path);
				expect([path, status]).toEqual([path, 404]);
			}
			const posted = await fetch(`${service().origin}/api/v1/review`, { method: 'POST' });
			expect([posted.status, await posted.json()]).toEqual([
				404,
				{ error: expect.objectContaining({ code: 'not-found' }) },
			]);
		});

		it('a draft is read by its owner alone', async () => {
			const draft = await kit.makeReview(service());
			for (const role of ['commenter', 'voter', 'viewer', 'once'] as const) {
				const { status, body } = await kit.ask(service(), 'review', { token: draft.tokens[role] });
				expect([role, status, body.error.code]).toEqual([role, 423, 'closed']);
			}
			const { body } = await kit.ask(service(), 'review', { token: draft.tokens.owner });
			expect(body).toMatchObject({ state: 'draft', role: 'owner', storage: { used: 0 } });
		});

		it('a closed review is read and not written; opened again it is', async () => {
			const closed = await stage(service());
			const { tokens } = closed.review;
			const set = (state: string) => kit.ask(service(), 'update', { token: tokens.owner, body: { state } });
			expect((await set('closed')).body.state).toBe('closed');
			for (const role of ['owner', 'commenter', 'viewer'] as const) {
				expect((await kit.ask(service(), 'notes', { token: tokens[role] })).body.notes).toHaveLength(1);
			}
			const note = await kit.ask(service(), 'putNote', {
				token: tokens.commenter,
				...(await requestOf(service(), 'putNote', closed)),
			});
			expect([note.status, note.body.error.code]).toEqual([423, 'closed']);
			const vote = await kit.castVote(service(), tokens.once, closed.pair, kit.newVote());
			expect([vote.status, vote.body.error.code]).toEqual([423, 'closed']);
			expect((await set('draft')).status).toBe(400);
			expect((await set('open')).body.state).toBe('open');
			expect((await kit.castVote(service(), tokens.once, closed.pair, kit.newVote())).status).toBe(200);
		});

		it('the owner’s object is given to the owner alone, even when another one has taken its place', async () => {
			const at = await stage(service());
			const [secret, next] = [kit.newId(), kit.newId()];
			for (const id of [secret, next]) await kit.sendObject(service(), at.review.tokens.owner, id, 50);
			for (const ownerObject of [secret, next]) {
				const { body } = await kit.ask(service(), 'update', { token: at.review.tokens.owner, body: { ownerObject } });
				expect(body.ownerObject).toBe(ownerObject);
			}
			for (const role of ['commenter', 'voter', 'viewer'] as const) {
				const token = at.review.tokens[role];
				expect((await kit.ask(service(), 'review', { token })).body.ownerObject).toBeNull();
				for (const id of [secret, next]) {
					for (const route of ['object', 'content'] as const) {
						const { status, body } = await kit.ask(service(), route, { token, params: { id } });
						expect([role, route, status, body.error.code]).toEqual([role, route, 403, 'forbidden']);
					}
				}
			}
			const manifest = await kit.ask(service(), 'update', { token: at.review.tokens.owner, body: { manifest: next } });
			expect([manifest.status, manifest.body.error.path]).toEqual([400, 'ownerObject']);
		});
	});
}
