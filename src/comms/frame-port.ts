/**
 * Frames over a MessagePort with credit-based back-pressure: the consumer grants credits, the producer sends at most that
 * many frames, buffers are transferred. Early return and abort reach the producer; its error reaches the consumer.
 */

import type { FrameStream, PlanarFrame } from '../contracts/frames.ts';
import { EmulsionError, type ErrorRecord, fromRecord, throwIfAborted, toEmulsionError } from '../core/errors.ts';

/** Frames in flight when the caller does not say: enough to hide a thread's latency, few enough for 4K. */
export const DEFAULT_CREDITS = 4;

type ToProducer =
	| { readonly kind: 'credit'; readonly count: number }
	/** The buffer of a frame that the consumer has finished with. */
	| { readonly kind: 'spent'; readonly data: ArrayBuffer }
	| { readonly kind: 'stop' };
type ToConsumer =
	| { readonly kind: 'frame'; readonly frame: PlanarFrame }
	| { readonly kind: 'end' }
	| { readonly kind: 'error'; readonly error: ErrorRecord };

/** A gate that lets as many pass as credits were granted. */
class Credits {
	#count = 0;
	#closed = false;
	#wake: (() => void) | undefined;

	grant(count: number): void {
		this.#count += count;
		this.#wake?.();
	}

	close(): void {
		this.#closed = true;
		this.#wake?.();
	}

	/** True when a frame may be sent; false once closed. */
	async take(): Promise<boolean> {
		while (this.#count === 0 && !this.#closed) {
			await new Promise<void>((resolve) => (this.#wake = resolve));
			this.#wake = undefined;
		}
		if (this.#closed) return false;
		this.#count--;
		return true;
	}
}

/**
 * Sends a stream's frames over the port as the consumer grants credits, then closes the port. Resolves when the stream has
 * ended or the consumer stopped; rejects with the stream's error (after sending it) or `aborted`.
 * @param recycle takes buffers that the consumer gives back; default: the stream itself.
 */
export async function sendFrames(
	stream: FrameStream,
	port: MessagePort,
	signal?: AbortSignal,
	recycle: (data: ArrayBuffer) => void = (data) => stream.recycle?.(data),
): Promise<void> {
	const credits = new Credits();
	const onAbort = () => credits.close();
	signal?.addEventListener('abort', onAbort, { once: true });
	port.onmessage = ({ data }: MessageEvent<ToProducer>) => {
		if (data.kind === 'stop') credits.close();
		else if (data.kind === 'spent') recycle(data.data);
		else credits.grant(data.count);
	};
	const post = (message: ToConsumer, transfer: Transferable[] = []) => port.postMessage(message, transfer);
	const iterator = stream[Symbol.asyncIterator]();
	try {
		throwIfAborted(signal);
		while (await credits.take()) {
			const next = await iterator.next();
			if (next.done) break;
			post({ kind: 'frame', frame: next.value }, [next.value.data]);
		}
		throwIfAborted(signal);
		post({ kind: 'end' });
	} catch (thrown) {
		const error = toEmulsionError(thrown);
		post({ kind: 'error', error: error.toRecord() });
		throw error;
	} finally {
		signal?.removeEventListener('abort', onAbort);
		await iterator.return?.();
		port.onmessage = null;
		// Closing at once would drop messages that were posted but not yet delivered in some engines.
		setTimeout(() => port.close(), 1000);
	}
}

/** What has arrived and was not yet taken. */
class Inbox {
	readonly #items: ToConsumer[] = [];
	#wake: (() => void) | undefined;

	push(item: ToConsumer): void {
		this.#items.push(item);
		this.#wake?.();
	}

	async take(signal: AbortSignal | undefined): Promise<ToConsumer> {
		for (;;) {
			throwIfAborted(signal);
			const item = this.#items.shift();
			if (item) return item;
			await new Promise<void>((resolve) => (this.#wake = resolve));
			this.#wake = undefined;
		}
	}

	wake(): void {
		this.#wake?.();
	}
}

/** How a stream is received. */
export interface ReceiveOptions {
	readonly signal?: AbortSignal;
	/** Most frames in flight; default {@link DEFAULT_CREDITS}. */
	readonly credits?: number;
	/** Settles when the producer's call does: a rejection ends a stream whose port went silent (a crashed worker). */
	readonly producer?: Promise<unknown>;
	/**
	 * Give each frame's buffer back when the next one is asked for. Only for consumers that keep no frame beyond that; a
	 * buffer that was transferred on is not given back. Default false: the consumer calls `recycle` itself, or not at all.
	 */
	readonly recycle?: boolean;
}

/** Frames received from a port: a generator with the way back for buffers. */
export type ReceivedFrames = AsyncGenerator<PlanarFrame> & Required<Pick<FrameStream, 'recycle'>>;

/** A generator whose frames' buffers can be given back. */
export function withRecycle(frames: AsyncGenerator<PlanarFrame>, recycle: (data: ArrayBuffer) => void): ReceivedFrames {
	return Object.assign(frames, { recycle });
}

/**
 * The frames that {@link sendFrames} sends to this port. One consumer; returning early tells the producer to stop. Buffers
 * that it gives back (`recycle`) go to the producer; after the end of the stream they are dropped.
 */
export function receiveFrames(port: MessagePort, options: ReceiveOptions = {}): ReceivedFrames {
	return withRecycle(received(port, options), (data) => {
		if (data.byteLength > 0) port.postMessage({ kind: 'spent', data } satisfies ToProducer, [data]);
	});
}

async function* received(port: MessagePort, options: ReceiveOptions): AsyncGenerator<PlanarFrame> {
	const { signal, credits = DEFAULT_CREDITS, recycle = false } = options;
	if (!Number.isInteger(credits) || credits < 1) {
		throw new EmulsionError('internal', `frame port: credits must be a whole number from 1, got ${credits}`);
	}
	const inbox = new Inbox();
	const send = (message: ToProducer, transfer: Transferable[] = []) => port.postMessage(message, transfer);
	const onAbort = () => inbox.wake();
	signal?.addEventListener('abort', onAbort, { once: true });
	port.onmessage = ({ data }: MessageEvent<ToConsumer>) => inbox.push(data);
	options.producer?.catch((error: unknown) => inbox.push({ kind: 'error', error: toEmulsionError(error).toRecord() }));
	let finished = false;
	try {
		send({ kind: 'credit', count: credits });
		for (;;) {
			const item = await inbox.take(signal);
			if (item.kind === 'frame') {
				const { data } = item.frame;
				yield item.frame;
				// Before the credit: the producer finds the buffer when it makes the next frame.
				if (recycle && data.byteLength > 0) send({ kind: 'spent', data }, [data]);
				send({ kind: 'credit', count: 1 });
				continue;
			}
			finished = true;
			if (item.kind === 'error') throw fromRecord(item.error);
			return;
		}
	} finally {
		signal?.removeEventListener('abort', onAbort);
		if (!finished) send({ kind: 'stop' });
		port.onmessage = null;
		setTimeout(() => port.close(), 1000);
	}
}
