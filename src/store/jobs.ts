/**
 * Interrupted exports: each finished chunk as bytes with a SHA-256, and one record that says by which plan it was made.
 * A chunk counts only when its line is in the record and its bytes match; whatever does not is encoded again.
 */

import { createStore, del, get, set, values } from 'idb-keyval';
import type { FrameRange } from '../contracts/frames.ts';
import type { EncodedChunk } from '../contracts/media.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { openByteStore, type ByteStore } from './bytes.ts';
import { blobSha256, type Hashes } from './keys.ts';

/** Bytes of a chunk at rest. */
interface StoredBlob {
	readonly file: string;
	readonly bytes: number;
	readonly sha256: string;
	readonly type: string;
}

/** One finished chunk. `notes` is the exporter's own account of it (times, provenance), plain JSON. */
export interface ChunkRecord {
	readonly index: number;
	readonly range: FrameRange;
	readonly data: StoredBlob;
	readonly files?: readonly (StoredBlob & { readonly name: string })[];
	readonly frameMd5: readonly string[];
	readonly seconds: number;
	readonly notes: unknown;
}

/** What an export has to find unchanged to go on: compared by `planHash`, kept for people. */
export interface JobRecord {
	readonly version: 1;
	readonly id: string;
	readonly planHash: string;
	/** Output name. */
	readonly name: string;
	readonly total: number;
	/** Milliseconds since 1970; for the list shown to people, never part of the output. */
	readonly created: number;
	readonly chunks: readonly ChunkRecord[];
	/** Plan as plain JSON: backend, adapter, encoder configuration, chunk bounds, recipe. */
	readonly plan: unknown;
}

function isJob(value: unknown): value is JobRecord {
	if (typeof value !== 'object' || value === null) return false;
	const job = value as Partial<JobRecord>;
	return (
		job.version === 1 && typeof job.id === 'string' && typeof job.planHash === 'string' && Array.isArray(job.chunks)
	);
}

/** Chunks of exports that are not finished. */
export class JobStore {
	readonly #bytes: ByteStore;
	readonly #records = createStore('emulsion-jobs', 'jobs');
	readonly #hashes: Hashes;

	private constructor(bytes: ByteStore, hashes: Hashes) {
		this.#bytes = bytes;
		this.#hashes = hashes;
	}

	static async open(hashes: Hashes, prefer?: ByteStore['kind']): Promise<JobStore> {
		return new JobStore(await openByteStore(['jobs'], prefer), hashes);
	}

	/** All unfinished jobs. */
	async list(): Promise<JobRecord[]> {
		return (await values<unknown>(this.#records)).filter(isJob);
	}

	async find(id: string): Promise<JobRecord | undefined> {
		const record: unknown = await get(id, this.#records);
		return isJob(record) ? record : undefined;
	}

	/** Starts a job without chunks, replacing one of the same id. */
	async create(job: Omit<JobRecord, 'version' | 'chunks'>): Promise<JobRecord> {
		await this.remove(job.id);
		const record: JobRecord = { ...job, version: 1, chunks: [] };
		await this.#save(record);
		return record;
	}

	/**
	 * Stores a finished chunk: bytes first, then its line. Throws `quota-exceeded` (retryable); what was stored before stays.
	 * Returns the chunk with its bytes now read from storage, so that memory is freed.
	 */
	async add(job: JobRecord, index: number, chunk: EncodedChunk, notes: unknown): Promise<JobRecord> {
		const base = `${job.id}-${index}`;
		const data = await this.#put(`${base}.chunk`, chunk.data);
		const files = chunk.files && (await this.#putFiles(base, chunk.files));
		const line: ChunkRecord = {
			index,
			range: chunk.range,
			data,
			...(files ? { files } : {}),
			frameMd5: chunk.frameMd5,
			seconds: chunk.seconds,
			notes,
		};
		const record: JobRecord = { ...job, chunks: [...job.chunks.filter((c) => c.index !== index), line] };
		await this.#save(record);
		return record;
	}

	/** A stored chunk with its bytes checked, or undefined: then encode it again. */
	async load(record: ChunkRecord): Promise<EncodedChunk | undefined> {
		const data = await this.#get(record.data);
		if (!data) return undefined;
		const files: { name: string; data: Blob }[] = [];
		for (const file of record.files ?? []) {
			const blob = await this.#get(file);
			if (!blob) return undefined;
			files.push({ name: file.name, data: blob });
		}
		const { range, frameMd5, seconds } = record;
		return { range, data, ...(record.files ? { files } : {}), frameMd5, seconds };
	}

	/** Forgets a job and its bytes. */
	async remove(id: string): Promise<void> {
		await del(id, this.#records);
		const names = await this.#bytes.names();
		await Promise.all(names.filter((name) => name.startsWith(`${id}-`)).map((name) => this.#bytes.remove(name)));
	}

	/**
	 * Runs a task as the only user of a job in this browser. Throws `usage` when another tab works on it.
	 */
	async exclusive<R>(id: string, task: () => Promise<R>): Promise<R> {
		if (typeof navigator === 'undefined' || !('locks' in navigator)) return task();
		return navigator.locks.request(`emulsion-job-${id}`, { ifAvailable: true }, async (lock) => {
			if (!lock) throw new EmulsionError('usage', phrase('export-elsewhere'));
			return task();
		});
	}

	async #save(record: JobRecord): Promise<void> {
		await set(record.id, record, this.#records);
	}

	async #put(file: string, blob: Blob): Promise<StoredBlob> {
		await this.#bytes.write(file, blob);
		return { file, bytes: blob.size, sha256: await blobSha256(blob, this.#hashes), type: blob.type };
	}

	async #putFiles(base: string, files: readonly { readonly name: string; readonly data: Blob }[]) {
		const stored: (StoredBlob & { name: string })[] = [];
		for (const [i, { name, data }] of files.entries()) {
			stored.push({ ...(await this.#put(`${base}-${i}.frame`, data)), name });
		}
		return stored;
	}

	async #get(stored: StoredBlob): Promise<Blob | undefined> {
		const blob = await this.#bytes.blob(stored.file).catch(() => undefined);
		if (blob?.size !== stored.bytes) return undefined;
		return (await blobSha256(blob, this.#hashes)) === stored.sha256 ? blob : undefined;
	}
}
