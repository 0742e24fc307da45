/**
 * From the net's evidence on a shot's frames to the lines of the film. Twin: training/workshop/scratch_shot.py.
 *
 * One frame cannot say whether an upright line lies on the film or in the picture; the shot can. A scratch keeps to its column of the
 * screen and wanders a little; what moves with the picture around it belongs to the picture (Newson et al. 2014 reject lines
 * that way). A line that stands as still as a picture that stands still is undecidable, and left alone.
 */

import type { FrameRange } from '../../contracts/frames.ts';
import { clamp } from '../../gpu/op.ts';

/** Polarity of a line: brighter than the film, or darker; the channel of its evidence. */
export const BRIGHT = 0;
export const DARK = 1;

/** What is known of one frame, in strips of rows. */
export interface Look {
	/** Frame in the input timeline. */
	readonly index: number;
	readonly width: number;
	/** Strips. */
	readonly rows: number;
	/** Evidence 0…1 of bright lines, then of dark ones: `2 × rows × width`. */
	readonly lines: Float32Array;
	/** `rows × width`. */
	readonly luma: Float32Array;
}

/** A candidate; plain data. */
export interface Line {
	readonly polarity: number;
	/** Pixels to the right from top to bottom. */
	readonly lean: number;
	/** Frames that were looked at, in order, and the line's column at half height in each. */
	readonly path: readonly (readonly [frame: number, column: number])[];
	/** Mean evidence along its columns, 0…1. */
	readonly evidence: number;
	/** Log likelihood that it is the film's rather than the picture's, by how both moved. */
	readonly motion: number;
}

/** Pairs of neighboring frames looked at in a shot. */
const MOMENTS = 12;
/** Leans tried to each side, and the step between them in heights. */
const [LEANS, LEAN_STEP] = [5, 0.0035];
/** Mean evidence along a column above which a line may be there. */
const PRESENT = 0.3;
/** Most lines in a shot. */
const MOST = 24;
/** Pixels around a line in which there is no other. */
const APART = 5;
/** The picture around a line: from so many pixels away to so many. */
const [NEAR, FAR] = [6, 48];
/** Largest displacement of the picture that is looked for, in pixels. */
const SEARCH = 8;
/** A scratch wanders by so many pixels a frame; its place is read that precisely. */
const [WANDER, READ] = [0.4, 0.3];
/** Motion's evidence where there is none to be had. */
const UNDECIDED = -10;
/** Evidence below which a candidate's place is not known well enough to say how it moved, and what that costs its score. */
const [WEAK, WEAKNESS] = [0.4, 3];
/** Variance of a displacement, in pixels², above which it tells nothing. */
const VAGUE = 4;
/** Variance where nothing could be measured. */
const UNKNOWN = 1e6;

const nearest = (value: number): number => Math.floor(value + 0.5);

/** How surely a candidate is a scratch; above 0 it is taken for one at the default sensitivity. */
export function scoreOf({ evidence, motion }: Line): number {
	return 6 * (evidence - 0.55) + 0.5 * clamp(motion, -10, 6) - (evidence < WEAK ? WEAKNESS : 0);
}

/** The frames to look at: pairs of neighbors, evenly spread over the shot. */
export function momentsOf({ start, end }: FrameRange, most = MOMENTS): number[] {
	const count = end - start;
	if (count <= 2 * most) return Array.from({ length: count }, (_, i) => start + i);
	return Array.from({ length: most }, (_, k) => start + nearest((k * (count - 2)) / (most - 1))).flatMap((at) => [
		at,
		at + 1,
	]);
}

/** Column at strip `r` of a line that stands at 0 at half height. */
const shiftOf = (lean: number, r: number, rows: number): number => nearest(lean * ((r + 0.5) / rows - 0.5));

/** One figure a column for lines of one lean that run through, along two thirds, along one: the shorter, the surer they must be. */
function columnScores(best: Float32Array, rows: number, width: number, lean: number): Float64Array {
	const edges = [0, nearest(rows / 3), nearest((2 * rows) / 3), rows];
	const bands = [0, 1, 2].map((band) => {
		const sums = new Float64Array(width);
		const [from, to] = [edges[band]!, edges[band + 1]!];
		for (let r = from; r < to; r++) {
			const shift = shiftOf(lean, r, rows);
			for (let x = 0; x < width; x++) sums[x] = sums[x]! + best[r * width + clamp(x + shift, 0, width - 1)]!;
		}
		return sums.map((sum) => (to > from ? sum / (to - from) : 0));
	});
	const [top, middle, bottom] = bands as [Float64Array, Float64Array, Float64Array];
	return top.map((t, x) => {
		const [m, b] = [middle[x]!, bottom[x]!];
		return Math.max((t + m + b) / 3, 0.46 * (Math.max(t, b) + m), 0.8 * Math.max(t, m, b));
	});
}

