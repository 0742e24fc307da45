/** The streaming shot detector: thumbnails in, shots out. See README.md for the method and what it was measured on. */
import { type ShotBoundary, type ShotList, shotsFromBoundaries } from '../../core/shots.ts';
import { judgeCut } from './cuts.ts';
import { chooseDissolves, type DissolveCandidate, dissolveWindows, testDissolve } from './dissolve.ts';
import { comparePair, type FrameFeatures, frameFeatures, type PairFeatures } from './features.ts';
import { SHOT_DETECTOR_DEFAULTS, type ShotDetectorOptions } from './options.ts';
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
	#count = 0;
	#judged = 0;
	/** First frame of the run of blank frames that is going on, and how it began. */
	#blankStart: number | undefined;
	#blankAbrupt = false;
	#pictureSeen = false;
	#finished = false;

	/** Options override the defaults one by one; each is explained in `ShotDetectorOptions`. */
	constructor(options: Partial<ShotDetectorOptions> = {}) {
		this.#options = { ...SHOT_DETECTOR_DEFAULTS, ...options };
		this.#lengths = dissolveWindows(this.#options.maxDissolve);
	}

	/** Frames received. */
	get frames(): number {
		return this.#count;
	}

	/**
	 * Takes the next frame. A thumbnail of another size than the first (the source changed size) is resampled to it; values that
	 * are no numbers count as zero.
	 * @throws RangeError where planes do not fit the size, Error after `finish`.
	 */
	push(thumb: FrameThumbnail): void {
		if (this.#finished) throw new Error('ShotDetector.push: the detector has finished');
		checkThumbnail(thumb, this.#count);
		const previous = this.#frames.get(this.#count - 1);
		const clean = { ...thumb, luma: finite(thumb.luma), cb: finite(thumb.cb), cr: finite(thumb.cr) };
		const size = previous?.thumb ?? clean;
		const features = frameFeatures(resizeThumbnail(clean, size.width, size.height));
		this.#frames.set(this.#count, features);
		if (previous) this.#pairs.set(this.#count, comparePair(previous, features));
		this.#count++;
		const { neighborhood, flashFrames } = this.#options;
		const lag = Math.max(neighborhood, flashFrames + 1);
		if (this.#count > lag) this.#judge(this.#count - 1 - lag);
		this.#forget();
	}

	/** Judges what is left and returns the shots, which tile the film. Call once, after the last frame. */
	finish(): ShotList {
		if (this.#finished) throw new Error('ShotDetector.finish: called twice');
		this.#finished = true;
		this.#judge(this.#count - 1);
		this.#frames.clear();
		this.#pairs.clear();
		const dissolves = chooseDissolves(this.#candidates, this.#cuts, this.#options);
		const boundaries: ShotBoundary[] = [
			...this.#cuts.map((frame): ShotBoundary => ({ transition: 'cut', frame })),
			...dissolves.map(({ from, to }): ShotBoundary => ({ transition: 'dissolve', dissolve: { from, to } })),
		];
		return shotsFromBoundaries(this.#count, boundaries, 'detected');
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
			this.#followFade(index, verdict !== 'none');
			this.#searchDissolves(window, index);
		}
	}

	/** A cut one frame after another is the second half of a blended or torn frame: the first stands. */
	#addCut(index: number): void {
		if (this.#cuts[this.#cuts.length - 1] !== index - 1) this.#cuts.push(index);
	}

	/** A fade out and in through black or white is one boundary, at the first frame that shows the new picture. */
	#followFade(index: number, abrupt: boolean): void {
		const frame = this.#frames.get(index);
		if (!frame) return;
		const blank = isBlank(frame, this.#options) && (frame.mean < FADE_BLACK || frame.mean > FADE_WHITE);
		if (blank) {
			if (this.#blankStart === undefined) {
				this.#blankStart = index;
				this.#blankAbrupt = abrupt;
			}
			return;
		}
		if (this.#blankStart !== undefined && this.#pictureSeen && !this.#blankAbrupt && !abrupt) this.#addCut(index);
		this.#blankStart = undefined;
		this.#pictureSeen = true;
	}

	#searchDissolves(window: Window, end: number): void {
		const lastCut = this.#cuts[this.#cuts.length - 1] ?? 0;
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
