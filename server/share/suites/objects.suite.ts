/** Uploads, downloads, quotas. */

import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { API, HEADERS, LIMITS } from '../../../src/share/protocol.ts';
import * as kit from '../share.testkit.ts';

const FULL = LIMITS.chunkBytes + LIMITS.chunkOverhead;

/** Sends a body by a raw socket, piece by piece, until the service has enough of it. @returns Status and bytes that went out. */
function trickle(
	service: kit.TestService,
	path: string,
	headers: Record<string, string>,
	piece: Buffer,
	most: number,
): Promise<{ status: number; sent: number }> {
	return new Promise((done, failed) => {
		let sent = 0;
		let status = 0;
		const outgoing = request({ port: service.port, host: '127.0.0.1', method: 'PUT', path, headers }, (answer) => {
			status = answer.statusCode ?? 0;
			answer.resume();
			answer.on('end', () => {
				outgoing.destroy();
				done({ status, sent });
			});
		});
		outgoing.on('error', (error) => (status === 0 ? failed(error) : undefined));
		const more = (): void => {
			if (status !== 0 || outgoing.destroyed || sent >= most) return void outgoing.end();
			sent += piece.length;
			outgoing.write(piece, () => setImmediate(more));
		};
		more();
	});
}

/** Runs the suite on a service. */
export function objectsSuite(service: () => kit.TestService): void {
	describe('objects', () => {
		it('arrive chunk by chunk in any order, go on where they stopped, and count when all is there', async () => {
			const { tokens } = await kit.makeReview(service());
			const token = tokens.owner;
			const id = kit.newId();
			const size = 2 * FULL + 1000;
			const bytes = Buffer.alloc(size, 7);
			const part = (i: number): Buffer => bytes.subarray(i * FULL, (i + 1) * FULL);
			const declared = await kit.ask(service(), 'declareObject', { token, params: { id }, body: { size } });
			expect([declared.status, declared.body]).toEqual([
				201,
				{ id, size, chunks: 3, missing: [0, 1, 2], complete: false },
			]);
			expect((await kit.sendChunk(service(), token, id, 2, part(2))).status).toBe(204);
			const early = await kit.ask(service(), 'completeObject', { token, params: { id } });
			expect([early.status, early.body.error.code, early.body.error.current.missing]).toEqual([
				409,
				'conflict',
				[0, 1],
			]);
			expect((await kit.ask(service(), 'content', { token, params: { id } })).status).toBe(404);
			// What the uploader does after a break: it declares the same again and learns what is missing.
			const again = await kit.ask(service(), 'declareObject', { token, params: { id }, body: { size } });
			expect([again.status, again.body.missing]).toEqual([200, [0, 1]]);
			for (const i of [1, 0]) expect((await kit.sendChunk(service(), token, id, i, part(i))).status).toBe(204);
			const complete = await kit.ask(service(), 'completeObject', { token, params: { id } });
			expect([complete.status, complete.body]).toEqual([200, { id, size, chunks: 3, missing: [], complete: true }]);
			expect((await kit.ask(service(), 'completeObject', { token, params: { id } })).status).toBe(200);
			const other = await kit.ask(service(), 'declareObject', { token, params: { id }, body: { size: size + 1 } });
			expect([other.status, other.body.error.current]).toEqual([409, { id, size }]);
			// The same chunk once more is no error, another one is not taken.
			expect((await kit.sendChunk(service(), token, id, 2, part(2))).status).toBe(204);
			const changed = await kit.sendChunk(service(), token, id, 2, Buffer.alloc(1000, 8));
			expect([changed.status, changed.body.error.code]).toEqual([409, 'conflict']);
			const got = await kit.ask(service(), 'content', { token, params: { id } });
			expect(got.bytes.equals(bytes)).toBe(true);
		});

		it('a chunk cut short, too long, or of another checksum does not count', async () => {
			const { tokens } = await kit.makeReview(service());
			const token = tokens.owner;
			const id = kit.newId();
			await kit.ask(service(), 'declareObject', { token, params: { id }, body: { size: 100 } });
			const bytes = Buffer.alloc(100, 1);
			for (const [body, sum, code] of [
				[bytes.subarray(1), kit.sumOf(bytes), 'checksum'],
				[Buffer.alloc(101, 1), kit.sumOf(bytes), 'checksum'],
				[bytes, kit.sumOf(Buffer.alloc(100)), 'checksum'],
				[bytes, 'no sum', 'invalid'],
			] as const) {
				const { status, body: said } = await kit.sendChunk(service(), token, id, 0, body, sum);
				expect([status, said.error.code]).toEqual([400, code]);
			}
			for (const index of ['1', '-1', 'x', '0x0', '99999999999999999999']) {
				const params = { id, index };
				const headers = { [HEADERS.checksum]: kit.sumOf(bytes) };
				const { status, body } = await kit.ask(service(), 'putChunk', { token, params, headers, body: bytes });
				expect([index, status, body.error.path]).toEqual([index, 400, 'index']);
			}
			const { body } = await kit.ask(service(), 'object', { token, params: { id } });
			expect(body.missing).toEqual([0]);
			// A body that breaks off in the middle.
			const path = `${API}/objects/${id}/chunks/0`;
			const headers = {
				Authorization: `Emulsion ${token}`,
				[HEADERS.checksum]: kit.sumOf(bytes),
				'Content-Length': '100',
			};
			await new Promise<void>((done) => {
				const outgoing = request({ port: service().port, host: '127.0.0.1', method: 'PUT', path, headers });
				outgoing.on('error', () => done());
				outgoing.write(bytes.subarray(0, 50), () => outgoing.destroy());
				outgoing.on('close', () => done());
			});
			expect((await kit.ask(service(), 'object', { token, params: { id } })).body.missing).toEqual([0]);
			expect((await kit.sendChunk(service(), token, id, 0, bytes)).status).toBe(204);
		});

		it('a body longer than declared is cut off and not kept in memory', async () => {
			const { tokens } = await kit.makeReview(service());
			const id = kit.newId();
			await kit.ask(service(), 'declareObject', { token: tokens.owner, params: { id }, body: { size: 1000 } });
			const headers = { Authorization: `Emulsion ${tokens.owner}`, [HEADERS.checksum]: kit.sumOf(Buffer.alloc(0)) };
			const most = 256 * 1024 ** 2;
			const piece = Buffer.alloc(64 * 1024);
			const chunk = `${API}/objects/${id}/chunks/0`;
			const chunked = await trickle(service(), chunk, { ...headers, 'Transfer-Encoding': 'chunked' }, piece, most);
			expect(chunked.status).toBe(400);
			expect(chunked.sent).toBeLessThan(most / 4);
			// Said in advance, it is refused before a byte is read.
			const huge = await trickle(
				service(),
				chunk,
				{ ...headers, 'Content-Length': String(5 * 1024 ** 3) },
				piece,
				most,
			);
			expect(huge.status).toBe(400);
			expect(huge.sent).toBeLessThan(most / 4);
			const json = await trickle(
				service(),
				`${API}/notes/${kit.newId()}`,
				{ ...headers, 'Content-Length': String(most) },
				piece,
				most,
			);
			expect(json.status).not.toBe(200);
			expect(json.sent).toBeLessThan(most / 4);
		});

		it('what is too large is refused before it is sent: an object of 5 GB, a review over its quota', async () => {
			const { tokens } = await kit.makeReview(service());
			const declare = (size: unknown) =>
				kit.ask(service(), 'declareObject', { token: tokens.owner, params: { id: kit.newId() }, body: { size } });
			const huge = await declare(5e9);
			expect([huge.status, huge.body.error]).toMatchObject([
				413,
				{ code: 'too-large', limit: LIMITS.objectBytes, used: 5e9 },
			]);
			const { quota } = service().config;
			for (let left = quota; left >= LIMITS.objectBytes; left -= LIMITS.objectBytes) {
				expect((await declare(LIMITS.objectBytes - 1000 * 16)).status).toBe(201);
			}
			const over = await declare(LIMITS.objectBytes);
			expect([over.status, over.body.error.code, over.body.error.limit]).toEqual([413, 'too-large', quota]);
			expect(over.body.error.used).toBeGreaterThan(quota);
			const info = await kit.ask(service(), 'review', { token: tokens.owner });
			expect(info.body.storage.used).toBe(Math.floor(quota / LIMITS.objectBytes) * (LIMITS.objectBytes - 1000 * 16));
			for (const size of [0, 15, FULL + 3, FULL + 16, 1.5, -1, '100', null, 2 ** 60]) {
				const { status, body } = await declare(size);
				expect([size, status, body.error.path]).toEqual([size, 400, 'size']);
			}
		});

		it('two who take the last room at once do not both get it', async () => {
			const { tokens } = await kit.makeReview(service());
			const declare = (size: number) =>
				kit.ask(service(), 'declareObject', { token: tokens.owner, params: { id: kit.newId() }, body: { size } });
			const room = LIMITS.objectBytes - 1000 * 16;
			const all = await Promise.all(Array.from({ length: 6 }, () => declare(room)));
			const fit = Math.floor(service().config.quota / room);
			expect(all.map((a) => a.status).sort()).toEqual([...Array(fit).fill(201), ...Array(6 - fit).fill(413)]);
		});

		it('content answers ranges over chunks, HEAD, and asks nothing of the store that is known', async () => {
			const { tokens } = await kit.makeReview(service());
			const id = kit.newId();
			const size = FULL + 500;
			const bytes = await kit.sendObject(service(), tokens.owner, id, size);
			const get = (headers: Record<string, string>) =>
				kit.ask(service(), 'content', { token: tokens.owner, params: { id }, headers });
			for (const [range, start, end] of [
				[`bytes=0-0`, 0, 1],
				[`bytes=${FULL - 10}-${FULL + 9}`, FULL - 10, FULL + 10],
				[`bytes=${FULL}-`, FULL, size],
				['bytes=-5', size - 5, size],
				[`bytes=10-${size + 100}`, 10, size],
			] as const) {
				const part = await get({ Range: range });
				expect([range, part.status, part.headers.get('content-range')]).toEqual([
					range,
					206,
					`bytes ${start}-${end - 1}/${size}`,
				]);
				expect(part.bytes.equals(bytes.subarray(start, end))).toBe(true);
			}
			for (const range of [`bytes=${size}-`, 'bytes=9999999999-', 'bytes=5-2']) {
				const { status, headers } = await get({ Range: range });
				expect([range, status, headers.get('content-range')]).toEqual([range, 416, `bytes */${size}`]);
			}
			// Several ranges, or another unit: the whole, as RFC 9110 allows.
			expect((await get({ Range: 'bytes=0-1,3-4' })).bytes.length).toBe(size);
			const whole = await get({});
			const etag = whole.headers.get('etag')!;
			expect(whole.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
			expect(whole.headers.get('vary')).toBe('Authorization');
			expect((await get({ 'If-None-Match': etag })).status).toBe(304);
			expect((await get({ 'If-Range': etag, Range: 'bytes=1-2' })).status).toBe(206);
			expect((await get({ 'If-Range': '"other"', Range: 'bytes=1-2' })).status).toBe(200);
			const head = await fetch(`${service().origin}${API}/objects/${id}/content`, {
				method: 'HEAD',
				headers: { Authorization: `Emulsion ${tokens.owner}` },
			});
			expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
				200,
				String(size),
				etag,
			]);
		});

		it('a reader who goes slowly or away holds back the store and breaks nothing', async () => {
			const { tokens } = await kit.makeReview(service());
			const id = kit.newId();
			const size = 24 * FULL;
			await kit.sendObject(service(), tokens.owner, id, size);
			const { blobs } = service().parts;
			let reads = 0;
			const { read } = blobs;
			blobs.read = (...args) => (reads++, read(...args));
			try {
				await new Promise<void>((done, failed) => {
					const headers = { Authorization: `Emulsion ${tokens.owner}` };
					const path = `${API}/objects/${id}/content`;
					request({ port: service().port, host: '127.0.0.1', path, headers }, (answer) => {
						answer.once('data', () => {
							answer.pause();
							setTimeout(() => {
								answer.destroy();
								done();
							}, 300);
						});
					})
						.on('error', failed)
						.end();
				});
				// The sockets' buffers take a few; all twenty-four would mean that nobody waits for the reader.
				expect(reads).toBeGreaterThan(0);
				expect(reads).toBeLessThan(20);
			} finally {
				blobs.read = read;
			}
			const range = { Range: 'bytes=0-9' };
			expect(
				(await kit.ask(service(), 'content', { token: tokens.owner, params: { id }, headers: range })).bytes.length,
			).toBe(10);
		});

		it('two senders of different bytes for one chunk: one counts, the other is told', async () => {
			const { tokens } = await kit.makeReview(service());
			const id = kit.newId();
			await kit.ask(service(), 'declareObject', { token: tokens.owner, params: { id }, body: { size: 5000 } });
			const versions = [Buffer.alloc(5000, 1), Buffer.alloc(5000, 2)];
			const answers = await Promise.all(versions.map((b) => kit.sendChunk(service(), tokens.owner, id, 0, b)));
			const statuses = answers.map((a) => a.status);
			expect(statuses.filter((s) => s === 204)).toHaveLength(1);
			expect(statuses.filter((s) => s === 409 || s === 503)).toHaveLength(1);
			await kit.ask(service(), 'completeObject', { token: tokens.owner, params: { id } });
			const { bytes } = await kit.ask(service(), 'content', { token: tokens.owner, params: { id } });
			expect(bytes.equals(versions[statuses.indexOf(204)]!)).toBe(true);
		});

		it('what the review is made of is not removed; what is removed gives its room back', async () => {
			const { tokens } = await kit.makeReview(service());
			const token = tokens.owner;
			const [manifest, clip] = [kit.newId(), kit.newId()];
			for (const id of [manifest, clip]) await kit.sendObject(service(), token, id, 1000);
			const unknown = await kit.ask(service(), 'update', { token, body: { manifest: kit.newId() } });
			expect([unknown.status, unknown.body.error.path]).toEqual([400, 'manifest']);
			expect((await kit.ask(service(), 'update', { token, body: { manifest } })).status).toBe(200);
			const kept = await kit.ask(service(), 'removeObject', { token, params: { id: manifest } });
			expect([kept.status, kept.body.error.code]).toEqual([409, 'conflict']);
			expect((await kit.ask(service(), 'removeObject', { token, params: { id: clip } })).status).toBe(204);
			expect((await kit.ask(service(), 'content', { token, params: { id: clip } })).status).toBe(404);
			expect((await kit.ask(service(), 'review', { token })).body.storage.used).toBe(1000);
			// The same id again is another object.
			const bytes = await kit.sendObject(service(), token, clip, 2000);
			const got = await kit.ask(service(), 'content', { token, params: { id: clip } });
			expect(got.bytes.equals(bytes)).toBe(true);
		});
	});
}