interface Profile {
	readonly scores: Float64Array;
	/** Index of the lean that had them. */
	readonly leans: Int32Array;
}

const leanAt = (k: number, height: number): number => (k - LEANS) * LEAN_STEP * height;

/** Best evidence of one polarity at each column, over all leans; of equals the most upright. */
function profileOf({ lines, rows, width }: Look, polarity: number, height: number): Profile {
	const plane = lines.subarray(polarity * rows * width, (polarity + 1) * rows * width);
	// Lines tremble: a neighbor's evidence counts as well.
	const best = plane.map((v, i) => {
		const x = i % width;
		return Math.max(v, x > 0 ? plane[i - 1]! : 0, x < width - 1 ? plane[i + 1]! : 0);
	});
	const scores = new Float64Array(width).fill(-Infinity);
	const leans = new Int32Array(width);
	for (let k = 0; k <= 2 * LEANS; k++) {
		columnScores(best, rows, width, leanAt(k, height)).forEach((score, x) => {
			const value = score - 1e-3 * Math.abs(k - LEANS);
			if (value <= scores[x]!) return;
			scores[x] = value;
			leans[x] = k;
		});
	}
	return { scores, leans };
}

/** Pixels that a line may have wandered in so many frames. */
const reachOf = (gap: number): number => Math.min(12, Math.ceil(1.5 + 2 * WANDER * Math.sqrt(gap)));

/** Columns that have the most evidence together, no step further than a line wanders. */
function bestPath(scores: readonly Float64Array[], gaps: readonly number[]): number[] {
	const width = scores[0]!.length;
	let total = Float64Array.from(scores[0]!);
	const back: Int32Array[] = [new Int32Array(width)];
	for (let n = 1; n < scores.length; n++) {
		const reach = reachOf(gaps[n - 1]!);
		const next = new Float64Array(width);
		const came = new Int32Array(width);
		for (let x = 0; x < width; x++) {
			let best = -Infinity;
			// The nearest first: of equals the stillest.
			for (let k = 0; k <= 2 * reach; k++) {
				const step = k % 2 === 1 ? -((k + 1) / 2) : k / 2;
				const at = x + step;
				if (at < 0 || at >= width) continue;
				const value = total[at]! - 0.01 * Math.abs(step);
				if (value > best) [best, came[x]] = [value, at];
			}
			next[x] = best + scores[n]![x]!;
		}
		total = next;
		back.push(came);
	}
	const path = [total.indexOf(total.reduce((a, b) => Math.max(a, b)))];
	for (let n = scores.length - 1; n > 0; n--) path.unshift(back[n]![path[0]!]!);
	return path;
}

/** First and last of the run in which evidence above {@link PRESENT} outweighs what is below it, and by how much. */
function longestRun(values: readonly number[]): { first: number; last: number; sum: number } {
	let found = { first: 0, last: 0, sum: -Infinity };
	let [first, sum] = [0, 0];
	values.forEach((value, n) => {
		if (sum <= 0) [first, sum] = [n, 0];
		sum += value - PRESENT;
		if (sum > found.sum) found = { first, last: n, sum };
	});
	return found;
}

/** A line's column at half height, to a part of a pixel. */
function placeOf({ lines, rows, width }: Look, polarity: number, column: number, lean: number): number {
	let [sum, moment] = [0, 0];
	for (let r = 0; r < rows; r++) {
		const shift = shiftOf(lean, r, rows);
		for (let u = -3; u <= 3; u++) {
			const value = lines[(polarity * rows + r) * width + clamp(column + u + shift, 0, width - 1)]!;
			sum += value;
			moment += value * u;
		}
	}
	return column + moment / Math.max(sum, 1e-6);
}

/** How far the picture around a column moved to the right from one look to another, and the variance of that; pixels. */
export function displacement(a: Look, b: Look, column: number): { moved: number; variance: number } {
	const { rows, width } = a;
	const at: number[] = [];
	for (let x = column - FAR; x <= column + FAR; x++) {
		if (Math.abs(x - column) >= NEAR && x >= SEARCH && x < width - SEARCH) at.push(x);
	}
	if (at.length < FAR / 2) return { moved: 0, variance: UNKNOWN };
	const errors = Array.from({ length: 2 * SEARCH + 1 }, (_, k) => {
		let sum = 0;
		for (let r = 0; r < rows; r++) {
			for (const x of at) sum += (b.luma[r * width + x + k - SEARCH]! - a.luma[r * width + x]!) ** 2;
		}
		return sum / (rows * at.length);
	});
	const least = Math.min(...errors);
	const best = errors.indexOf(least);
	if (best === 0 || best === 2 * SEARCH) return { moved: 0, variance: UNKNOWN };
	const [before, after] = [errors[best - 1]!, errors[best + 1]!];
	const bend = Math.max((before + after) / 2 - least, 1e-12);
	return { moved: best - SEARCH + (before - after) / (4 * bend), variance: (least + 1e-6) / bend / rows };
}

