/**
 * The share service under load: reviewers who fetch a package and vote, on PGlite and on Postgres, the service in a process of its own as
 * `npm run serve` starts it. Then the same once more with the service killed (SIGKILL) and started again in the middle.
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServeProcess, serveProcess } from '../../server/share/process.testkit.ts';
import * as kit from '../../server/share/share.testkit.ts';
import { seedPglite, startCluster } from '../../server/share/stores.testkit.ts';
import { API, HEADERS, LIMITS, type VoteRecord } from '../../src/share/protocol.ts';
import type { BenchOptions, BenchRow } from './types.ts';

/** What is asked of the service. */
const LOAD = {
	reviewers: 200,
	/** Bytes of the package that each fetches. */
	package: 4 * 1024 ** 2,
	/** Pairs that each votes on. */
	pairs: 20,
	/** Reviewers arrive evenly over so long, ms. */
	arrival: 10_000,
	/** Between a reviewer's votes: half of it to one and a half, ms. A person takes ten times as long. */
	think: 1000,
} as const;
/** The target. */
const TARGET_MS = 50;

interface Reply {
	readonly status: number;
	readonly body: Buffer;
}

/** A request over one reviewer's own connection; fetch's own pool would add its queue to the measurement. */
function send(
	agent: Agent,
	port: number,
	method: string,
	path: string,
	headers: Record<string, string>,
	body = '',
): Promise<Reply> {
	return new Promise((done, failed) => {
		const outgoing = request({ agent, port, host: '127.0.0.1', method, path: API + path, headers }, (answer) => {
			const parts: Buffer[] = [];
			answer.on('data', (part: Buffer) => parts.push(part));
			answer.on('end', () => done({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) }));
			answer.on('error', failed);
		});
		outgoing.on('error', failed);
		outgoing.end(body);
	});
}

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

interface Measured {
	/** Of each vote that was answered at the first try, ms. */
	readonly votes: number[];
	/** Of each part of the package, ms. */
	readonly parts: number[];
	readonly seconds: number;
	/** Requests that were sent again. */
	readonly retries: number;
	/** What was wrong with the votes kept; empty: nothing. */
	readonly faults: string[];
}

interface Stage {
	readonly service: ServeProcess;
	readonly review: kit.TestReview;
	readonly object: string;
	readonly pairs: readonly string[];
	readonly bytes: Buffer;
}

async function prepare(service: ServeProcess): Promise<Stage> {
	const review = await kit.makeReview(service);
	const object = kit.newId();
	const bytes = await kit.sendObject(service, review.tokens.owner, object, LOAD.package);
	return { service, review, object, bytes, pairs: await kit.openPairs(service, review, LOAD.pairs) };
}

/** All reviewers. @param interrupt Called once half of the votes are in. */
async function load(
	{ service, review, object, pairs, bytes }: Stage,
	interrupt?: () => Promise<void>,
): Promise<Measured> {
	const votes: number[] = [];
	const parts: number[] = [];
	const sent = new Map<string, string>();
	let retries = 0;
	let counted = 0;
	let interrupted: Promise<void> | undefined;
	const persist = async (times: number[], once: () => Promise<Reply>): Promise<Reply> => {
		for (let tries = 0; tries < 400; tries++) {
			const from = performance.now();
			const reply = await once().catch(() => undefined);
			if (reply && reply.status < 300) {
				if (tries === 0) times.push(performance.now() - from);
				return reply;
			}
			if (reply && reply.status < 500) throw new Error(`${reply.status} ${reply.body.toString().slice(0, 300)}`);
			retries++;
			await wait(50);
		}
		throw new Error('the service never came back');
	};
	const began = performance.now();
	const reviewer = async (number: number): Promise<void> => {
		await wait((number / LOAD.reviewers) * LOAD.arrival);
		const agent = new Agent({ keepAlive: true, maxSockets: 1 });
		const secret = randomBytes(32).toString('base64url');
		const headers = { Authorization: `Emulsion ${review.tokens.voter}`, [HEADERS.voter]: secret };
		const full = LIMITS.chunkBytes + LIMITS.chunkOverhead;
		for (let start = 0; start < bytes.length; start += full) {
			const end = Math.min(bytes.length, start + full);
			const ranged = { ...headers, Range: `bytes=${start}-${end - 1}` };
			const part = await persist(parts, () => send(agent, service.port, 'GET', `/objects/${object}/content`, ranged));
			if (!part.body.equals(bytes.subarray(start, end))) throw new Error('other bytes than were sent');
		}
		for (const pair of pairs) {
			await wait(LOAD.think * (0.5 + Math.random()));
			const vote = kit.newVote();
			const keyed = { ...headers, [HEADERS.idempotency]: kit.newId(), 'Content-Type': 'application/json' };
			const reply = await persist(votes, () =>
				send(agent, service.port, 'PUT', `/votes/${pair}`, keyed, JSON.stringify(vote)),
			);
			const { voter } = JSON.parse(reply.body.toString()) as VoteRecord;
			sent.set(`${voter}/${pair}`, vote.right);
			if (++counted === (LOAD.reviewers * LOAD.pairs) / 2) interrupted = interrupt?.();
		}
		agent.destroy();
	};
	await Promise.all(Array.from({ length: LOAD.reviewers }, (_, i) => reviewer(i)));
	await interrupted;
	const seconds = (performance.now() - began) / 1000;
	return { votes, parts, seconds, retries, faults: await compare(service, review, sent) };
}

