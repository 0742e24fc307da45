/**
 * The player as the pages see it: which clips, which frame, which view. Painting is synchronous with the frame's change. What pages
 * call from effects reads its own state without becoming a reason for them.
 */

import { untrack } from 'svelte';
import { EmulsionError, toEmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { formatTimecode } from '../../core/timecode.ts';
import { Lockstep } from '../../services/review-player/lockstep.ts';
import { openClips } from '../../services/review-player/open-clips.ts';
import { type Layout, layoutOf, Painter, type View, VIEW_MODES } from '../../services/review-player/paint.ts';
import { pictureCanvas, PictureClip } from '../../services/review-player/picture-clip.ts';
import type { EngineName, FrameSource } from '../../services/review-player/source.ts';
import type { ReviewShot } from '../../share/manifest.ts';
import { assetsOf, type ClipShelf, type Showing } from './clips.ts';
import { plainMap } from './maps.ts';

/** Speeds, 1 the film's own. */
export const SPEEDS = [0.25, 0.5, 1, 2] as const;
/** Time at rest before lossless stills are fetched, ms. */
const REST_MS = 200;

/** A wipe nearer to an edge than this share shows one picture only. */
const WIPE_EDGE = 0.1;

const VIEW: View = {
	...{ mode: VIEW_MODES[0], a: 0, b: 1, shown: 'a', wipe: 0.5, gain: 4, loupe: 0 },
	at: { x: 0.5, y: 0.5 },
};

/** See the file's comment. */
export class ReviewPlayer {
	readonly #shelf: ClipShelf;
	#lockstep: Lockstep | undefined;
	#painter: Painter | undefined;
	#canvas: HTMLCanvasElement | undefined;
	#size = { width: 0, height: 0 };
	#generation = 0;
	#stills = plainMap<number, HTMLCanvasElement>();
	#rest: ReturnType<typeof setTimeout> | undefined;
	#passed: () => void = () => undefined;

	#showing = $state.raw<Showing>();
	#view = $state.raw<View>(VIEW);
	#layout = $state.raw<Layout>([]);
	#index = $state(-1);
	#playing = $state(false);
	#dropped = $state(0);
	#speed = $state<number>(1);
	#loop = $state(true);
	#range = $state.raw<readonly [number, number] | null>(null);
	#engine = $state<EngineName>();
	#refused = $state.raw<EmulsionError>();
	#progress = $state(0);
	#error = $state.raw<EmulsionError>();
	#lossless = $state(false);

	constructor(shelf: ClipShelf) {
		this.#shelf = shelf;
	}

	get showing(): Showing | undefined {
		return this.#showing;
	}
	get view(): View {
		return this.#view;
	}
	/** Where the pictures stand, CSS pixels of the canvas. */
	get layout(): Layout {
		return this.#layout;
	}
	/** Frame in sight, counted in what plays; −1 before the first. */
	get index(): number {
		return this.#index;
	}
	/** Frames of what plays. */
	get frames(): number {
		const showing = this.#showing;
		if (!showing) return 0;
		return showing.crops ? (showing.clips[0]?.crop?.frames.length ?? 0) : showing.shot.frames;
	}
	/** Frame in sight, counted in the shot. */
	get frame(): number {
		return Math.max(0, this.#index) + this.#offset;
	}
	get timecode(): string {
		const shot = this.#showing?.shot;
		return shot ? formatTimecode(shot.firstNumber + this.frame, shot) : '';
	}
	get playing(): boolean {
		return this.#playing;
	}
	/** Frames left out since playback began. */
	get dropped(): number {
		return this.#dropped;
	}
	get speed(): number {
		return this.#speed;
	}
	get loop(): boolean {
		return this.#loop;
	}
	/** In and out, both included, counted in what plays; null: all of it. */
	get range(): readonly [number, number] | null {
		return this.#range;
	}
	get engine(): EngineName | undefined {
		return this.#engine;
	}
	/** Why WebCodecs is not used though it is there. */
	get refused(): EmulsionError | undefined {
		return this.#refused;
	}
	/** Share of the clips that has arrived, 0 to 1. */
	get progress(): number {
		return this.#progress;
	}
	get error(): EmulsionError | undefined {
		return this.#error;
	}
	/** The pictures in sight are lossless: stills or crops. */
	get lossless(): boolean {
		return this.#lossless || this.#showing?.crops === true;
	}
	get ready(): boolean {
		return this.#index >= 0;
	}
	/** Size of what plays, pixels. */
	get pictureSize(): { readonly width: number; readonly height: number } {
		const showing = this.#showing;
		const crop = showing?.crops ? showing.clips[0]?.crop : undefined;
		const of = crop ?? showing?.shot;
		return { width: of?.width ?? 4, height: of?.height ?? 3 };
	}

	get #offset(): number {
		return this.#showing?.crops ? (this.#showing.clips[0]?.crop?.firstFrame ?? 0) : 0;
	}

	/** Sides that are in sight at this moment. */
	get sight(): { readonly a: boolean; readonly b: boolean } {
		const { mode, shown, wipe } = this.#view;
		if (!this.ready) return { a: false, b: false };
		if (mode === 'wipe') return { a: wipe > WIPE_EDGE, b: wipe < 1 - WIPE_EDGE };
		if (mode === 'toggle') return { a: shown === 'a', b: shown === 'b' };
		return mode === 'difference' ? { a: false, b: false } : { a: true, b: true };
	}

	/** Hears of every pass through the clip. */
	onpass(passed: () => void): void {
		this.#passed = passed;
	}

	/** Fetches and shows clips; a later call overtakes. What fails is {@link error}. */
	show(showing: Showing, at = 0): Promise<void> {
		return untrack(() => this.#show(showing, at));
	}

	async #show(showing: Showing, at: number): Promise<void> {
		const generation = ++this.#generation;
		this.#end();
		this.#showing = showing;
		this.#range = null;
		this.#view = { ...this.#view, a: 0, b: Math.min(1, showing.clips.length - 1), shown: 'a' };
		this.#relayout();
		const assets = assetsOf(showing);
		const watch = this.#shelf.watch(() => {
			if (generation === this.#generation) this.#progress = this.#shelf.progress(assets);
		});
		try {
			const sources = await this.#open(showing);
			// A later call may have come while the clips were fetched.
			if (generation !== this.#generation) {
				for (const source of sources) source.close();
				return;
			}
			this.#start(sources, showing.shot, at);
		} catch (thrown) {
			if (generation === this.#generation) this.#error = toEmulsionError(thrown);
		} finally {
			watch();
		}
	}

	/** Fetches and shows once more what could not be. */
	retry(): void {
		const showing = this.#showing;
		if (showing) void this.show(showing, this.frame);
	}

	/** Fetches what comes next, quietly. */
	prefetch(showing: Showing): void {
		for (const asset of assetsOf(showing)) void this.#shelf.get(asset).catch(() => undefined);
	}

	seek(index: number): void {
		this.#lockstep?.pause();
		this.#lockstep?.seek(index);
	}

	/** To a frame counted in the shot. */
	goTo(frame: number): void {
		this.seek(frame - this.#offset);
	}

	step(frames: number): void {
		const from = this.#lockstep?.aim ?? this.#index;
		this.seek(Math.min(this.frames - 1, Math.max(0, from + frames)));
	}

	toggle(): void {
		if (!this.#lockstep) return;
		if (this.#lockstep.playing) this.#lockstep.pause();
		else this.#lockstep.play();
	}

	pause(): void {
		this.#lockstep?.pause();
	}

	setSpeed(speed: number): void {
		this.#speed = SPEEDS.find((s) => s === speed) ?? 1;
		this.#lockstep?.setSpeed(this.#speed);
	}

	setLoop(loop: boolean): void {
		this.#loop = loop;
		this.#lockstep?.setLoop(loop);
	}

	/** Marks the frame in sight as the first or last to play. */
	mark(end: 'in' | 'out'): void {
		const [from, to] = this.#range ?? [0, this.frames - 1];
		const at = Math.max(0, this.#index);
		this.setRange(end === 'in' ? [at, Math.max(at, to)] : [Math.min(from, at), at]);
	}

	setRange(range: readonly [number, number] | null): void {
		this.#range = range;
		const [from, to] = range ?? [0, this.frames - 1];
		this.#lockstep?.setRange(from, to);
	}

	setView(change: Partial<View>): void {
		const mode = this.#view.mode;
		this.#view = { ...this.#view, ...change };
		if (change.mode !== undefined && change.mode !== mode) this.#relayout();
		if (change.a !== undefined || change.b !== undefined) this.#leaveStills();
		this.#paint();
		this.#rested();
	}

	/** Paints on a canvas from now on; the result stops it. */
	attach(canvas: HTMLCanvasElement): () => void {
		this.#canvas = canvas;
		this.#painter = new Painter(canvas);
		untrack(() => this.#paint());
		return () => {
			if (this.#canvas !== canvas) return;
			this.#canvas = undefined;
			this.#painter = undefined;
		};
	}

	/** The canvas's size, CSS pixels. */
	resize(width: number, height: number): void {
		this.#size = { width, height };
		untrack(() => {
			this.#relayout();
			this.#paint();
		});
	}

	close(): void {
		this.#generation++;
		untrack(() => this.#end());
		this.#showing = undefined;
	}

	async #open(showing: Showing): Promise<readonly FrameSource[]> {
		const { shot, clips, crops } = showing;
		if (crops) {
			const frames = clips.map((clip) => clip.crop?.frames ?? []);
			if (frames.some((f) => f.length !== frames[0]!.length || f.length === 0)) {
				const values = { got: frames.at(-1)!.length, want: frames[0]!.length };
				throw new EmulsionError('review-invalid', phrase('clip-frames', values));
			}
			const blobs = await Promise.all(frames.map((f) => Promise.all(f.map((asset) => this.#shelf.get(asset)))));
			return blobs.map((pictures) => new PictureClip(pictures));
		}
		const blobs = await Promise.all(clips.map((clip) => this.#shelf.get(clip)));
		const opened = await openClips(
			clips.map(({ codec }, i) => ({ blob: blobs[i]!, codec })),
			shot.frames,
		);
		this.#refused = opened.refused;
		return opened.sources;
	}

	#start(sources: readonly FrameSource[], shot: ReviewShot, at: number): void {
		this.#engine = sources[0]?.engine;
		this.#progress = 1;
		const lockstep = new Lockstep(sources, shot.rate.num / shot.rate.den, {
			frame: (index) => {
				this.#leaveStills();
				// What failed was another frame.
				this.#error = undefined;
				this.#index = index;
				this.#paint();
				this.#rested();
			},
			state: () => {
				this.#playing = lockstep.playing;
				this.#dropped = lockstep.dropped;
				this.#rested();
			},
			pass: () => this.#passed(),
			error: (error) => (this.#error = error),
		});
		this.#lockstep = lockstep;
		lockstep.setSpeed(this.#speed);
		lockstep.setLoop(this.#loop);
		lockstep.seek(at - this.#offset);
	}

	#end(): void {
		this.#lockstep?.close();
		this.#lockstep = undefined;
		clearTimeout(this.#rest);
		this.#leaveStills();
		this.#index = -1;
		this.#playing = false;
		this.#dropped = 0;
		this.#engine = undefined;
		this.#refused = undefined;
		this.#error = undefined;
		this.#progress = 0;
		this.#paint();
	}

	#relayout(): void {
		const { width, height } = this.pictureSize;
		const par = this.#showing?.shot.pixelAspect ?? { num: 1, den: 1 };
		const aspect = (width * par.num) / (height * par.den);
		this.#layout = layoutOf(this.#view.mode, this.#size.width, this.#size.height, aspect);
	}

	#paint(): void {
		const canvas = this.#canvas;
		if (!canvas || this.#size.width === 0) return;
		const pictures = this.#lockstep && this.#index >= 0 ? this.#lockstep.pictures : [];
		const drawn = pictures.map((picture, i) => this.#stills.get(i) ?? picture);
		this.#painter?.paint(drawn, this.#view, this.#layout, this.#size, Math.min(4, window.devicePixelRatio || 1));
		canvas.dataset['frame'] = String(this.#index);
	}

	#leaveStills(): void {
		this.#stills = plainMap();
		this.#lossless = false;
	}

	/** Where the picture rests on a frame that has lossless stills of both versions, shows them. */
	#rested(): void {
		clearTimeout(this.#rest);
		const showing = this.#showing;
		const index = this.#index;
		if (!showing || showing.crops || this.#playing || index < 0 || this.#lossless) return;
		const { a, b } = this.#view;
		const stills = [a, b].map((i) => showing.clips[i]?.stills.find((still) => still.frame === index));
		if (!stills.every((still) => still !== undefined)) return;
		const generation = this.#generation;
		const fits = (): boolean =>
			generation === this.#generation &&
			index === this.#index &&
			!this.#playing &&
			this.#view.a === a &&
			this.#view.b === b;
		this.#rest = setTimeout(() => {
			void Promise.all(stills.map(async (still) => pictureCanvas(await this.#shelf.get(still)))).then(
				([first, second]) => {
					if (!fits()) return;
					this.#stills = plainMap([
						[a, first!],
						[b, second!],
					]);
					this.#lossless = true;
					this.#paint();
				},
				(thrown: unknown) => {
					if (fits()) this.#error = toEmulsionError(thrown);
				},
			);
		}, REST_MS);
	}
}
