/** Jobs of a source: each ends with its caller's signal or when the source is closed. */

import type { FrameRange } from '../contracts/frames.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';

/** Throws `usage` unless 0 ≤ start ≤ end ≤ count, all whole. */
export function assertRange(range: FrameRange, count: number): void {
	const { start, end } = range;
	if (Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= count) return;
	throw new EmulsionError('usage', phrase('frame-range', { count, start, end }));
}

/** Derives signals that also fire when the owner is closed, without leaving listeners behind. */
export class JobSignals {
	readonly #open = new Set<AbortController>();
	#closed = false;

	/** @throws EmulsionError `usage` after `close`. */
	begin(signal: AbortSignal): { readonly signal: AbortSignal; end(): void } {
		if (this.#closed) throw new EmulsionError('usage', phrase('source-closed'));
		const controller = new AbortController();
		const forward = (): void => {
			controller.abort(signal.reason);
		};
		if (signal.aborted) forward();
		else signal.addEventListener('abort', forward, { once: true });
		this.#open.add(controller);
		return {
			signal: controller.signal,
			end: () => {
				signal.removeEventListener('abort', forward);
				this.#open.delete(controller);
			},
		};
	}

	/** Aborts all running jobs; later ones are refused. Idempotent. */
	close(): void {
		this.#closed = true;
		for (const controller of this.#open) controller.abort();
		this.#open.clear();
	}
}
