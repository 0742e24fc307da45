/** Who may make a request: where it comes from, by which link, and what that link allows. */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { HEADERS, MAY, type Route } from '../../src/share/protocol.ts';
import type { Parts, Session, ShareContext } from './call.ts';
import { enter } from './limits.ts';
import { invalid, Refused } from './refusal.ts';

/**
 * Refuses what a page of another origin makes a browser send. Tokens travel in a header that such a page could not set anyway; this
 * holds where one leaks.
 */
export function checkOrigin(c: ShareContext, parts: Pick<Parts, 'policy'>): void {
	if (c.req.method === 'GET' || c.req.method === 'HEAD') return;
	const site = c.req.header('sec-fetch-site');
	const origin = c.req.header('origin');
	if (site !== 'cross-site' && site !== 'same-site' && (origin === undefined || isOwn(origin, c, parts))) return;
	throw new Refused(
		'forbidden',
		'Pages of another origin may not use this service: open the review at its own address.',
	);
}

function isOwn(origin: string, c: ShareContext, { policy }: Pick<Parts, 'policy'>): boolean {
	if (policy.origin !== undefined) return origin === policy.origin;
	if (!URL.canParse(origin)) return false;
	return new URL(origin).host === c.req.header('host');
}

/** The hash by which a token is known: SHA-256 of its characters, base64url. */
export function hashToken(token: string): string {
	return createHash('sha256').update(token).digest('base64url');
}

function tokenOf(c: ShareContext): string {
	const header = c.req.header('authorization');
	const token = /^Emulsion ([A-Za-z0-9_-]{20,128})$/.exec(header ?? '')?.[1];
	if (token !== undefined) return token;
	throw new Refused('unauthorized', 'This request needs a link: send Authorization: Emulsion TOKEN.');
}

/**
 * The session of a request that may be made.
 * @throws Refused `unauthorized`, `expired`, `revoked`, `rate`, `forbidden`, `closed`.
 */
export async function authorize(c: ShareContext, parts: Parts, route: Exclude<Route, 'create'>): Promise<Session> {
	const session = await enter(parts, c, hashToken(tokenOf(c)));
	if (!MAY[route].includes(session.role)) {
		throw new Refused('forbidden', `A ${session.role}'s link does not allow this: ask the owner for another.`);
	}
	if (session.state === 'draft' && session.role !== 'owner') {
		throw new Refused('closed', 'The review is not open yet: try again when its owner has opened it.');
	}
	return session;
}

const DeviceSecret = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));

/**
 * The voter of a request: the link itself where it is for one voter, else SHA-256 of the link's id and the device's secret.
 * @throws Refused `invalid` where an open link comes without a device's secret.
 */
export function voterOf(c: ShareContext, session: Session): string {
	if (session.once) return session.link;
	const parsed = v.safeParse(DeviceSecret, c.req.header(HEADERS.voter));
	if (!parsed.success) {
		throw invalid(HEADERS.voter, `${HEADERS.voter}: on an open link the 32 bytes of the device's secret are needed.`);
	}
	const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
	return createHash('sha256').update(bytes(session.link)).update(bytes(parsed.output)).digest('base64url');
}
