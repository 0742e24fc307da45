import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OutputWriter } from '../../../cli/output.ts';
import { startStaticServer } from '../../../server/static.ts';
import { HttpTarget } from './http.ts';

let dir: string;
let writer: OutputWriter;
let server: Awaited<ReturnType<typeof startStaticServer>>;

beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), 'emulsion-http-'));
	writer = new OutputWriter(join(dir, 'film.mkv'));
	server = await startStaticServer({ root: dir, port: 0, handlers: [writer.handle] });
});
afterEach(async () => {
	await server.close();
	rmSync(dir, { recursive: true });
});

const target = (token = writer.token): HttpTarget => new HttpTarget({ base: `${server.url}run`, token });

describe('writing to the terminal', () => {
	it('keeps the order of writes that were not waited for, cuts large ones, and reads back before publishing', async () => {
		const sink = await target().create('film.mkv');
		const large = new Uint8Array((8 << 20) + 5).fill(7);
		const writes = [sink.write(new Uint8Array([1, 2, 3])), sink.write(large), sink.write(new Uint8Array([9]), 1)];
		await Promise.all(writes);
		const reader = await sink.finish();
		expect(reader.size).toBe(large.length + 3);
		expect([...(await reader.read(0, 4))]).toEqual([1, 9, 3, 7]);
		expect([...(await reader.read(reader.size - 1, reader.size))]).toEqual([7]);
		expect(readdirSync(dir)).toEqual(['film.mkv.part']);
		await sink.close();
		await writer.publish();
		expect(readFileSync(join(dir, 'film.mkv')).length).toBe(large.length + 3);
	});

	it('removes on abort; says what failed', async () => {
		const sink = await target().create('film.mkv');
		await sink.write(new Uint8Array([1]));
		await sink.abort();
		expect(readdirSync(dir)).toEqual([]);
		expect(await target().read('film.mkv')).toBeUndefined();
		await expect(target('0'.repeat(64)).create('film.mkv')).rejects.toMatchObject({ code: 'storage-unavailable' });
		await expect(target().create('../film.mkv')).rejects.toMatchObject({ code: 'usage' });
		const late = await target().create('film.mkv');
		await late.close();
		await expect(late.write(new Uint8Array([1]))).rejects.toMatchObject({ code: 'storage-unavailable' });
	});

	it('a full disk is told apart', async () => {
		const full = await startStaticServer({
			root: dir,
			port: 0,
			handlers: [
				(_request, response, url) => {
					response.writeHead(url.pathname.endsWith('open') ? 200 : 507).end('{"id":"0"}');
					return Promise.resolve(true);
				},
			],
		});
		try {
			const sink = await new HttpTarget({ base: `${full.url}run/`, token: 'x' }).create('film.mkv');
			const writing = sink.write(new Uint8Array(100));
			await expect(writing).rejects.toMatchObject({ code: 'quota-exceeded', details: { bytesNeeded: 100 } });
		} finally {
			await full.close();
		}
	});
});
