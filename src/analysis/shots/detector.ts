/** The streaming shot detector: thumbnails in, shots out. See README.md for the method and what it was measured on. */
import { dissolveMiddle, type ShotBoundary, type ShotList, shotsFromBoundaries } from '../../core/shots.ts';
import { judgeCut } from './cuts.ts';
import { chooseDissolves, type DissolveCandidate, dissolveWindows, testDissolve } from './dissolve.ts';
import { comparePair, type FrameFeatures, frameFeatures, type PairFeatures } from './features.ts';
import { SHOT_DETECTOR_DEFAULTS, type ShotDetectorOptions } from './options.ts';
import { firstSettled, type Found, lastSettled } from './settled.ts';
import { type FrameThumbnail, MIN_THUMBNAIL_SIDE, resizeThumbnail } from './thumbnail.ts';
import { isBlank, type Window } from './window.ts';

/** Mean luma (0…1) beyond which a blank frame is the black or white of a fade, in limited range as in full. */
const FADE_BLACK = 0.12;
const FADE_WHITE = 0.88;

function checkThumbnail(thumb: FrameThumbnail, index: number): void {
	const { width, height } = thumb;
	const count = width * height;
	const whole = Number.isInteger(width) && Number.isInteger(height);
	const fits = [thumb.luma, thumb.cb, thumb.cr].every((plane) => plane.length === count);
	if (!whole || Math.min(width, height) < MIN_THUMBNAIL_SIDE || !fits)
		throw new RangeError(
			`ShotDetector.push: frame ${index}: expected planes of width × height samples, at least ${MIN_THUMBNAIL_SIDE} each way, got ${width}×${height} with ${thumb.luma.length} luma samples`,
		);
}

/** Replaces what is not a number (a broken decoder, a broken float scan) by the value of nothing, so that it cannot spread. */
function finite(plane: Float32Array): Float32Array {
	return plane.every(Number.isFinite) ? plane : plane.map((v) => (Number.isFinite(v) ? v : 0));
}

/** The frames of which it is settled where shots begin, whatever comes before the first and after the last frame received. */
export interface Settled {
	/** Every boundary of the film that lies in `from ≤ frame < to`, and no other; a dissolve lies at its middle. */
	readonly boundaries: readonly ShotBoundary[];
	readonly from: number;
	/** `from` where nothing is settled. */
	readonly to: number;
}

/** The frame at which a boundary's new shot starts. */
export function boundaryFrame(boundary: ShotBoundary): number {
	return boundary.transition === 'cut' ? boundary.frame : dissolveMiddle(boundary.dissolve);
}

/**
 * Finds shots while frames stream by. Holds at most `maxDissolve` + 10 frames' features (about 110 KB each at the default
 * size) and a few numbers a boundary, whatever the film's length; about 1 ms a frame.
 */
export class ShotDetector {
	readonly #options: ShotDetectorOptions;
	readonly #lengths: readonly number[];
	readonly #frames = new Map<number, FrameFeatures>();
	readonly #pairs = new Map<number, PairFeatures>();
	readonly #cuts: number[] = [];
	readonly #candidates: DissolveCandidate[] = [];
	readonly #first: number;
	#count: number;
	#judged: number;
	/** First frame of the run of blank frames that is going on, and how it began. */
	#blankStart: number | undefined;
	#blankAbrupt = false;
	#pictureSeen = false;
	/** A frame that shows a picture and has its neighborhood: from here on cuts do not depend on frames before the first. */
	#anchor: number | undefined;
	#ended = false;
	#finished = false;

	/**
	 * Options override the defaults one by one; each is explained in `ShotDetectorOptions`.
	 * @param first index of the first frame that will be pushed: not 0 where a film is looked at from the middle, with `settled`.
	 */
	constructor(options: Partial<ShotDetectorOptions> = {}, first = 0) {
		this.#options = { ...SHOT_DETECTOR_DEFAULTS, ...options };
		this.#lengths = dissolveWindows(this.#options.maxDissolve);
		this.#first = first;
		this.#count = first;
		this.#judged = first;
	}

	/** Frames received. */
	get frames(): number {
		return this.#count - this.#first;
	}

