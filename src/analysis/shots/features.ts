/**
 * What is measured between two neighbouring thumbnails: a histogram distance and a motion-compensated structural mismatch.
 *
 * Both are blind to a change of exposure, which on old film is flicker and not a cut. Methods:
 * - histograms of neighbouring frames: Zhang, Kankanhalli, Smoliar, "Automatic partitioning of full-motion video",
 *   Multimedia Systems 1 (1993); exposure is removed first by matching mean and spread.
 * - block matching before the comparison, so that motion is no mismatch: Shahraray, "Scene change detection and content-based
 *   sampling of video sequences", SPIE 2419 (1995); the match is scored by normalized correlation (Lewis, "Fast normalized
 *   cross-correlation", 1995), so that neither gain nor offset of a block counts.
 */
import type { FrameThumbnail } from './thumbnail.ts';

/** Side of a matching block, in thumbnail samples. */
export const BLOCK = 8;
/** Search radius of the block matching around no motion, and around the global motion, in thumbnail samples. */
const LOCAL_RADIUS = 6;
const GLOBAL_RADIUS = 3;
/** Standard deviation (0…1) that averaged grain, dust and coding noise can leave in a block. */
const NOISE = 0.008;
/** A block's weight grows with its contrast up to this standard deviation. */
const FULL_CONTRAST = 0.08;
/** The least and the largest gain that exposure can have between two frames of one shot. */
export const MIN_GAIN = 0.3;
/** See `MIN_GAIN`. */
export const MAX_GAIN = 3.3;
/** A block explained this well without motion is not searched further. */
const GOOD_MATCH = 0.04;
const LUMA_BINS = 64;
const CHROMA_BINS = 16;
/** Chroma spans −0.5…0.5; saturated colors are rare, so the bins span this much around neutral. */
const CHROMA_SPAN = 0.35;

/** A thumbnail with everything that is computed once per frame. */
export interface FrameFeatures {
	readonly thumb: FrameThumbnail;
	/** Mean of luma, 0…1. */
	readonly mean: number;
	/** Standard deviation of luma, 0…1. */
	readonly deviation: number;
	/** Exposure-normalized cumulative luma histogram, `LUMA_BINS` values 0…1. */
	readonly cumulative: Float32Array;
	/** Smoothed chroma histogram, sums to 1. */
	readonly chroma: Float32Array;
	/** Sum and sum of squares of the 8×8 window whose top left sample is at (x, y), on the full grid. */
	readonly sums: Float32Array;
	readonly squares: Float32Array;
	/** Luma at a quarter of the size, for the global search. */
	readonly coarse: Float32Array;
	readonly coarseWidth: number;
	readonly coarseHeight: number;
	/** Mean of `coarse`. */
	readonly coarseMean: number;
}

/** What differs between two neighboring frames; all 0…1, and near 0 inside a shot. */
export interface PairFeatures {
	/** Distance of the exposure-normalized luma histograms and the chroma histograms. */
	readonly histogram: number;
	/** Weighted share of the new frame's structure that no block of the old one explains. */
	readonly forward: number;
	/** The same from the new frame to the old one. */
	readonly backward: number;
	/** Mean absolute difference of luma and chroma at each block's best motion, after a global exposure fit. */
	readonly residual: number;
	/** Mean absolute difference of luma and chroma without motion or exposure. */
	readonly difference: number;
	/** Mean of both frames' luma standard deviations: what `residual` would be, about, if nothing were explained. */
	readonly contrast: number;
}

function windowSums(luma: Float32Array, width: number, height: number): { sums: Float32Array; squares: Float32Array } {
	const across = width - BLOCK + 1;
	const down = height - BLOCK + 1;
	const rowSums = new Float32Array(across * height);
	const rowSquares = new Float32Array(across * height);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < across; x++) {
			let sum = 0;
			let square = 0;
			for (let i = 0; i < BLOCK; i++) {
				const v = luma[y * width + x + i]!;
				sum += v;
				square += v * v;
			}
			rowSums[y * across + x] = sum;
			rowSquares[y * across + x] = square;
		}
	}
	const sums = new Float32Array(across * down);
	const squares = new Float32Array(across * down);
	for (let y = 0; y < down; y++) {
		for (let x = 0; x < across; x++) {
			let sum = 0;
			let square = 0;
			for (let i = 0; i < BLOCK; i++) {
				sum += rowSums[(y + i) * across + x]!;
				square += rowSquares[(y + i) * across + x]!;
			}
			sums[y * across + x] = sum;
			squares[y * across + x] = square;
		}
	}
	return { sums, squares };
}

