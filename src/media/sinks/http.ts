/** Ordered same-origin writes to the server that started this run (the terminal), authorized by its one-run token. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type ByteReader, type StagedSink, type StagedTarget, checkName, NAMED_TAKEN } from './files.ts';

/** Largest body the server takes. */
const MAX_BODY = 8 << 20;
/** Names asked about in one request: far below the largest body. */
const NAMES_AT_ONCE = 10_000;
const HTTP_FULL = 507;
const HTTP_MISSING = 404;

/** Where the server listens and what it wants to see. */
export interface HttpEndpoint {
	readonly base: string;
	readonly token: string;
}

async function failure(name: string, response: Response, bytes: number): Promise<EmulsionError> {
	const detail = await response.text().catch(() => '');
	if (response.status === HTTP_FULL) {
		return new EmulsionError('quota-exceeded', phrase('output-full', { name }), {
			retryable: true,
			bytesNeeded: Math.max(1, bytes),
		});
	}
	return new EmulsionError(
		'storage-unavailable',
		phrase('output-answered', { name, status: response.status, detail }),
		{
			retryable: true,
		},
	);
}

/** One request. Network failures become `storage-unavailable`. */
async function request(
	endpoint: HttpEndpoint,
	action: string,
	query: Readonly<Record<string, string>>,
	init: RequestInit = {},
): Promise<Response> {
	const base = endpoint.base.endsWith('/') ? endpoint.base : `${endpoint.base}/`;
	try {
		return await fetch(`${base}${action}?${new URLSearchParams(query).toString()}`, {
			method: 'POST',
			cache: 'no-store',
			...init,
			headers: { 'X-Emulsion-Token': endpoint.token, ...init.headers },
		});
	} catch (cause) {
		throw new EmulsionError('storage-unavailable', phrase('output-silent'), { cause, retryable: true });
	}
}

class HttpSink implements StagedSink {
	readonly #endpoint: HttpEndpoint;
	readonly #name: string;
	readonly #id: string;
	#end = 0;
	/** One request in flight: writes arrive in order. */
	#tail: Promise<unknown> = Promise.resolve();

	constructor(endpoint: HttpEndpoint, name: string, id: string) {
		this.#endpoint = endpoint;
		this.#name = name;
		this.#id = id;
	}

	write(data: Uint8Array<ArrayBuffer>, at = this.#end): Promise<void> {
		this.#end = Math.max(this.#end, at + data.length);
		const writing = this.#tail.then(() => this.#send(data, at));
		this.#tail = writing.catch(() => undefined);
		return writing;
	}

	async #send(data: Uint8Array<ArrayBuffer>, at: number): Promise<void> {
		for (let done = 0; done < data.length; done += MAX_BODY) {
			const body = data.subarray(done, done + MAX_BODY);
			const response = await request(
				this.#endpoint,
				'write',
				{ id: this.#id, at: String(at + done) },
				// As a Blob: of any other body, a browser that is driven tells its driver every byte, and takes ten times as long.
				{ body: new Blob([body]), headers: { 'Content-Type': 'application/octet-stream' } },
			);
			if (!response.ok) throw await failure(this.#name, response, body.length);
			await response.arrayBuffer();
		}
	}

	async finish(): Promise<ByteReader> {
		await this.#tail;
		return rangeReader(this.#endpoint, this.#name, this.#end);
	}

	async #conclude(action: 'close' | 'abort'): Promise<void> {
		await this.#tail;
		const response = await request(this.#endpoint, action, { id: this.#id });
		if (!response.ok) throw await failure(this.#name, response, 0);
	}

	close(): Promise<void> {
		return this.#conclude('close');
	}

	async abort(): Promise<void> {
		await this.#conclude('abort').catch(() => undefined);
	}
}

function rangeReader(endpoint: HttpEndpoint, name: string, size: number): ByteReader {
	return {
		size,
		read: async (start, end) => {
			if (end <= start) return new Uint8Array();
			const headers = { Range: `bytes=${start}-${end - 1}` };
			const response = await request(endpoint, 'read', { name }, { method: 'GET', headers });
			if (!response.ok) throw await failure(name, response, 0);
			const bytes = new Uint8Array(await response.arrayBuffer());
			return bytes.length > end - start ? bytes.slice(start, end) : bytes;
		},
	};
}

/** The terminal's folder. */
export class HttpTarget implements StagedTarget {
	readonly #endpoint: HttpEndpoint;

	constructor(endpoint: HttpEndpoint) {
		this.#endpoint = endpoint;
	}

	/** Asks the server whether files would be replaced that must not be. */
	async claim(names: readonly string[]): Promise<void> {
		const taken: string[] = [];
		for (let done = 0; done < names.length; done += NAMES_AT_ONCE) {
			const body = JSON.stringify(names.slice(done, done + NAMES_AT_ONCE).map(checkName));
			const response = await request(this.#endpoint, 'claim', {}, { body: new Blob([body]) });
			if (!response.ok) throw await failure(names[done]!, response, 0);
			taken.push(...((await response.json()) as { readonly taken: readonly string[] }).taken);
		}
		const [first] = taken;
		if (first === undefined) return;
		const values = { names: taken.slice(0, NAMED_TAKEN), count: taken.length, total: names.length };
		const said = names.length === 1 ? phrase('output-there', { name: first }) : phrase('outputs-there', values);
		throw new EmulsionError('usage', said);
	}

	/** Opens `name.part` on the server. */
	async create(name: string): Promise<StagedSink> {
		checkName(name);
		const response = await request(this.#endpoint, 'open', { name });
		if (!response.ok) throw await failure(name, response, 0);
		const { id } = (await response.json()) as { id?: unknown };
		if (typeof id !== 'string') throw new EmulsionError('storage-unavailable', phrase('output-id', { name }));
		return new HttpSink(this.#endpoint, name, id);
	}

	/** What this run has written under that name so far. */
	async read(name: string): Promise<Blob | undefined> {
		const response = await request(this.#endpoint, 'read', { name: checkName(name) }, { method: 'GET' });
		if (response.status === HTTP_MISSING) return undefined;
		if (!response.ok) throw await failure(name, response, 0);
		return response.blob();
	}
}
