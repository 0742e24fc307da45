/**
 * Flicker: brightness of a region that its neighbors in time do not explain. A frame's patches are compared with straight lines through the same
 * patches of the frames around it; the middle value of a region's patches is flicker, as what moves changes some patches and not all of
 * them. (The measure of deflickering's literature, frame means after smoothing, e.g. Delon: Movie and video scale-time equalization, IEEE
 * TIP 15, 2006, by region and robust to motion.)
 */

import { median, type Plane } from './planes.ts';

/** Regions a side, and patches a side of a region. */
const REGIONS = 3;
const PATCHES = 4;
const SIDE = REGIONS * PATCHES;
/** Frames on each side that a frame is compared with. */
const REACH = 3;
/** Frames that a straight line needs beside the one it judges. */
const LEAST = 3;

/** Means of 12×12 patches, row by row; 8-bit codes. */
function patchMeans({ data, width, height }: Plane): Float64Array {
	const out = new Float64Array(SIDE * SIDE);
	const edges = (length: number): number[] =>
		Array.from({ length: SIDE + 1 }, (_, i) => Math.floor((i * length) / SIDE));
	const [xs, ys] = [edges(width), edges(height)];
	for (let j = 0; j < SIDE; j++) {
		for (let i = 0; i < SIDE; i++) {
			let sum = 0;
			for (let y = ys[j]!; y < ys[j + 1]!; y++) for (let x = xs[i]!; x < xs[i + 1]!; x++) sum += data[y * width + x]!;
			const count = (xs[i + 1]! - xs[i]!) * (ys[j + 1]! - ys[j]!);
			out[j * SIDE + i] = count > 0 ? (255 * sum) / count : 0;
		}
	}
	return out;
}

/** Weights by which the frames `offsets` away predict the one in the middle, on a straight line; and the prediction's variance for independent values of variance 1. */
function lineWeights(offsets: readonly number[]): { readonly weights: readonly number[]; readonly variance: number } {
	const n = offsets.length;
	const mean = offsets.reduce((a, b) => a + b, 0) / n;
	const spread = offsets.reduce((sum, o) => sum + (o - mean) ** 2, 0);
	const weights = offsets.map((o) => 1 / n - (mean * (o - mean)) / spread);
	return { weights, variance: weights.reduce((sum, w) => sum + w * w, 0) };
}

/** Collects a clip's frames and says how much each flickers. */
export class FlickerMeter {
	readonly #frames: Float64Array[] = [];

	/** Takes the next frame. */
	add(luma: Plane): void {
		this.#frames.push(patchMeans(luma));
	}

	/**
	 * A value a frame, 8-bit codes: root mean square over nine regions of the frame's flicker, such that independent brightness of standard deviation
	 * σ gives values whose root mean square is σ. Null where the clip has too few frames.
	 */
	series(): (number | null)[] {
		return this.#frames.map((frame, t) => {
			const others = this.#frames.slice(Math.max(0, t - REACH), t + REACH + 1);
			const first = Math.max(0, t - REACH);
			const offsets = others.map((_, i) => first + i - t).filter((o) => o !== 0);
			if (offsets.length < LEAST) return null;
			const { weights, variance } = lineWeights(offsets);
			const residual = frame.map(
				(v, p) => v - weights.reduce((sum, w, k) => sum + w * this.#frames[t + offsets[k]!]![p]!, 0),
			);
			let squares = 0;
			for (let region = 0; region < REGIONS ** 2; region++) {
				const [x, y] = [(region % REGIONS) * PATCHES, Math.floor(region / REGIONS) * PATCHES];
				const own = Array.from(
					{ length: PATCHES ** 2 },
					(_, i) => residual[(y + Math.floor(i / PATCHES)) * SIDE + x + (i % PATCHES)]!,
				);
				squares += median(own) ** 2;
			}
			return Math.sqrt(squares / REGIONS ** 2 / (1 + variance));
		});
	}
}