function lumaCumulative(luma: Float32Array, mean: number, deviation: number): Float32Array {
	// Matching mean and spread removes gain and lift; a floor keeps noise in flat frames from being blown up.
	const scale = 1 / (6 * Math.max(deviation, 0.03));
	const out = new Float32Array(LUMA_BINS);
	for (const v of luma) {
		const at = ((v - mean) * scale + 0.5) * LUMA_BINS;
		out[Math.max(0, Math.min(LUMA_BINS - 1, Math.floor(at)))]! += 1;
	}
	let sum = 0;
	for (let i = 0; i < LUMA_BINS; i++) {
		sum += out[i]! / luma.length;
		out[i] = sum;
	}
	return out;
}

/** Bilinear (soft) binning, so that a small shift of hue moves little mass. */
function chromaHistogram(cb: Float32Array, cr: Float32Array): Float32Array {
	const out = new Float32Array(CHROMA_BINS * CHROMA_BINS);
	const last = CHROMA_BINS - 1;
	const place = (v: number): number => Math.max(0, Math.min(last - 1e-3, (v / CHROMA_SPAN + 0.5) * last));
	for (let i = 0; i < cb.length; i++) {
		const u = place(cb[i]!);
		const v = place(cr[i]!);
		const x = Math.floor(u);
		const y = Math.floor(v);
		const fx = u - x;
		const fy = v - y;
		const at = y * CHROMA_BINS + x;
		out[at]! += (1 - fx) * (1 - fy);
		out[at + 1]! += fx * (1 - fy);
		out[at + CHROMA_BINS]! += (1 - fx) * fy;
		out[at + CHROMA_BINS + 1]! += fx * fy;
	}
	for (let i = 0; i < out.length; i++) out[i]! /= cb.length;
	return out;
}

function quarter(thumb: FrameThumbnail): Pick<FrameFeatures, 'coarse' | 'coarseWidth' | 'coarseHeight' | 'coarseMean'> {
	const coarseWidth = Math.max(1, thumb.width >> 2);
	const coarseHeight = Math.max(1, thumb.height >> 2);
	const coarse = new Float32Array(coarseWidth * coarseHeight);
	for (let y = 0; y < coarseHeight; y++) {
		for (let x = 0; x < coarseWidth; x++) {
			let sum = 0;
			for (let v = 0; v < 4; v++) for (let u = 0; u < 4; u++) sum += thumb.luma[(4 * y + v) * thumb.width + 4 * x + u]!;
			coarse[y * coarseWidth + x] = sum / 16;
		}
	}
	const coarseMean = coarse.reduce((sum, v) => sum + v, 0) / coarse.length;
	return { coarse, coarseWidth, coarseHeight, coarseMean };
}

/** Computes what a thumbnail needs once. The thumbnail must be at least 8×8 and finite. */
export function frameFeatures(thumb: FrameThumbnail): FrameFeatures {
	let sum = 0;
	let square = 0;
	for (const v of thumb.luma) {
		sum += v;
		square += v * v;
	}
	const count = thumb.luma.length;
	const mean = sum / count;
	const deviation = Math.sqrt(Math.max(0, square / count - mean * mean));
	return {
		thumb,
		mean,
		deviation,
		cumulative: lumaCumulative(thumb.luma, mean, deviation),
		chroma: chromaHistogram(thumb.cb, thumb.cr),
		...windowSums(thumb.luma, thumb.width, thumb.height),
		...quarter(thumb),
	};
}

/** Area between the normalized cumulative histograms (the earth mover's distance in one dimension) and half the chroma difference. */
export function histogramDistance(a: FrameFeatures, b: FrameFeatures): number {
	let luma = 0;
	for (let i = 0; i < LUMA_BINS; i++) luma += Math.abs(a.cumulative[i]! - b.cumulative[i]!);
	let chroma = 0;
	for (let i = 0; i < a.chroma.length; i++) chroma += Math.abs(a.chroma[i]! - b.chroma[i]!);
	return Math.min(1, (4 * luma) / LUMA_BINS + chroma / 2);
}

