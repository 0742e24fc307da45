/**
 * The viewer's state: the playhead, playback, and one picture at a time asked of the engine. The playhead is kept in the project as a source frame; on screen it is a frame of the plan's final timeline.
 */

import { tick, untrack } from 'svelte';
import type { ViewResult, ViewState } from '../contracts/workers.ts';
import type { Size } from '../core/color.ts';
import { type EmulsionError, toEmulsionError } from '../core/errors.ts';
import { DEFAULT_VIEW, type ReelView } from '../project/schema.ts';
import type { EnginePort } from './engine-port.ts';
import { FilmClock, frameAt, soundOf } from './film-clock.ts';
import type { Notices } from './notices.svelte.ts';
import type { Planned, Planner } from './planner.svelte.ts';
import { PlaybackSound } from './playback-sound.ts';
import type { Preferences } from './preferences.svelte.ts';
import type { ProjectState } from './project.svelte.ts';

/** A running draw gives way to a newer one after this long. */
const PATIENCE_MS = 160;
/** The source stands in where the result takes longer than this. */
const SLOW_MS = 200;
/** During playback a result is tried again now and then: what was slow may be rendered by now. */
const FORGETTING = 0.85;
/** The playhead is written to the project after it rested this long. */
const REST_MS = 300;
/** Speeds of repeated J or L. */
const SPEEDS = [1, 2, 4, 8] as const;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** See the file's comment. */
export class Player {
	readonly #engine: EnginePort;
	readonly #project: ProjectState;
	readonly #planner: Planner;
	readonly #preferences: Preferences;
	readonly #clock: FilmClock;
	readonly #reelId = $derived.by(() => this.#project.reel?.id);
	readonly #recipe = $derived.by(() => this.#project.reel?.recipe);
	readonly #planned = $derived.by(() => this.#planner.planned);
	#frame = $state(0);
	#speed = $state(0);
	#scrubbing = $state(false);
	#last = $state.raw<ViewResult | null>(null);
	#drawError = $state.raw<EmulsionError | null>(null);
	#drawing = $state(false);
	#standIn = $state(false);
	#measured = $state<number | null>(null);
	#canvas = $state.raw<Size | null>(null);
	#generation = $state(0);
	#attached = $state(false);
	#running: { readonly controller: AbortController; readonly started: number } | null = null;
	#dirty = false;
	/** The plan whose picture was drawn last. */
	#drawn: Planned | null = null;
	/** The plan that the playhead counts in. */
	#shown: Planned | null = null;
	#impatience: ReturnType<typeof setTimeout> | undefined;
	#rest: ReturnType<typeof setTimeout> | undefined;
	#playToken = 0;
	#resultMs = 0;

	constructor(engine: EnginePort, project: ProjectState, planner: Planner, preferences: Preferences, notices: Notices) {
		this.#engine = engine;
		this.#project = project;
		this.#planner = planner;
		this.#preferences = preferences;
		this.#clock = new FilmClock(new PlaybackSound(engine, (error) => notices.report(error)));
	}

	/** Output frame under the playhead. */
	get frame(): number {
		return this.#frame;
	}

	/** Source frame under the playhead. */
	get sourceFrame(): number {
		return this.#planned?.map.toSource(this.#frame) ?? this.#project.reel?.view.frame ?? 0;
	}

	/** Output frames of the plan. */
	get frames(): number {
		return this.#planned?.map.frames ?? 0;
	}

	/** 0 stopped; ±1, ±2, ±4, ±8 times the film's rate. */
	get speed(): number {
		return this.#speed;
	}

	/** What was drawn last. */
	get last(): ViewResult | null {
		return this.#last;
	}

	/** Why the last picture could not be drawn. */
	get drawError(): EmulsionError | null {
		return this.#drawError;
	}

	get drawing(): boolean {
		return this.#drawing;
	}

	/** True while the source stands in for a slow result. */
	get standIn(): boolean {
		return this.#standIn;
	}

	/** Frames a second really shown during playback; null when stopped. */
	get measuredRate(): number | null {
		return this.#measured;
	}

