/**
 * Cache keys: SHA-256 of a canonical text of everything an intermediate depends on (design §2). Two keys are equal exactly
 * when the parts are; a change of any part gives another key, and the old entry ages out.
 */

import { createMD5, createSHA256, createXXHash64, type IHasher } from 'hash-wasm';
import { discarded } from '../core/buffers.ts';
import { throwIfAborted } from '../core/errors.ts';

/** Plain data a key may be made of. */
export type KeyPart =
	string | number | boolean | null | undefined | readonly KeyPart[] | { readonly [name: string]: KeyPart };

/**
 * Canonical text: object keys sorted, absent members left out, strings quoted, numbers by their exact shortest form
 * (−0 differs from 0, NaN and infinities are named). No two different values share a text.
 */
export function canonical(part: KeyPart): string {
	if (part === undefined) return 'undefined';
	if (part === null || typeof part === 'boolean') return String(part);
	if (typeof part === 'number') return Object.is(part, -0) ? '-0' : String(part);
	if (typeof part === 'string') return JSON.stringify(part);
	if (Array.isArray(part)) return `[${(part as readonly KeyPart[]).map(canonical).join(',')}]`;
	const object = part as { readonly [name: string]: KeyPart };
	const members = Object.keys(object)
		.filter((name) => object[name] !== undefined)
		.sort()
		.map((name) => `${JSON.stringify(name)}:${canonical(object[name])}`);
	return `{${members.join(',')}}`;
}

/** Synchronous hashes (WebAssembly, ready once made). */
export interface Hashes {
	/** 64 hex digits. */
	key(part: KeyPart): string;
	/** SHA-256 of bytes, hex. */
	sha256(data: Uint8Array): string;
	/** MD5 of bytes, hex: what ffmpeg's framemd5 prints. */
	md5(data: Uint8Array): string;
	/** XXH64 of bytes, hex: tells corrupt cache entries, nothing more. */
	checksum(data: Uint8Array): string;
	/** A SHA-256 over several pieces; independent of the others. */
	sha256Stream(): Promise<{ update(data: Uint8Array): void; digest(): string }>;
}

const once = (hasher: IHasher, data: Uint8Array | string) => hasher.init().update(data).digest('hex');

/** Loads the hash functions. */
export async function createHashes(): Promise<Hashes> {
	const [sha, md5, xxh] = await Promise.all([createSHA256(), createMD5(), createXXHash64()]);
	return {
		key: (part) => once(sha, canonical(part)),
		sha256: (data) => once(sha, data),
		md5: (data) => once(md5, data),
		checksum: (data) => once(xxh, data),
		async sha256Stream() {
			const own = (await createSHA256()).init();
			return { update: (data) => void own.update(data), digest: () => own.digest('hex') };
		},
	};
}

/** Bytes read at a time. */
const PIECE = 4 << 20;

/**
 * Bytes of a blob in order. What `take` gets is its own until it returns, and nobody's afterwards. In slices, not as a stream:
 * while collections were asked for (`src/core/buffers.ts`), exports that read streams stood still, and have not since; why was
 * not found out. Throws `aborted`.
 */
export async function eachPiece(
	blob: Blob,
	take: (piece: Uint8Array<ArrayBuffer>) => void,
	signal?: AbortSignal,
): Promise<void> {
	const read = (at: number): Promise<ArrayBuffer> | undefined => {
		const piece = at < blob.size ? blob.slice(at, at + PIECE).arrayBuffer() : undefined;
		// Thrown where it is awaited.
		piece?.catch(() => undefined);
		return piece;
	};
	let next = read(0);
	for (let at = 0; next !== undefined; at += PIECE) {
		throwIfAborted(signal);
		const piece = await next;
		// The next one is on its way while this one is looked at.
		next = read(at + PIECE);
		take(new Uint8Array(piece));
		discarded(piece.byteLength);
	}
	throwIfAborted(signal);
}

/** SHA-256 of a blob, read piece by piece, hex. Throws `aborted`. */
export async function blobSha256(blob: Blob, hashes: Hashes, signal?: AbortSignal): Promise<string> {
	const hash = await hashes.sha256Stream();
	await eachPiece(blob, (piece) => hash.update(piece), signal);
	return hash.digest();
}
