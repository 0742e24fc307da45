/**
 * The terminal's writer: takes ordered same-origin writes from the page, authorized by a one-run token, into
 * `OUTPUT.part`, reads the files back, and renames them when they are what was sent and the run has proven its invariants.
 * It writes nowhere but in OUTPUT's folder, and only names that the run's own pattern allows.
 */

import { createHash, type Hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname, join, resolve } from 'node:path';
import { isZero } from '../src/core/buffers.ts';
import type { InvariantResult } from '../src/contracts/report.ts';
import { EmulsionError, throwIfAborted } from '../src/core/errors.ts';
import type { Spoken } from '../src/core/phrases.ts';
import { sendFile } from '../server/static.ts';
import { SECURITY_HEADERS } from '../server/headers.ts';
import type { PartsLedger } from './parts.ts';

/** Path under which the page writes. */
export const WRITER_PATH = '/run/';
/** Largest body of one write. */
export const MAX_WRITE = 8 * 1024 * 1024;
/** Most files that may be open at once. */
const MAX_OPEN = 64;

const HEADERS = { ...SECURITY_HEADERS.isolation, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };

interface OpenFile {
	readonly name: string;
	readonly handle: FileHandle;
	/** Sum of the bytes as they came; undefined once they came out of order. */
	hash: Hash | undefined;
	/** Bytes from the start of the file to the last one written. */
	end: number;
	/** Serializes the writes of one file in the order they arrived. */
	tail: Promise<void>;
}

/** What a closed file has to be on the disk. */
interface Expected {
	readonly bytes: number;
	readonly sha256: string | undefined;
	/** Reading it back begins when it is closed, beside the work on the next file. */
	readonly found: Promise<Found>;
}

/** A file as the system gives it back. */
interface Found {
	readonly bytes: number;
	readonly sha256: string;
}

/** The whole output as the page says it sent it. */
export interface SentOutput {
	readonly bytes: number;
	/** Of a film's only file; absent for a sequence, whose files have the sums of what came. */
	readonly sha256?: string;
}

class HttpError extends Error {
	readonly status: number;
	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

async function body(request: IncomingMessage): Promise<Buffer> {
	const parts: Buffer[] = [];
	let size = 0;
	for await (const part of request as AsyncIterable<Buffer>) {
		size += part.length;
		if (size > MAX_WRITE) throw new HttpError(413, `a write may hold ${MAX_WRITE} bytes at most`);
		parts.push(part);
	}
	return Buffer.concat(parts);
}

function namesIn(text: string): string[] {
	try {
		const names: unknown = JSON.parse(text);
		if (Array.isArray(names)) return names.map(String);
	} catch {
		// Not JSON: refused like anything else that is no list.
	}
	throw new HttpError(400, 'expected a list of names');
}

/** Bytes read back at once. */
const BLOCK = 4 << 20;

async function readBack(path: string, signal: AbortSignal): Promise<Found> {
	const hash = createHash('sha256');
	let bytes = 0;
	for await (const block of createReadStream(path, { highWaterMark: BLOCK, signal }) as AsyncIterable<Buffer>) {
		hash.update(block);
		bytes += block.length;
	}
	return { bytes, sha256: hash.digest('hex') };
}

function damaged(what: string, cause?: unknown): EmulsionError {
	const advice = 'Nothing was published. Look after the disk, or choose another one for OUTPUT, and run again';
	return new EmulsionError('invariant-failed', `${what}. ${advice}.`, cause === undefined ? {} : { cause });
}

/** One run's output. */
export class OutputWriter {
	/** Given to the page; required on every request. */
	readonly token = randomBytes(32).toString('hex');
	readonly #dir: string;
	readonly #ledger: PartsLedger | undefined;
	readonly #overwrite: boolean;
	readonly #open = new Map<string, OpenFile>();
	readonly #written = new Set<string>();
	readonly #closed = new Map<string, Expected>();
	/** Ends reading back. */
	readonly #stopped = new AbortController();
	/** One file is read back at a time. */
	#reading: Promise<unknown> = Promise.resolve();
	#nextId = 0;
	#failure: NodeJS.ErrnoException | undefined;

	/**
	 * @param output OUTPUT as given: its folder is where files go.
	 * @param options `ledger`: finished frames of a sequence that may go on later; absent: a failure leaves nothing. `overwrite`:
	 * files that are there already may be replaced; default: they are refused.
	 */
	constructor(output: string, options: { readonly ledger?: PartsLedger; readonly overwrite?: boolean } = {}) {
		this.#dir = dirname(resolve(output));
		this.#ledger = options.ledger;
		this.#overwrite = options.overwrite ?? false;
	}

	/** The system error that stopped a write (a full disk), if any. */
	get failure(): NodeJS.ErrnoException | undefined {
		return this.#failure;
	}

