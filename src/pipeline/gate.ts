/** Who goes first: previews overtake exports between tiles. */

import { throwIfAborted } from '../core/errors.ts';

/** Lets one macrotask pass: messages (aborts, preview requests) are delivered. Not a timer, which browsers clamp to 4 ms. */
export function macrotask(): Promise<void> {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			port1.close();
			resolve();
		};
		port2.postMessage(null);
	});
}

/** Counts urgent work; other work waits between its tiles until there is none. */
export class Precedence {
	#urgent = 0;
	#waiting: (() => void)[] = [];

	/** Runs urgent work (a preview). */
	async urgent<R>(task: () => Promise<R>): Promise<R> {
		this.#urgent++;
		try {
			return await task();
		} finally {
			this.#urgent--;
			if (this.#urgent === 0) {
				const waiting = this.#waiting;
				this.#waiting = [];
				for (const wake of waiting) wake();
			}
		}
	}

	/** `breathe` of urgent work: a macrotask, then `aborted` where the signal fired. */
	async breatheUrgent(signal: AbortSignal): Promise<void> {
		await macrotask();
		throwIfAborted(signal);
	}

	/** `breathe` of patient work: the same, but waits until no urgent work is left. */
	async breathePatient(signal: AbortSignal): Promise<void> {
		await macrotask();
		throwIfAborted(signal);
		while (this.#urgent > 0) {
			await new Promise<void>((resolve) => {
				const wake = () => {
					signal.removeEventListener('abort', wake);
					resolve();
				};
				this.#waiting.push(wake);
				signal.addEventListener('abort', wake, { once: true });
			});
			throwIfAborted(signal);
		}
	}
}
