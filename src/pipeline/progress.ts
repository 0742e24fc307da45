/** Progress of a long run: rate and remaining time over the last seconds, reported a few times a second at most. */

import type { ExportProgress } from '../contracts/workers.ts';

const INTERVAL = 100;
/** Milliseconds that the rate looks back. */
const WINDOW = 10_000;

/** Counts and reports. */
export class ProgressMeter {
	readonly #report: (progress: ExportProgress) => void;
	#phase: ExportProgress['phase'] = 'plan';
	#done = 0;
	#total = 1;
	#last = -Infinity;
	#samples: { at: number; done: number }[] = [];

	constructor(report: (progress: ExportProgress) => void) {
		this.#report = report;
	}

	/** Begins a phase. `done` units are there already (resumed) and do not count for the rate. */
	phase(phase: ExportProgress['phase'], total: number, done = 0): void {
		this.#phase = phase;
		this.#total = total;
		this.#done = done;
		this.#samples = [{ at: performance.now(), done }];
		this.#emit(true);
	}

	/** One unit more, or `count` of them; below 0 where work is done again. */
	step(count = 1): void {
		this.#done += count;
		this.#emit(this.#done === this.#total);
	}

	/** Sets phase and count at once. */
	set(phase: ExportProgress['phase'], done: number, total: number): void {
		if (phase !== this.#phase) this.phase(phase, total, done);
		this.#done = done;
		this.#total = total;
		this.#emit(done === total);
	}

	#emit(force: boolean): void {
		const now = performance.now();
		if (!force && now - this.#last < INTERVAL) return;
		this.#last = now;
		this.#samples.push({ at: now, done: this.#done });
		while (this.#samples.length > 2 && now - this.#samples[0]!.at > WINDOW) this.#samples.shift();
		const first = this.#samples[0]!;
		const seconds = (now - first.at) / 1000;
		const rate = seconds > 0 ? (this.#done - first.done) / seconds : 0;
		this.#report({
			phase: this.#phase,
			done: this.#done,
			total: this.#total,
			framesPerSecond: this.#phase === 'render' ? rate : 0,
			remainingSeconds: rate > 0 && this.#phase === 'render' ? (this.#total - this.#done) / rate : null,
		});
	}
}