/** Log likelihood ratio, scratch against picture, over the steps from look to look. */
function motionOf(looks: readonly Look[], places: readonly number[], columns: readonly number[]): number {
	let total = 0;
	for (let n = 1; n < looks.length; n++) {
		const [a, b] = [looks[n - 1]!, looks[n]!];
		const { moved, variance } = displacement(a, b, columns[n - 1]!);
		if (variance > VAGUE) continue;
		const step = places[n]! - places[n - 1]!;
		const film = 2 * READ ** 2 + WANDER ** 2 * Math.min(b.index - a.index, 20);
		const picture = READ ** 2 + variance;
		total += clamp(0.5 * (Math.log(picture / film) + (step - moved) ** 2 / picture - step ** 2 / film), -3, 3);
	}
	return total;
}

/**
 * All candidates of a shot, most evidence first: scratches, and lines that are the picture's own (see {@link scoreOf}).
 * @param height of the frames in pixels
 * @param breathe called between lines: yields, and throws when the job was aborted
 */
export async function findLines(
	looks: readonly Look[],
	height: number,
	breathe: () => Promise<void>,
): Promise<readonly Line[]> {
	if (looks.length === 0) return [];
	const gaps = looks.slice(1).map((look, n) => look.index - looks[n]!.index);
	const profiles: Profile[][] = [[], []];
	for (const look of looks) {
		await breathe();
		for (const polarity of [BRIGHT, DARK]) profiles[polarity]!.push(profileOf(look, polarity, height));
	}
	const scores = profiles.map((own) => own.map((p) => p.scores));
	const fewest = Math.min(looks.length, Math.max(3, Math.floor(looks.length / 4)));
	const found: Line[] = [];
	while (found.length < MOST) {
		await breathe();
		const candidates = scores.map((own): Candidate => {
			const path = bestPath(own, gaps);
			const values = path.map((x, n) => own[n]![x]!);
			return { path, values, run: longestRun(values) };
		});
		const polarity = candidates[DARK]!.run.sum > candidates[BRIGHT]!.run.sum ? DARK : BRIGHT;
		const { path, values, run } = candidates[polarity]!;
		if (run.sum <= 0 || run.last - run.first + 1 < fewest) break;
		const span = [run.first, run.last + 1] as const;
		const columns = path.slice(...span);
		const tried = columns.map((x, n) => profiles[polarity]![run.first + n]!.leans[x]!).sort((a, b) => a - b);
		const lean = leanAt(tried[(tried.length - 1) >> 1]!, height);
		const seen = looks.slice(...span);
		const places = seen.map((look, n) => placeOf(look, polarity, columns[n]!, lean));
		found.push({
			polarity,
			lean,
			path: seen.map((look, n) => [look.index, places[n]!] as const),
			evidence: values.slice(...span).reduce((a, b) => a + b) / columns.length,
			// One frame alone cannot tell.
			motion: seen.length > 1 ? motionOf(seen, places, columns) : UNDECIDED,
		});
		path.forEach((x, n) => {
			for (const own of scores) own[n]!.fill(0, Math.max(0, x - APART), x + APART + 1);
		});
	}
	return found;
}

interface Candidate {
	readonly path: readonly number[];
	readonly values: readonly number[];
	readonly run: { readonly first: number; readonly last: number; readonly sum: number };
}

/** A line's column at half height on a frame; undefined more than `spare` frames before it was first seen and after it was last. */
export function columnAt({ path }: Line, frame: number, spare: number): number | undefined {
	const [first, last] = [path[0]!, path.at(-1)!];
	if (frame < first[0] - spare || frame > last[0] + spare) return undefined;
	if (frame <= first[0]) return first[1];
	for (let n = 1; n < path.length; n++) {
		const [a, b] = [path[n - 1]!, path[n]!];
		if (frame <= b[0]) return a[1] + ((b[1] - a[1]) * (frame - a[0])) / (b[0] - a[0]);
	}
	return last[1];
}
