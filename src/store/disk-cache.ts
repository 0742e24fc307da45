/**
 * The disk tier: bytes by key with a byte budget, LRU eviction and a checksum. It is a cache: whatever goes wrong (a missing
 * file, a flipped bit, a full disk, an index from another version) reads as absent, and the caller recomputes.
 */

import { createStore, delMany, entries, set } from 'idb-keyval';
import { type ByteStore, openByteStore } from './bytes.ts';
import type { Hashes } from './keys.ts';

/** Line of the index. */
interface IndexEntry {
	readonly version: 1;
	readonly bytes: number;
	readonly checksum: string;
	/** Plain JSON that describes the bytes (sizes, color). */
	readonly meta: unknown;
	/** Order of last use; larger is later. */
	used: number;
}

function isEntry(value: unknown): value is IndexEntry {
	if (typeof value !== 'object' || value === null) return false;
	const e = value as Partial<IndexEntry>;
	return (
		e.version === 1 &&
		Number.isSafeInteger(e.bytes) &&
		(e.bytes ?? -1) >= 0 &&
		typeof e.checksum === 'string' &&
		typeof e.used === 'number'
	);
}

/** What happened so far; for the report and for tests. */
export interface DiskStats {
	readonly entries: number;
	readonly bytes: number;
	readonly hits: number;
	readonly misses: number;
	/** Entries dropped because they did not match their checksum or could not be read. */
	readonly corrupt: number;
	/** Writes refused for want of space; caching goes on with what fits. */
	readonly refused: number;
	readonly evicted: number;
}

/** Bytes by key on disk. */
export class DiskCache {
	readonly #bytes: ByteStore;
	readonly #index: Map<string, IndexEntry>;
	readonly #store: ReturnType<typeof createStore>;
	readonly #hashes: Hashes;
	readonly #budget: number;
	#total: number;
	#clock: number;
	#stats = { hits: 0, misses: 0, corrupt: 0, refused: 0, evicted: 0 };

	private constructor(
		bytes: ByteStore,
		store: ReturnType<typeof createStore>,
		index: Map<string, IndexEntry>,
		hashes: Hashes,
		budget: number,
	) {
		this.#bytes = bytes;
		this.#store = store;
		this.#index = index;
		this.#hashes = hashes;
		this.#budget = budget;
		this.#total = [...index.values()].reduce((sum, e) => sum + e.bytes, 0);
		this.#clock = [...index.values()].reduce((max, e) => Math.max(max, e.used), 0);
	}

	/** Opens the cache `name` with a budget in bytes; removes files the index does not know. */
	static async open(name: string, budget: number, hashes: Hashes, prefer?: ByteStore['kind']): Promise<DiskCache> {
		const bytes = await openByteStore([name], prefer);
		const store = createStore(`emulsion-${name}-index`, 'index');
		const found = await entries<string, unknown>(store).catch(() => []);
		const index = new Map<string, IndexEntry>();
		for (const [key, value] of found) if (typeof key === 'string' && isEntry(value)) index.set(key, value);
		const cache = new DiskCache(bytes, store, index, hashes, budget);
		const names = await bytes.names().catch(() => []);
		await Promise.all(names.filter((n) => !index.has(n)).map((n) => bytes.remove(n).catch(() => undefined)));
		await cache.#makeRoom(0);
		return cache;
	}

	has(key: string): boolean {
		return this.#index.has(key);
	}

	stats(): DiskStats {
		return { ...this.#stats, entries: this.#index.size, bytes: this.#total };
	}

	/** Stores bytes; false when they could not be kept (which is no error). */
	async put(key: string, data: Uint8Array<ArrayBuffer>, meta: unknown): Promise<boolean> {
		if (this.#index.has(key)) return true;
		if (data.byteLength > this.#budget) return false;
		await this.#makeRoom(data.byteLength);
		const entry: IndexEntry = {
			version: 1,
			bytes: data.byteLength,
			checksum: this.#hashes.checksum(data),
			meta,
			used: ++this.#clock,
		};
		try {
			await this.#bytes.write(key, data);
			// The index line comes last: a killed tab leaves an unknown file, never a line without its bytes.
			await set(key, entry, this.#store);
		} catch {
			this.#stats.refused++;
			return false;
		}
		this.#index.set(key, entry);
		this.#total += entry.bytes;
		return true;
	}

	/** The bytes and their description, or undefined when absent, evicted or damaged. */
	async get(key: string): Promise<{ data: Uint8Array<ArrayBuffer>; meta: unknown } | undefined> {
		const entry = this.#index.get(key);
		if (!entry) {
			this.#stats.misses++;
			return undefined;
		}
		const data = await this.#bytes.read(key).catch(() => undefined);
		if (data?.byteLength !== entry.bytes || this.#hashes.checksum(data) !== entry.checksum) {
			this.#stats.corrupt++;
			this.#stats.misses++;
			await this.remove(key);
			return undefined;
		}
		entry.used = ++this.#clock;
		// Losing this on a crash only makes the eviction order a little older.
		void set(key, entry, this.#store).catch(() => undefined);
		this.#stats.hits++;
		return { data, meta: entry.meta };
	}

	async remove(key: string): Promise<void> {
		const entry = this.#index.get(key);
		this.#index.delete(key);
		if (entry) this.#total -= entry.bytes;
		await Promise.all([
			delMany([key], this.#store).catch(() => undefined),
			this.#bytes.remove(key).catch(() => undefined),
		]);
	}

	async #makeRoom(bytes: number): Promise<void> {
		if (this.#total + bytes <= this.#budget) return;
		const oldest = [...this.#index].sort((a, b) => a[1].used - b[1].used);
		for (const [key] of oldest) {
			if (this.#total + bytes <= this.#budget) return;
			this.#stats.evicted++;
			await this.remove(key);
		}
	}
}
