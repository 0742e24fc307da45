/** Rendering ahead: the range under the playhead goes into the frame store, so that it plays and compares at once. */

import type { FrameRange } from '../contracts/frames.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import { throwIfAborted } from '../core/errors.ts';
import type { EnginePort } from './engine-port.ts';
import type { Jobs } from './jobs.svelte.ts';
import type { Planned } from './planner.svelte.ts';

/** Joins a range to a sorted, disjoint list. */
export function joinRange(ranges: readonly FrameRange[], range: FrameRange): FrameRange[] {
	const apart = ranges.filter((r) => r.end < range.start || r.start > range.end);
	const touching = ranges.filter((r) => !apart.includes(r));
	const start = Math.min(range.start, ...touching.map((r) => r.start));
	const end = Math.max(range.end, ...touching.map((r) => r.end));
	return [...apart, { start, end }].sort((a, b) => a.start - b.start);
}

/** See the file's comment. */
export class Renders {
	readonly #engine: EnginePort;
	readonly #jobs: Jobs;
	#ranges = $state.raw<readonly FrameRange[]>([]);
	#request: PlanRequest | null = null;

	constructor(engine: EnginePort, jobs: Jobs) {
		this.#engine = engine;
		this.#jobs = jobs;
	}

	/** Output ranges of the present plan that were rendered. */
	get ranges(): readonly FrameRange[] {
		return this.#ranges;
	}

	/** Another plan: what was rendered belongs to the old one. */
	reset(request: PlanRequest | null): void {
		if (request === this.#request) return;
		this.#request = request;
		this.#ranges = [];
	}

	/** Renders source frames of the plan that `ready` gives; what was finished before a cancellation stays. */
	async render(ready: () => Promise<Planned>, source: FrameRange, label: string): Promise<void> {
		this.#jobs.cancelAll('render');
		let done = 0;
		let range: FrameRange = { start: 0, end: 0 };
		let request: PlanRequest | null = null;
		const keep = (): void => {
			if (done > 0 && request !== null && this.#request === request) {
				this.#ranges = joinRange(this.#ranges, { start: range.start, end: Math.min(range.end, range.start + done) });
			}
		};
		try {
			await this.#jobs.run('render', label, async (report, signal) => {
				const planned = await ready();
				throwIfAborted(signal);
				request = planned.request;
				range = planned.map.rangeToOutput(source.start, source.end);
				await this.#engine.render(
					planned.request,
					range,
					(progress) => {
						if (progress.phase === 'render') done = progress.done;
						report(progress);
					},
					signal,
				);
			});
			done = range.end - range.start;
		} finally {
			keep();
		}
	}
}
