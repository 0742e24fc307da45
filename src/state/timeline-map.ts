/**
 * Which output frame shows a source frame, and back. Frames of a shot stay in their shot in every timeline, so the two are
 * joined shot by shot and in proportion inside; where a shot has as many frames before and after, the map is exact.
 */

import type { Shot } from '../core/shots.ts';
import { shotIndexAt } from '../core/shots.ts';
import type { Timeline } from '../core/timeline.ts';

/** First output frame and number of output frames of each shot. */
interface Span {
	readonly first: number;
	readonly count: number;
}

/** The map between a source's frames and a plan's final timeline. */
export class TimelineMap {
	readonly frames: number;
	readonly #shots: readonly Shot[];
	readonly #spans = new Map<number, Span>();
	readonly #timeline: Timeline;

	constructor(timeline: Timeline, shots: readonly Shot[]) {
		this.#timeline = timeline;
		this.#shots = shots;
		this.frames = timeline.frames.length;
		for (const frame of timeline.frames) {
			const span = this.#spans.get(frame.shot);
			this.#spans.set(frame.shot, span ? { ...span, count: span.count + 1 } : { first: frame.index, count: 1 });
		}
	}

	/** Source frame that an output frame shows (for a created frame: the one before it in time). */
	toSource(output: number): number {
		const frame = this.#timeline.frames[output];
		if (!frame) return 0;
		const shot = this.#shots[frame.shot];
		const span = this.#spans.get(frame.shot);
		if (!shot || !span) return Math.min(output, this.frames - 1);
		const length = shot.end - shot.start;
		return shot.start + Math.min(length - 1, Math.floor(((output - span.first) * length) / span.count));
	}

	/** First output frame that shows a source frame or a later moment of its shot. */
	toOutput(source: number): number {
		const index = shotIndexAt(this.#shots, source);
		const shot = this.#shots[index];
		const span = this.#spans.get(index);
		if (!shot || !span) return Math.max(0, Math.min(this.frames - 1, source));
		const length = shot.end - shot.start;
		return span.first + Math.min(span.count - 1, Math.ceil(((source - shot.start) * span.count) / length));
	}

	/** Output range that covers source frames `start` ≤ f < `end`. */
	rangeToOutput(start: number, end: number): { readonly start: number; readonly end: number } {
		const last = shotIndexAt(this.#shots, end - 1);
		const shot = this.#shots[last];
		const span = this.#spans.get(last);
		const from = this.toOutput(start);
		if (!shot || !span) return { start: from, end: Math.min(this.frames, end) };
		const inside = Math.ceil(((end - shot.start) * span.count) / (shot.end - shot.start));
		return { start: from, end: Math.max(from + 1, span.first + inside) };
	}
}
