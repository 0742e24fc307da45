/**
 * Objects: manifests, clips and stills as the service keeps them. A plain text of any length is cut into chunks of
 * `LIMITS.chunkBytes`; each is sealed with AES-256-GCM under a key of this object alone and a nonce that counts the chunks and
 * marks the last one (STREAM, Hoang, Reyhanitabar, Rogaway and Vizár 2015). So chunks can be fetched and opened in any order, and
 * none can be changed, moved, left out, repeated or cut off unseen.
 */

import { EmulsionError } from '../core/errors.ts';
import { phrase, type PhraseCode } from '../core/phrases.ts';
import type { Bytes } from './bytes.ts';
import { LIMITS } from './protocol.ts';
import { aesKey, derive } from './secrets.ts';

/** Which kind of object failed to open, for the error. */
export type ObjectKind = Extract<PhraseCode, `what-${string}`>;

/** Chunks of a plain text of so many bytes; an empty one has one. */
export function chunksOf(plainBytes: number): number {
	return Math.max(1, Math.ceil(plainBytes / LIMITS.chunkBytes));
}

/** Bytes of the ciphertext of so many plain bytes. */
export function sealedBytes(plainBytes: number): number {
	return plainBytes + chunksOf(plainBytes) * LIMITS.chunkOverhead;
}

/** Chunks of a ciphertext of so many bytes; undefined where no plain text has one of that length. */
export function chunksOfSealed(bytes: number): number | undefined {
	const full = LIMITS.chunkBytes + LIMITS.chunkOverhead;
	const chunks = Math.max(1, Math.ceil(bytes / full));
	const last = bytes - (chunks - 1) * full;
	// Only an object that is empty has a last chunk without content.
	return last > LIMITS.chunkOverhead || (chunks === 1 && last === LIMITS.chunkOverhead) ? chunks : undefined;
}

/** Where a chunk lies in a ciphertext of `bytes`: [start, end). */
export function sealedRange(index: number, bytes: number): readonly [number, number] {
	const full = LIMITS.chunkBytes + LIMITS.chunkOverhead;
	return [index * full, Math.min(bytes, (index + 1) * full)];
}

function nonce(index: number, last: boolean): Bytes {
	const bytes = new Uint8Array(12);
	new DataView(bytes.buffer).setUint32(7, index);
	bytes[11] = last ? 1 : 0;
	return bytes;
}

/** Seals and opens the chunks of one object. */
export class ObjectCipher {
	readonly #key: CryptoKey;
	readonly #kind: ObjectKind;

	private constructor(key: CryptoKey, kind: ObjectKind) {
		this.#key = key;
		this.#kind = kind;
	}

	/** @param secret The review's content key, or the owner's key for what is the owner's alone. */
	static async of(secret: Bytes, objectId: string, kind: ObjectKind): Promise<ObjectCipher> {
		return new ObjectCipher(await aesKey(await derive(secret, `object:${objectId}`)), kind);
	}

	/** The ciphertext of a chunk. */
	async seal(plain: Bytes, index: number, last: boolean): Promise<Bytes> {
		return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce(index, last) }, this.#key, plain));
	}

	/** The plain text of a chunk. @throws EmulsionError `tampered`. */
	async open(sealed: Bytes, index: number, last: boolean): Promise<Bytes> {
		try {
			const algorithm = { name: 'AES-GCM', iv: nonce(index, last) };
			return new Uint8Array(await crypto.subtle.decrypt(algorithm, this.#key, sealed));
		} catch (cause) {
			throw new EmulsionError('tampered', phrase('tampered', { what: phrase(this.#kind) }), { cause, retryable: true });
		}
	}
}

/** Reads a part of something: a Blob's bytes, or a range of a fetch. */
export type ReadPart = (start: number, end: number) => Promise<Bytes>;

/** Reads from a Blob. */
export function partsOf(blob: Blob): ReadPart {
	return async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer());
}

/** The chunks of a plain Blob, sealed one at a time, in order. */
export async function* sealBlob(
	blob: Blob,
	cipher: ObjectCipher,
): AsyncGenerator<{ readonly index: number; readonly bytes: Bytes }> {
	const chunks = chunksOf(blob.size);
	const read = partsOf(blob);
	for (let index = 0; index < chunks; index++) {
		const plain = await read(index * LIMITS.chunkBytes, Math.min(blob.size, (index + 1) * LIMITS.chunkBytes));
		yield { index, bytes: await cipher.seal(plain, index, index === chunks - 1) };
	}
}

/**
 * The plain text of a whole object, chunk by chunk; `progress` hears of plain bytes so far.
 * @throws EmulsionError `tampered`; whatever `read` throws; the signal's reason.
 */
export async function openObject(
	read: ReadPart,
	sealedSize: number,
	cipher: ObjectCipher,
	options: { readonly signal?: AbortSignal; readonly progress?: (bytes: number) => void } = {},
): Promise<Bytes[]> {
	const chunks = chunksOfSealed(sealedSize);
	if (chunks === undefined) throw new EmulsionError('tampered', phrase('tampered', { what: phrase('what-clip') }));
	const parts: Bytes[] = [];
	let done = 0;
	for (let index = 0; index < chunks; index++) {
		options.signal?.throwIfAborted();
		const [start, end] = sealedRange(index, sealedSize);
		const part = await cipher.open(await read(start, end), index, index === chunks - 1);
		parts.push(part);
		done += part.length;
		options.progress?.(done);
	}
	return parts;
}
