/** The share service put together from its settings. */

import { getRequestListener } from '@hono/node-server';
import { join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { eq } from 'drizzle-orm';
import type { BlobStore } from '../blobs/blobs.ts';
import { openDiskBlobs } from '../blobs/disk.ts';
import { openS3Blobs } from '../blobs/s3.ts';
import type { Database } from '../database/database.ts';
import { openPglite } from '../database/pglite.ts';
import { openPostgres } from '../database/postgres.ts';
import { settings } from '../database/schema.ts';
import { shareApp } from './app.ts';
import type { Parts } from './call.ts';
import { Casting } from './casting.ts';
import type { ShareConfig } from './config.ts';
import { errorFields, type Log } from './log.ts';
import { maintainEvery } from './maintenance.ts';

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
		return { database, blobs, casting: new Casting(database, config.quota), policy: config, salt: row.value, log };
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
