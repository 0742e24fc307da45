/** The share service killed in the middle, and asked to end: no vote is lost or doubled, no request is cut off. */

import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API, HEADERS, type VoteRecord } from '../../src/share/protocol.ts';
import { type ServeProcess, serveProcess } from './process.testkit.ts';
import * as kit from './share.testkit.ts';
import { type Cluster, seedPglite, startCluster } from './stores.testkit.ts';

const VOTERS = 12;
const PAIRS = 6;

/** Sends a vote until it is answered, as clients do: the same key each time. */
async function persist(
	service: ServeProcess,
	token: string,
	pair: string,
	vote: object,
	headers: Record<string, string>,
): Promise<kit.Answer> {
	for (let tries = 0; ; tries++) {
		const answer = await kit.castVote(service, token, pair, vote, headers).catch(() => undefined);
		if (answer && answer.status < 500) return answer;
		if (tries === 600) throw new Error('the service never came back');
		await new Promise((done) => setTimeout(done, 25));
	}
}

describe.each(['PGlite', 'Postgres'] as const)('on %s', (name) => {
	let folder: string;
	let cluster: Cluster | undefined;
	let service: ServeProcess;

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), 'emulsion-kill-'));
		const env: Record<string, string> = { EMULSION_SHARE_DIR: join(folder, 'share') };
		if (name === 'PGlite') await seedPglite(join(folder, 'share'));
		else {
			cluster = await startCluster();
			env['DATABASE_URL'] = await cluster.database();
		}
		service = await serveProcess(env, folder);
		await service.start();
	});
	afterAll(async () => {
		await service?.kill();
		cluster?.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	it('kill -9 and a new start in the middle of voting lose and double nothing', async () => {
		const review = await kit.makeReview(service);
		const object = kit.newId();
		const bytes = await kit.sendObject(service, review.tokens.owner, object, 20_000);
		const pairs = await kit.openPairs(service, review, PAIRS);
		const cast: { voter: string; pair: string; right: string; revision: number }[] = [];
		let answered = 0;
		const killAt = [VOTERS * 2, VOTERS * 7];
		let killing: Promise<void> | undefined;
		const restart = async (): Promise<void> => {
			await service.kill();
			await service.start();
		};
		const vote = async (device: string, pair: string, revision: number): Promise<void> => {
			const body = kit.newVote({ choice: revision === 0 ? 'left' : 'right', revision });
			const headers = { [HEADERS.voter]: device, [HEADERS.idempotency]: kit.newId() };
			const { status, body: record } = await persist(service, review.tokens.voter, pair, body, headers);
			expect([status, record.revision, record.right]).toEqual([200, revision + 1, body.right]);
			cast.push({ voter: record.voter, pair, right: body.right, revision: revision + 1 });
			answered++;
			if (killAt.includes(answered)) killing = restart();
		};
		await Promise.all(
			Array.from({ length: VOTERS }, async () => {
				const device = kit.newToken();
				for (const revision of [0, 1]) for (const pair of pairs) await vote(device, pair, revision);
			}),
		);
		await killing;
		expect(answered).toBe(VOTERS * PAIRS * 2);
		const { body } = await kit.ask(service, 'votes', { token: review.tokens.owner });
		const kept = body.votes as VoteRecord[];
		expect(kept).toHaveLength(VOTERS * PAIRS);
		expect(new Set(kept.map((r) => r.seq)).size).toBe(kept.length);
		const last = new Map(cast.map((c) => [`${c.voter}/${c.pair}`, c]));
		for (const record of kept) {
			const sent = last.get(`${record.voter}/${record.presentation}`);
			expect([record.right, record.revision, record.choice]).toEqual([sent?.right, 2, 'right']);
		}
		const got = await kit.ask(service, 'content', { token: review.tokens.viewer, params: { id: object } });
		expect(got.bytes.equals(bytes)).toBe(true);
	});

	it('SIGTERM lets what is in flight end, takes nothing new and exits with 0', async () => {
		const review = await kit.makeReview(service);
		const id = kit.newId();
		const bytes = Buffer.alloc(1000, 5);
		await kit.ask(service, 'declareObject', { token: review.tokens.owner, params: { id }, body: { size: 1000 } });
		const headers = {
			Authorization: `Emulsion ${review.tokens.owner}`,
			[HEADERS.checksum]: kit.sumOf(bytes),
			'Content-Length': '1000',
		};
		const path = `${API}/objects/${id}/chunks/0`;
		const outgoing = request({ port: service.port, host: '127.0.0.1', method: 'PUT', path, headers });
		const status = new Promise<number>((done, failed) => {
			outgoing.on('response', (answer) => done(answer.statusCode ?? 0));
			outgoing.on('error', failed);
		});
		await new Promise((done) => outgoing.write(bytes.subarray(0, 500), done));
		// The service has it in hand once it has looked its link up.
		await new Promise((done) => setTimeout(done, 200));
		const ending = service.end();
		while (!service.output().includes('"what":"ending"')) await new Promise((done) => setTimeout(done, 10));
		await expect(kit.ask(service, 'review', { token: review.tokens.owner })).rejects.toThrow();
		outgoing.end(bytes.subarray(500));
		expect(await status).toBe(204);
		expect(await ending).toBe(0);
		const lines = service
			.output()
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as Record<string, unknown>);
		expect(lines.at(-1)).toMatchObject({ what: 'ended' });
		await service.start();
		expect((await kit.ask(service, 'object', { token: review.tokens.owner, params: { id } })).body.missing).toEqual([]);
	});
});
