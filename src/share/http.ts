/** Requests to the share service: every answer is checked, every refusal becomes a typed error that says what to do. */

import * as v from 'valibot';
import { EmulsionError, type ErrorCode, type ErrorDetails } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import { type Refusal, RefusalBody } from './protocol.ts';
import { firstIssue } from './read.ts';

/** Longest wait for an answer's beginning, ms. */
const PATIENCE = 30_000;

/** How requests leave: `fetch`, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request. */
export interface Ask {
	readonly method: string;
	/** Below the API's root, beginning with `/`. */
	readonly path: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: BodyInit;
	readonly signal?: AbortSignal | undefined;
}

const CODES: Readonly<Record<Refusal, ErrorCode>> = {
	invalid: 'review-invalid',
	checksum: 'tampered',
	unauthorized: 'link-refused',
	forbidden: 'link-refused',
	'not-found': 'review-invalid',
	conflict: 'conflict',
	expired: 'link-refused',
	revoked: 'link-refused',
	'too-large': 'share-quota',
	closed: 'review-closed',
	rate: 'rate-limited',
	internal: 'share-failed',
	unavailable: 'offline',
};
const AGAIN: readonly Refusal[] = ['checksum', 'rate', 'internal', 'unavailable'];

function saidOf(error: RefusalBody['error'], status: number, what: string): Phrase {
	const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
	switch (error.code) {
		case 'unauthorized':
			return phrase('link-unknown');
		case 'expired':
			return phrase('link-expired');
		case 'revoked':
			return phrase('link-revoked');
		case 'closed':
			return phrase('review-closed');
		case 'conflict':
			return phrase('review-changed');
		case 'rate':
			return phrase('share-rate', { seconds: error.retryAfter ?? 1 });
		case 'unavailable':
			return phrase('share-offline');
		case 'internal':
			return phrase('share-fault', { status });
		case 'too-large': {
			const limit = error.limit ?? 0;
			const used = error.used ?? 0;
			return phrase('share-quota', { name: what, megabytes: megabytes(used), free: megabytes(limit) });
		}
		default:
			return phrase('share-invalid', { path: error.path ?? what, why: error.message.slice(0, 200) });
	}
}

/** The typed error of a refused request. */
async function refusalOf(response: Response, what: string): Promise<EmulsionError> {
	const body: unknown = await response.json().catch(() => undefined);
	const parsed = v.safeParse(RefusalBody, body);
	if (!parsed.success) {
		return new EmulsionError('share-failed', phrase('share-fault', { status: response.status }), { retryable: true });
	}
	const { error } = parsed.output;
	const details: ErrorDetails = {
		retryable: AGAIN.includes(error.code),
		data: { refusal: error.code, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }) },
	};
	const said = saidOf(error, response.status, what);
	return new EmulsionError(CODES[error.code], said, details);
}

/** Sends requests of one link. */
export class Requests {
	readonly #root: string;
	readonly #headers: Readonly<Record<string, string>>;
	readonly #fetch: Fetch;

	/**
	 * @param root Address of the API, without a slash at its end.
	 * @param headers Sent with every request.
	 */
	constructor(root: string, headers: Readonly<Record<string, string>>, send: Fetch = (url, init) => fetch(url, init)) {
		this.#root = root;
		this.#headers = headers;
		this.#fetch = send;
	}

	/** A 2xx answer whose body nobody wants. @throws EmulsionError as {@link take}. */
	async send(ask: Ask): Promise<void> {
		await this.take(ask, () => Promise.resolve());
	}

	/**
	 * What `read` makes of a 2xx answer; the signal is heard until it is done.
	 * @throws EmulsionError `offline` (where reading fails as well), or what the service refuses by.
	 */
	async take<T>(ask: Ask, read: (response: Response) => Promise<T>): Promise<T> {
		// By hand: `AbortSignal.any` is younger than the phones that open links.
		const patience = new AbortController();
		const stop = (): void => patience.abort(ask.signal?.reason);
		const timer = setTimeout(stop, PATIENCE);
		if (ask.signal?.aborted === true) stop();
		ask.signal?.addEventListener('abort', stop, { once: true });
		try {
			const response = await this.#fetch(this.#root + ask.path, {
				method: ask.method,
				headers: { ...this.#headers, ...ask.headers },
				signal: patience.signal,
				cache: 'no-store',
				credentials: 'omit',
				redirect: 'error',
				...(ask.body === undefined ? {} : { body: ask.body }),
			});
			clearTimeout(timer);
			if (!response.ok) throw await refusalOf(response, ask.path);
			return await read(response);
		} catch (cause) {
			ask.signal?.throwIfAborted();
			if (cause instanceof EmulsionError) throw cause;
			throw new EmulsionError('offline', phrase('share-offline'), { cause, retryable: true });
		} finally {
			clearTimeout(timer);
			ask.signal?.removeEventListener('abort', stop);
		}
	}

	/** The checked JSON of a 2xx answer. @throws EmulsionError `share-failed` where it is anything else. */
	async json<S extends v.GenericSchema>(schema: S, ask: Ask): Promise<v.InferOutput<S>> {
		const body = await this.take(ask, (response) => response.json() as Promise<unknown>);
		const parsed = v.safeParse(schema, body);
		if (parsed.success) return parsed.output;
		const { path, why } = firstIssue(parsed.issues);
		throw new EmulsionError('share-failed', phrase('share-answer', { why: `${path}: ${why}` }));
	}

	/** {@link json} with a JSON body. */
	post<S extends v.GenericSchema>(
		schema: S,
		ask: Omit<Ask, 'body'> & { readonly value: unknown },
	): Promise<v.InferOutput<S>> {
		const { value, headers, ...rest } = ask;
		return this.json(schema, {
			...rest,
			headers: { ...headers, 'Content-Type': 'application/json' },
			body: JSON.stringify(value),
		});
	}
}

