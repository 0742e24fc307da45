/** Real databases and blob stores for tests and benches: PGlite and a folder; a Postgres cluster and an S3 server of their own. */

import { PGlite } from '@electric-sql/pglite';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import pg from 'pg';
import { ROOT } from '../../scripts/build.ts';
import { ensureMoto, ensurePostgres } from '../../scripts/ensure.ts';
import type { S3Options } from '../blobs/s3.ts';

/** A free port of this machine. */
export async function freePort(): Promise<number> {
	const server = createServer();
	const port = await new Promise<number>((done) => {
		server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port));
	});
	await new Promise((done) => server.close(done));
	return port;
}

/** A Postgres cluster in a temporary folder. */
export interface Cluster {
	/** Folder of `psql`, `pg_dump` and the like. */
	readonly bin: string;
	/** Makes an empty database. @returns Its URL. */
	database(): Promise<string>;
	/** Ends the server; its data stay. */
	pause(): void;
	/** Starts it again at the same address. */
	resume(): void;
	stop(): void;
}

/** Starts a cluster. @param durable False: no fsync, for tests that do not measure. */
export async function startCluster(durable = false): Promise<Cluster> {
	const bin = ensurePostgres();
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-postgres-'));
	const asRoot = process.getuid?.() === 0;
	if (asRoot) {
		// Postgres does not run as root; Debian's package made this user.
		const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
		chownSync(folder, id('-u'), id('-g'));
	}
	const run = (program: string, ...args: string[]): void => {
		const [command = '', ...rest] = asRoot
			? ['runuser', '-u', 'postgres', '--', join(bin, program), ...args]
			: [join(bin, program), ...args];
		execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
	};
	const port = await freePort();
	const data = join(folder, 'data');
	run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', ...(durable ? [] : ['-N']));
	const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=${durable ? 'on' : 'off'}`;
	const start = (): void => run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start');
	start();
	let made = 0;
	return {
		bin,
		async database() {
			const name = `share${made++}`;
			const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
			await client.connect();
			await client.query(`CREATE DATABASE ${name}`);
			await client.end();
			return `postgres://postgres@127.0.0.1:${port}/${name}`;
		},
		pause: () => run('pg_ctl', '-D', data, '-w', '-m', 'fast', 'stop'),
		resume: start,
		stop() {
			run('pg_ctl', '-D', data, '-m', 'immediate', 'stop');
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** An S3 server. */
export interface S3Server {
	/** Makes a bucket. */
	bucket(): Promise<S3Options>;
	stop(): Promise<void>;
}

/** Starts moto's S3 in memory. */
export async function startS3(): Promise<S3Server> {
	const port = await freePort();
	const child: ChildProcess = spawn(ensureMoto(), ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
	const ended = new Promise((done) => child.once('exit', done));
	const endpoint = `http://127.0.0.1:${port}`;
	const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
	for (let tries = 0; ; tries++) {
		if (
			await fetch(`${endpoint}/moto-api/`).then(
				(r) => r.ok,
				() => false,
			)
		)
			break;
		if (tries === 300 || child.exitCode !== null) throw new Error('moto did not start');
		await new Promise((done) => setTimeout(done, 100));
	}
	let made = 0;
	return {
		async bucket() {
			const bucket = `share${made++}`;
			const client = new AwsClient({ ...credentials, region: 'us-east-1', service: 's3' });
			const response = await client.fetch(`${endpoint}/${bucket}`, { method: 'PUT' });
			if (!response.ok) throw new Error(`no bucket: ${response.status}`);
			return { endpoint, bucket, region: 'us-east-1', ...credentials };
		},
		async stop() {
			child.kill('SIGKILL');
			await ended;
		},
	};
}

/** Fills a service's folder with a database that PGlite has just made: making it takes seconds, copying it a moment. */
export async function seedPglite(folder: string): Promise<void> {
	const manifest = readFileSync(join(ROOT, 'node_modules/@electric-sql/pglite/package.json'), 'utf8');
	const { version } = JSON.parse(manifest) as { version: string };
	const template = join(ROOT, '.cache', `pglite-${version}`);
	if (!existsSync(template)) {
		mkdirSync(join(ROOT, '.cache'), { recursive: true });
		const draft = mkdtempSync(join(ROOT, '.cache', 'pglite-draft-'));
		const database = await PGlite.create(draft);
		await database.close();
		try {
			renameSync(draft, template);
		} catch (error) {
			// Another test was faster.
			rmSync(draft, { recursive: true, force: true });
			if (!existsSync(template)) throw error;
		}
	}
	mkdirSync(join(folder, 'database'), { recursive: true });
	cpSync(template, join(folder, 'database', 'data'), { recursive: true });
}
