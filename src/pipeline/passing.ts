/**
 * Lets go of frames that a consumer going forward has left behind. Without it an export fills the frame store's whole budget
 * with frames that nobody asks for again.
 */

import type { FrameStore } from '../store/frame-store.ts';

/**
 * Renders after which a frame that none of its consumers asked for again counts as left behind. Windows of neighbors move
 * on by one, so one would do; the flow to the second neighbor is asked for again from its other end two renders later.
 */
const LAG = 3;
/** Frames that are kept track of; beyond, the store's own budget decides. */
const TRACKED = 256;

/** The consumer that looks at whole shots: what it saw is kept until a render has used it, as far as the store's budget goes. */
export const ANALYSIS = -1;

/**
 * Which frames are still wanted. A consumer is whatever renders from frames: a level of the plan, or whoever asks for the
 * last one; what one render asks for is touched in its turn. Frames that were in the store before are not let go of.
 */
export class Passing {
	readonly #store: Pick<FrameStore, 'forget'>;
	readonly #turns = new Map<number, number>();
	/** For each frame made: the turn of each consumer that last asked for it. */
	readonly #frames = new Map<string, Map<number, number>>();

	constructor(store: Pick<FrameStore, 'forget'>) {
		this.#store = store;
	}

	/** A consumer begins its next render. */
	turn(consumer: number): void {
		this.#turns.set(consumer, this.#turnOf(consumer) + 1);
		for (const [key, touched] of this.#frames) {
			if (![...touched].every(([by, at]) => this.#turnOf(by) - at >= LAG)) continue;
			this.#frames.delete(key);
			this.#store.forget(key);
		}
	}

	/** A consumer got a frame; `made`: for it, as the store had none. */
	touch(key: string, consumer: number, made: boolean): void {
		let touched = this.#frames.get(key);
		if (!touched) {
			if (!made) return;
			touched = new Map();
			this.#frames.set(key, touched);
			const oldest = this.#frames.size > TRACKED ? this.#frames.keys().next().value : undefined;
			if (oldest !== undefined) this.#frames.delete(oldest);
		}
		touched.set(consumer, this.#turnOf(consumer));
		if (consumer !== ANALYSIS) touched.delete(ANALYSIS);
	}

	/** Lets go of all that is left. */
	end(): void {
		for (const key of this.#frames.keys()) this.#store.forget(key);
		this.#frames.clear();
	}

	#turnOf(consumer: number): number {
		return this.#turns.get(consumer) ?? 0;
	}
}
