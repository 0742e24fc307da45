/**
 * What comlink cannot carry by itself: abort signals, callbacks, ports, canvases and typed errors. Call
 * {@link installTransferHandlers} once in every realm before exposing or wrapping anything.
 */

import { transferHandlers, type TransferHandler } from 'comlink';
import { type ErrorRecord, fromRecord, toEmulsionError } from '../core/errors.ts';

/** A one-way callback: arguments are cloned, nothing comes back, order is kept. */
export type Callback = (...args: never[]) => void;

/** Releases what a serialized value holds on this side (a port, a listener), keyed by the value. */
const releases = new WeakMap<object, () => void>();

/** Frees the port and listener that carry a signal or a callback; called by the bridge when the call has settled. */
export function releaseTransferred(value: object): void {
	releases.get(value)?.();
	releases.delete(value);
}

const signalHandler: TransferHandler<AbortSignal, { aborted: boolean; port?: MessagePort }> = {
	canHandle: (value): value is AbortSignal => value instanceof AbortSignal,
	serialize(signal) {
		if (signal.aborted) return [{ aborted: true }, []];
		const { port1, port2 } = new MessageChannel();
		const onAbort = () => port1.postMessage('abort');
		signal.addEventListener('abort', onAbort, { once: true });
		releases.set(signal, () => {
			signal.removeEventListener('abort', onAbort);
			port1.close();
		});
		return [{ aborted: false, port: port2 }, [port2]];
	},
	deserialize({ aborted, port }) {
		const controller = new AbortController();
		if (aborted) controller.abort();
		if (port) {
			port.onmessage = () => {
				controller.abort();
				port.close();
			};
		}
		return controller.signal;
	},
};

const callbackHandler: TransferHandler<Callback, MessagePort> = {
	canHandle: (value): value is Callback => typeof value === 'function',
	serialize(callback) {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = (event: MessageEvent<never[]>) => callback(...event.data);
		releases.set(callback, () => {
			// A last report may still be on its way when the result arrives: let it through first.
			setTimeout(() => port1.close(), 50);
		});
		return [port2, [port2]];
	},
	deserialize:
		(port) =>
		(...args: unknown[]) =>
			port.postMessage(args),
};

const portHandler: TransferHandler<MessagePort, MessagePort> = {
	canHandle: (value): value is MessagePort => value instanceof MessagePort,
	serialize: (port) => [port, [port]],
	deserialize: (port) => port,
};

const canvasHandler: TransferHandler<OffscreenCanvas, OffscreenCanvas> = {
	canHandle: (value): value is OffscreenCanvas =>
		typeof OffscreenCanvas !== 'undefined' && value instanceof OffscreenCanvas,
	serialize: (canvas) => [canvas, [canvas]],
	deserialize: (canvas) => canvas,
};

/** Comlink's own thrown value: `{ value }` under a private symbol; its handler of the same name is replaced. */
function throwHandler(
	original: TransferHandler<unknown, unknown>,
): TransferHandler<{ readonly value: unknown }, ErrorRecord> {
	return {
		canHandle: (value): value is { readonly value: unknown } => original.canHandle(value),
		serialize: ({ value }) => [toEmulsionError(value).toRecord(), []],
		deserialize(record) {
			throw fromRecord(record);
		},
	};
}

let installed = false;

/** Registers all handlers in this realm; further calls do nothing. */
export function installTransferHandlers(): void {
	if (installed) return;
	installed = true;
	const original = transferHandlers.get('throw');
	if (original) {
		transferHandlers.set('throw', throwHandler(original) as unknown as TransferHandler<unknown, unknown>);
	}
	const add = <T, S>(name: string, handler: TransferHandler<T, S>) =>
		transferHandlers.set(name, handler as unknown as TransferHandler<unknown, unknown>);
	add('emulsion-signal', signalHandler);
	add('emulsion-callback', callbackHandler);
	add('emulsion-port', portHandler);
	add('emulsion-canvas', canvasHandler);
}
