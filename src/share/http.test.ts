import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Requests } from './http.ts';

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
