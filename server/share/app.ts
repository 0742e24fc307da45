/** The share service as a Hono app: every route of the protocol behind its capability, refusals, headers, one log line a request. */

import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { API, type Route, ROUTES } from '../../src/share/protocol.ts';
import { BlobError } from '../blobs/blobs.ts';
import { isUnavailable } from '../database/database.ts';
import { SECURITY_HEADERS } from '../headers.ts';
import { authorize, checkOrigin } from './auth.ts';
import type { Handler, Parts, ShareContext } from './call.ts';
import { HEALTH } from './health.ts';
import { addressOf } from './limits.ts';
import { addressMark, errorFields } from './log.ts';
import { Refused } from './refusal.ts';
import { content } from './routes/content.ts';
import * as links from './routes/links.ts';
import * as notes from './routes/notes.ts';
import * as objects from './routes/objects.ts';
import * as reviews from './routes/reviews.ts';
import * as votes from './routes/votes.ts';

/** Every route but `create`, which needs no link. */
const HANDLERS: Readonly<Record<Exclude<Route, 'create'>, Handler>> = {
	review: reviews.review,
	update: reviews.update,
	remove: reviews.remove,
	links: links.list,
	addLink: links.add,
	revokeLink: links.revoke,
	declareObject: objects.declare,
	object: objects.info,
	putChunk: objects.putChunk,
	completeObject: objects.complete,
	content,
	removeObject: objects.remove,
	notes: notes.list,
	putNote: notes.put,
	removeNote: notes.remove,
	votes: votes.list,
	putVote: votes.put,
};

const HEADERS = { ...SECURITY_HEADERS.isolation, ...SECURITY_HEADERS.policy };

/** What an error is to whoever asked. The log gets what may be logged of it. */
function refusalOf(error: unknown, parts: Pick<Parts, 'log'>): Refused {
	if (error instanceof Refused) return error;
	const passing = isUnavailable(error) || error instanceof BlobError || isNetwork(error);
	parts.log.event(passing ? 'warn' : 'error', 'request failed', errorFields(error));
	if (passing)
		return new Refused('unavailable', 'The service cannot work at present: try again soon.', { retryAfter: 2 });
	return new Refused('internal', 'The service failed: try again, and tell whoever runs it.');
}

/** A store that does not answer: fetch's TypeError, a timeout, or the file system's refusal. */
function isNetwork(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	const { code } = error as NodeJS.ErrnoException;
	if (error.name === 'TimeoutError' || (error instanceof TypeError && error.message === 'fetch failed')) return true;
	return code !== undefined && ['ENOSPC', 'EACCES', 'EROFS', 'EIO', 'ENOENT', 'EMFILE'].includes(code);
}

/** The answer to a refusal. */
export function refuse(c: ShareContext, refused: Refused): Response {
	const { retryAfter } = refused.fields;
	if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
	return c.json(refused.body, refused.status as 400);
}

async function ready({ database, blobs, log }: Parts): Promise<boolean> {
	try {
		await Promise.all([database.run({ name: 'share_ready', text: 'SELECT 1' }, []), blobs.check()]);
		return true;
	} catch (error) {
		log.event('warn', 'not ready', errorFields(error));
		return false;
	}
}

/** The app over its parts. Stateless: everything that decides anything is in the database. */
export function shareApp(parts: Parts): Hono<{ Bindings: HttpBindings }> {
	const app = new Hono<{ Bindings: HttpBindings }>();

	app.use('*', async (c, next) => {
		const began = performance.now();
		const id = randomBytes(9).toString('base64url');
		c.header('X-Request-Id', id);
		for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
		c.header('Cache-Control', 'no-store');
		const { incoming, outgoing } = c.env;
		const { socket } = incoming;
		const before = socket.bytesWritten;
		outgoing.once('close', () => {
			parts.log.request({
				id,
				method: c.req.method,
				route: routeOf(c),
				status: outgoing.statusCode,
				ms: Math.round((performance.now() - began) * 10) / 10,
				bytes: socket.bytesWritten - before,
				whole: outgoing.writableFinished,
				from: addressMark(addressOf(parts, c)),
			});
		});
		await next();
	});
	app.use(`${API}/*`, async (c, next) => {
		checkOrigin(c, parts);
		await next();
	});

	for (const [name, pattern] of Object.entries(ROUTES) as [Route, string][]) {
		const [method = '', path = ''] = pattern.split(' ');
		app.on(method, API + path, async (c) => {
			if (name === 'create') return reviews.create(c, parts);
			return HANDLERS[name]({ c, parts, session: await authorize(c, parts, name) });
		});
	}
	app.get(HEALTH.alive, (c) => c.json({ status: 'ok' }));
	app.get(HEALTH.ready, async (c) =>
		(await ready(parts)) ? c.json({ status: 'ok' }) : c.json({ status: 'not ready' }, 503),
	);

	app.notFound((c) => refuse(c, new Refused('not-found', 'The service has nothing here: see its protocol.')));
	app.onError((error, c) => refuse(c, refusalOf(error, parts)));
	return app;
}

/** What a path of each route looks like. */
const PATTERNS = (Object.entries(ROUTES) as [Route, string][]).map(([name, pattern]) => {
	const [method = '', path = ''] = pattern.split(' ');
	return { name, method, path: new RegExp(`^${API}${path.replaceAll(/:\w+/g, '[^/]+')}$`) };
});

/** The route that a request met: its name, never its path, which holds ids. */
function routeOf(c: ShareContext): string {
	const { pathname } = new URL(c.req.url);
	const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
	const met = PATTERNS.find((route) => route.method === method && route.path.test(pathname));
	if (met) return met.name;
	return pathname === HEALTH.alive || pathname === HEALTH.ready ? pathname : 'unknown';
}
