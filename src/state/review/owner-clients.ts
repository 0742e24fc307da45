/** Reviews of a service as their owner: each is opened once, then only what is new is asked for. */

import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import type { ReviewRef } from '../../project/review-records.ts';
import { fromBase64Url, sha256, toHex } from '../../share/bytes.ts';
import { ServiceClient } from '../../share/client.ts';
import type { Clip, Manifest, OwnerSecrets } from '../../share/manifest.ts';
import { type OpenReview, openReview } from '../../share/open.ts';
import type { VoteRecord } from '../../share/protocol.ts';
import type { OpenEntry } from '../../share/timeline-notes.ts';

interface Kept {
	readonly review: OpenReview;
	readonly secrets: OwnerSecrets;
	readonly entries: Map<string, OpenEntry>;
	readonly votes: Map<string, VoteRecord>;
	/** SHA-256 of clips, hexadecimal, by object. */
	readonly hashes: Map<string, string>;
	seenNotes: number;
	seenVotes: number;
}

/** All that is known of a review. */
export interface OwnerView {
	readonly manifest: Manifest;
	readonly secrets: OwnerSecrets;
	readonly entries: readonly OpenEntry[];
	readonly votes: readonly VoteRecord[];
	/** SHA-256 of a clip's plain bytes, hexadecimal. Each is fetched once. @throws EmulsionError `tampered`, `offline`. */
	readonly hashOf: (clip: Clip) => Promise<string>;
}

/** An owner neither votes nor has a voter's secret. */
const NO_DEVICES = { of: () => Promise.reject(new TypeError('an owner has no voter secret')) };

/** See the file's comment. */
export class OwnerClients {
	readonly #kept = new Map<string, Kept>();

	/**
	 * Asks for what is new, and gives all there is.
	 * @throws EmulsionError as `openReview`; `tampered` where the link opens another review, or not as its owner.
	 */
	async ask(ref: ReviewRef): Promise<OwnerView> {
		const kept = this.#kept.get(ref.id) ?? (await this.#open(ref));
		const { review, secrets, entries, votes } = kept;
		for (const { id, seq, updatedAt, body } of await review.backend.notes(kept.seenNotes)) {
			kept.seenNotes = Math.max(kept.seenNotes, seq);
			const entry = body === null ? undefined : await review.notes.open(id, body);
			if (entry) entries.set(id, { id, seq, updatedAt, entry });
			else entries.delete(id);
		}
		for (const vote of await review.backend.votes(kept.seenVotes)) {
			kept.seenVotes = Math.max(kept.seenVotes, vote.seq);
			votes.set(`${vote.voter}/${vote.presentation}`, vote);
		}
		const hashOf = async (clip: Clip): Promise<string> => {
			const known = kept.hashes.get(clip.object);
			if (known !== undefined) return known;
			const hash = toHex(await sha256(new Uint8Array(await (await review.asset(clip)).arrayBuffer())));
			kept.hashes.set(clip.object, hash);
			return hash;
		};
		return { manifest: review.manifest, secrets, entries: [...entries.values()], votes: [...votes.values()], hashOf };
	}

	async #open(ref: ReviewRef): Promise<Kept> {
		const secret = fromBase64Url(ref.ownerSecret);
		if (!secret) throw new EmulsionError('link-refused', phrase('link-malformed'));
		const review = await openReview(await ServiceClient.of(ref.origin, secret, NO_DEVICES), secret);
		const { secrets } = review;
		if (review.info.id !== ref.id || !secrets) {
			throw new EmulsionError('tampered', phrase('tampered', { what: phrase('what-manifest') }));
		}
		const found = { entries: new Map(), votes: new Map(), hashes: new Map() };
		const kept: Kept = { review, secrets, ...found, seenNotes: 0, seenVotes: 0 };
		this.#kept.set(ref.id, kept);
		return kept;
	}
}
