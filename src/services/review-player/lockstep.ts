/**
 * The one clock of a review: all versions are at the same frame number, always. A frame is asked of every clip at once, and
 * only when the last of them has it are they drawn, in one task, so that no picture of one number ever stands beside one of another.
 * While playing the number follows the wall clock; what decoding cannot keep up with is dropped on all sides alike, and counted.
 */

import { toEmulsionError, type EmulsionError } from '../../core/errors.ts';
import { allOrNone } from './open-clips.ts';
import type { FrameSource } from './source.ts';

/** A gap between two ticks that is no slow frame but a hidden tab or a sleeping machine: the clock starts anew, ms. */
const ASLEEP = 1000;

/** What the player tells. All synchronous, in the task in which the pictures changed. */
export interface LockstepEvents {
	/** All pictures are at this frame now: paint. */
	frame(index: number): void;
	/** Play, pause, or the number of dropped frames changed. */
	state(): void;
	/** Playback came past the last frame of its range. */
	pass(): void;
	error(error: EmulsionError): void;
}

/** See the file's comment. */
export class Lockstep {
	/** The pictures, one a clip, all of frame {@link index}; the player draws them, nobody else. */
	readonly pictures: readonly HTMLCanvasElement[];
	readonly frames: number;
	readonly #contexts: readonly CanvasRenderingContext2D[];
	readonly #sources: readonly FrameSource[];
	readonly #rate: number;
	readonly #events: LockstepEvents;
	#index = -1;
	#wanted: number | undefined;
	/** A frame that was sought and is being decoded. */
	#sought: number | undefined;
	#playing = false;
	#speed = 1;
	#loop = true;
	#range: readonly [number, number];
	#dropped = 0;
	#anchor = { time: 0, frame: 0 };
	#ticked = 0;
	#running = false;
	#closed = false;

	/**
	 * Takes the sources over.
	 * @param rate Frames a second.
	 */
	constructor(sources: readonly FrameSource[], rate: number, events: LockstepEvents) {
		this.#sources = sources;
		this.#rate = rate;
		this.#events = events;
		this.frames = Math.min(...sources.map((s) => s.frames));
		this.#range = [0, this.frames - 1];
		this.pictures = sources.map(() => document.createElement('canvas'));
		this.#contexts = this.pictures.map((canvas) => {
			const context = canvas.getContext('2d', { alpha: false });
			if (!context) throw new TypeError('no 2D canvas');
			return context;
		});
	}

	/** Frame in sight; −1 before the first. */
	get index(): number {
		return this.#index;
	}

	/** Frame that was asked for last, in sight or on its way: steps count from it, or quick ones would be lost. */
	get aim(): number {
		return this.#wanted ?? this.#sought ?? this.#index;
	}

	get playing(): boolean {
		return this.#playing;
	}

	get dropped(): number {
		return this.#dropped;
	}

	/** Shows a frame, clamped to the clip. A later call overtakes an earlier one that is not shown yet. */
	seek(index: number): void {
		const target = Math.min(this.frames - 1, Math.max(0, Math.round(index)));
		this.#wanted = target;
		this.#anchorAt(target);
		this.#pump();
	}

	/** Plays from here, or from the range's start at its end. */
	play(): void {
		if (this.#playing || this.#closed) return;
		const [from, to] = this.#range;
		const at = this.#wanted ?? this.#index;
		const start = at < from || at >= to ? from : at;
		if (start !== at) this.#wanted = start;
		this.#playing = true;
		this.#dropped = 0;
		this.#anchorAt(start);
		this.#events.state();
		this.#pump();
	}

	pause(): void {
		if (!this.#playing) return;
		this.#playing = false;
		this.#events.state();
	}

	/** 1 is the film's own speed. */
	setSpeed(speed: number): void {
		this.#speed = speed;
		this.#anchorAt(Math.max(0, this.#index));
	}

	/** Whether playback begins again at its end. */
	setLoop(loop: boolean): void {
		this.#loop = loop;
	}

	/** Frames to play, both included. */
	setRange(from: number, to: number): void {
		this.#range = [Math.max(0, from), Math.min(this.frames - 1, to)];
		this.#anchorAt(Math.max(0, this.#index));
	}

	close(): void {
		this.#closed = true;
		this.#playing = false;
		for (const source of this.#sources) source.close();
	}

	#anchorAt(frame: number): void {
		this.#anchor = { time: performance.now(), frame };
		this.#ticked = this.#anchor.time;
	}

	/** The frame that the clock asks for; passes the end of the range once. */
	#clock(): number {
		const now = performance.now();
		if (now - this.#ticked > ASLEEP) this.#anchorAt(this.#index);
		this.#ticked = now;
		const [from, to] = this.#range;
		const due = this.#anchor.frame + Math.floor(((now - this.#anchor.time) / 1000) * this.#rate * this.#speed + 1e-6);
		if (due <= to) return Math.max(from, due);
		// The last frame is in sight for its whole time before anything begins again.
		if (this.#index !== to) return to;
		this.#events.pass();
		if (!this.#loop) {
			this.#playing = false;
			this.#events.state();
			return to;
		}
		this.#anchorAt(from);
		return from;
	}

	#pump(): void {
		if (this.#running || this.#closed) return;
		this.#running = true;
		void this.#run()
			.catch((thrown: unknown) => {
				this.#playing = false;
				this.#wanted = undefined;
				const error = toEmulsionError(thrown);
				if (!this.#closed && error.code !== 'aborted') this.#events.error(error);
			})
			.finally(() => {
				this.#running = false;
				if (this.#closed) return;
				this.#events.state();
				// What was asked between the loop's end and here.
				if (this.#wanted !== undefined || this.#playing) this.#pump();
			});
	}

	async #run(): Promise<void> {
		while (!this.#closed) {
			const sought = this.#wanted;
			this.#wanted = undefined;
			if (sought === undefined && !this.#playing) return;
			const target = sought ?? this.#clock();
			if (target === this.#index && sought === undefined) await nextTick();
			else {
				this.#sought = sought;
				try {
					await this.#show(target, sought === undefined);
				} finally {
					this.#sought = undefined;
				}
			}
		}
	}

	async #show(target: number, played: boolean): Promise<void> {
		const ready = await allOrNone(this.#sources.map((source) => source.prepare(target)));
		try {
			if (this.#closed) return;
			// A frame that was sought meanwhile overtakes this one.
			if (played && this.#wanted !== undefined) return;
			ready.forEach((frame, i) => {
				const canvas = this.pictures[i]!;
				if (canvas.width !== frame.width) canvas.width = frame.width;
				if (canvas.height !== frame.height) canvas.height = frame.height;
				const context = this.#contexts[i]!;
				// A browser that fails to draw a frame says nothing: black is seen, the frame before would lie about its number.
				context.clearRect(0, 0, frame.width, frame.height);
				frame.draw(context);
			});
			const skipped = target - this.#index - 1;
			const dropping = played && skipped > 0;
			if (dropping) this.#dropped += skipped;
			this.#index = target;
			this.#events.frame(target);
			if (dropping) this.#events.state();
		} finally {
			for (const frame of ready) frame.close();
		}
	}
}

/** The browser's next frame; where the tab is hidden, none comes until it is seen again. */
function nextTick(): Promise<void> {
	return new Promise((resolve) => requestAnimationFrame(() => resolve()));
}
