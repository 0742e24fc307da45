/** Frames that were damaged in the private file system, between one tab's life and the next one's. */

import { expect, it } from 'vitest';
import type { StoreAnswer, StoreJob } from './store.worker.ts';

function run(job: StoreJob): Promise<StoreAnswer> {
	const worker = new Worker(new URL('./store.worker.ts', import.meta.url), { type: 'module' });
	return new Promise<StoreAnswer>((resolve, reject) => {
		worker.onmessage = ({ data }: MessageEvent<StoreAnswer | { readonly error: string }>) => {
			if ('error' in data) reject(new Error(data.error));
			else resolve(data);
		};
		worker.postMessage(job);
		worker.onerror = (event) => reject(new Error(event.message));
	}).finally(() => worker.terminate());
}

async function edit(name: string, key: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) {
	const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
	const handle = await folder.getFileHandle(key);
	const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
	const writable = await handle.createWritable();
	await writable.write(change(bytes));
	await writable.close();
}

it('never serves a frame whose file was flipped, cut or emptied, and keeps it again once it was made anew', async () => {
	const name = `test-opfs-${Date.now()}`;
	const keys = ['whole', 'flipped', 'cut', 'empty', 'last'];
	await run({ name, task: 'write', keys });
	expect(await run({ name, task: 'read', keys })).toEqual({
		values: [0.25, 1.25, 2.25, 3.25, 4.25],
		corrupt: 0,
		left: 5,
	});
	await edit(name, 'flipped', (bytes) => bytes.with(100, bytes[100]! ^ 1) as Uint8Array<ArrayBuffer>);
	await edit(name, 'cut', (bytes) => bytes.slice(0, -1));
	await edit(name, 'empty', () => new Uint8Array());
	expect(await run({ name, task: 'read', keys })).toEqual({
		values: [0.25, null, null, null, 4.25],
		corrupt: 3,
		left: 2,
	});
	await run({ name, task: 'write', keys });
	expect(await run({ name, task: 'read', keys })).toEqual({
		values: [0.25, 1.25, 2.25, 3.25, 4.25],
		corrupt: 0,
		left: 5,
	});
	await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true });
});
