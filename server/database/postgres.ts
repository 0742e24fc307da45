/** A Postgres server by its URL. */

import pg from 'pg';
import { type Connection, type Database, openDatabase } from './database.ts';

/** Settings of {@link openPostgres}. */
export interface PostgresOptions {
	/** Most connections of this instance (10). */
	readonly connections?: number;
	/** Hears of connections that broke while idle. */
	readonly onError?: (error: Error) => void;
}

/** Longest wait for a connection and for a statement, ms: less than a client waits for an answer. */
const PATIENCE = { connect: 5_000, statement: 15_000 };

/** Opens a pool and brings the tables up to date. Rejects with node-postgres' error where the server does not answer. */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
	const pool = new pg.Pool({
		connectionString: url,
		max: options.connections ?? 10,
		connectionTimeoutMillis: PATIENCE.connect,
		statement_timeout: PATIENCE.statement,
		application_name: 'emulsion-share',
	});
	pool.on('error', (error) => options.onError?.(error));
	return openDatabase('postgres', {
		connect: () => pool.connect() as Promise<Connection>,
		end: () => pool.end(),
	});
}
