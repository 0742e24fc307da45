/**
 * Where a review comes from: the service (`client.ts`) or a file (`package.ts`). Everything that shows, notes or votes asks
 * this interface and does not know which.
 */

import type { Bytes } from './bytes.ts';
import type { NoteRecord, PutVote, ReviewInfo, VoteRecord } from './protocol.ts';

/** What a review's pages ask. Every call rejects with the typed errors of `client.ts` or `package.ts`. */
export interface ReviewBackend {
	readonly kind: 'service' | 'package';
	/** What the link's holder may know. @throws EmulsionError `link-refused` (unknown, expired, revoked), `offline`. */
	info(signal?: AbortSignal): Promise<ReviewInfo>;
	/** Bytes of an object's ciphertext. */
	size(object: string, signal?: AbortSignal): Promise<number>;
	/** A part of an object's ciphertext, [start, end). */
	read(object: string, start: number, end: number, signal?: AbortSignal): Promise<Bytes>;
	/** Notes changed after `after` (0: all), every page of them. */
	notes(after: number, signal?: AbortSignal): Promise<readonly NoteRecord[]>;
	/** @throws EmulsionError `conflict` where the note has another revision, `review-closed`. */
	putNote(id: string, body: string, revision: number): Promise<NoteRecord>;
	removeNote(id: string): Promise<void>;
	/** Votes changed after `after`: the voter's own, or for the owner everybody's. */
	votes(after: number, signal?: AbortSignal): Promise<readonly VoteRecord[]>;
	/**
	 * Sends a vote. Repeated with the same key it counts once.
	 * @throws EmulsionError `conflict` (its `details.data` is empty; ask `votes` for what is kept), `review-closed`, `offline`.
	 */
	putVote(presentation: string, vote: PutVote, key: string): Promise<VoteRecord>;
	/** The id under which this device votes; null for links that do not vote. */
	voter(): Promise<string | null>;
}
