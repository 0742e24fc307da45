/** The share service put together from its settings, and as a handler of the file server. */

import { getRequestListener } from '@hono/node-server';
import { join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { eq } from 'drizzle-orm';
import { API } from '../../src/share/protocol.ts';
import type { BlobStore } from '../blobs/blobs.ts';
import { openDiskBlobs } from '../blobs/disk.ts';
import { openS3Blobs } from '../blobs/s3.ts';
import type { Database } from '../database/database.ts';
import { openPglite } from '../database/pglite.ts';
import { openPostgres } from '../database/postgres.ts';
import { settings } from '../database/schema.ts';
import { SECURITY_HEADERS } from '../headers.ts';
import type { RequestHandler } from '../static.ts';
import { HEALTH, shareApp } from './app.ts';
import type { Parts } from './call.ts';
import type { ShareConfig } from './config.ts';
import { errorFields, type Log } from './log.ts';
import { maintainEvery } from './maintenance.ts';
import { Refused } from './refusal.ts';

/** Folders below the service's folder. */
export const FOLDERS = { database: 'database', blobs: 'blobs' } as const;

/** Opens the database and blob store that the settings name. */
export async function openStores(config: ShareConfig, log: Log): Promise<{ database: Database; blobs: BlobStore }> {
	const blobs = config.s3 ? openS3Blobs(config.s3) : await openDiskBlobs(join(config.folder, FOLDERS.blobs));
	const database =
		config.databaseUrl === undefined
			? await openPglite(join(config.folder, FOLDERS.database))
			: await openPostgres(config.databaseUrl, {
					onError: (error) => log.event('warn', 'a database connection broke', errorFields(error)),
				});
	return { database, blobs };
}

/** The parts of a service. The caller closes `database`. */
export async function openParts(config: ShareConfig, log: Log): Promise<Parts> {
	const { database, blobs } = await openStores(config, log);
	try {
		const [row] = await database.orm.select().from(settings).where(eq(settings.name, 'salt'));
		if (!row) throw new Error('the database has no salt: restore it from a backup');
		return { database, blobs, policy: config, salt: row.value, log };
	} catch (error) {
		await database.close();
		throw error;
	}
}

/** A running service. */
export interface ShareService {
	readonly parts: Parts;
	readonly listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
	/** Ends maintenance and closes the database; requests in flight have to have ended. */
	close(): Promise<void>;
}

/** Opens everything, brings the tables up to date and begins maintenance. */
export async function openService(config: ShareConfig, log: Log): Promise<ShareService> {
	const parts = await openParts(config, log);
	const stopMaintenance = maintainEvery(parts, config.maintenanceMinutes);
	const listen = getRequestListener(shareApp(parts).fetch, { overrideGlobalObjects: false });
	return {
		parts,
		listener: (request, response) => listen(request, response),
		close: async () => {
			await stopMaintenance();
			await parts.database.close();
		},
	};
}

/** A handler of the file server that opens the service when it is first asked, so that the editor alone waits for no database. */
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

/** See {@link ShareHandler}. */
export function shareHandler(config: ShareConfig, log: Log): ShareHandler {
	let service: Promise<ShareService> | undefined;
	const open = (): Promise<ShareService> => {
		service ??= openService(config, log).catch((error: unknown) => {
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