	/**
	 * Takes the next frame. A thumbnail of another size than the first (the source changed size) is resampled to it; values that
	 * are no numbers count as zero.
	 * @throws RangeError where planes do not fit the size, Error after `finish`.
	 */
	push(thumb: FrameThumbnail): void {
		if (this.#ended) throw new Error('ShotDetector.push: the detector has finished');
		checkThumbnail(thumb, this.#count);
		const previous = this.#frames.get(this.#count - 1);
		const clean = { ...thumb, luma: finite(thumb.luma), cb: finite(thumb.cb), cr: finite(thumb.cr) };
		const size = previous?.thumb ?? clean;
		const features = frameFeatures(resizeThumbnail(clean, size.width, size.height));
		this.#frames.set(this.#count, features);
		if (previous) this.#pairs.set(this.#count, comparePair(previous, features));
		this.#count++;
		this.#judge(this.#count - 1 - this.#lag);
		this.#forget();
	}

	/** Judges what is left, after the film's last frame; repeated calls do nothing. */
	end(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#judge(this.#count - 1);
		this.#frames.clear();
		this.#pairs.clear();
	}

	/** Judges what is left and returns the shots, which tile the film. Call once, after the last frame; `first` must be 0. */
	finish(): ShotList {
		if (this.#finished) throw new Error('ShotDetector.finish: called twice');
		if (this.#first !== 0) throw new Error(`ShotDetector.finish: frames 0 to ${this.#first - 1} were not looked at`);
		this.#finished = true;
		this.end();
		return shotsFromBoundaries(this.#count, this.settled().boundaries, 'detected');
	}

	/** What is settled so far; all of the film after `end`, where `first` is 0. */
	settled(): Settled {
		const { maxDissolve } = this.#options;
		const found: Found = { cuts: this.#cuts, candidates: this.#candidates };
		const anchor = this.#anchor ?? this.#count;
		const from = this.#first === 0 ? 0 : Math.min(this.#count, firstSettled(found, anchor, maxDissolve));
		const to = Math.max(from, this.#ended ? this.#count : lastSettled(found, this.#judged, maxDissolve));
		const dissolves = chooseDissolves(this.#candidates, this.#cuts, this.#options);
		const all: ShotBoundary[] = [
			...this.#cuts.map((frame): ShotBoundary => ({ transition: 'cut', frame })),
			...dissolves.map((d): ShotBoundary => ({ transition: 'dissolve', dissolve: { from: d.from, to: d.to } })),
		];
		const boundaries = all
			.filter((boundary) => boundaryFrame(boundary) >= from && boundaryFrame(boundary) < to)
			.sort((a, b) => boundaryFrame(a) - boundaryFrame(b));
		return { boundaries, from, to };
	}

	/** Frames after a boundary that judging it takes. */
	get #lag(): number {
		return Math.max(this.#options.neighborhood, this.#options.flashFrames + 1);
	}

	/** Judges all boundaries up to and including the one before frame `last`. */
	#judge(last: number): void {
		const window: Window = {
			frame: (index) => this.#frames.get(index),
			pair: (index) => this.#pairs.get(index),
		};
		for (; this.#judged <= last; this.#judged++) {
			const index = this.#judged;
			const verdict = judgeCut(window, index, this.#options);
			if (verdict === 'cut') this.#addCut(index);
			const shows = this.#followFade(index, verdict !== 'none');
			// A cut is none beside a cut, and a fade begins with a picture: one frame that is neither parts what was from what comes.
			if (shows && verdict !== 'cut' && index > this.#first + this.#lag) this.#anchor ??= index;
			this.#searchDissolves(window, index);
		}
	}

	/** A cut one frame after another is the second half of a blended or torn frame: the first stands. */
	#addCut(index: number): void {
		if (this.#cuts[this.#cuts.length - 1] !== index - 1) this.#cuts.push(index);
	}

	/**
	 * A fade out and in through black or white is one boundary, at the first frame that shows the new picture. True for a frame
	 * that shows a picture and is no such boundary.
	 */
	#followFade(index: number, abrupt: boolean): boolean {
		const frame = this.#frames.get(index);
		if (!frame) return false;
		const blank = isBlank(frame, this.#options) && (frame.mean < FADE_BLACK || frame.mean > FADE_WHITE);
		if (blank) {
			if (this.#blankStart === undefined) {
				this.#blankStart = index;
				this.#blankAbrupt = abrupt;
			}
			return false;
		}
		const faded = this.#blankStart !== undefined;
		if (faded && this.#pictureSeen && !this.#blankAbrupt && !abrupt) this.#addCut(index);
		this.#blankStart = undefined;
		this.#pictureSeen = true;
		return !faded;
	}

	#searchDissolves(window: Window, end: number): void {
		const lastCut = this.#cuts[this.#cuts.length - 1] ?? this.#first;
		for (const length of this.#lengths) {
			const start = end - length;
			if (start < lastCut) return;
			const found = testDissolve(window, start, end, this.#options);
			if (found) this.#candidates.push(found);
		}
	}

	#forget(): void {
		const keep = this.#options.maxDissolve + 10;
		this.#frames.delete(this.#count - 1 - keep);
		this.#pairs.delete(this.#count - 1 - keep);
	}
}

/** Detects the shots of frames that are at hand. */
export function detectShots(thumbs: Iterable<FrameThumbnail>, options: Partial<ShotDetectorOptions> = {}): ShotList {
	const detector = new ShotDetector(options);
	for (const thumb of thumbs) detector.push(thumb);
	return detector.finish();
}
