/**
 * Typed calls to a worker or over a port. A call's signal and callbacks are wrapped for that call alone, so that their
 * ports and listeners go when it settles; a crash of the far side rejects every call that is pending.
 */

import { type Endpoint, expose, wrap } from 'comlink';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase, type Text } from '../core/phrases.ts';
import { installTransferHandlers, releaseTransferred } from './transfer.ts';

/** An interface as seen from the other side of a thread boundary: every method gives a promise. */
export type Bridged<T> = {
	readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** Values of one call that carry a port: closed when the call settles. */
interface CallArguments {
	readonly args: unknown[];
	release(): void;
}

function linkArguments(args: readonly unknown[]): CallArguments {
	const releases: (() => void)[] = [];
	const linked = args.map((value) => {
		if (value instanceof AbortSignal) {
			const controller = new AbortController();
			const forward = () => controller.abort();
			if (value.aborted) controller.abort();
			else value.addEventListener('abort', forward, { once: true });
			releases.push(() => {
				value.removeEventListener('abort', forward);
				releaseTransferred(controller.signal);
			});
			return controller.signal;
		}
		if (typeof value === 'function') {
			const callback = value as (...a: unknown[]) => void;
			let open = true;
			const own = (...a: unknown[]) => {
				if (open) callback(...a);
			};
			releases.push(() => {
				releaseTransferred(own);
				setTimeout(() => (open = false), 50);
			});
			return own;
		}
		return value;
	});
	return { args: linked, release: () => releases.forEach((release) => release()) };
}

/** Calls in flight over one endpoint. */
class Pending {
	readonly #rejects = new Set<(error: EmulsionError) => void>();
	#dead: EmulsionError | undefined;

	/** Runs a call so that {@link fail} rejects it. */
	async run<R>(call: () => Promise<R>): Promise<R> {
		if (this.#dead) throw this.#dead;
		let reject: (error: EmulsionError) => void = () => undefined;
		const crashed = new Promise<never>((_resolve, fail) => (reject = fail));
		this.#rejects.add(reject);
		try {
			return await Promise.race([call(), crashed]);
		} finally {
			this.#rejects.delete(reject);
		}
	}

	get count(): number {
		return this.#rejects.size;
	}

	fail(error: EmulsionError): void {
		this.#dead ??= error;
		for (const reject of [...this.#rejects]) reject(error);
	}
}

type AnyMethods = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

function bridgeOver<T>(endpoint: Endpoint, pending: Pending): Bridged<T> {
	installTransferHandlers();
	const remote = wrap<AnyMethods>(endpoint) as unknown as AnyMethods;
	const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
	const make =
		(name: string) =>
		async (...args: unknown[]) => {
			const call = linkArguments(args);
			try {
				return await pending.run(() => remote[name]!(...call.args));
			} catch (error) {
				throw toEmulsionError(error);
			} finally {
				call.release();
			}
		};
	return new Proxy({} as Bridged<T>, {
		get(_target, name) {
			// A bridge must not look like a thenable, or `await bridge` would call the far side.
			if (typeof name !== 'string' || name === 'then') return undefined;
			let method = methods.get(name);
			if (!method) methods.set(name, (method = make(name)));
			return method;
		},
	});
}

/** A worker with its typed bridge. */
export interface WorkerBridge<T> {
	readonly api: Bridged<T>;
	/** Calls in flight. */
	readonly pending: () => number;
	/** Rejects what is pending with the error (default `worker-crashed`) and ends the worker. */
	terminate(error?: EmulsionError): void;
	/** Resolves when the worker crashed or was terminated. */
	readonly ended: Promise<EmulsionError>;
}

/**
 * Wraps a worker. Its `error` and `messageerror` events reject all pending calls with `worker-crashed` (retryable) and
 * terminate it; the owner makes a new one when it needs one.
 */
export function wrapWorker<T>(worker: Worker, name: string): WorkerBridge<T> {
	const pending = new Pending();
	let settle: (error: EmulsionError) => void = () => undefined;
	const ended = new Promise<EmulsionError>((resolve) => (settle = resolve));
	const end = (error: EmulsionError) => {
		worker.removeEventListener('error', onError);
		worker.removeEventListener('messageerror', onMessageError);
		worker.terminate();
		pending.fail(error);
		settle(error);
	};
	const crash = (why: Text) =>
		end(new EmulsionError('worker-crashed', phrase('worker-stopped', { name, why }), { retryable: true }));
	const onError = (event: ErrorEvent) => {
		event.preventDefault();
		crash(event.message || phrase('worker-not-loaded'));
	};
	const onMessageError = () => crash(phrase('worker-message'));
	worker.addEventListener('error', onError);
	worker.addEventListener('messageerror', onMessageError);
	return {
		api: bridgeOver<T>(worker, pending),
		pending: () => pending.count,
		terminate: (error) =>
			end(error ?? new EmulsionError('worker-crashed', phrase('worker-ended', { name }), { retryable: true })),
		ended,
	};
}

/** A bridge over a message port, between two workers. */
export interface PortBridge<T> {
	readonly api: Bridged<T>;
	/** Rejects what is pending and closes the port. */
	close(error?: EmulsionError): void;
}

/** Wraps a port whose other end was given to {@link serve}. */
export function wrapPort<T>(port: MessagePort, name: string): PortBridge<T> {
	const pending = new Pending();
	const api = bridgeOver<T>(port, pending);
	return {
		api,
		close(error) {
			pending.fail(
				error ?? new EmulsionError('worker-crashed', phrase('worker-closed', { name }), { retryable: true }),
			);
			port.close();
		},
	};
}

/** Offers an implementation on this worker's own scope, or on a port. */
export function serve(implementation: object, endpoint?: Endpoint): void {
	installTransferHandlers();
	if (endpoint) expose(implementation, endpoint);
	else expose(implementation);
}
