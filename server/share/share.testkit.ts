/** A share service on real stores and real sockets, and requests to it. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	API,
	HEADERS,
	LIMITS,
	type NewLink,
	type PutVote,
	type Role,
	type Route,
	ROUTES,
} from '../../src/share/protocol.ts';
import { startStaticServer } from '../static.ts';
import type { Parts } from './call.ts';
import { type ShareConfig, shareConfig } from './config.ts';
import { jsonLog } from './log.ts';
import { shareHandler } from './handler.ts';
import { type Cluster, type S3Server, seedPglite, startCluster, startS3 } from './stores.testkit.ts';

/** What a service can be built on. */
export const BACKENDS = ['PGlite and a folder', 'Postgres and S3'] as const;
/** See {@link BACKENDS}. */
export type BackendName = (typeof BACKENDS)[number];

/** Makes settings of services on new, empty stores. */
export interface Backend {
	readonly name: BackendName;
	readonly cluster: Cluster | undefined;
	config(change?: Partial<ShareConfig>): Promise<ShareConfig>;
	stop(): Promise<void>;
}

/** Starts what a backend needs. */
export async function startBackend(name: BackendName): Promise<Backend> {
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-share-'));
	let made = 0;
	const base = (): ShareConfig => ({ ...shareConfig({}, folder), folder: join(folder, `share${made++}`) });
	const servers: { cluster?: Cluster; s3?: S3Server } = {};
	if (name === 'Postgres and S3') [servers.cluster, servers.s3] = await Promise.all([startCluster(), startS3()]);
	return {
		name,
		cluster: servers.cluster,
		async config(change = {}) {
			const config = base();
			if (!servers.cluster || !servers.s3) {
				await seedPglite(config.folder);
				return { ...config, ...change };
			}
			return { ...config, databaseUrl: await servers.cluster.database(), s3: await servers.s3.bucket(), ...change };
		},
		async stop() {
			servers.cluster?.stop();
			await servers.s3?.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** Where a service answers. */
export interface Address {
	/** Without a slash at its end. */
	readonly origin: string;
}

/** A running service. */
export interface TestService extends Address {
	readonly port: number;
	readonly config: ShareConfig;
	readonly parts: Parts;
	/** Lines of the log. */
	readonly log: readonly string[];
	close(grace?: number): Promise<void>;
}

/** Starts a service as `npm start` does, on a free port. @param root Folder of files beside it; an empty one by default. */
export async function startService(config: ShareConfig, root = join(config.folder, 'root')): Promise<TestService> {
	const log: string[] = [];
	const share = shareHandler(
		config,
		jsonLog((line) => log.push(line)),
	);
	const { parts } = await share.open();
	mkdirSync(root, { recursive: true });
	const trustProxy = config.proxies > 0;
	const server = await startStaticServer({ root, port: 0, handlers: [share.handle], trustProxy });
	return {
		origin: `http://127.0.0.1:${server.port}`,
		port: server.port,
		config,
		parts,
		log,
		async close(grace) {
			await server.close(grace);
			await share.close();
		},
	};
}

/** 16 random bytes. */
export const newId = (): string => randomBytes(16).toString('base64url');
/** A token as links derive it. */
export const newToken = (): string => randomBytes(32).toString('base64url');
/** What the service keeps of a token. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
/** SHA-256, hexadecimal. */
export const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A link to be made. */
export function newLink(token: string, role: Role, change: Partial<NewLink> = {}): NewLink {
	const plain = { once: false, passphrase: false, wrappedKey: 'a2V5', label: '', expiresAt: null };
	return { tokenHash: hashOf(token), role, ...plain, ...change };
}

/** What a request carries. */
export interface Asked {
	readonly token?: string | undefined;
	/** Values of the path's parameters. */
	readonly params?: Readonly<Record<string, string>>;
	readonly query?: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Bytes as they are, anything else as JSON. */
	readonly body?: unknown;
}

/** An answer. */
export interface Answer {
	readonly status: number;
	readonly headers: Headers;
	// What tests look into; each says by its expectations what it has to be.
	// eslint-disable-next-line @typescript-eslint/no-explicit-any
	readonly body: any;
	readonly bytes: Buffer;
}

/** Sends a request of the protocol. */
export async function ask(service: Address, route: Route, asked: Asked = {}): Promise<Answer> {
	const [method = '', pattern = ''] = ROUTES[route].split(' ');
	const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => asked.params?.[name] ?? '');
	const { body } = asked;
	const raw = body instanceof Uint8Array || typeof body === 'string';
	const response = await fetch(`${service.origin}${API}${path}${asked.query ?? ''}`, {
		method,
		headers: { ...(asked.token === undefined ? {} : { Authorization: `Emulsion ${asked.token}` }), ...asked.headers },
		...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
	});
	const bytes = Buffer.from(await response.arrayBuffer());
	const json = response.headers.get('content-type')?.startsWith('application/json') === true;
	return {
		status: response.status,
		headers: response.headers,
		bytes,
		body: json ? JSON.parse(bytes.toString()) : undefined,
	};
}

/** A review with a link of each role, and one voter's link that is one person's. */
export interface TestReview {
	readonly id: string;
	readonly tokens: Readonly<Record<Role | 'once', string>>;
	readonly links: Readonly<Record<Role | 'once', string>>;
}

/** An hour from now. */
export const soon = (): number => Date.now() + 3_600_000;

/** Makes a draft review. */
export async function makeReview(
	service: Address,
	change: { blind?: boolean; expiresAt?: number } = {},
): Promise<TestReview> {
	const names = ['owner', 'commenter', 'voter', 'viewer', 'once'] as const;
	const tokens = Object.fromEntries(names.map((name) => [name, newToken()])) as TestReview['tokens'];
	const links = names.map((name) => newLink(tokens[name], name === 'once' ? 'voter' : name, { once: name === 'once' }));
	const body = { blind: true, expiresAt: soon(), links, ...change };
	const { status, body: made } = await ask(service, 'create', { body });
	if (status !== 201) throw new Error(`no review: ${status} ${JSON.stringify(made)}`);
	const ids = Object.fromEntries(names.map((name, i) => [name, made.links[i]])) as TestReview['links'];
	return { id: made.review, tokens, links: ids };
}

/** Declares, sends and completes an object of random bytes. @returns Them. */
export async function sendObject(service: Address, token: string, id: string, size: number): Promise<Buffer> {
	const bytes = randomBytes(size);
	const expectOk = ({ status, body }: Answer): void => {
		if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
	};
	expectOk(await ask(service, 'declareObject', { token, params: { id }, body: { size } }));
	const full = LIMITS.chunkBytes + LIMITS.chunkOverhead;
	for (let index = 0; index * full < size; index++) {
		expectOk(await sendChunk(service, token, id, index, bytes.subarray(index * full, (index + 1) * full)));
	}
	expectOk(await ask(service, 'completeObject', { token, params: { id } }));
	return bytes;
}

/** Sends a chunk with its checksum, or another one. */
export function sendChunk(
	service: Address,
	token: string,
	id: string,
	index: number,
	bytes: Uint8Array,
	sum = sumOf(bytes),
): Promise<Answer> {
	const headers = { [HEADERS.checksum]: sum };
	return ask(service, 'putChunk', { token, params: { id, index: String(index) }, headers, body: bytes });
}

/** Opens a review that asks so many pairs. @returns Their ids. */
export async function openPairs(service: Address, review: TestReview, count = 2): Promise<string[]> {
	const presentations = Array.from({ length: count }, newId);
	const body = { presentations, state: 'open' };
	const { status } = await ask(service, 'update', { token: review.tokens.owner, body });
	if (status !== 200) throw new Error(`not opened: ${status}`);
	return presentations;
}

/** A vote. */
export function newVote(change: Partial<PutVote> = {}): PutVote {
	const seen = { position: 0, viewedMs: 5000, plays: 2, reason: '', revision: 0 };
	return { choice: 'left', left: newId(), right: newId(), ...seen, ...change };
}

/** Casts a vote. */
export function castVote(
	service: Address,
	token: string,
	presentation: string,
	vote: unknown,
	headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
	return ask(service, 'putVote', { token, params: { presentation }, headers, body: vote });
}