/** Normalized correlation of the quarter-size pictures over their overlap when b's content has moved by (dx, dy). */
function coarseCorrelation(a: FrameFeatures, b: FrameFeatures, dx: number, dy: number): number {
	const { coarseWidth: width, coarseHeight: height } = a;
	let n = 0;
	let sa = 0;
	let sb = 0;
	let saa = 0;
	let sbb = 0;
	let sab = 0;
	for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
		for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++) {
			const u = a.coarse[(y - dy) * width + x - dx]!;
			const v = b.coarse[y * width + x]!;
			n++;
			sa += u;
			sb += v;
			saa += u * u;
			sbb += v * v;
			sab += u * v;
		}
	}
	const va = saa - (sa * sa) / n;
	const vb = sbb - (sb * sb) / n;
	const floor = n * NOISE * NOISE;
	return (sab - (sa * sb) / n) / Math.sqrt((va + floor) * (vb + floor));
}

/** The motion (in thumbnail samples) of the whole picture from a to b, by correlation over up to half the frame. */
export function globalMotion(a: FrameFeatures, b: FrameFeatures): { dx: number; dy: number } {
	const rangeX = a.coarseWidth >> 1;
	const rangeY = a.coarseHeight >> 1;
	let best = coarseCorrelation(a, b, 0, 0);
	let found = { dx: 0, dy: 0 };
	for (let dy = -rangeY; dy <= rangeY; dy++) {
		for (let dx = -rangeX; dx <= rangeX; dx++) {
			// The less two pictures overlap, the more easily they agree by chance.
			const overlap = ((a.coarseWidth - Math.abs(dx)) * (a.coarseHeight - Math.abs(dy))) / a.coarse.length;
			const score = coarseCorrelation(a, b, dx, dy) - 0.25 * (1 - overlap);
			if (score > best + 0.02) {
				best = score;
				found = { dx: 4 * dx, dy: 4 * dy };
			}
		}
	}
	return found;
}

/** Where a block came from, and how badly the best source explains it. */
interface Match {
	/** Unexplained share of the block's variance, 0…1. */
	error: number;
	x: number;
	y: number;
}

/** The share of b's block at (bx, by) that a's at (ax, ay) leaves unexplained, for the best gain and offset. */
function unexplained(a: FrameFeatures, b: FrameFeatures, ax: number, ay: number, bx: number, by: number): number {
	const width = a.thumb.width;
	const across = width - BLOCK + 1;
	const la = a.thumb.luma;
	const lb = b.thumb.luma;
	let cross = 0;
	for (let y = 0; y < BLOCK; y++) {
		const ra = (ay + y) * width + ax;
		const rb = (by + y) * width + bx;
		for (let x = 0; x < BLOCK; x++) cross += la[ra + x]! * lb[rb + x]!;
	}
	const n = BLOCK * BLOCK;
	const ia = ay * across + ax;
	const ib = by * across + bx;
	const sa = a.sums[ia]!;
	const sb = b.sums[ib]!;
	const floor = NOISE * NOISE;
	const va = Math.max(0, a.squares[ia]! / n - (sa / n) ** 2);
	const vb = Math.max(0, b.squares[ib]! / n - (sb / n) ** 2);
	const cov = cross / n - (sa / n) * (sb / n);
	const gain = Math.max(MIN_GAIN, Math.min(MAX_GAIN, cov / (va + 1e-9)));
	const rest = Math.max(0, vb - gain * (2 * cov - gain * va) - floor);
	return Math.min(1, rest / (vb + floor));
}

function matchBlock(
	a: FrameFeatures,
	b: FrameFeatures,
	bx: number,
	by: number,
	motion: { dx: number; dy: number },
): Match {
	const best: Match = { error: unexplained(a, b, bx, by, bx, by), x: bx, y: by };
	if (best.error <= GOOD_MATCH) return best;
	const search = (cx: number, cy: number, radius: number): void => {
		const right = a.thumb.width - BLOCK;
		const bottom = a.thumb.height - BLOCK;
		for (let y = Math.max(0, cy - radius); y <= Math.min(bottom, cy + radius); y++) {
			for (let x = Math.max(0, cx - radius); x <= Math.min(right, cx + radius); x++) {
				const error = unexplained(a, b, x, y, bx, by);
				if (error < best.error) {
					best.error = error;
					best.x = x;
					best.y = y;
				}
			}
		}
	};
	search(bx, by, LOCAL_RADIUS);
	const far = Math.abs(motion.dx) > LOCAL_RADIUS - 2 || Math.abs(motion.dy) > LOCAL_RADIUS - 2;
	if (far && best.error > GOOD_MATCH) search(bx - motion.dx, by - motion.dy, GLOBAL_RADIUS);
	return best;
}

