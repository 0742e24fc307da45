/** The clock of playback: what is heard, or the wall clock where nothing is. */

import { add, equal, ONE, toNumber } from '../core/rational.ts';
import type { PlaybackSound } from './playback-sound.ts';
import type { Planned } from './planner.svelte.ts';

/**
 * Whether a plan's film has sound to play: `stretched` where stages change its duration, so that the source's would not fit.
 */
export function soundOf(planned: Planned | null): 'none' | 'stretched' | 'ready' {
	if (!planned || planned.request.info.audio.length === 0) return 'none';
	return equal(planned.summary.stretch, ONE) ? 'ready' : 'stretched';
}

/** See the file's comment. Times are seconds of the plan's final timeline. */
export class FilmClock {
	readonly #sound: PlaybackSound;
	/** A moment that both clocks know: where sound ends, the wall clock goes on from what was heard last. */
	#base = { film: 0, wall: 0 };
	#playing: { readonly planned: Planned; readonly speed: number } | null = null;

	constructor(sound: PlaybackSound) {
		this.#sound = sound;
	}

	/** Starts at a time. Sound is heard forward and at the film's own speed, if it shall be `audible`. */
	start(planned: Planned, from: number, speed: number, audible: boolean): void {
		this.#playing = { planned, speed };
		this.#base = { film: from, wall: performance.now() };
		this.setAudible(audible);
	}

	/** Adds the sound to what plays, or takes it away. */
	setAudible(audible: boolean): void {
		const playing = this.#playing;
		if (playing) this.#base = { film: this.now(), wall: performance.now() };
		this.#sound.stop();
		if (!playing || !audible || playing.speed !== 1 || soundOf(playing.planned) !== 'ready') return;
		const { request, summary } = playing.planned;
		const last = summary.timeline.frames.at(-1)!;
		// A timeline that is not stretched counts on the source's own clock.
		this.#sound.start({
			source: request.source,
			end: toNumber(add(last.pts, last.duration)),
			clock: () => this.now(),
		});
	}

	/** The time of the picture that belongs on screen now. */
	now(): number {
		const wall = performance.now();
		const heard = this.#sound.time;
		if (heard !== null) this.#base = { film: heard, wall };
		const { film, wall: since } = this.#base;
		return film + ((wall - since) / 1000) * (this.#playing?.speed ?? 0);
	}

	stop(): void {
		this.#sound.stop();
		this.#playing = null;
	}

	/** Ends it and gives the sound's output back. */
	close(): void {
		this.stop();
		this.#sound.close();
	}
}

/** Index of the last frame that starts at or before a time; 0 before the first. */
export function frameAt(seconds: Float64Array, time: number): number {
	let low = 0;
	let high = seconds.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if ((seconds[middle] ?? 0) <= time + 1e-9) low = middle;
		else high = middle - 1;
	}
	return low;
}