	/** See {@link soundOf}. */
	get sound(): ReturnType<typeof soundOf> {
		return soundOf(this.#planned);
	}

	get muted(): boolean {
		return this.#preferences.muted;
	}

	/** Mutes or unmutes playback, also while it runs. */
	toggleMute(): void {
		this.#preferences.set({ muted: !this.muted });
		this.#clock.setAudible(!this.muted);
	}

	/** Rises with each life of the restore worker: a canvas belongs to one. */
	get generation(): number {
		return this.#generation;
	}

	get view(): ReelView {
		return this.#project.reel?.view ?? DEFAULT_VIEW;
	}

	/** Changes what is shown; no undo step. */
	setView(view: Partial<Omit<ReelView, 'frame'>>): void {
		const reel = this.#project.reel;
		if (reel) this.#project.run({ type: 'view', reel: reel.id, view });
	}

	/** Gives the engine a canvas. */
	async attach(canvas: OffscreenCanvas): Promise<void> {
		await this.#engine.attachCanvas(canvas);
		this.#attached = true;
	}

	/** The restore worker was replaced: what it knew is gone. */
	restarted(): void {
		this.#attached = false;
		this.#running?.controller.abort();
		this.#running = null;
		this.#generation++;
	}

	resize(canvas: Size): void {
		if (canvas.width > 0 && canvas.height > 0) this.#canvas = canvas;
	}

	/** A new plan, or none: the playhead stays at its moment of the source. Called from an effect. */
	replan(): void {
		const [planned, before] = [this.#planned, this.#shown];
		const same = planned && before?.request.source === planned.request.source ? before : null;
		this.#shown = planned;
		// As many frames as before: it stays on its own, also on one that no source frame stands for.
		if (planned && same?.map.frames === planned.map.frames) return;
		if (planned) this.#frame = planned.map.toOutput(same ? this.#sourceOf(same) : this.view.frame);
		else {
			this.stop();
			this.#last = null;
			this.#drawError = null;
		}
	}

	#sourceOf(planned: Planned): number {
		return planned.map.toSource(this.#frame);
	}

	/** Reads everything a picture depends on and draws it; called from an effect. */
	follow(): void {
		void [this.#planned, this.#canvas, this.#attached, this.#scrubbing, this.#generation];
		const { mode, wipe, zoom, center, view } = this.view;
		void [mode, wipe, zoom, center.x, center.y, view];
		if (this.#speed === 0) void this.#frame;
		untrack(() => this.#requestDraw());
	}

	/** Moves the playhead to an output frame. */
	seek(frame: number): void {
		const target = Math.max(0, Math.min(this.frames - 1, Math.round(frame)));
		if (target === this.#frame) return;
		this.#frame = target;
		this.#remember();
	}

	/** Moves the playhead to a source frame; before there is a plan, the project remembers it. */
	seekSource(frame: number): void {
		const reel = this.#project.reel;
		if (!reel) return;
		const target = Math.max(0, Math.min(reel.source.frames - 1, frame));
		if (this.#planned) this.seek(this.#planned.map.toOutput(target));
		else this.#project.run({ type: 'view', reel: reel.id, view: { frame: target } });
	}

	/** Frame step: stops playback first. */
	step(frames: number): void {
		this.stop();
		if (this.#planned) this.seek(this.#frame + frames);
		else this.seekSource(this.sourceFrame + frames);
	}

	/** While true, a slow result is stood in for by the source. */
	scrub(active: boolean): void {
		if (active) this.stop();
		this.#scrubbing = active;
	}

	/** J and L: plays in a direction, faster each time, slower against it. */
	shuttle(direction: 1 | -1): void {
		if (!this.#planned) return;
		const same = Math.sign(this.#speed) === direction;
		const at = SPEEDS.indexOf(Math.abs(this.#speed) as (typeof SPEEDS)[number]);
		const next = same ? (SPEEDS[Math.min(SPEEDS.length - 1, at + 1)] ?? 1) : 1;
		const last = this.frames - 1;
		if (direction === 1 && this.#frame >= last) this.seek(0);
		if (direction === -1 && this.#frame <= 0) this.seek(last);
		this.#speed = next * direction;
		void this.#play(++this.#playToken);
	}

	toggle(): void {
		if (this.#speed !== 0) this.stop();
		else this.shuttle(1);
	}

	stop(): void {
		if (this.#speed === 0) return;
		this.#speed = 0;
		this.#playToken++;
		this.#clock.stop();
		this.#measured = null;
		this.#remember();
	}

	/** Ends playback and drawing. */
	close(): void {
		this.stop();
		this.#clock.close();
		clearTimeout(this.#impatience);
		clearTimeout(this.#rest);
		this.#running?.controller.abort();
	}

	async #play(token: number): Promise<void> {
		const planned = this.#planned;
		if (!planned) return;
		const { seconds } = planned;
		const started = performance.now();
		this.#clock.start(planned, seconds[this.#frame] ?? 0, this.#speed, !this.muted);
		const shown: number[] = [];
		while (token === this.#playToken && this.#planned === planned) {
			const now = performance.now();
			const due = frameAt(seconds, this.#clock.now());
			// Where sound becomes the clock, time may step back a little: never the picture.
			const target = this.#speed > 0 ? Math.max(due, this.#frame) : Math.min(due, this.#frame);
			if (target === this.#frame) {
				if (now - started > 100 && target === (this.#speed > 0 ? seconds.length - 1 : 0)) return this.stop();
				await sleep(4);
				continue;
			}
			this.#frame = target;
			await tick();
			await this.#drawNow();
			shown.push(performance.now());
			while ((shown[0] ?? 0) < performance.now() - 1500) shown.shift();
			const span = (shown.at(-1) ?? 0) - (shown[0] ?? 0);
			this.#measured = span > 300 ? ((shown.length - 1) * 1000) / span : this.#measured;
			await sleep(0);
		}
		// Another plan of the same film: it plays on where it is.
		if (token === this.#playToken) void this.#play(token);
	}

	#requestDraw(): void {
		if (!this.#running) {
			void this.#drawNow();
			return;
		}
		this.#dirty = true;
		if (this.#speed !== 0 || this.#impatience !== undefined) return;
		const age = performance.now() - this.#running.started;
		this.#impatience = setTimeout(
			() => {
				this.#impatience = undefined;
				if (this.#dirty) this.#running?.controller.abort();
			},
			Math.max(0, PATIENCE_MS - age),
		);
	}

	/**
	 * The source stands in for a slow result while the playhead moves, and before a picture that is new on screen: one of another
	 * frame or another recipe is never left there for long.
	 */
	#standsIn(mode: ReelView['mode']): boolean {
		if (mode === 'source' || this.#resultMs <= SLOW_MS) return false;
		return this.#scrubbing || this.#speed !== 0 || this.#isStale();
	}

	/** Whether the picture on screen is of another frame, or of another plan: a stage bypassed, a number changed. */
	#isStale(): boolean {
		return this.#last?.frame !== this.#frame || this.#drawn !== this.#planned;
	}

	#viewState(planned: Planned, canvas: Size, standIn: boolean): ViewState {
		const { mode, wipe, zoom, center, view } = this.view;
		const shown = standIn ? 'source' : mode;
		// The engine counts zoom in pixels of what it draws; the source is laid where the result lies.
		const { summary, request } = planned;
		const grown = shown === 'source' ? summary.size.height / request.info.size.height : 1;
		return {
			frame: this.#frame,
			mode: shown,
			wipe,
			zoom: zoom === 'fit' ? zoom : zoom * grown,
			center: { x: center.x, y: center.y },
			view: this.#knownView(view),
			canvas,
		};
	}

	/** A view whose stage was removed or bypassed shows the result. */
	#knownView(view: string): string {
		const [id] = view.split('/');
		if (!view.includes('/')) return view;
		return this.#recipe?.stages.some((s) => s.id === id && s.enabled) ? view : 'result';
	}

	async #drawNow(): Promise<void> {
		const [planned, canvas] = [this.#planned, this.#canvas];
		if (!planned || !canvas || !this.#attached || this.#running) return;
		const controller = new AbortController();
		const run = { controller, started: performance.now() };
		this.#running = run;
		this.#dirty = false;
		this.#drawing = true;
		const standIn = this.#standsIn(this.view.mode);
		const state = this.#viewState(planned, canvas, standIn);
		// Slow, and another picture is on screen: begin again with the source.
		const replaces = state.mode !== 'source' && this.#last !== null && this.#isStale();
		const late = replaces ? setTimeout(() => this.#restart(controller), SLOW_MS * 2) : undefined;
		try {
			// Plain data from raw state, never a proxy: a snapshot would copy the packet index for every picture.
			const result = await this.#engine.view(planned.request, state, controller.signal);
			if (!controller.signal.aborted) {
				this.#last = result;
				this.#drawn = planned;
				this.#drawError = null;
				this.#standIn = standIn;
				if (standIn && this.#speed !== 0) this.#resultMs *= FORGETTING;
				// At rest the result follows its stand-in.
				if (standIn && this.#speed === 0 && !this.#scrubbing) this.#dirty = true;
				if (state.mode !== 'source') this.#resultMs = performance.now() - run.started;
			}
		} catch (thrown) {
			const error = toEmulsionError(thrown);
			if (error.code !== 'aborted' && !controller.signal.aborted) this.#drawError = error;
			else if (state.mode !== 'source') this.#resultMs = Math.max(this.#resultMs, performance.now() - run.started);
		} finally {
			clearTimeout(late);
			if (this.#running === run) {
				this.#running = null;
				this.#drawing = false;
				clearTimeout(this.#impatience);
				this.#impatience = undefined;
				if (this.#dirty) void this.#drawNow();
			}
		}
	}

	#restart(running: AbortController): void {
		this.#dirty = true;
		running.abort();
	}

	#remember(): void {
		clearTimeout(this.#rest);
		const reel = this.#reelId;
		this.#rest = setTimeout(() => {
			if (reel !== undefined && reel === this.#reelId && this.#planned) {
				this.#project.run({ type: 'view', reel, view: { frame: this.sourceFrame } });
			}
		}, REST_MS);
	}
}