/** Whether what is kept is what was sent, each once. */
async function compare(
	service: ServeProcess,
	review: kit.TestReview,
	sent: ReadonlyMap<string, string>,
): Promise<string[]> {
	const kept = new Map<string, VoteRecord>();
	const faults: string[] = [];
	for (let after: number | null = 0; after !== null;) {
		const { body } = await kit.ask(service, 'votes', { token: review.tokens.owner, query: `?after=${after}` });
		for (const record of body.votes as VoteRecord[]) {
			const key = `${record.voter}/${record.presentation}`;
			if (kept.has(key)) faults.push(`doubled: ${key}`);
			if (record.revision !== 1) faults.push(`revision ${record.revision}: ${key}`);
			kept.set(key, record);
		}
		after = body.next as number | null;
	}
	for (const [key, right] of sent) if (kept.get(key)?.right !== right) faults.push(`lost: ${key}`);
	if (kept.size !== sent.size) faults.push(`${kept.size} kept of ${sent.size}`);
	return faults;
}

function percentile(values: readonly number[], part: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Rows of one database. */
export function shareRows(name: string, calm: Measured, killed: Measured): BenchRow[] {
	const round = (ms: number): string => ms.toFixed(1);
	const p95 = percentile(calm.votes, 0.95);
	const rate = (calm.votes.length / calm.seconds).toFixed(0);
	const { faults, retries } = killed;
	const row = (
		what: string,
		target: string,
		figure: string,
		pass: boolean | null,
		data: BenchRow['data'],
	): BenchRow => ({
		...{ bench: 'share' as const, name: `${name}: ${what}` },
		...{ target, figure, pass, data },
	});
	return [
		row(
			`a vote, p95 of ${calm.votes.length} by ${LOAD.reviewers} reviewers`,
			`≤ ${TARGET_MS} ms`,
			`${round(p95)} ms (median ${round(percentile(calm.votes, 0.5))}, p99 ${round(percentile(calm.votes, 0.99))}, ${rate} votes a second)`,
			p95 <= TARGET_MS && calm.faults.length === 0 && calm.retries === 0,
			{ p95, median: percentile(calm.votes, 0.5), p99: percentile(calm.votes, 0.99), faults: calm.faults.slice(0, 5) },
		),
		row(
			'a MiB of the package, p95',
			'—',
			`${round(percentile(calm.parts, 0.95))} ms (median ${round(percentile(calm.parts, 0.5))})`,
			null,
			{ parts: calm.parts.length },
		),
		row(
			'votes lost or doubled when killed in the middle',
			'0',
			`${faults.length} of ${LOAD.reviewers * LOAD.pairs} (${retries} requests sent again)`,
			faults.length === 0 && retries > 0,
			{ faults: faults.slice(0, 5), retries },
		),
	];
}

/** Runs on PGlite, then on a Postgres of its own that writes to its disk (fsync). */
export async function shareBench({ log }: BenchOptions): Promise<BenchRow[]> {
	const rows: BenchRow[] = [];
	for (const name of ['PGlite', 'Postgres'] as const) {
		const folder = mkdtempSync(join(tmpdir(), 'emulsion-bench-share-'));
		const cluster = name === 'Postgres' ? await startCluster(true) : undefined;
		const env: Record<string, string> = { EMULSION_SHARE_DIR: join(folder, 'share') };
		if (cluster) env['DATABASE_URL'] = await cluster.database();
		else await seedPglite(join(folder, 'share'));
		const service = await serveProcess(env, folder);
		try {
			await service.start();
			log(`${name}: ${LOAD.reviewers} reviewers`);
			const calm = await load(await prepare(service));
			// Limits are by the minute: the second run begins with a new one.
			await wait(60_000);
			log(`${name}: the same, killed in the middle`);
			const killed = await load(await prepare(service), async () => {
				await service.kill();
				await service.start();
			});
			rows.push(...shareRows(name, calm, killed));
		} finally {
			await service.kill();
			cluster?.stop();
			rmSync(folder, { recursive: true, force: true });
		}
	}
	return rows;
}
