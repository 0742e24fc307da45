/**
 * Who asks, and how often: fixed windows counted in the database, so that any number of instances keep one limit. A request's
 * counting, looking up its link and marking the link as used is one statement.
 */

import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { NOW, type Statement } from '../database/database.ts';
import type { Parts, Session, ShareContext } from './call.ts';
import { Refused } from './refusal.ts';

/** Windows, ms. */
const MINUTE = 60_000;
const HOUR = 3_600_000;

/**
 * The address a request came from: the connection's, or, behind so many balancers, what the outermost of them saw. Anything
 * further left in the header was said by the client.
 */
export function clientAddress(remote: string | undefined, forwarded: string | undefined, proxies: number): string {
	const direct = remote ?? 'unknown';
	if (proxies === 0 || forwarded === undefined) return direct;
	const hops = forwarded.split(',').map((hop) => hop.trim());
	return hops[Math.max(0, hops.length - proxies)] || direct;
}

/** The part of an address that one household or host has: all of IPv4, the first half of IPv6. */
export function addressBlock(address: string): string {
	const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
	if (isIPv4(plain) || !plain.includes(':')) return plain;
	const [head = '', tail] = plain.replace(/%.*$/, '').split('::');
	const left = head === '' ? [] : head.split(':');
	const right = tail === undefined || tail === '' ? [] : tail.split(':');
	const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
	const all = [...left, ...Array<string>(zeros).fill('0'), ...right];
	return all
		.slice(0, 4)
		.map((group) => Number.parseInt(group, 16).toString(16))
		.join(':');
}

/** The address of a request as it stands in the table: hashed with the instances' salt. */
export function addressKey(parts: Parts, c: ShareContext): string {
	const block = addressBlock(addressOf(parts, c));
	return createHash('sha256').update(`${parts.salt}/${block}`).digest('base64url').slice(0, 22);
}

/** {@link clientAddress} of a request. */
export function addressOf(parts: Pick<Parts, 'policy'>, c: ShareContext): string {
	const { remoteAddress } = c.env.incoming.socket;
	return clientAddress(remoteAddress, c.req.header('x-forwarded-for'), parts.policy.proxies);
}

function tooMany(now: number, window: number, what: string): Refused {
	const retryAfter = Math.max(1, Math.ceil((window - (now % window)) / 1000));
	return new Refused('rate', `Too many ${what}: try again in ${retryAfter} s.`, { retryAfter });
}

const COUNT: Statement = {
	name: 'share_count',
	text: `WITH clock AS MATERIALIZED (SELECT ${NOW} AS now)
INSERT INTO rates (key, count, until)
SELECT $1 || '/' || clock.now / $2::bigint, 1, (clock.now / $2::bigint + 1) * $2::bigint FROM clock
ON CONFLICT (key) DO UPDATE SET count = rates.count + 1
RETURNING count, ${NOW} AS now`,
};

async function count(parts: Parts, key: string, window: number): Promise<{ count: number; now: number }> {
	const [row] = await parts.database.run<{ count: number; now: number }>(COUNT, [key, window]);
	if (!row) throw new Error('counting returned no row');
	return row;
}

/** Counts a review that is to be made. @throws Refused `rate`. @returns The database's clock. */
export async function countCreate(parts: Parts, c: ShareContext): Promise<number> {
	const key = addressKey(parts, c);
	const all = await count(parts, `a/${key}`, MINUTE);
	if (all.count > parts.policy.rates.address) throw tooMany(all.now, MINUTE, 'requests');
	const made = await count(parts, `c/${key}`, HOUR);
	if (made.count > parts.policy.rates.create) throw tooMany(made.now, HOUR, 'new reviews');
	return made.now;
}

/** $1 hash of the token, $2 address. */
const ENTER: Statement = {
	name: 'share_enter',
	text: `WITH clock AS MATERIALIZED (SELECT ${NOW} AS now),
link AS MATERIALIZED (
	SELECT l.id AS link, r.id AS review, l.role, l.once, l.passphrase, l.wrapped_key AS "wrappedKey", r.blind, r.state,
		r.manifest, r.owner_object AS "ownerObject", r.created_at AS "createdAt", r.expires_at AS "expiresAt",
		l.expires_at AS "linkExpiresAt", l.revoked_at AS "revokedAt", r.storage_used AS "storageUsed"
	FROM links l JOIN reviews r ON r.id = l.review WHERE l.token_hash = $1
),
hit AS (
	INSERT INTO rates (key, count, until)
	SELECT keys.key || '/' || clock.now / ${MINUTE}, 1, (clock.now / ${MINUTE} + 1) * ${MINUTE}
	FROM clock, (SELECT 'a/' || $2 AS key UNION ALL SELECT 'l/' || link.link FROM link) AS keys
	ORDER BY 1
	ON CONFLICT (key) DO UPDATE SET count = rates.count + 1
	RETURNING key, count
),
used AS (
	UPDATE links SET used_at = clock.now FROM clock, link
	WHERE links.id = link.link AND links.revoked_at IS NULL AND coalesce(links.used_at, 0) < clock.now - ${MINUTE}
)
SELECT clock.now, link.*,
	(SELECT count FROM rates, clock WHERE key = 'g/' || $2 || '/' || clock.now / ${MINUTE}) AS guesses,
	(SELECT count FROM hit WHERE key LIKE 'a/%') AS "byAddress",
	(SELECT count FROM hit WHERE key LIKE 'l/%') AS "byLink"
FROM clock LEFT JOIN link ON true`,
};

type Entered = { readonly now: number; guesses: number | null; byAddress: number; byLink: number | null } & (
	(Session & { readonly revokedAt: number | null }) | { readonly link: null }
);

/**
 * The session of a token: counted, found, neither withdrawn nor expired.
 * @throws Refused `rate`, `unauthorized`, `expired`, `revoked`.
 */
export async function enter(parts: Parts, c: ShareContext, tokenHash: string): Promise<Session> {
	const { rates } = parts.policy;
	const address = addressKey(parts, c);
	const [row] = await parts.database.run<Entered>(ENTER, [tokenHash, address]);
	if (!row) throw new Error('entering returned no row');
	const { now } = row;
	if (row.byAddress > rates.address) throw tooMany(now, MINUTE, 'requests');
	if ((row.guesses ?? 0) >= rates.guess) throw tooMany(now, MINUTE, 'unknown links');
	if (row.link === null) {
		await count(parts, `g/${address}`, MINUTE);
		throw new Refused('unauthorized', 'Nobody made this link, or its review was deleted: ask its sender for another.');
	}
	if ((row.byLink ?? 0) > rates.link) throw tooMany(now, MINUTE, 'requests by this link');
	if (row.expiresAt <= now) throw new Refused('expired', 'The review has expired: ask its owner for another.');
	if (row.revokedAt !== null) throw new Refused('revoked', 'The owner withdrew this link: ask for another.');
	if (row.linkExpiresAt !== null && row.linkExpiresAt <= now) {
		throw new Refused('expired', 'This link has expired: ask its sender for another.');
	}
	return row;
}
