import { createHash } from 'node:crypto';
import {
	closeSync,
	existsSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	readSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startStaticServer, type StaticServer } from '../server/static.ts';
import { type EmulsionError, exitCode } from '../src/core/errors.ts';
import { MAX_WRITE, OutputWriter } from './output.ts';
import { PartsLedger } from './parts.ts';

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
	await writer.discard();
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

	describe('before a name is given', () => {
		const sum = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
		const sent = (data: Uint8Array) => ({ bytes: data.length, sha256: sum(data) });
		const film = new Uint8Array(5 << 20).map((_, i) => (i * i) >> 7);
		const write = async (name: string, data: Uint8Array<ArrayBuffer>): Promise<string> => {
			const id = await open(name);
			for (let at = 0; at < data.length; at += 1 << 20)
				await post('write', { id, at: String(at) }, data.slice(at, at + (1 << 20)));
			return id;
		};
		const flip = (name: string, at: number): void => {
			const fd = openSync(join(dir, `${name}.part`), 'r+');
			const byte = new Uint8Array(1);
			readSync(fd, byte, 0, 1, at);
			writeSync(
				fd,
				byte.map((b) => b ^ 0x10),
				0,
				1,
				at,
			);
			closeSync(fd);
		};
		const fails = (run: Promise<unknown>, message: RegExp) =>
			expect(run).rejects.toSatisfy((e: EmulsionError) => exitCode(e) === 5 && message.test(e.message));

		it('reads the file back and compares it with what was sent', async () => {
			await post('close', { id: await write('film.mkv', film) });
			expect(await writer.verify(sent(film))).toMatchObject({ name: 'bytes-on-disk', ok: true });
			await fails(writer.verify({ ...sent(film), sha256: 'f'.repeat(64) }), /SHA-256 f+ was sent/);
			await fails(writer.verify({ ...sent(film), bytes: 7 }), /7 bytes were sent, 5242880 came back/);
		});

		it.each([
			['a bit that flips on the disk', () => flip('film.mkv', 3_333_333), /SHA-256 [0-9a-f]{64} was sent/],
			['a lost end', () => truncateSync(join(dir, 'film.mkv.part'), 5_000_000), /5242880 .* 5000000 came back/],
			['a lost file', () => rmSync(join(dir, 'film.mkv.part')), /cannot be read back/],
		])('%s is noticed, in a film and in a sequence', async (_what, harm, message) => {
			const id = await write('film.mkv', film);
			harm();
			await post('close', { id });
			// Of a sequence the page knows only the size: the sums are those of what came.
			await fails(writer.verify({ bytes: film.length }), message);
			await fails(writer.verify(sent(film)), message);
		});

		it('bytes that came out of order are held against the sum of the whole', async () => {
			const id = await open('film.mkv');
			await post('write', { id, at: '4' }, bytes('body'));
			await post('write', { id, at: '0' }, bytes('head'));
			await post('close', { id });
			await writer.verify(sent(bytes('headbody')));
			await fails(writer.verify(sent(bytes('headb0dy'))), /film\.mkv: SHA-256/);
		});

		it('a file that was not closed is not whole; reading back can be interrupted', async () => {
			const id = await write('film.mkv', film);
			await fails(writer.verify(sent(film)), /not written to its end/);
			await post('close', { id });
			await expect(writer.verify(sent(film), AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
		});
	});

	it('zeros behind the end take no disk, elsewhere they are written; all of it reads as it was sent', async () => {
		const id = await open('film.mkv');
		const silence = new Uint8Array(MAX_WRITE);
		await post('write', { id, at: '0' }, bytes('head'));
		for (let i = 0; i < 4; i++) await post('write', { id, at: String(4 + i * MAX_WRITE) }, silence);
		const headers = { 'X-Emulsion-Token': writer.token, range: 'bytes=2-5' };
		// Also before it is closed.
		expect(statSync(join(dir, 'film.mkv.part')).size).toBe(4 + 4 * MAX_WRITE);
		const back = await fetch(`${server.url}run/read?name=film.mkv`, { headers });
		expect(await back.text()).toBe('ad\0\0');
		await post('close', { id });
		const sha256 = createHash('sha256')
			.update('head')
			.update(new Uint8Array(4 * MAX_WRITE))
			.digest('hex');
		await writer.verify({ bytes: 4 + 4 * MAX_WRITE, sha256 });
		await writer.publish();
		expect(statSync(join(dir, 'film.mkv')).blocks * 512).toBeLessThan(2 ** 20);

		const over = await open('other.mkv');
		await post('write', { id: over, at: '0' }, bytes('hello'));
		await post('write', { id: over, at: '1' }, new Uint8Array(2));
		await post('close', { id: over });
		expect(readFileSync(join(dir, 'other.mkv.part'), 'utf8')).toBe('h\0\0lo');
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

	describe('files that are there already', () => {
		const claim = async (names: unknown) =>
			post('claim', {}, bytes(JSON.stringify(names))).then(async (r) => [r.status, await r.json()] as const);
		const writtenBy = async (own: OutputWriter, name: string, text: string): Promise<void> => {
			const other = await startStaticServer({ root: dir, port: 0, handlers: [own.handle] });
			try {
				const send = (action: string, query: Record<string, string>, body?: Uint8Array<ArrayBuffer>) =>
					fetch(`${other.url}run/${action}?${new URLSearchParams(query)}`, {
						method: 'POST',
						headers: { 'X-Emulsion-Token': own.token },
						...(body ? { body } : {}),
					});
				const { id } = (await (await send('open', { name })).json()) as { id: string };
				await send('write', { id, at: '0' }, bytes(text));
				await send('close', { id });
			} finally {
				await other.close();
			}
		};

		it('are told by name; a .part file, and what may be replaced, are not', async () => {
			for (const name of ['b.dpx', 'c.dpx.part']) writeFileSync(join(dir, name), 'old');
			symlinkSync('nowhere', join(dir, 'd.dpx'));
			expect(await claim(['a.dpx', 'b.dpx', 'c.dpx', 'd.dpx'])).toEqual([200, { taken: ['b.dpx', 'd.dpx'] }]);
			for (const bad of [{}, ['../b.dpx'], 'b.dpx']) expect((await claim(bad))[0]).toBe(400);
			const free = new OutputWriter(join(dir, '*.dpx'), { overwrite: true });
			await writtenBy(free, 'b.dpx', 'new');
			await free.publish();
			expect(readFileSync(join(dir, 'b.dpx'), 'utf8')).toBe('new');
		});

		it('are this run’s own where an earlier one of the same command published them and was ended', async () => {
			const ledger = (): PartsLedger => new PartsLedger(join(dir, 'parts.jsonl'), {}, dir);
			const first = new OutputWriter(join(dir, '*.dpx'), { ledger: ledger() });
			await writtenBy(first, 'a.dpx', 'frame');
			// Ended between the first name and the last: the list still stands.
			renameSync(join(dir, 'a.dpx.part'), join(dir, 'a.dpx'));
			const again = new OutputWriter(join(dir, '*.dpx'), { ledger: ledger() });
			await writtenBy(again, 'a.dpx', 'frame again');
			await again.publish();
			expect(readFileSync(join(dir, 'a.dpx'), 'utf8')).toBe('frame again');
		});

		it('are left alone when they appear meanwhile; what was made stays beside them', async () => {
			const id = await open('film.mkv');
			await post('write', { id, at: '0' }, bytes('mine'));
			await post('close', { id });
			writeFileSync(join(dir, 'film.mkv'), 'theirs');
			await expect(writer.publish()).rejects.toMatchObject({
				code: 'usage',
				message: expect.stringContaining('stays as film.mkv.part') as string,
			});
			await writer.discard();
			expect(readFileSync(join(dir, 'film.mkv'), 'utf8')).toBe('theirs');
			expect(readFileSync(join(dir, 'film.mkv.part'), 'utf8')).toBe('mine');
		});
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
