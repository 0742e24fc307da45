/** The frame store and its disk tier, with real OPFS and IndexedDB; the backend is the real CPU one. */

import { afterEach, describe, expect, it } from 'vitest';
import type { WorkingFrame } from '../../src/contracts/stage.ts';
import { CpuCompute } from '../../src/gpu/cpu-compute.ts';
import { openByteStore } from '../../src/store/bytes.ts';
import { DiskCache } from '../../src/store/disk-cache.ts';
import { FrameStore } from '../../src/store/frame-store.ts';
import { releaseFrame } from '../../src/store/frames.ts';
import { JobStore } from '../../src/store/jobs.ts';
import { createHashes } from '../../src/store/keys.ts';
import { BT709 } from '../helpers/color.ts';

const SIDE = 8;
const FRAME = SIDE * SIDE * 4 * 4;

const backends: CpuCompute[] = [];
function backend(): CpuCompute {
	const made = new CpuCompute({ memoryBudget: 2 ** 24, threads: 1, reason: 'test' });
	backends.push(made);
	return made;
}
afterEach(() => {
	for (const made of backends.splice(0)) {
		expect(made.live).toBe(0);
		made.destroy();
	}
});

/** A frame with a provenance plane; values outside of 0…1 and tiny ones have to survive. */
function frameOf(compute: CpuCompute, seed: number): WorkingFrame {
	const values = Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin(seed * 97 + i) * 1.5 + 1e-7);
	const marks = Float32Array.from({ length: SIDE * SIDE }, (_, i) => (i + seed) % 3);
	return {
		picture: compute.uploadPicture(values, SIDE, SIDE, 3),
		sides: { provenance: compute.uploadPicture(marks, SIDE, SIDE, 1) },
		color: BT709,
	};
}

async function valuesOf(compute: CpuCompute, frame: WorkingFrame): Promise<Float32Array> {
	return new Float32Array(await compute.readback(frame.picture));
}

let names = 0;
const unique = (): string => `test-${Date.now()}-${names++}`;

async function putAll(store: FrameStore, compute: CpuCompute, count: number, keep: boolean): Promise<void> {
	for (let i = 0; i < count; i++) {
		const frame = frameOf(compute, i);
		store.put(`key-${i}`, frame, keep);
		releaseFrame(frame);
	}
	await store.settled();
}

describe('three tiers', () => {
	it('drops what is cheap, oldest use first, within the budget', async () => {
		const compute = backend();
		const store = new FrameStore(compute, { gpu: 3 * FRAME, memory: 0 });
		await putAll(store, compute, 3, false);
		const used = await store.get('key-0');
		releaseFrame(used!);
		const fourth = frameOf(compute, 4);
		store.put('key-4', fourth, false);
		releaseFrame(fourth);
		expect(['key-0', 'key-1', 'key-2', 'key-4'].map((k) => store.residency(k))).toEqual([
			'gpu',
			'absent',
			'gpu',
			'gpu',
		]);
		expect(store.stats().gpuBytes).toBe(3 * FRAME);
		expect(await store.get('key-1')).toBeUndefined();
		store.close();
	});

	it('moves what is worth keeping to memory and to disk, and brings it back exactly', async () => {
		const compute = backend();
		const hashes = await createHashes();
		const disk = await DiskCache.open(unique(), 2 ** 20, hashes);
		const store = new FrameStore(compute, { gpu: 2 * FRAME, memory: 2 * FRAME }, disk);
		await putAll(store, compute, 6, true);
		const where = Array.from({ length: 6 }, (_, i) => store.residency(`key-${i}`));
		expect(where).toEqual(['disk', 'disk', 'memory', 'memory', 'gpu', 'gpu']);
		for (let i = 0; i < 6; i++) {
			const found = await store.get(`key-${i}`);
			const fresh = frameOf(compute, i);
			expect(await valuesOf(compute, found!)).toEqual(await valuesOf(compute, fresh));
			expect(found?.sides.provenance?.channels).toBe(1);
			expect(found?.color).toEqual(BT709);
			releaseFrame(found!);
			releaseFrame(fresh);
		}
		await store.settled();
		expect(store.stats().misses).toBe(0);
		store.close();
	});

	it('survives a reload through its index', async () => {
		const compute = backend();
		const hashes = await createHashes();
		const name = unique();
		const first = new FrameStore(compute, { gpu: FRAME, memory: FRAME }, await DiskCache.open(name, 2 ** 20, hashes));
		const frame = frameOf(compute, 7);
		await first.persist('key-7', frame);
		await first.flush();
		first.close();
		const second = new FrameStore(compute, { gpu: FRAME, memory: FRAME }, await DiskCache.open(name, 2 ** 20, hashes));
		expect(second.residency('key-7')).toBe('disk');
		const found = await second.get('key-7');
		expect(await valuesOf(compute, found!)).toEqual(await valuesOf(compute, frame));
		releaseFrame(found!);
		releaseFrame(frame);
		second.close();
	});

	it('forgets a lost backend’s frames and keeps those below', async () => {
		const compute = backend();
		const store = new FrameStore(compute, { gpu: 4 * FRAME, memory: 4 * FRAME });
		const frame = frameOf(compute, 1);
		await store.persist('kept', frame);
		store.put('lost', frame, false);
		releaseFrame(frame);
		const next = backend();
		store.replaceCompute(next);
		expect([store.residency('kept'), store.residency('lost')]).toEqual(['memory', 'absent']);
		const found = await store.get('kept');
		expect(found?.picture.storage.kind).toBe('cpu');
		releaseFrame(found!);
		store.close();
	});
});