/** Where a browser tells that the network is back; a terminal hears nothing. */
const network = globalThis as {
	readonly addEventListener?: (type: 'online', heard: () => void) => void;
	readonly removeEventListener?: (type: 'online', heard: () => void) => void;
};

/** Waits, in a browser no longer than until the network is back; rejects with the signal's reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted === true) return reject(signal.reason as Error);
		const end = (): void => {
			clearTimeout(timer);
			signal?.removeEventListener('abort', stop);
			network.removeEventListener?.('online', wake);
		};
		const stop = (): void => {
			end();
			reject(signal?.reason as Error);
		};
		const wake = (): void => {
			end();
			resolve();
		};
		const timer = setTimeout(wake, ms);
		signal?.addEventListener('abort', stop, { once: true });
		network.addEventListener?.('online', wake);
	});
}

/** Before the next try after `attempt` that failed: 0.5 s, then twice as long each time, up to 15 s, or as long as the service says. */
function backOff(attempt: number, error: EmulsionError, signal?: AbortSignal): Promise<void> {
	const asked = Number(error.details.data?.['retryAfter'] ?? 0) * 1000;
	return pause(Math.max(asked, Math.min(15_000, 500 * 2 ** (attempt - 1))), signal);
}

const passes = (error: unknown): error is EmulsionError =>
	error instanceof EmulsionError && error.details.retryable === true;

/**
 * Repeats what failed for a while that passes (no answer, too many requests, a fault), waiting longer each time.
 */
export async function persist<T>(
	work: () => Promise<T>,
	options: { readonly tries: number; readonly signal?: AbortSignal; readonly onWait?: (error: EmulsionError) => void },
): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await work();
		} catch (error) {
			if (!passes(error) || attempt >= options.tries) throw error;
			options.onWait?.(error);
			await backOff(attempt, error, options.signal);
		}
	}
}

/** Reads of one service that are on their way at once. */
const AT_ONCE = 8;

/**
 * Many reads of one service (a lossless crop alone is dozens), each repeated as {@link persist} does. While the service does not
 * answer, one of them asks again and all others wait for what becomes of it: a hundred would ask a hundred times as often.
 */
export class SharedPatience {
	#free = AT_ONCE;
	readonly #line: (() => void)[] = [];
	#asking: Promise<unknown> | undefined;

	/** @throws EmulsionError what `work` throws, or what the one that asked gave up by; the signal's reason. */
	async run<T>(work: () => Promise<T>, options: { readonly tries: number; readonly signal?: AbortSignal }): Promise<T> {
		for (let attempt = 1; ;) {
			await this.#answer();
			await this.#enter();
			try {
				options.signal?.throwIfAborted();
				// It may have stopped answering while this one stood in line.
				if (this.#asking) continue;
				return await work();
			} catch (error) {
				if (!passes(error) || attempt >= options.tries) throw error;
				const away = error.code === 'offline' || error.code === 'rate-limited';
				if (!away) await backOff(attempt++, error, options.signal);
				else if (!this.#asking) return await this.#ask(work, error, options);
			} finally {
				this.#leave();
			}
		}
	}

	async #ask<T>(
		work: () => Promise<T>,
		error: EmulsionError,
		options: { readonly tries: number; readonly signal?: AbortSignal },
	): Promise<T> {
		const asking = backOff(1, error, options.signal).then(() =>
			persist(work, { ...options, tries: options.tries - 1 }),
		);
		this.#asking = asking;
		try {
			return await asking;
		} finally {
			this.#asking = undefined;
		}
	}

	/** Until nobody asks. What was given up because nobody wanted it any more says nothing of the service. */
	async #answer(): Promise<void> {
		try {
			await this.#asking;
		} catch (error) {
			if (error instanceof EmulsionError) throw error;
		}
	}

	async #enter(): Promise<void> {
		if (this.#free > 0) this.#free--;
		else await new Promise<void>((resolve) => this.#line.push(resolve));
	}

	#leave(): void {
		const next = this.#line.shift();
		if (next) next();
		else this.#free++;
	}
}
