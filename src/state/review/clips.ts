/** Clips and stills of an open review: fetched and decrypted once, the ones used longest ago let go of first. */

import type { Clip, ReviewShot } from '../../share/manifest.ts';
import type { OpenReview } from '../../share/open.ts';

/** Bytes of clips kept in memory. */
const KEPT_BYTES = 600e6;

/** What is fetched: as the manifest names it. */
export interface Asset {
	readonly object: string;
	readonly bytes: number;
	readonly mime: string;
}

/** What is shown together. */
export interface Showing {
	readonly shot: ReviewShot;
	readonly clips: readonly Clip[];
	/** The lossless crops instead of the clips. */
	readonly crops: boolean;
}

/** What has to be fetched for it. */
export function assetsOf({ clips, crops }: Showing): readonly Asset[] {
	return crops ? clips.flatMap((clip) => clip.crop?.frames ?? []) : clips;
}

interface Held {
	readonly bytes: number;
	readonly blob: Promise<Blob>;
	done: number;
}

/** See the file's comment. */
export class ClipShelf {
	readonly #review: OpenReview;
	readonly #held = new Map<string, Held>();
	readonly #end = new AbortController();
	readonly #listeners = new Set<() => void>();

	constructor(review: OpenReview) {
		this.#review = review;
	}

	/** A clip's bytes; two calls for one share a fetch. What failed is fetched anew by the next call. */
	get(asset: Asset): Promise<Blob> {
		const known = this.#held.get(asset.object);
		if (known) {
			this.#held.delete(asset.object);
			this.#held.set(asset.object, known);
			return known.blob;
		}
		const held: Held = {
			bytes: asset.bytes,
			done: 0,
			blob: this.#review.asset(asset, {
				signal: this.#end.signal,
				progress: (bytes) => {
					held.done = bytes;
					for (const listener of this.#listeners) listener();
				},
			}),
		};
		held.blob.catch(() => this.#held.delete(asset.object));
		this.#held.set(asset.object, held);
		this.#evict();
		return held.blob;
	}

	/** Share of some clips' bytes that is here, 0 to 1. */
	progress(assets: readonly Asset[]): number {
		const total = assets.reduce((sum, a) => sum + a.bytes, 0);
		const done = assets.reduce((sum, a) => sum + (this.#held.get(a.object)?.done ?? 0), 0);
		return total === 0 ? 1 : Math.min(1, done / total);
	}

	/** Called whenever more has arrived; the result stops it. */
	watch(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	close(): void {
		this.#end.abort();
		this.#held.clear();
	}

	#evict(): void {
		let sum = [...this.#held.values()].reduce((total, h) => total + h.bytes, 0);
		for (const [object, held] of this.#held) {
			if (sum <= KEPT_BYTES || this.#held.size <= 4) return;
			if (held.done < held.bytes) continue;
			this.#held.delete(object);
			sum -= held.bytes;
		}
	}
}
