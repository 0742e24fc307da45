/** What a route is given, and how it reads what it was sent. */

import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import * as v from 'valibot';
import { HEADERS, Id, type ReviewInfo } from '../../src/share/protocol.ts';
import type { BlobStore } from '../blobs/blobs.ts';
import type { Database } from '../database/database.ts';
import type { Casting } from './casting.ts';
import type { Policy } from './config.ts';
import type { Log } from './log.ts';
import { invalid, Refused } from './refusal.ts';

/** What the service is made of. */
export interface Parts {
	readonly database: Database;
	readonly blobs: BlobStore;
	readonly casting: Casting;
	readonly policy: Policy;
	/** All instances' salt for addresses. */
	readonly salt: string;
	readonly log: Log;
}

/** Hono's context on Node. */
export type ShareContext = Context<{ Bindings: HttpBindings }>;

/** Who asks: the link and its review, read in this request and kept no longer. */
export interface Session {
	readonly link: string;
	readonly review: string;
	readonly role: ReviewInfo['role'];
	readonly once: boolean;
	readonly passphrase: boolean;
	readonly wrappedKey: string;
	readonly blind: boolean;
	readonly state: ReviewInfo['state'];
	readonly manifest: string | null;
	readonly ownerObject: string | null;
	readonly createdAt: number;
	readonly expiresAt: number;
	readonly linkExpiresAt: number | null;
	readonly storageUsed: number;
	/** The database's clock. */
	readonly now: number;
}

/** A request of a link that may make it. */
export interface Call {
	readonly c: ShareContext;
	readonly parts: Parts;
	readonly session: Session;
}

/** Answers a call. */
export type Handler = (call: Call) => Promise<Response>;

/** Largest JSON bodies, bytes: a thousand links with labels fit into the first, a note into the second. */
export const JSON_BYTES = { create: 4 * 1024 ** 2, other: 64 * 1024 } as const;

/**
 * Reads a body of at most `most` bytes, and not a byte beyond.
 * @returns Undefined where it is longer.
 */
export async function readBody(c: ShareContext, most: number): Promise<Buffer | undefined> {
	const declared = Number(c.req.header('content-length') ?? 0);
	if (declared > most) return undefined;
	const body = c.req.raw.body;
	if (!body) return Buffer.alloc(0);
	const reader = body.getReader();
	const pieces: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read().catch(() => {
			throw invalid('body', 'The body ended before it was whole: send it again.');
		});
		if (done) return Buffer.concat(pieces, length);
		length += value.length;
		if (length > most) {
			await reader.cancel().catch(() => undefined);
			return undefined;
		}
		pieces.push(value);
	}
}

function fieldOf(issue: v.BaseIssue<unknown>): string {
	return v.getDotPath(issue) ?? 'body';
}

/** The body as its schema wants it. @throws Refused `invalid` or `too-large`. */
export async function readJson<S extends v.GenericSchema>(
	c: ShareContext,
	schema: S,
	most: number = JSON_BYTES.other,
): Promise<v.InferOutput<S>> {
	const bytes = await readBody(c, most);
	if (!bytes) {
		throw new Refused('too-large', `The body is longer than ${most} bytes: send less at once.`, { limit: most });
	}
	let value: unknown;
	try {
		value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
	} catch {
		// Not UTF-8, not JSON, or nested deeper than the parser goes.
		throw invalid('body', 'The body is not JSON in UTF-8: send it as the protocol says.');
	}
	const parsed = v.safeParse(schema, value, { abortEarly: true });
	if (parsed.success) return parsed.output;
	const [issue] = parsed.issues;
	throw invalid(fieldOf(issue), `${issue.message.slice(0, 200)}: send it as the protocol says.`);
}

/** An id of the path. @throws Refused `invalid`. */
export function idParam(c: ShareContext, name: string): string {
	const parsed = v.safeParse(Id, c.req.param(name));
	if (parsed.success) return parsed.output;
	throw invalid(name, `${name} is not an id: 22 letters, digits, - or _ are expected.`);
}

/** A whole number of the path or query. @throws Refused `invalid`. */
export function wholeNumber(name: string, text: string | undefined, most: number): number {
	const value = Number(text);
	if (text !== undefined && /^\d{1,16}$/.test(text) && value <= most) return value;
	throw invalid(name, `${name}: a whole number from 0 to ${most} is expected.`);
}

/** `after` of a list: 0 where there is none. @throws Refused `invalid`. */
export function afterQuery(c: ShareContext): number {
	const text = c.req.query('after');
	return text === undefined ? 0 : wholeNumber('after', text, Number.MAX_SAFE_INTEGER);
}

/** The idempotency key, null where there is none. @throws Refused `invalid`. */
export function idempotencyKey(c: ShareContext): string | null {
	const text = c.req.header(HEADERS.idempotency);
	if (text === undefined) return null;
	if (/^[A-Za-z0-9_-]{8,128}$/.test(text)) return text;
	throw invalid(HEADERS.idempotency, `${HEADERS.idempotency}: 8 to 128 letters, digits, - or _ are expected.`);
}