	/** Names written so far. */
	get names(): readonly string[] {
		return [...this.#written];
	}

	#authorized(request: IncomingMessage): boolean {
		const given = Buffer.from(String(request.headers['x-emulsion-token'] ?? ''));
		const own = Buffer.from(this.token);
		return given.length === own.length && timingSafeEqual(given, own);
	}

	/** A bare file name, no folder, no hidden file, no control characters. */
	#name(url: URL): string {
		return this.#checked(url.searchParams.get('name') ?? '');
	}

	#checked(name: string): string {
		if (
			name === '' ||
			name !== basename(name) ||
			name.startsWith('.') ||
			name.length > 240 ||
			/[\\/:\x00-\x1f]/.test(name)
		) {
			throw new HttpError(400, `not a file name: ${JSON.stringify(name)}`);
		}
		return name;
	}

	/** Whether a published file of that name has to stay. What an earlier run of the same command published is its own. */
	async #isTaken(name: string): Promise<boolean> {
		if (this.#overwrite || this.#ledger?.get(name) !== undefined) return false;
		return (await lstat(join(this.#dir, name)).catch(() => undefined)) !== undefined;
	}

	/** Those of the names that are taken; `.part` files are nobody's output. */
	async #claim(request: IncomingMessage): Promise<object> {
		const taken: string[] = [];
		for (const name of namesIn((await body(request)).toString('utf8'))) {
			if (await this.#isTaken(this.#checked(name))) taken.push(name);
		}
		return { taken };
	}

	#part(name: string): string {
		return join(this.#dir, `${name}.part`);
	}

	#file(url: URL): OpenFile {
		const file = this.#open.get(url.searchParams.get('id') ?? '');
		if (!file) throw new HttpError(404, 'no such open file');
		return file;
	}

	async #openFile(url: URL): Promise<object> {
		if (this.#open.size >= MAX_OPEN) throw new HttpError(429, `at most ${MAX_OPEN} files may be open`);
		const name = this.#name(url);
		await mkdir(this.#dir, { recursive: true });
		const handle = await open(this.#part(name), 'w');
		const id = String(this.#nextId++);
		this.#open.set(id, { name, handle, hash: createHash('sha256'), end: 0, tail: Promise.resolve() });
		this.#written.add(name);
		this.#closed.delete(name);
		return { id };
	}

	async #write(url: URL, request: IncomingMessage): Promise<object> {
		const file = this.#file(url);
		const at = Number(url.searchParams.get('at') ?? 'x');
		if (!Number.isSafeInteger(at) || at < 0) throw new HttpError(400, 'at: expected a byte offset');
		const data = await body(request);
		const write = file.tail.then(async () => {
			if (at === file.end) file.hash?.update(data);
			else file.hash = undefined;
			// Zeros behind the end (silence) take no disk.
			const isHole = at >= file.end && isZero(data);
			if (isHole) await file.handle.truncate(at + data.length);
			for (let done = isHole ? data.length : 0; done < data.length;) {
				done += (await file.handle.write(data, done, data.length - done, at + done)).bytesWritten;
			}
			file.end = Math.max(file.end, at + data.length);
		});
		file.tail = write.catch(() => undefined);
		await write;
		return { written: data.length };
	}

	async #close(url: URL, keep: boolean): Promise<object> {
		const file = this.#file(url);
		this.#open.delete(url.searchParams.get('id') ?? '');
		await file.tail;
		if (keep) await file.handle.sync();
		await file.handle.close();
		const { name, end } = file;
		if (keep) {
			const sha256 = file.hash?.digest('hex');
			this.#expect(name, end, sha256);
			if (sha256 !== undefined) this.#ledger?.add(name, { bytes: end, sha256 });
		} else {
			this.#written.delete(name);
			await rm(this.#part(name), { force: true });
		}
		return {};
	}

	#expect(name: string, bytes: number, sha256: string | undefined): void {
		const found = this.#reading.then(() => readBack(this.#part(name), this.#stopped.signal));
		this.#reading = found.catch(() => undefined);
		this.#closed.set(name, { bytes, sha256, found });
	}

	/** A frame that an earlier run finished becomes one of this run's when the page asks for it. */
	#adopt(name: string): void {
		const part = this.#ledger?.get(name);
		if (this.#written.has(name) || !part) return;
		this.#written.add(name);
		this.#expect(name, part.bytes, part.sha256);
	}

	async #dispatch(request: IncomingMessage, response: ServerResponse, url: URL): Promise<object | undefined> {
		const action = url.pathname.slice(WRITER_PATH.length);
		if (request.method === 'GET' && action === 'read') {
			const name = this.#name(url);
			const path = this.#part(name);
			const isThere = (await stat(path).catch(() => undefined)) !== undefined;
			if (isThere) this.#adopt(name);
			// What another run left there is none of this one's.
			if (!isThere || !this.#written.has(name)) throw new HttpError(404, 'not written yet');
			await sendFile(request, response, path, SECURITY_HEADERS.isolation);
			return undefined;
		}
		if (request.method !== 'POST') throw new HttpError(405, 'expected POST');
		switch (action) {
			case 'claim':
				return this.#claim(request);
			case 'open':
				return this.#openFile(url);
			case 'write':
				return this.#write(url, request);
			case 'close':
				return this.#close(url, true);
			case 'abort':
				return this.#close(url, false);
			default:
				throw new HttpError(404, 'unknown action');
		}
	}

	/** Request handler for `startStaticServer`. */
	readonly handle = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> => {
		if (!url.pathname.startsWith(WRITER_PATH)) return false;
		try {
			if (!this.#authorized(request)) throw new HttpError(403, 'wrong token');
			const answer = await this.#dispatch(request, response, url);
			if (answer) response.writeHead(200, HEADERS).end(JSON.stringify(answer));
		} catch (error) {
			const errno = error as NodeJS.ErrnoException;
			if (!(error instanceof HttpError)) this.#failure = errno;
			const full = errno.code === 'ENOSPC' || errno.code === 'EDQUOT';
			const status = error instanceof HttpError ? error.status : full ? 507 : 500;
			if (!response.headersSent) response.writeHead(status, HEADERS);
			response.end(JSON.stringify({ error: errno.message, code: errno.code ?? null }));
		}
		return true;
	};

	/**
	 * Compares every file, as it is read back from the disk, with the bytes that were sent, and a single one with the sum that
	 * the page made while sending.
	 * @returns what was proven, for the report.
	 * @throws EmulsionError `invariant-failed` naming the file, `aborted`.
	 */
	async verify(sent: SentOutput, signal?: AbortSignal): Promise<Spoken<InvariantResult>> {
		const stop = (): void => this.#stopped.abort();
		signal?.addEventListener('abort', stop, { once: true });
		try {
			let bytes = 0;
			for (const name of this.#written) bytes += (await this.#verified(name, sent, signal)).bytes;
			if (bytes !== sent.bytes) throw damaged(`OUTPUT: ${sent.bytes} bytes were sent, ${bytes} came back`);
			const proven = `${bytes} bytes in ${this.#written.size} file(s), SHA-256 as sent`;
			return { name: 'bytes-on-disk', ok: true, expected: proven, found: proven };
		} finally {
			signal?.removeEventListener('abort', stop);
		}
	}

	async #verified(name: string, sent: SentOutput, signal: AbortSignal | undefined): Promise<Found> {
		const expected = this.#closed.get(name);
		if (!expected) throw damaged(`${name}: it was not written to its end`);
		let found: Found;
		try {
			throwIfAborted(signal);
			found = await expected.found;
		} catch (cause) {
			throwIfAborted(signal);
			throw damaged(`${name}: it cannot be read back (${(cause as Error).message})`, cause);
		}
		if (found.bytes !== expected.bytes)
			throw damaged(`${name}: ${expected.bytes} bytes were written, ${found.bytes} came back`);
		for (const sum of [expected.sha256, sent.sha256]) {
			if (sum !== undefined && sum !== found.sha256)
				throw damaged(`${name}: SHA-256 ${sum} was sent, ${found.sha256} came back`);
		}
		return found;
	}

	/**
	 * Publishes every `.part` under its own name. Call only after the invariants were proven.
	 * @throws EmulsionError `usage` where a name was taken meanwhile: nothing is published then, and the `.part` files stay.
	 */
	async publish(): Promise<void> {
		for (const name of this.#written) {
			if (!(await this.#isTaken(name))) continue;
			this.#written.clear();
			throw new EmulsionError(
				'usage',
				`${name} appeared while this run was working and is left alone; what was made is whole and stays as ${name}.part`,
			);
		}
		for (const name of this.#written) {
			try {
				await rename(this.#part(name), join(this.#dir, name));
			} catch (cause) {
				throw new EmulsionError('internal', `${name}: could not be renamed from its .part file`, { cause });
			}
		}
		this.#ledger?.clear();
	}

	/**
	 * Closes and removes whatever was not published; finished frames stay where a ledger remembers them, unless they are not
	 * `trusted`.
	 */
	async discard(trusted = true): Promise<void> {
		this.#stopped.abort();
		const open = [...this.#open.values()];
		for (const file of open) await file.handle.close().catch(() => undefined);
		this.#open.clear();
		const unfinished = new Set(open.map((file) => file.name));
		for (const name of this.#written) {
			const stays = trusted && !unfinished.has(name) && this.#ledger?.get(name) !== undefined;
			if (!stays) await rm(this.#part(name), { force: true });
		}
		if (!trusted) this.#ledger?.clear();
		this.#written.clear();
	}
}
