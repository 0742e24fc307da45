/** What is not as it should be: JSON, ids, clocks, tokens, origins. Each has its typed refusal and leaves nothing behind. */

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { API, HEADERS, LIMITS, REFUSALS } from '../../../src/share/protocol.ts';
import * as kit from '../share.testkit.ts';

/** A request without URL normalization, as a hostile client sends it. */
function raw(service: kit.TestService, path: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
	return new Promise((done, failed) => {
		request({ port: service.port, host: '127.0.0.1', path, headers, method }, (answer) => {
			answer.resume();
			done(answer.statusCode ?? 0);
		})
			.on('error', failed)
			.end();
	});
}

/** A right body of `create`, but for one more key. */
function withKey(key: string): string {
	const links = [kit.newLink(kit.newToken(), 'owner')];
	return JSON.stringify({ blind: true, expiresAt: kit.soon(), links }).replace('{', `{${key},`);
}

/** Runs the suite on a service. */
export function hostileSuite(service: () => kit.TestService): void {
	describe('hostile input', () => {
		it.each([
			['no JSON', '{"blind":', 'body'],
			['nothing', '', 'body'],
			['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'body'],
			['nested 200,000 deep', '['.repeat(200_000), 'body'],
			['nested deep in a field', withKey(`"label":${'['.repeat(5000)}${']'.repeat(5000)}`), 'label'],
			['null', 'null', 'body'],
			['a prototype', withKey('"__proto__":{"role":"owner"}'), '__proto__'],
			['a constructor', withKey('"constructor":{"prototype":{"role":"owner"}}'), 'constructor'],
			['a number beyond all', '{"blind":true,"expiresAt":1e999,"links":[]}', 'expiresAt'],
		])('%s is refused', async (_, body, path) => {
			const { status, body: said } = await kit.ask(service(), 'create', { body });
			expect([status, said.error.code]).toEqual([400, 'invalid']);
			expect(said.error.path).toBe(path);
			expect(({} as Record<string, unknown>)['role']).toBeUndefined();
		});

		it('a body past its limit is refused', async () => {
			const huge = await kit.ask(service(), 'create', { body: `{"blind":"${'x'.repeat(5 * 1024 ** 2)}"}` });
			expect([huge.status, huge.body.error.code]).toEqual([413, 'too-large']);
			const { tokens } = await kit.makeReview(service());
			const body = { body: 'A'.repeat(LIMITS.noteBytes * 2), revision: 0 };
			const note = await kit.ask(service(), 'putNote', { token: tokens.owner, params: { id: kit.newId() }, body });
			expect([note.status, note.body.error.code]).toEqual([413, 'too-large']);
		});

		it('ids that are paths, NUL, too long or of other letters are refused, and unknown keys', async () => {
			const { tokens } = await kit.makeReview(service());
			const token = tokens.owner;
			for (const id of [
				'..',
				'%2e%2e%2f%2e%2e%2fetc%2fpasswd',
				'%00',
				'a'.repeat(21),
				'a'.repeat(23),
				'%E2%80%AE'.repeat(22),
				"'--",
			]) {
				for (const route of ['object', 'content', 'declareObject', 'putNote', 'revokeLink'] as const) {
					const { status, body } = await kit.ask(service(), route, {
						...{ token, params: { id } },
						...(route === 'declareObject' || route === 'putNote' ? { body: { size: 100 } } : {}),
					});
					expect([id, route, [400, 404].includes(status), body.error.code]).toEqual([
						id,
						route,
						true,
						expect.stringMatching(/^(invalid|not-found)$/),
					]);
				}
			}
			const nul = await kit.ask(service(), 'putNote', {
				token,
				params: { id: kit.newId() },
				body: { body: 'a\0b', revision: 0 },
			});
			expect([nul.status, nul.body.error.path]).toEqual([400, 'body']);
			const extra = await kit.ask(service(), 'update', { token, body: { state: 'open', storageUsed: 0 } });
			expect([extra.status, extra.body.error.path]).toEqual([400, 'storageUsed']);
			for (const after of ['-1', 'x', '1e3', "1' or '1'='1", '9'.repeat(30)]) {
				const { status, body } = await kit.ask(service(), 'notes', {
					token,
					query: `?after=${encodeURIComponent(after)}`,
				});
				expect([after, status, body.error.path]).toEqual([after, 400, 'after']);
			}
			for (const path of [
				`${API}/objects/../../../etc/passwd`,
				`${API}/objects/..%2f..%2fdata/content`,
				`${API}/%2e%2e/%2e%2e/x`,
			]) {
				expect([400, 404]).toContain(await raw(service(), path, { Authorization: `Emulsion ${token}` }));
			}
		});

		it('votes that do not fit their schema are refused by field', async () => {
			const review = await kit.makeReview(service());
			const [pair = ''] = await kit.openPairs(service(), review);
			for (const [change, path] of [
				[{ choice: 'both' }, 'choice'],
				[{ left: '../x' }, 'left'],
				[{ position: LIMITS.presentations }, 'position'],
				[{ viewedMs: -1 }, 'viewedMs'],
				[{ plays: 0.5 }, 'plays'],
				[{ reason: '<b>' }, 'reason'],
				[{ revision: null }, 'revision'],
				[{ voter: 'somebody' }, 'voter'],
			] as const) {
				const { status, body } = await kit.castVote(service(), review.tokens.once, pair, {
					...kit.newVote(),
					...change,
				});
				expect([path, status, body.error.path]).toEqual([path, 400, path]);
			}
			const key = await kit.castVote(service(), review.tokens.once, pair, kit.newVote(), {
				[HEADERS.idempotency]: 'a b',
			});
			expect([key.status, key.body.error.path]).toEqual([400, HEADERS.idempotency]);
			expect((await kit.ask(service(), 'votes', { token: review.tokens.owner })).body.votes).toEqual([]);
		});

		it('a review is made whole or not at all', async () => {
			const expiresAt = kit.soon();
			const owner = kit.newLink(kit.newToken(), 'owner');
			for (const [links, path] of [
				[[], 'links'],
				[[kit.newLink(kit.newToken(), 'voter')], 'links'],
				[[owner, kit.newLink(kit.newToken(), 'owner')], 'links'],
				[[owner, owner], 'links'],
				[[owner, { ...kit.newLink(kit.newToken(), 'voter'), tokenHash: owner.tokenHash }], 'links'],
				[[owner, kit.newLink(kit.newToken(), 'viewer', { once: true })], 'links.1.once'],
				[[owner, kit.newLink(kit.newToken(), 'viewer', { wrappedKey: '' })], 'links.1.wrappedKey'],
				[[{ ...owner, tokenHash: 'short' }], 'links.0.tokenHash'],
			] as const) {
				const { status, body } = await kit.ask(service(), 'create', { body: { blind: true, expiresAt, links } });
				expect([path, status, body.error.path]).toEqual([path, 400, path]);
			}
		});

		it('clients’ clocks decide nothing: expiry is the service’s, and it says its time', async () => {
			const links = [kit.newLink(kit.newToken(), 'owner')];
			for (const expiresAt of [Date.now() - 1000, Date.now() + LIMITS.lifetimeMs + 60_000, 8.64e15]) {
				const { status, body } = await kit.ask(service(), 'create', { body: { blind: false, expiresAt, links } });
				expect([status, body.error.path]).toEqual([400, 'expiresAt']);
				// Whose clock is wrong learns by how much.
				expect(Math.abs(body.error.limit - LIMITS.lifetimeMs - Date.now())).toBeLessThan(60_000);
			}
			const review = await kit.makeReview(service());
			const { body } = await kit.ask(service(), 'review', { token: review.tokens.owner });
			expect(Math.abs(body.serverTime - Date.now())).toBeLessThan(60_000);
			const late = await kit.ask(service(), 'update', { token: review.tokens.owner, body: { expiresAt: 1 } });
			expect([late.status, late.body.error.path]).toEqual([400, 'expiresAt']);
		});

		it('a review asked for twice with the same links is one; a link of another review is a conflict', async () => {
			const links = [kit.newLink(kit.newToken(), 'owner'), kit.newLink(kit.newToken(), 'viewer')];
			const body = { blind: true, expiresAt: kit.soon(), links };
			const [first, again] = [
				await kit.ask(service(), 'create', { body }),
				await kit.ask(service(), 'create', { body }),
			];
			expect([first.status, again.status]).toEqual([201, 200]);
			expect({ ...again.body, serverTime: 0 }).toEqual({ ...first.body, serverTime: 0 });
			const together = { ...body, links: [kit.newLink(kit.newToken(), 'owner')] };
			const both = await Promise.all([1, 2, 3].map(() => kit.ask(service(), 'create', { body: together })));
			expect(new Set(both.map((a) => a.body.review))).toHaveLength(1);
			const mixed = await kit.ask(service(), 'create', {
				body: { ...body, links: [links[0], kit.newLink(kit.newToken(), 'viewer')] },
			});
			expect([mixed.status, mixed.body.error.code]).toEqual([409, 'conflict']);
		});

		it('links: the same again is the same, another of its token a conflict; the owner’s is one and stays', async () => {
			const review = await kit.makeReview(service());
			const token = review.tokens.owner;
			const secret = kit.newToken();
			const add = (body: unknown) => kit.ask(service(), 'addLink', { token, body });
			const [made, again] = [await add(kit.newLink(secret, 'viewer')), await add(kit.newLink(secret, 'viewer'))];
			expect([made.status, again.status, again.body.id]).toEqual([201, 200, made.body.id]);
			expect((await add(kit.newLink(secret, 'commenter'))).status).toBe(409);
			expect((await add(kit.newLink(review.tokens.voter, 'viewer'))).status).toBe(409);
			const second = await add(kit.newLink(kit.newToken(), 'owner'));
			expect([second.status, second.body.error.path]).toEqual([400, 'role']);
			const own = await kit.ask(service(), 'revokeLink', { token, params: { id: review.links.owner } });
			expect([own.status, own.body.error.code]).toEqual([409, 'conflict']);
			expect((await kit.ask(service(), 'review', { token: secret })).status).toBe(423);
			for (let i = 0; i < 2; i++) {
				const gone = await kit.ask(service(), 'revokeLink', { token, params: { id: made.body.id } });
				expect([gone.status, gone.body.revokedAt]).toEqual([200, expect.any(Number)]);
			}
			// At once: nothing remembers that it was good.
			expect((await kit.ask(service(), 'review', { token: secret })).body.error.code).toBe('revoked');
			const list = await kit.ask(service(), 'links', { token });
			expect(list.body.links).toHaveLength(6);
			expect(list.body.links.find((l: { role: string }) => l.role === 'owner').usedAt).toEqual(expect.any(Number));
			expect(JSON.stringify(list.body)).not.toContain(kit.hashOf(secret));
		});

		it('what pages of other origins send is refused where it would change something', async () => {
			const review = await kit.makeReview(service());
			const ask = (headers: Record<string, string>) =>
				kit.ask(service(), 'update', { token: review.tokens.owner, headers, body: { state: 'open' } });
			for (const headers of [
				{ Origin: 'https://evil.example' },
				{ Origin: 'null' },
				{ Origin: `http://127.0.0.1:${service().port + 1}` },
			]) {
				const { status, body } = await ask(headers);
				expect([headers, status, body.error.code]).toEqual([headers, 403, 'forbidden']);
			}
			const headers = { Authorization: `Emulsion ${review.tokens.owner}`, 'Sec-Fetch-Site': 'cross-site' };
			expect(await raw(service(), `${API}/review`, headers, 'DELETE')).toBe(403);
			expect((await ask({ Origin: service().origin })).status).toBe(200);
			const { headers: answered } = await kit.ask(service(), 'review', {
				token: review.tokens.owner,
				headers: { Origin: 'https://evil.example' },
			});
			expect([...answered.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
			const preflight = await fetch(`${service().origin}${API}/review`, { method: 'OPTIONS' });
			expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([404, null]);
		});

		it('names of other hosts are not answered on this machine’s address', async () => {
			expect(await raw(service(), `${API}/review`, { Host: 'evil.example' })).toBe(421);
			expect(await raw(service(), '/readyz', { Host: 'evil.example' })).toBe(421);
		});

		it('noise in place of a token is a refusal of the protocol', async () => {
			for (const Authorization of [
				'',
				'Emulsion',
				'Emulsion  x',
				'Bearer x',
				`Emulsion ${"'".repeat(43)}`,
				`Emulsion ${randomBytes(99).toString('base64url')}x`,
			]) {
				const { status, body } = await kit.ask(service(), 'review', { headers: { Authorization } });
				expect([Authorization, status, body.error.code]).toEqual([Authorization, 401, 'unauthorized']);
			}
			expect(Object.keys(REFUSALS)).toContain('unauthorized');
		});
	});
}
