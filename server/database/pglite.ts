/**
 * PGlite: Postgres compiled to WebAssembly, its files in a folder. It runs in a thread of its own, because it computes for milliseconds
 * where a server has to answer, and is spoken to by node-postgres in Postgres' own protocol, so that everything above is
 * the same for both, prepared statements too.
 */

import { mkdirSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { type Connection, type Connections, type Database, DatabaseError, openDatabase } from './database.ts';
import { takeFolder } from './folder-lock.ts';

type FromThread = { type: 'ready' } | { type: 'closed' } | { type: 'answer'; bytes: Uint8Array };

/** After these a client waits for an answer: Query, Sync, Flush. */
const ASKS = new Set(['Q', 'S', 'H'].map((c) => c.charCodeAt(0)));
const TERMINATE = 'X'.charCodeAt(0);

/** Node-postgres' end of the wire: whole messages go to the thread in one piece, up to the one that wants an answer. */
class Wire extends Duplex {
	readonly #thread: Worker;
	#held: Buffer[] = [];
	#greeted = false;

	constructor(thread: Worker) {
		super();
		this.#thread = thread;
		thread.on('message', (message: FromThread) => {
			if (message.type === 'answer') this.push(message.bytes);
		});
	}

	/** What node-postgres asks of a socket. */
	connect(): this {
		process.nextTick(() => this.emit('connect'));
		return this;
	}
	setNoDelay(): this {
		return this;
	}
	setKeepAlive(): this {
		return this;
	}
	ref(): this {
		return this;
	}
	unref(): this {
		return this;
	}

	override _read(): void {
		// The thread sends on its own.
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
		this.#take([chunk]);
		done();
	}

	override _writev(parts: { chunk: Buffer }[], done: () => void): void {
		this.#take(parts.map((part) => part.chunk));
		done();
	}

	#take(parts: readonly Buffer[]): void {
		const bytes = Buffer.concat([...this.#held, ...parts]);
		let at = 0;
		let asks = false;
		if (!this.#greeted && bytes.length >= 4) {
			// The first message, StartupMessage, has no type.
			at = bytes.readUInt32BE(0);
			asks = true;
			this.#greeted = true;
		}
		while (at + 5 <= bytes.length) {
			if (bytes[at] === TERMINATE) return;
			asks ||= ASKS.has(bytes[at]!);
			at += 1 + bytes.readUInt32BE(at + 1);
		}
		if (!asks || at !== bytes.length) {
			this.#held = [bytes];
			return;
		}
		this.#held = [];
		this.#thread.postMessage({ type: 'ask', bytes: new Uint8Array(bytes) });
	}
}

/** One connection, used in turns. */
class Turns implements Connections {
	readonly #client: pg.Client;
	readonly #end: () => Promise<void>;
	#last: Promise<void> = Promise.resolve();
	#broken: Error | undefined;

	constructor(client: pg.Client, end: () => Promise<void>) {
		this.#client = client;
		this.#end = end;
	}

	break(error: Error): void {
		this.#broken ??= error;
	}

	async connect(): Promise<Connection> {
		const before = this.#last;
		let release = (): void => undefined;
		this.#last = new Promise((resolve) => (release = resolve));
		await before;
		if (this.#broken) {
			release();
			throw this.#broken;
		}
		return {
			query: (config, values) => this.#client.query(config as pg.QueryConfig, values),
			release: () => release(),
		};
	}

	async end(): Promise<void> {
		const turn = await this.connect();
		this.break(new DatabaseError('The database of the share service was closed.'));
		turn.release();
		await this.#end();
	}
}

function started(thread: Worker): Promise<void> {
	return new Promise((resolve, reject) => {
		thread.once('error', reject);
		thread.once('exit', (code) => reject(new DatabaseError(`PGlite ended before it was ready (${code}).`)));
		thread.once('message', () => resolve());
	});
}

/**
 * Opens the database of a folder, makes it where there is none, and brings its tables up to date. A folder belongs to one process
 * at a time.
 * @throws DatabaseError where another process has it, or PGlite does not start.
 */
export async function openPglite(folder: string): Promise<Database> {
	mkdirSync(folder, { recursive: true });
	const freeFolder = takeFolder(folder);
	const thread = new Worker(new URL('./pglite-thread.mjs', import.meta.url), {
		workerData: { folder: `${folder}/data` },
		execArgv: [],
	});
	try {
		await started(thread);
		const wire = new Wire(thread);
		const client = new pg.Client({ stream: () => wire, user: 'postgres', database: 'postgres', ssl: false });
		client.on('error', () => undefined);
		const connections = new Turns(client, async () => {
			const closed = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
			thread.postMessage({ type: 'close' });
			await closed;
			wire.destroy();
			freeFolder();
		});
		thread.on('error', (cause) => {
			connections.break(new DatabaseError('PGlite failed: start the share service again.', { cause }));
			wire.destroy(cause);
			freeFolder();
		});
		await client.connect();
		return await openDatabase('pglite', connections);
	} catch (error) {
		await thread.terminate();
		freeFolder();
		throw error;
	}
}
