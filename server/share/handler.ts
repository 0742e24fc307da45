/**
 * The share service as a handler of the file server. What it is made of is loaded and opened when it is first asked: the editor alone
 * waits neither for a database nor for the code that speaks to it.
 */

import type { ServerResponse } from 'node:http';
import { API } from '../../src/share/protocol.ts';
import { SECURITY_HEADERS } from '../headers.ts';
import type { RequestHandler } from '../static.ts';
import type { ShareConfig } from './config.ts';
import { HEALTH } from './health.ts';
import { errorFields, type Log } from './log.ts';
import { Refused } from './refusal.ts';
import type { ShareService } from './service.ts';

/** Answers requests of the service, and opens it for the first of them. */
export interface ShareHandler {
	readonly handle: RequestHandler;
	/** Opens the service now. Rejects where it cannot be opened. */
	open(): Promise<ShareService>;
	close(): Promise<void>;
}

/** Whether a request is the service's. */
function isOurs(path: string): boolean {
	return path === API || path.startsWith(`${API}/`) || path === HEALTH.ready || path === HEALTH.alive;
}

const HEADERS = { ...SECURITY_HEADERS.isolation, ...SECURITY_HEADERS.policy, 'Cache-Control': 'no-store' };

function answer(response: ServerResponse, status: number, body: unknown, extra: Record<string, string> = {}): void {
	response.writeHead(status, { ...HEADERS, 'Content-Type': 'application/json', ...extra }).end(JSON.stringify(body));
}

async function load(config: ShareConfig, log: Log): Promise<ShareService> {
	const { openService } = await import('./service.ts');
	return openService(config, log);
}

/** See {@link ShareHandler}. */
export function shareHandler(config: ShareConfig, log: Log): ShareHandler {
	let service: Promise<ShareService> | undefined;
	const open = (): Promise<ShareService> => {
		service ??= load(config, log).catch((error: unknown) => {
			// The next request tries again.
			service = undefined;
			throw error;
		});
		return service;
	};
	return {
		open,
		async handle(request, response, url) {
			if (!isOurs(url.pathname)) return false;
			if (url.pathname === HEALTH.alive) {
				answer(response, 200, { status: 'ok' });
				return true;
			}
			let opened: ShareService;
			try {
				opened = await open();
			} catch (error) {
				// Said in words: it is about the machine, and holds nothing of a review.
				const why = error instanceof Error ? error.message : String(error);
				log.event('error', 'the share service cannot be opened', { ...errorFields(error), why });
				const refused = new Refused(
					'unavailable',
					'The share service cannot be opened: whoever runs it finds why in its log.',
					{
						retryAfter: 5,
					},
				);
				answer(response, refused.status, refused.body, { 'Retry-After': '5', Connection: 'close' });
				return true;
			}
			await opened.listener(request, response);
			return true;
		},
		async close() {
			const opened = await service?.catch(() => undefined);
			service = Promise.reject(new Error('the share service was closed'));
			service.catch(() => undefined);
			await opened?.close();
		},
	};
}
