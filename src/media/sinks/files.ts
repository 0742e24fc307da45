/** What every output target shares: a file that is written, read back while unpublished, then published or removed. */

import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { ByteSink, OutputTarget } from '../../contracts/media.ts';

/** Random access to bytes that were written. */
export interface ByteReader {
	readonly size: number;
	/** Bytes `start` ≤ i < `end`; throws when they are not there. */
	read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A sink whose bytes can be read back before they are published, so that a file is verified first. */
export interface StagedSink extends ByteSink {
	/** Waits for all writes and opens them for reading; nothing may be written afterwards. */
	finish(): Promise<ByteReader>;
}

/** A target whose files can be verified before they appear. */
export interface StagedTarget extends OutputTarget {
	create(name: string): Promise<StagedSink>;
	/** Where given: throws `usage` naming those names under which something is published already, before work starts. */
	claim?(names: readonly string[]): Promise<void>;
}

/** How many names of files that are there already a refusal lists. */
export const NAMED_TAKEN = 5;

/** Reads from a Blob or File. */
export function blobReader(blob: Blob): ByteReader {
	return {
		size: blob.size,
		read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
	};
}

/** A file name without folders, hidden files or control characters. Throws `usage`. */
export function checkName(name: string): string {
	if (name === '' || name.startsWith('.') || name.length > 240 || /[\\/:\x00-\x1f]/.test(name)) {
		throw new EmulsionError('usage', phrase('output-name', { name: JSON.stringify(name) }));
	}
	return name;
}

/** Bytes free in the origin's storage; undefined where the browser does not say. */
async function freeBytes(): Promise<number | undefined> {
	const { quota, usage } = await navigator.storage.estimate().catch(() => ({}) as StorageEstimate);
	return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
}

/** A full disk, in words that say what to do. `needed` are the bytes that could not be written. */
export async function quotaError(name: string, needed: number, cause: unknown): Promise<EmulsionError> {
	const free = await freeBytes();
	// The estimate is the browser's guess: where it claims room that was just refused, the write itself is what is missing.
	const missing = needed - (free ?? 0);
	const bytesNeeded = Math.max(1, missing > 0 ? missing : needed);
	return new EmulsionError('quota-exceeded', phrase('no-space', { name, megabytes: Math.ceil(bytesNeeded / 1e6) }), {
		retryable: true,
		bytesNeeded,
		cause,
	});
}

function isQuota(error: unknown): boolean {
	return error instanceof Error && error.name === 'QuotaExceededError';
}

/** Runs a write; a full disk becomes `quota-exceeded` with the bytes that are missing. */
export async function guarded<T>(name: string, bytes: number, write: () => Promise<T> | T): Promise<T> {
	try {
		return await write();
	} catch (error) {
		if (isQuota(error)) throw await quotaError(name, bytes, error);
		if (error instanceof EmulsionError) throw error;
		throw new EmulsionError('storage-unavailable', phrase('not-written', { name, why: toEmulsionError(error).said }), {
			cause: toEmulsionError(error),
			retryable: true,
		});
	}
}

/** Copies a Blob to a sink in pieces of 4 MiB. */
export async function copyBlob(blob: Blob, sink: ByteSink): Promise<void> {
	const piece = 4 << 20;
	for (let at = 0; at < blob.size; at += piece) {
		await sink.write(new Uint8Array(await blob.slice(at, at + piece).arrayBuffer()));
	}
}
