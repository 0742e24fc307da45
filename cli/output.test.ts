import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startStaticServer, type StaticServer } from '../server/static.ts';
import { MAX_WRITE, OutputWriter } from './output.ts';

let dir: string;
let server: StaticServer;
let writer: OutputWriter;

beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-out-'));
	writer = new OutputWriter(join(dir, 'film.mkv'));
	server = await startStaticServer({ root: dir, port: 0, handlers: [writer.handle] });
});
afterEach(async () => {
	await server.close();
	rmSync(dir, { recursive: true });
});

const post = (action: string, query: Record<string, string>, body?: Uint8Array<ArrayBuffer>, token = writer.token) =>
	fetch(`${server.url}run/${action}?${new URLSearchParams(query)}`, {
		method: 'POST',
		headers: { 'X-Emulsion-Token': token },
		...(body ? { body } : {}),
	});
const open = async (name: string): Promise<string> =>
	((await (await post('open', { name })).json()) as { id: string }).id;
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

describe('terminal writer', () => {
	it('writes to .part, also backwards, and shows the name only when published', async () => {
		const id = await open('film.mkv');
		await post('write', { id, at: '0' }, bytes('....world'));
		await post('write', { id, at: '0' }, bytes('hello'));
		expect((await post('close', { id })).status).toBe(200);
		expect(readdirSync(dir)).toEqual(['film.mkv.part']);
		const back = await fetch(`${server.url}run/read?name=film.mkv`, {
			headers: { 'X-Emulsion-Token': writer.token, range: 'bytes=1-4' },
		});
		expect(await back.text()).toBe('ello');
		await writer.publish();
		expect(readFileSync(join(dir, 'film.mkv'), 'utf8')).toBe('helloorld');
	});

	it('writes and reads beyond 4 GiB', async () => {
		const id = await open('film.mkv');
		const far = 5 * 2 ** 30;
		await post('write', { id, at: '0' }, bytes('head'));
		await post('write', { id, at: String(far) }, bytes('tail'));
		await post('close', { id });
		const headers = { 'X-Emulsion-Token': writer.token, range: `bytes=${far}-` };
		expect(await (await fetch(`${server.url}run/read?name=film.mkv`, { headers })).text()).toBe('tail');
		await writer.publish();
		expect(statSync(join(dir, 'film.mkv')).size).toBe(far + 4);
	});

	it('removes what was not published', async () => {
		const id = await open('film.mkv');
		await post('write', { id, at: '0' }, bytes('x'));
		await writer.discard();
		expect(readdirSync(dir)).toEqual([]);
		expect((await post('abort', { id: await open('b.mkv') })).status).toBe(200);
		expect(existsSync(join(dir, 'b.mkv.part'))).toBe(false);
	});

	it('refuses a wrong token, foreign paths, wrong offsets and floods', async () => {
		expect((await post('open', { name: 'a.mkv' }, undefined, 'x'.repeat(64))).status).toBe(403);
		expect((await fetch(`${server.url}run/read?name=film.mkv`)).status).toBe(403);
		for (const name of ['../a', 'a/b', '.hidden', '', 'a\\b', 'a\u0000b'])
			expect((await post('open', { name })).status).toBe(400);
		const id = await open('film.mkv');
		expect((await post('write', { id, at: '-1' }, bytes('x'))).status).toBe(400);
		expect((await post('write', { id: '99', at: '0' }, bytes('x'))).status).toBe(404);
		expect((await post('write', { id, at: '0' }, new Uint8Array(MAX_WRITE + 1))).status).toBe(413);
		expect((await post('nope', {})).status).toBe(404);
	});
});
