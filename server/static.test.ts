import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRange } from './ranges.ts';
import { startStaticServer, type StaticServer } from './static.ts';

let dir: string;
let server: StaticServer;

beforeAll(async () => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-static-'));
	mkdirSync(join(dir, 'root'));
	writeFileSync(join(dir, 'secret'), 'no');
	writeFileSync(join(dir, 'root', 'index.html'), '<p>0123456789');
	writeFileSync(join(dir, 'root', 'empty.bin'), '');
	server = await startStaticServer({ root: join(dir, 'root'), port: 0 });
});
afterAll(async () => {
	await server.close();
	rmSync(dir, { recursive: true });
});

/** A request without URL normalization, as a hostile client sends it. */
const raw = (path: string, headers: Record<string, string> = {}): Promise<number> =>
	new Promise((done, failed) => {
		request({ port: server.port, host: '127.0.0.1', path, headers }, (r) => {
			r.resume();
			done(r.statusCode ?? 0);
		})
			.on('error', failed)
			.end();
	});

describe('static server', () => {
	it('isolates the page and forbids everything but itself', async () => {
		const response = await fetch(server.url);
		expect(await response.text()).toBe('<p>0123456789');
		expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
		const csp = response.headers.get('content-security-policy') ?? '';
		expect(csp).toContain("script-src 'self' 'wasm-unsafe-eval'");
		expect(csp).toContain("worker-src 'self'");
		expect(csp).not.toContain("'unsafe-eval'");
		expect(csp).not.toContain('unsafe-inline');
	});

	it('answers ranges', async () => {
		const part = await fetch(server.url, { headers: { range: 'bytes=3-5' } });
		expect(part.status).toBe(206);
		expect(await part.text()).toBe('012');
		expect((await fetch(server.url, { headers: { range: 'bytes=99-' } })).status).toBe(416);
		expect((await fetch(`${server.url}empty.bin`)).status).toBe(200);
	});

	it('serves nothing outside its root, no other method, no other host', async () => {
		expect(await raw('/../secret')).toBe(404);
		expect(await raw('/%2e%2e/secret')).toBe(404);
		expect(await raw('/..%2fsecret')).toBe(404);
		expect(await raw('/%')).toBe(400);
		expect(await raw('/', { host: 'evil.example' })).toBe(421);
		expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
	});

	it.each([
		[undefined, 10, undefined],
		['bytes=0-0', 10, { start: 0, end: 0 }],
		['bytes=-3', 10, { start: 7, end: 9 }],
		['bytes=8-100', 10, { start: 8, end: 9 }],
		['bytes=10-', 10, null],
		['bytes=5-2', 10, null],
		['bytes=0-1,3-4', 10, undefined],
		['lines=0-1', 10, undefined],
	])('parses %s of %d', (header, size, expected) => {
		expect(parseRange(header, size)).toEqual(expected);
	});
});
