/** Both stores keep the same promises. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Server, startS3 } from '../share/stores.testkit.ts';
import { type BlobStore, chunkName } from './blobs.ts';
import { openDiskBlobs } from './disk.ts';
import { openS3Blobs, type S3Options } from './s3.ts';

const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const REVIEW = 'r'.repeat(22);
const nameOf = (uid: string, place: number, bytes: Buffer): string =>
	chunkName(REVIEW, uid.padEnd(22, '-'), place, sumOf(bytes));

async function names(store: BlobStore): Promise<string[]> {
	const all: string[] = [];
	for await (const { name, modifiedAt } of store.list()) {
		expect(Math.abs(modifiedAt - Date.now())).toBeLessThan(60_000);
		all.push(name);
	}
	return all.sort();
}

describe.each(['disk', 's3'] as const)('%s', (kind) => {
	let folder: string;
	let s3: S3Server | undefined;
	let bucket: S3Options | undefined;
	let store: BlobStore;

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), 'emulsion-blobs-'));
		if (kind === 'disk') {
			store = await openDiskBlobs(folder);
			return;
		}
		s3 = await startS3();
		bucket = await s3.bucket();
		// Pages of three: lists and deletions of more go on.
		store = openS3Blobs(bucket, 3);
	});
	afterAll(async () => {
		await s3?.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	it('keeps, reads parts, lists and deletes', async () => {
		const bytes = Buffer.from('0123456789');
		const all = Array.from({ length: 8 }, (_, i) => nameOf(i < 4 ? 'a' : 'b', i, bytes));
		for (const name of all) await store.put(name, bytes, sumOf(bytes));
		await store.put(all[0]!, bytes, sumOf(bytes));
		expect(Buffer.from(await store.read(all[0]!, 3, 6)).toString()).toBe('345');
		expect(await names(store)).toEqual([...all].sort());
		await expect(store.read(all[0]!, 5, 11)).rejects.toThrow();
		await expect(store.read(nameOf('c', 0, bytes), 0, 1)).rejects.toThrow();
		await store.remove(all[0]!);
		await store.remove(all[0]!);
		await store.removeAll(`${REVIEW}/${'a'.padEnd(22, '-')}`);
		expect(await names(store)).toEqual(all.slice(4).sort());
		await store.removeAll(REVIEW);
		await store.removeAll(REVIEW);
		expect(await names(store)).toEqual([]);
	});

	it('takes no other name than its own', async () => {
		for (const name of ['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/b/c/d', 'a\0', '', 'a/b/c?x', '.']) {
			await expect((async () => store.removeAll(name))(), name).rejects.toThrow();
			await expect((async () => store.put(name, Buffer.alloc(1), ''))(), name).rejects.toThrow();
			await expect((async () => store.read(name, 0, 1))(), name).rejects.toThrow();
		}
	});

	it('says whether it answers', async () => {
		await store.check();
		if (bucket) {
			await expect(openS3Blobs({ ...bucket, bucket: 'none' }).check()).rejects.toThrow('404');
			const away = openS3Blobs({ ...bucket, endpoint: 'http://127.0.0.1:1' });
			await expect(away.check()).rejects.toThrow();
			return;
		}
		const other = join(folder, 'other');
		const gone = await openDiskBlobs(other);
		rmSync(other, { recursive: true });
		await expect(gone.check()).rejects.toThrow('ENOENT');
	});
});

it('a file that was cut is an error, not other bytes; what a killed process left is listed and goes', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-blobs-'));
	try {
		const store = await openDiskBlobs(folder);
		const bytes = Buffer.from('whole');
		const name = nameOf('d', 0, bytes);
		await store.put(name, bytes, sumOf(bytes));
		const path = join(folder, name);
		truncateSync(path, 3);
		await expect(store.read(name, 0, 5)).rejects.toThrow('shorter');
		writeFileSync(`${path}.0-0.part`, 'x');
		expect(await names(store)).toContain(`${name}.0-0.part`);
		await store.remove(`${name}.0-0.part`);
		expect(await names(store)).toEqual([name]);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});
