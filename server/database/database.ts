/** The database as the service sees it: the same driver and the same SQL over PGlite in this process and over Postgres. */

import { fileURLToPath } from 'node:url';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { migrate as migrateWith } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import * as schema from './schema.ts';

/** Milliseconds since 1970 by the database's clock, in SQL: the one clock of all instances. */
export const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** Queries by Drizzle. */
export type Orm = NodePgDatabase<typeof schema>;

/** A statement that is parsed once a connection: its name and its text. */
export interface Statement {
	readonly name: string;
	readonly text: string;
}

/** Where connections come from: node-postgres' pool, or PGlite's one connection in turns. */
export interface Connections {
	connect(): Promise<Connection>;
	end(): Promise<void>;
}

/** One connection, ours until it is released. */
export interface Connection {
	query(config: pg.QueryConfig | string, values?: unknown[]): Promise<pg.QueryResult>;
	/** @param broken The connection is not to be used again. */
	release(broken?: boolean): void;
}

/** A database with the service's tables. */
export interface Database {
	readonly kind: 'pglite' | 'postgres';
	readonly orm: Orm;
	/** Runs a named statement in a transaction of its own. Rows have the columns' names; `bigint` comes as a number. */
	run<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
	/** Runs `work` if no other instance runs work of this name, and says whether it did. */
	alone(name: string, work: () => Promise<void>): Promise<boolean>;
	close(): Promise<void>;
}

/** Thrown where the database cannot be reached or used. The message says which and what to do. */
export class DatabaseError extends Error {
	override readonly name = 'DatabaseError';
}

const INT8 = 20;
const NUMBERS: pg.CustomTypesConfig = {
	getTypeParser: (id: number, format?: 'text' | 'binary') =>
		id === INT8 ? Number : (pg.types.getTypeParser(id, format) as (value: string) => unknown),
};

/** SQLSTATE classes and system errors that mean "not now" rather than "wrong": connection, resources, shutdown, lock timeout. */
const PASSING = /^(08|53|57P|55P03|57014|40001|40P01|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)/;

/** Whether an error says that the database does not answer at present. Drizzle wraps errors; the first cause counts. */
export function isUnavailable(error: unknown): boolean {
	for (let e = error; e instanceof Error; e = e.cause) {
		const code = (e as { code?: unknown }).code;
		if (e instanceof DatabaseError) return true;
		if (typeof code === 'string' && PASSING.test(code)) return true;
		if (/^(Connection terminated|timeout exceeded when trying to connect)/.test(e.message)) return true;
	}
	return false;
}

/** SQLSTATE of the first database error among an error and its causes. */
export function sqlState(error: unknown): string | undefined {
	for (let e = error; e instanceof Error; e = e.cause) if (e instanceof pg.DatabaseError) return e.code;
	return undefined;
}

/**
 * What Drizzle takes for a pool (it tells by the class's name). node-postgres' own `Pool.query` throws a connection away after any
 * error, a broken unique constraint among them; here only what broke the connection does.
 */
class SharePool {
	readonly #connections: Connections;

	constructor(connections: Connections) {
		this.#connections = connections;
	}

	connect(): Promise<Connection> {
		return this.#connections.connect();
	}

	async query(config: pg.QueryConfig | string, values?: unknown[]): Promise<pg.QueryResult> {
		const connection = await this.#connections.connect();
		let broken = true;
		try {
			const result = await connection.query(config, values);
			broken = false;
			return result;
		} catch (error) {
			broken = sqlState(error) === undefined || isUnavailable(error);
			throw error;
		} finally {
			connection.release(broken);
		}
	}
}

const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));
/** Any number, the same for all instances. */
const MIGRATION_LOCK = 0x5a4e_1001;

/** Brings the tables up to date. Instances that start together take turns. */
async function migrate(pool: SharePool): Promise<void> {
	const connection = await pool.connect();
	try {
		await connection.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
		try {
			await migrateWith(drizzle(connection as unknown as pg.PoolClient, { schema }), { migrationsFolder: MIGRATIONS });
		} finally {
			await connection.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
		}
	} finally {
		connection.release();
	}
}

/** A database over connections, its tables brought up to date. Closes the connections where that fails. */
export async function openDatabase(kind: Database['kind'], connections: Connections): Promise<Database> {
	const pool = new SharePool(connections);
	try {
		await migrate(pool);
	} catch (error) {
		await connections.end().catch(() => undefined);
		throw error;
	}
	return {
		kind,
		orm: drizzle(pool as unknown as pg.Pool, { schema }),
		async run<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
			const result = await pool.query({ ...statement, values: [...values], types: NUMBERS });
			return result.rows as Row[];
		},
		async alone(name, work) {
			// PGlite has one connection, which is this process' alone: holding it would block the work itself.
			if (kind === 'pglite') {
				await work();
				return true;
			}
			const connection = await pool.connect();
			try {
				const { rows } = await connection.query('SELECT pg_try_advisory_lock(hashtext($1)) AS got', [name]);
				if (!(rows[0] as { got: boolean }).got) return false;
				try {
					await work();
				} finally {
					await connection.query('SELECT pg_advisory_unlock(hashtext($1))', [name]);
				}
				return true;
			} finally {
				connection.release();
			}
		},
		close: () => connections.end(),
	};
}
