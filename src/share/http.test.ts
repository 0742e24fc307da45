import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EmulsionError } from '../core/errors.ts';
import { Requests, SharedPatience } from './http.ts';

let server: Server;
let requests: Requests;

beforeAll(async () => {
	server = createServer((request, response) => {
		if (request.url === '/fine') return response.end('{"a":1}');
		response.writeHead(200, { 'Content-Length': '1000' });
		response.write('half');
		// The connection dies in the middle of the body, or the body never ends.
		if (request.url === '/cut') setTimeout(() => response.destroy(), 20);
		return undefined;
	});
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	requests = new Requests(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
});
afterAll(() => {
	server.closeAllConnections();
	server.close();
});

/** A signal that counts who listens to it. */
function counted(): { readonly controller: AbortController; readonly listeners: () => number } {
	const controller = new AbortController();
	const { signal } = controller;
	let count = 0;
	const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
	signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
	signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
	return { controller, listeners: () => count };
}

describe('requests', () => {
	it('leave nothing on the signal of a long upload', async () => {
		const { controller, listeners } = counted();
		const ask = { method: 'GET', path: '/fine', signal: controller.signal };
		for (let i = 0; i < 3; i++) expect(await requests.json(v.object({ a: v.number() }), ask)).toEqual({ a: 1 });
		await requests.send(ask);
		expect(listeners()).toBe(0);
	});

	it('say offline where a body breaks off, so that it is asked for again', async () => {
		const { controller, listeners } = counted();
		const broken = requests.take({ method: 'GET', path: '/cut', signal: controller.signal }, (r) => r.arrayBuffer());
		await expect(broken).rejects.toMatchObject({ code: 'offline', details: { retryable: true } });
		expect(listeners()).toBe(0);
	});

	it('hear an abort while the body comes', async () => {
		const { controller, listeners } = counted();
		const reading = requests.take({ method: 'GET', path: '/never', signal: controller.signal }, (r) => r.arrayBuffer());
		setTimeout(() => controller.abort(new Error('enough')), 50);
		await expect(reading).rejects.toThrow('enough');
		expect(listeners()).toBe(0);
	});
});

describe('many reads of a service that does not answer', () => {
	afterEach(() => {
		vi.useRealTimers();
	});
	const offline = new EmulsionError('offline', 'no answer', { retryable: true });

	/** A hundred reads: how many requests were made, how many reads ended well and badly. */
	function hundred(fails: () => Error | undefined) {
		const patience = new SharedPatience();
		const state = { asked: 0, done: 0, errors: [] as unknown[] };
		for (let i = 0; i < 100; i++) {
			const read = (): Promise<number> => {
				state.asked++;
				const error = fails();
				return error ? Promise.reject(error) : Promise.resolve(i);
			};
			patience.run(read, { tries: 8 }).then(
				() => state.done++,
				(error: unknown) => state.errors.push(error),
			);
		}
		return state;
	}

	it('ask through one of them, and all go on when it is there again', async () => {
		vi.useFakeTimers();
		let down = true;
		const state = hundred(() => (down ? offline : undefined));
		await vi.advanceTimersByTimeAsync(20_000);
		// Eight were on their way; then one after 0.5, 1, 2, 4, 8 and 16 seconds.
		expect(state.asked).toBe(8 + 6);
		expect(state.done).toBe(0);
		down = false;
		await vi.advanceTimersByTimeAsync(15_000);
		expect([state.done, state.errors.length]).toEqual([100, 0]);
	});

	it('give up together', async () => {
		vi.useFakeTimers();
		const state = hundred(() => offline);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(state.errors).toHaveLength(100);
		expect(new Set(state.errors)).toEqual(new Set([offline]));
		expect(state.asked).toBeLessThanOrEqual(8 + 7);
	});

	it('do not wait for one that fails by itself', async () => {
		vi.useFakeTimers();
		const fault = new EmulsionError('share-failed', 'fault', { retryable: true });
		let first = true;
		const state = hundred(() => {
			const error = first ? fault : undefined;
			first = false;
			return error;
		});
		await vi.advanceTimersByTimeAsync(0);
		expect(state.done).toBe(99);
		await vi.advanceTimersByTimeAsync(1000);
		expect(state.done).toBe(100);
	});
});
