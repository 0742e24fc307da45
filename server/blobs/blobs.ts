/** Where chunks lie: a folder or an S3-compatible bucket. Names are `review/object/place-checksum`, made here and nowhere else. */

import type { Buffer } from 'node:buffer';

/** A stored blob. */
export interface BlobEntry {
	readonly name: string;
	/** Ms since 1970. */
	readonly modifiedAt: number;
}

/** A store of whole blobs. Rejections mean that the store does not answer or refuses. */
export interface BlobStore {
	readonly kind: 'disk' | 's3';
	/** Stores a blob, whole or not at all; the same name again replaces it. @param sha256 Of the bytes, hexadecimal. */
	put(name: string, bytes: Buffer, sha256: string): Promise<void>;
	/** Bytes [start, end) of a blob. Rejects where there is none. */
	read(name: string, start: number, end: number): Promise<Uint8Array>;
	/** Deletes one blob; none is no error. */
	remove(name: string): Promise<void>;
	/** Deletes every blob below `prefix/`. */
	removeAll(prefix: string): Promise<void>;
	/** Every blob, in no order. */
	list(): AsyncIterable<BlobEntry>;
	/** Rejects where blobs can be neither stored nor read at present. */
	check(): Promise<void>;
}

/** Thrown where the store refuses or does not answer. */
export class BlobError extends Error {
	override readonly name = 'BlobError';
}

/** Prefix of a review's blobs. */
export function reviewPrefix(review: string): string {
	return review;
}

/** Prefix of an object's blobs. */
export function objectPrefix(review: string, uid: string): string {
	return `${review}/${uid}`;
}

/** Name of a chunk's blob. Its checksum is part of it: two senders of different bytes never write the same blob. */
export function chunkName(review: string, uid: string, place: number, sha256: string): string {
	return `${objectPrefix(review, uid)}/${place}-${sha256}`;
}

const PART = /^[A-Za-z0-9_-]+$/;

/** The parts of a name or prefix. Throws on anything that `chunkName` does not make: no path leaves the store. */
export function partsOfName(name: string): string[] {
	const parts = name.split('/');
	if (parts.length > 3 || !parts.every((part) => PART.test(part))) throw new BlobError(`not a blob's name: ${name}`);
	return parts;
}