/** Top left positions of blocks that cover `length` samples, overlapping where it is no multiple of the block. */
function blockStarts(length: number): number[] {
	const count = Math.ceil(length / BLOCK);
	if (count === 1) return [0];
	return Array.from({ length: count }, (_, i) => Math.round((i * (length - BLOCK)) / (count - 1)));
}

/** Matches every block of b in a. `mismatch` is weighted by contrast: a flat block says nothing about structure. */
function compareStructure(
	a: FrameFeatures,
	b: FrameFeatures,
	motion: { dx: number; dy: number },
): { mismatch: number; texture: number; matches: Match[]; starts: { x: number; y: number }[] } {
	const { width, height } = b.thumb;
	const across = width - BLOCK + 1;
	const n = BLOCK * BLOCK;
	const matches: Match[] = [];
	const starts: { x: number; y: number }[] = [];
	let total = 0;
	let wrong = 0;
	for (const y of blockStarts(height)) {
		for (const x of blockStarts(width)) {
			const at = y * across + x;
			const deviation = Math.sqrt(Math.max(0, b.squares[at]! / n - (b.sums[at]! / n) ** 2));
			const weight = Math.max(0, Math.min(1, (deviation - NOISE) / FULL_CONTRAST));
			const match = matchBlock(a, b, x, y, motion);
			total += weight;
			wrong += weight * match.error;
			matches.push(match);
			starts.push({ x, y });
		}
	}
	const texture = total / matches.length;
	return { mismatch: total > 0 ? wrong / total : 0, texture, matches, starts };
}

function meanDifference(a: FrameThumbnail, b: FrameThumbnail): number {
	let sum = 0;
	for (let i = 0; i < a.luma.length; i++)
		sum += Math.abs(a.luma[i]! - b.luma[i]!) + Math.abs(a.cb[i]! - b.cb[i]!) + Math.abs(a.cr[i]! - b.cr[i]!);
	return Math.min(1, sum / a.luma.length);
}

/** Mean absolute difference after motion; the exposure between the frames is the one that matches mean and spread of the luma. */
function compensatedDifference(
	a: FrameFeatures,
	b: FrameFeatures,
	matches: readonly Match[],
	starts: readonly { x: number; y: number }[],
): number {
	const width = a.thumb.width;
	const gain = Math.max(MIN_GAIN, Math.min(MAX_GAIN, (b.deviation + NOISE) / (a.deviation + NOISE)));
	let sum = 0;
	matches.forEach((match, index) => {
		const start = starts[index]!;
		for (let y = 0; y < BLOCK; y++) {
			for (let x = 0; x < BLOCK; x++) {
				const i = (match.y + y) * width + match.x + x;
				const j = (start.y + y) * width + start.x + x;
				const predicted = b.mean + gain * (a.thumb.luma[i]! - a.mean);
				sum +=
					Math.abs(predicted - b.thumb.luma[j]!) +
					Math.abs(a.thumb.cb[i]! - b.thumb.cb[j]!) +
					Math.abs(a.thumb.cr[i]! - b.thumb.cr[j]!);
			}
		}
	});
	return Math.min(1, sum / (matches.length * BLOCK * BLOCK));
}

/** Measures a pair of neighbors. Both thumbnails must have the same size. */
export function comparePair(a: FrameFeatures, b: FrameFeatures): PairFeatures {
	const difference = meanDifference(a.thumb, b.thumb);
	const histogram = histogramDistance(a, b);
	const motion = globalMotion(a, b);
	const there = compareStructure(a, b, motion);
	const back = compareStructure(b, a, { dx: -motion.dx, dy: -motion.dy });
	return {
		histogram,
		forward: there.mismatch,
		backward: back.mismatch,
		residual: compensatedDifference(a, b, there.matches, there.starts),
		difference,
		contrast: (a.deviation + b.deviation) / 2,
	};
}
