import { afterAll, describe, expect, it } from 'vitest';
import { cdp } from 'vitest/browser';
import type { EmulsionError, ErrorRecord } from '../../src/core/errors.ts';
import { FileTarget, FolderTarget } from '../../src/media/sinks/local.ts';
import { openTarget } from '../../src/media/sinks/target.ts';
import type { SinkJob } from './sinks.worker.ts';

const FOLDER = 'sinks-test';

async function folder(): Promise<FileSystemDirectoryHandle> {
	return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

async function namesIn(dir: FileSystemDirectoryHandle): Promise<string[]> {
	const names: string[] = [];
	for await (const name of dir.keys()) names.push(name);
	return names.sort();
}

async function inWorker(job: SinkJob): Promise<{ size?: number; error?: ErrorRecord }> {
	const worker = new Worker(new URL('./sinks.worker.ts', import.meta.url), { type: 'module' });
	try {
		return await new Promise((resolve, reject) => {
			worker.onmessage = (event: MessageEvent<{ size?: number; error?: ErrorRecord }>) => {
				resolve(event.data);
			};
			worker.onerror = (event) => {
				reject(new Error(event.message));
			};
			worker.postMessage(job);
		});
	} finally {
		worker.terminate();
	}
}

afterAll(async () => {
	await (await navigator.storage.getDirectory()).removeEntry(FOLDER, { recursive: true }).catch(() => undefined);
});

describe('the private file system, from a worker', () => {
	it('shows a file under its name only when published, and replaces an older one', async () => {
		const old = await (await openTarget({ kind: 'opfs', folder: FOLDER })).create('film.mkv');
		await old.write(new Uint8Array([42]));
		await old.close();
		const job = { folder: FOLDER, name: 'film.mkv', writes: [3, 2], end: 'close' } as const;
		expect(await inWorker(job)).toEqual({ size: 5 });
		const dir = await folder();
		expect(await namesIn(dir)).toEqual(['film.mkv']);
		const file = await new FolderTarget(dir).read('film.mkv');
		expect([...new Uint8Array(await file!.arrayBuffer())]).toEqual([1, 1, 1, 2, 2]);
	});

	it('an abort leaves the older file as it was', async () => {
		const job = { folder: FOLDER, name: 'film.mkv', writes: [9], end: 'abort' } as const;
		expect(await inWorker(job)).toEqual({ size: 9 });
		const dir = await folder();
		expect(await namesIn(dir)).toEqual(['film.mkv']);
		expect((await new FolderTarget(dir).read('film.mkv'))!.size).toBe(5);
	});
});

describe('a full disk', () => {
	it('says how much to free, and leaves nothing behind', async () => {
		// Chromium counts the synchronous handles of a private window to no quota: this writes through the stream.
		const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
		const { origin } = location;
		const before = await namesIn(await folder());
		// Other test files leave caches in the same origin.
		const { usage = 0 } = await navigator.storage.estimate();
		await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 3_000_000 });
		try {
			const sink = await (await FolderTarget.private(FOLDER)).create('big.mkv');
			const write = async (): Promise<void> => {
				for (let i = 0; i < 8; i++) await sink.write(new Uint8Array(1_000_000));
				await sink.close();
			};
			const failure = await write().catch((error: unknown) => error);
			expect(failure).toMatchObject({ code: 'quota-exceeded', details: { retryable: true } });
			expect((failure as EmulsionError).details.bytesNeeded).toBeGreaterThanOrEqual(1_000_000);
			await sink.abort();
			expect(await namesIn(await folder())).toEqual(before);
		} finally {
			await session.send('Storage.overrideQuotaForOrigin', { origin });
		}
	});
});

describe('chosen folders and files', () => {
	it('a folder: read back before publishing, published by renaming', async () => {
		const dir = await folder();
		const sink = await new FolderTarget(dir).create('frame.dpx');
		await sink.write(new Uint8Array([1, 2, 3, 4]));
		await sink.write(new Uint8Array([9]), 1);
		const reader = await sink.finish();
		expect([...(await reader.read(0, reader.size))]).toEqual([1, 9, 3, 4]);
		expect(await namesIn(dir)).toContain('frame.dpx.part');
		await sink.close();
		expect(await namesIn(dir)).toEqual(['film.mkv', 'frame.dpx']);
		await expect(new FolderTarget(dir).create('../x')).rejects.toMatchObject({ code: 'usage' });
	});

	it('a file: nothing until closed, gone on abort', async () => {
		const dir = await folder();
		const handle = await dir.getFileHandle('chosen.mp4', { create: true });
		const target = new FileTarget(handle);
		expect(await target.read()).toBeUndefined();
		const sink = await target.create('ignored.mp4');
		await sink.write(new Uint8Array([1, 2]));
		expect((await handle.getFile()).size).toBe(0);
		await sink.finish();
		await sink.close();
		expect((await target.read())!.size).toBe(2);
		const second = await target.create('ignored.mp4');
		await second.write(new Uint8Array(10));
		await second.abort();
		expect(await namesIn(dir)).not.toContain('chosen.mp4');
	});
});
