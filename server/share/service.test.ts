/** The service as a whole: headers, logs, health, opening, settings, schema, backup. */

import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';
import { ensureMoto } from '../../scripts/ensure.ts';
import { backup, restore } from '../backup.ts';
import { TABLES } from '../database/schema.ts';
import { startStaticServer } from '../static.ts';
import { ConfigError, shareConfig } from './config.ts';
import { addressBlock, clientAddress } from './limits.ts';
import { jsonLog } from './log.ts';
import { shareHandler } from './handler.ts';
import * as kit from './share.testkit.ts';
import { type Cluster, type S3Server, seedPglite, startCluster, startS3 } from './stores.testkit.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'emulsion-service-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
async function newConfig(env: Record<string, string> = {}) {
	const config = shareConfig({ ...env, EMULSION_SHARE_DIR: join(folder, `share${made++}`) }, folder);
	await seedPglite(config.folder);
	return config;
}

describe('answers', () => {
	let service: kit.TestService;
	beforeAll(async () => {
		service = await kit.startService(await newConfig({ EMULSION_TRUST_PROXY: '1' }));
		writeFileSync(join(service.config.folder, 'root', 'index.html'), 'the editor');
	});
	afterAll(() => service.close());

	it('carry the policy, nothing of other origins, and HSTS where the request came by TLS', async () => {
		const review = await kit.makeReview(service);
		for (const headers of [{}, { 'X-Forwarded-Proto': 'https' }, { 'X-Forwarded-Proto': 'https, http' }]) {
			const secure = headers['X-Forwarded-Proto'] === 'https';
			const answers = [
				(await kit.ask(service, 'review', { token: review.tokens.owner, headers })).headers,
				(await kit.ask(service, 'review', { headers })).headers,
				...(await Promise.all(
					['/', '/nothing', '/healthz', '/readyz', '/api/v1/nothing'].map((path) =>
						fetch(service.origin + path, { headers }),
					),
				).then((all) => all.map((a) => a.headers))),
			];
			for (const got of answers) {
				expect(got.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
				expect(got.get('x-content-type-options')).toBe('nosniff');
				expect(got.get('referrer-policy')).toBe('no-referrer');
				expect(got.get('cross-origin-opener-policy')).toBe('same-origin');
				expect(got.get('cross-origin-embedder-policy')).toBe('require-corp');
				expect(got.get('cross-origin-resource-policy')).toBe('same-origin');
				expect(got.get('access-control-allow-origin')).toBeNull();
				expect(got.get('strict-transport-security')).toBe(secure ? 'max-age=31536000' : null);
			}
			expect(answers[0]!.get('cache-control')).toBe('no-store');
		}
		expect(await (await fetch(service.origin)).text()).toBe('the editor');
	});

	it('are logged in one line each that holds no token, id, body or address', async () => {
		const from = service.log.length;
		const review = await kit.makeReview(service);
		const object = kit.newId();
		await kit.sendObject(service, review.tokens.owner, object, 3000);
		const [pair = ''] = await kit.openPairs(service, review);
		const note = kit.newId();
		const body = { body: 'c2VjcmV0IHdvcmRz', revision: 0 };
		const vote = kit.newVote({ reason: 'c2VjcmV0IHJlYXNvbg' });
		const headers = { 'X-Forwarded-For': '198.51.100.77' };
		await kit.ask(service, 'putNote', { token: review.tokens.commenter, params: { id: note }, body, headers });
		await kit.castVote(service, review.tokens.once, pair, vote, headers);
		await kit.castVote(service, review.tokens.once, pair, vote, headers);
		await kit.ask(service, 'content', { token: review.tokens.viewer, params: { id: object }, headers });
		await fetch(`${service.origin}/api/v1/objects/${object}/${review.tokens.owner}`);
		await kit.ask(service, 'remove', { token: review.tokens.owner });
		await new Promise((done) => setTimeout(done, 50));
		const lines = service.log.slice(from);
		expect(lines.length).toBeGreaterThanOrEqual(11);
		const routes = new Set<unknown>();
		for (const line of lines) {
			const entry = JSON.parse(line) as Record<string, unknown>;
			routes.add(entry['route']);
			expect(entry).toMatchObject({
				time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
				id: expect.stringMatching(/^[\w-]{12}$/),
				method: expect.stringMatching(/^[A-Z]+$/),
				status: expect.any(Number),
				ms: expect.any(Number),
				bytes: expect.any(Number),
				whole: true,
			});
		}
		expect([...routes].sort()).toEqual(
			[
				'completeObject',
				'content',
				'create',
				'declareObject',
				'putChunk',
				'putNote',
				'putVote',
				'remove',
				'unknown',
				'update',
			].sort(),
		);
		const content = lines
			.map((l) => JSON.parse(l) as { route: string; bytes: number })
			.find((l) => l.route === 'content');
		expect(content!.bytes).toBeGreaterThan(3000);
		const words = [...Object.values(review.tokens), ...Object.values(review.links), review.id, object, pair, note];
		for (const word of [...words, body.body, vote.reason, vote.left, '198.51.100.77', '127.0.0.1', 'Emulsion ']) {
			expect(lines.join('\n')).not.toContain(word);
		}
	});

	it('say whether the service is alive and ready', async () => {
		const statuses = async () =>
			Promise.all(['/healthz', '/readyz'].map(async (path) => (await fetch(service.origin + path)).status));
		expect(await statuses()).toEqual([200, 200]);
		const { blobs } = service.parts;
		const { check } = blobs;
		blobs.check = () => Promise.reject(new Error('away'));
		expect(await statuses()).toEqual([200, 503]);
		blobs.check = check;
		expect(await statuses()).toEqual([200, 200]);
	});

	it('of a service whose blob store fails are refusals that may be tried again', async () => {
		const review = await kit.makeReview(service);
		const id = kit.newId();
		await kit.ask(service, 'declareObject', { token: review.tokens.owner, params: { id }, body: { size: 100 } });
		const { blobs } = service.parts;
		const { put } = blobs;
		blobs.put = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
		const full = await kit.sendChunk(service, review.tokens.owner, id, 0, Buffer.alloc(100));
		blobs.put = put;
		expect([full.status, full.body.error.code, full.headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
		expect((await kit.ask(service, 'object', { token: review.tokens.owner, params: { id } })).body.missing).toEqual([
			0,
		]);
		expect((await kit.sendChunk(service, review.tokens.owner, id, 0, Buffer.alloc(100))).status).toBe(204);
	});
});

describe('the tables', () => {
	it('are those of the schema', async () => {
		const service = await kit.startService(await newConfig());
		try {
			for (const table of Object.values(TABLES)) {
				const { name, columns } = getTableConfig(table);
				const { rows } = await service.parts.database.orm.execute(
					`SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = '${name}' ORDER BY column_name`,
				);
				const wanted = columns.map((c) => ({
					column_name: c.name,
					data_type: c.getSQLType(),
					is_nullable: c.notNull ? 'NO' : 'YES',
				}));
				expect({ name, rows }).toEqual({ name, rows: wanted.sort((a, b) => (a.column_name < b.column_name ? -1 : 1)) });
			}
		} finally {
			await service.close();
		}
	});
});

describe('opening', () => {
	it('waits until it is asked, and a folder belongs to one service at a time', async () => {
		const config = await newConfig();
		const log: string[] = [];
		const share = shareHandler(
			config,
			jsonLog((line) => log.push(line)),
		);
		const server = await startStaticServer({ root: folder, port: 0, handlers: [share.handle] });
		const lock = join(config.folder, 'database', 'in-use');
		try {
			expect((await fetch(`${server.url}healthz`)).status).toBe(200);
			expect((await fetch(`${server.url}nothing`)).status).toBe(404);
			expect(existsSync(lock)).toBe(false);
			const other = await kit.startService(config);
			expect(existsSync(lock)).toBe(true);
			const refused = await fetch(`${server.url}api/v1/review`);
			expect([refused.status, await refused.json()]).toEqual([
				503,
				{ error: expect.objectContaining({ code: 'unavailable' }) },
			]);
			expect(log.join('\n')).toMatch(/in use by process \d+.*EMULSION_SHARE_DIR/);
			await expect(backup(config.folder, join(folder, 'no'))).rejects.toThrow('in use');
			await other.close();
			// The next request tries again.
			expect((await fetch(`${server.url}api/v1/review`)).status).toBe(401);
		} finally {
			await server.close();
			await share.close();
		}
		expect(existsSync(lock)).toBe(false);
		// What a process left that was killed, or whose number another process has now, holds nothing.
		for (const left of ['999999 1', `${process.pid} 1`, 'nonsense', '']) {
			writeFileSync(lock, left);
			await (await kit.startService(config)).close();
		}
	});

	it.each([
		['DATABASE_URL', 'mysql://x'],
		['S3_ENDPOINT', 'ftp://x'],
		['S3_ENDPOINT', 'https://s3.example.org'],
		['EMULSION_QUOTA', '4G'],
		['EMULSION_RATE_LINK', '0'],
		['EMULSION_TRUST_PROXY', 'yes'],
		['EMULSION_ORIGIN', 'films.example.org'],
		['EMULSION_MAINTENANCE_MINUTES', '0'],
	])('%s=%s is refused by name', (name, value) => {
		expect(() => shareConfig({ [name]: value }, '/')).toThrow(ConfigError);
		expect(() => shareConfig({ [name]: value }, '/')).toThrow(name.slice(0, 3));
	});
});

describe('addresses', () => {
	it.each([
		['10.0.0.1', undefined, 0, '10.0.0.1'],
		['10.0.0.1', '1.1.1.1', 0, '10.0.0.1'],
		['10.0.0.1', '6.6.6.6, 1.1.1.1', 1, '1.1.1.1'],
		['10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', 2, '1.1.1.1'],
		['10.0.0.1', '1.1.1.1', 2, '1.1.1.1'],
		['10.0.0.1', undefined, 1, '10.0.0.1'],
		['10.0.0.1', '', 1, '10.0.0.1'],
	])('%s with %s behind %d is %s', (remote, forwarded, proxies, expected) => {
		expect(clientAddress(remote, forwarded, proxies)).toBe(expected);
	});

	it.each([
		['1.2.3.4', '1.2.3.4'],
		['::ffff:1.2.3.4', '1.2.3.4'],
		['2001:db8::1', '2001:db8:0:0'],
		['2001:DB8:0:1:2:3:4:5', '2001:db8:0:1'],
		['::1', '0:0:0:0'],
		['fe80::1%eth0', 'fe80:0:0:0'],
		['unknown', 'unknown'],
	])('%s counts as %s', (address, block) => {
		expect(addressBlock(address)).toBe(block);
	});
});

/** A review with content, and what its links see. */
async function fill(service: kit.TestService) {
	const review = await kit.makeReview(service);
	const object = kit.newId();
	const bytes = await kit.sendObject(service, review.tokens.owner, object, 1_100_000);
	const [pair = ''] = await kit.openPairs(service, review);
	await kit.castVote(service, review.tokens.once, pair, kit.newVote());
	const look = async (at: kit.TestService) => ({
		votes: (await kit.ask(at, 'votes', { token: review.tokens.owner })).body?.votes,
		content: (await kit.ask(at, 'content', { token: review.tokens.viewer, params: { id: object } })).bytes.equals(
			bytes,
		),
	});
	return { review, look };
}

describe('a database that goes away', () => {
	it('is a refusal that may be tried again, and the service works once it is back', async () => {
		const cluster = await startCluster();
		let stopped = false;
		const service = await kit.startService({ ...(await newConfig()), databaseUrl: await cluster.database() });
		try {
			const { review, look } = await fill(service);
			cluster.pause();
			stopped = true;
			const away = await kit.ask(service, 'review', { token: review.tokens.owner });
			expect([away.status, away.body.error.code, away.headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
			expect((await fetch(`${service.origin}/readyz`)).status).toBe(503);
			expect((await fetch(`${service.origin}/healthz`)).status).toBe(200);
			cluster.resume();
			stopped = false;
			expect(await look(service)).toMatchObject({ content: true, votes: [{ revision: 1 }] });
			expect((await fetch(`${service.origin}/readyz`)).status).toBe(200);
		} finally {
			if (stopped) cluster.resume();
			await service.close();
			cluster.stop();
		}
	});
});

describe('backup and restore', () => {
	it('of a folder bring back all that was there, by the command; damage is found', async () => {
		const config = await newConfig();
		const service = await kit.startService(config);
		const { look } = await fill(service);
		const before = await look(service);
		expect(before).toMatchObject({ content: true, votes: [{ revision: 1 }] });
		await service.close();
		const command = (...args: string[]) =>
			new Promise<[number | null, string]>((done) => {
				const child = spawn(process.execPath, ['--import', 'tsx', 'server/command.ts', ...args], {
					cwd: ROOT,
					env: { ...process.env, EMULSION_SHARE_DIR: config.folder },
				});
				let text = '';
				child.stdout.on('data', (d: Buffer) => (text += d.toString()));
				child.stderr.on('data', (d: Buffer) => (text += d.toString()));
				child.on('close', (code) => done([code, text]));
			});
		const saved = join(folder, 'saved');
		expect(await command('backup', saved)).toEqual([0, expect.stringMatching(/^backup: \d+ files, \d+ bytes\n$/)]);
		expect(await command('backup', saved)).toEqual([1, expect.stringContaining('exists already')]);
		expect(await command('restore', saved)).toEqual([1, expect.stringContaining('is not empty')]);
		rmSync(config.folder, { recursive: true });
		expect(await command('restore', saved)).toEqual([0, expect.stringMatching(/^restore: /)]);
		const again = await kit.startService(config);
		expect(await look(again)).toEqual(before);
		await again.close();
		expect(await command('maintain')).toEqual([0, 'maintain: 0 reviews, 0 folders of blobs and 0 orphans deleted\n']);
		expect((await command('burn'))[1]).toContain('usage: npm run share');

		const list = JSON.parse(readFileSync(join(saved, 'backup.json'), 'utf8')) as { files: Record<string, string> };
		const blob = Object.keys(list.files).find((path) => path.startsWith('blobs/'))!;
		appendFileSync(join(saved, blob), 'x');
		const other = join(folder, 'other');
		await expect(restore(saved, other)).rejects.toThrow('was changed or damaged');
		rmSync(join(saved, blob));
		await expect(restore(saved, other)).rejects.toThrow('cannot be read');
		const evil = { version: 1, madeAt: '', files: { '../../evil': 'x' } };
		writeFileSync(join(saved, 'backup.json'), JSON.stringify(evil));
		await expect(restore(saved, other)).rejects.toThrow('leads out');
		writeFileSync(join(saved, 'backup.json'), '{');
		await expect(restore(saved, other)).rejects.toThrow('damaged');
		await expect(restore(folder, other)).rejects.toThrow('no backup');
		expect([existsSync(other), readdirSync(folder).filter((f) => f.endsWith('.part'))]).toEqual([false, []]);
	});

	it('of Postgres and S3 are the documented commands, run while it works: pg_dump and pg_restore, aws s3 sync there and back', async () => {
		const [cluster, store]: [Cluster, S3Server] = await Promise.all([startCluster(), startS3()]);
		try {
			const s3 = await store.bucket();
			const aws = (...args: string[]): Buffer =>
				execFileSync(join(dirname(ensureMoto()), 'aws'), ['s3', 'sync', ...args, '--endpoint-url', s3.endpoint], {
					env: {
						...process.env,
						AWS_ACCESS_KEY_ID: s3.accessKeyId,
						AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
						AWS_DEFAULT_REGION: s3.region,
						AWS_CONFIG_FILE: '/dev/null',
						AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
					},
				});
			const config = { ...(await newConfig()), databaseUrl: await cluster.database(), s3 };
			const service = await kit.startService(config);
			const { look } = await fill(service);
			const before = await look(service);
			expect(before).toMatchObject({ content: true, votes: [{ revision: 1 }] });
			const [dump, blobs] = [join(folder, 'share.dump'), join(folder, 'blobs')];
			execFileSync(join(cluster.bin, 'pg_dump'), ['--format=custom', '--file', dump, config.databaseUrl]);
			aws(`s3://${s3.bucket}`, blobs);
			await service.close();
			const [databaseUrl, empty] = [await cluster.database(), await store.bucket()];
			execFileSync(join(cluster.bin, 'pg_restore'), ['--exit-on-error', '--no-owner', '--dbname', databaseUrl, dump]);
			// Rows alone are not the review: what is missing breaks off.
			const bare = await kit.startService({ ...config, databaseUrl, s3: empty });
			await expect(look(bare)).rejects.toThrow('terminated');
			aws(blobs, `s3://${empty.bucket}`);
			expect(await look(bare)).toEqual(before);
			await bare.close();
		} finally {
			cluster.stop();
			await store.stop();
		}
	});
});
