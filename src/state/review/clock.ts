/** Time and repetition on a review's pages. */

/** The service's clock: its time at the last answer, and the time that passed since, which no change of the device's clock moves. */
export class ServerClock {
	#at: number;
	#read = performance.now();

	/** @param serverTime Ms since 1970, of an answer that just came. */
	constructor(serverTime: number) {
		this.#at = serverTime;
	}

	set(serverTime: number): void {
		this.#at = serverTime;
		this.#read = performance.now();
	}

	now(): number {
		return this.#at + performance.now() - this.#read;
	}
}

/** Longest time between two questions to a service that does not answer, ms. */
export const LONGEST_WAIT_MS = 30_000;

/**
 * Does something every so often while the tab is visible, and at once when it is seen again or the network returns. One run
 * after another; `work` settles its own errors. While the service is `offline` the time between two runs doubles, up to
 * {@link LONGEST_WAIT_MS}.
 * @returns Stops it.
 */
export function everyVisible(ms: number, work: () => Promise<void>, offline: () => boolean): () => void {
	let wait = ms;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let running = false;
	let stopped = false;
	const run = async (): Promise<void> => {
		clearTimeout(timer);
		if (running || stopped) return;
		running = true;
		try {
			if (!document.hidden) await work();
		} finally {
			running = false;
			// `stopped` may have changed while `work` ran.
			wait = offline() ? Math.max(ms, Math.min(LONGEST_WAIT_MS, wait * 2)) : ms;
			if (!(stopped as boolean)) timer = setTimeout(() => void run(), wait);
		}
	};
	const now = (): void => {
		wait = ms;
		void run();
	};
	document.addEventListener('visibilitychange', now);
	window.addEventListener('online', now);
	void run();
	return () => {
		stopped = true;
		clearTimeout(timer);
		document.removeEventListener('visibilitychange', now);
		window.removeEventListener('online', now);
	};
}