describe.each(['opfs', 'indexeddb'] as const)('disk tier on %s', (kind) => {
	// OPFS has synchronous handles in workers only: the page falls back, which is the second case.
	const available = kind === 'indexeddb' || 'createSyncAccessHandle' in FileSystemFileHandle.prototype;
	const prefer = available ? kind : 'indexeddb';
	const bytes = (n: number) => Uint8Array.from({ length: 1000 }, (_, i) => (i * 7 + n) & 255);

	it('evicts the oldest use within its budget', async () => {
		const disk = await DiskCache.open(unique(), 2500, await createHashes(), prefer);
		expect(await disk.put('a', bytes(1), {})).toBe(true);
		expect(await disk.put('b', bytes(2), {})).toBe(true);
		expect((await disk.get('a'))?.data).toEqual(bytes(1));
		expect(await disk.put('c', bytes(3), {})).toBe(true);
		expect([disk.has('a'), disk.has('b'), disk.has('c')]).toEqual([true, false, true]);
		expect(await disk.put('huge', new Uint8Array(5000), {})).toBe(false);
		expect(disk.stats()).toMatchObject({ entries: 2, bytes: 2000, evicted: 1 });
	});

	it('reads a damaged or missing entry as absent', async () => {
		const name = unique();
		const disk = await DiskCache.open(name, 10_000, await createHashes(), prefer);
		await disk.put('flipped', bytes(1), {});
		await disk.put('short', bytes(2), {});
		await disk.put('gone', bytes(3), {});
		const store = await openByteStore([name], prefer);
		const damaged = bytes(1);
		damaged[500] = damaged[500]! ^ 1;
		await store.write('flipped', damaged);
		await store.write('short', bytes(2).slice(0, 999));
		await store.remove('gone');
		for (const key of ['flipped', 'short', 'gone']) {
			expect(await disk.get(key)).toBeUndefined();
			expect(disk.has(key)).toBe(false);
		}
		expect(disk.stats()).toMatchObject({ entries: 0, bytes: 0, corrupt: 3 });
		expect(await disk.put('flipped', bytes(1), {})).toBe(true);
	});

	it('removes files that no index line knows, as a killed tab leaves them', async () => {
		const name = unique();
		const store = await openByteStore([name], prefer);
		await store.write('orphan', bytes(1));
		await DiskCache.open(name, 10_000, await createHashes(), prefer);
		expect(await store.names()).toEqual([]);
	});

	it('refuses names that are paths', async () => {
		const store = await openByteStore([unique()], prefer);
		await expect(store.write('../x', bytes(1))).rejects.toMatchObject({ code: 'internal' });
	});
});

describe('jobs', () => {
	const range = { start: 0, end: 2 };
	const chunkOf = (text: string) => ({ range, data: new Blob([text]), frameMd5: ['a', 'b'], seconds: 1 });

	it('keeps finished chunks, and counts a damaged one as missing', async () => {
		const hashes = await createHashes();
		const jobs = await JobStore.open(hashes);
		const id = unique();
		let job = await jobs.create({ id, planHash: id, name: 'x.mkv', total: 3, created: 1, plan: {} });
		job = await jobs.add(job, 0, chunkOf('zero'), { n: 0 });
		job = await jobs.add(job, 1, chunkOf('one'), { n: 1 });
		const found = await (await JobStore.open(hashes)).find(id);
		expect(found).toEqual(job);
		const loaded = await jobs.load(found!.chunks[1]!);
		expect(await loaded?.data.text()).toBe('one');
		expect(loaded?.frameMd5).toEqual(['a', 'b']);
		const bytes = await openByteStore(['jobs']);
		await bytes.write(found!.chunks[0]!.data.file, new TextEncoder().encode('ZERO'));
		expect(await jobs.load(found!.chunks[0]!)).toBeUndefined();
		await jobs.remove(id);
		expect(await jobs.find(id)).toBeUndefined();
		expect((await bytes.names()).filter((n) => n.startsWith(id))).toEqual([]);
	});

	it('is worked on by one user at a time', async () => {
		const jobs = await JobStore.open(await createHashes());
		const id = unique();
		await jobs.exclusive(id, async () => {
			await expect(jobs.exclusive(id, () => Promise.resolve())).rejects.toMatchObject({ code: 'usage' });
		});
		await expect(jobs.exclusive(id, () => Promise.resolve(5))).resolves.toBe(5);
	});
});
