/**
 * Measures grain on pairs of neighboring frames. Where blocks match, the picture cancels in their difference and grain, new in every
 * frame, stays. Blocks are chosen by how flat the *mean* of both is: sum and difference of independent grain are independent,
 * so this choice does not favor weak grain, as choosing by the difference would.
 */

import { BLOCK, matchBlocks, type Rgb } from '../noise/match.ts';
import { ACF_RADIUS, ACF_SIDE, type GrainProfile, LEVELS } from './profile.ts';

/** Share of the blocks of a level that is looked at: the flattest. */
const FLAT_SHARE = 1 / 3;
/** A block whose energy is more than this many medians of its level holds something else than grain. */
const OUTLIER = 3;
/** Blocks that a level needs to speak for itself. */
const LEAST_BLOCKS = 6;
/** Mean difference (0.1 codes) below which a frame repeats the one before. */
const REPEATED = 0.1 / 255;
const AREA = BLOCK * BLOCK;

/** Grain of one block: three channels of `BLOCK`² values, mean differences taken off. */
interface GrainBlock {
	/** Mean code value of each channel. */
	readonly level: readonly number[];
	readonly values: Float32Array;
}

interface Candidate extends GrainBlock {
	/** Variance of the mean of both frames' lumas. */
	readonly texture: number;
	readonly bin: number;
}

function binOf(level: number): number {
	return Math.min(LEVELS - 1, Math.max(0, Math.floor(level * LEVELS)));
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[(sorted.length - 1) >> 1] ?? 0;
}

const meanSquare = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0) / values.length;

function candidates(a: Rgb, b: Rgb): Candidate[] {
	const area = a.width * a.height;
	return matchBlocks(a, b).map(({ x, y, dx, dy }) => {
		const values = new Float32Array(3 * AREA);
		const level = [0, 0, 0];
		const luma = new Float32Array(AREA);
		for (let c = 0; c < 3; c++) {
			for (let i = 0; i < AREA; i++) {
				const p = c * area + (y + Math.floor(i / BLOCK)) * a.width + x + (i % BLOCK);
				const [u, v] = [a.data[p]!, b.data[p + dy * a.width + dx]!];
				values[c * AREA + i] = (u - v) * Math.SQRT1_2;
				level[c]! += (u + v) / (2 * AREA);
				luma[i]! += (u + v) / 6;
			}
		}
		const mean = (level[0]! + level[1]! + level[2]!) / 3;
		return { level, values, texture: meanSquare(luma) - mean * mean, bin: binOf(mean) };
	});
}

/** The flattest blocks of each level, without what flicker adds to all of them, and without those that hold more than grain. */
function chosen(all: readonly Candidate[]): GrainBlock[] {
	const kept: GrainBlock[] = [];
	for (let bin = 0; bin < LEVELS; bin++) {
		const here = all.filter((block) => block.bin === bin).sort((p, q) => p.texture - q.texture);
		const flat = here.slice(0, Math.max(LEAST_BLOCKS, Math.ceil(here.length * FLAT_SHARE)));
		if (flat.length === 0) continue;
		const shift = [0, 1, 2].map((c) => {
			const means = flat.map(
				({ values }) => values.subarray(c * AREA, (c + 1) * AREA).reduce((s, v) => s + v, 0) / AREA,
			);
			return median(means);
		});
		for (const { values } of flat) for (let i = 0; i < values.length; i++) values[i]! -= shift[Math.floor(i / AREA)]!;
		const usual = median(flat.map(({ values }) => meanSquare(values)));
		kept.push(...flat.filter(({ values }) => meanSquare(values) <= OUTLIER * usual));
	}
	return kept;
}

/** Collects pairs of frames and says what grain they have. */
export class GrainMeter {
	readonly #blocks: GrainBlock[] = [];

	/** Blocks that were good for a measurement so far. */
	get blocks(): number {
		return this.#blocks.length;
	}

	/** Takes two neighboring frames of one size (R′G′B′); false where the second repeats the first or nothing matches. */
	add(a: Rgb, b: Rgb): boolean {
		const all = candidates(a, b);
		const moved = all.some(({ values }) => values.some((v) => Math.abs(v) > REPEATED));
		if (!moved) return false;
		this.#blocks.push(...chosen(all));
		return true;
	}

	/** The grain; undefined where there were too few blocks, or there is none. */
	profile(): GrainProfile | undefined {
		if (this.#blocks.length < LEAST_BLOCKS) return undefined;
		const sigma = [0, 1, 2].map((c) => this.#strengths(c));
		if (sigma.some((curve) => curve.every((v) => v === 0))) return undefined;
		const weigh = (level: readonly number[], c: number): number => 1 / Math.max(1e-9, sigma[c]![binOf(level[c]!)]!);
		const acf = [0, 1, 2].map((c) => this.#autocorrelation(c, weigh));
		const sums = new Array<number>(9).fill(0);
		for (const { level, values } of this.#blocks) {
			for (let c = 0; c < 3; c++) {
				for (let d = 0; d < 3; d++) {
					let sum = 0;
					for (let i = 0; i < AREA; i++) sum += values[c * AREA + i]! * values[d * AREA + i]!;
					sums[c * 3 + d]! += sum * weigh(level, c) * weigh(level, d);
				}
			}
		}
		const correlation = sums.map((v, i) => {
			const [c, d] = [Math.floor(i / 3), i % 3];
			return v / Math.sqrt(sums[c * 4]! * sums[d * 4]!);
		});
		return { sigma, acf, correlation };
	}

	/** Standard deviation at each level; levels with too few blocks take the nearest one's. */
	#strengths(channel: number): number[] {
		const bins = Array.from({ length: LEVELS }, () => ({ sum: 0, count: 0 }));
		for (const { level, values } of this.#blocks) {
			const bin = bins[binOf(level[channel]!)]!;
			bin.sum += meanSquare(values.subarray(channel * AREA, (channel + 1) * AREA));
			bin.count++;
		}
		const most = Math.max(...bins.map(({ count }) => count));
		const known = bins.map(({ count }) => count >= Math.min(LEAST_BLOCKS, most));
		return bins.map((_, k) => {
			const nearest = [...bins.keys()].filter((i) => known[i]).sort((p, q) => Math.abs(p - k) - Math.abs(q - k))[0]!;
			const { sum, count } = bins[nearest]!;
			return Math.sqrt(sum / count);
		});
	}

	#autocorrelation(channel: number, weigh: (level: readonly number[], channel: number) => number): number[] {
		const sums = new Float64Array(ACF_SIDE * ACF_SIDE);
		for (const { level, values } of this.#blocks) {
			const weight = weigh(level, channel) ** 2;
			const own = values.subarray(channel * AREA, (channel + 1) * AREA);
			// Half of the lags: the rest mirrors them.
			for (let dy = 0; dy <= ACF_RADIUS; dy++) {
				for (let dx = dy === 0 ? 0 : -ACF_RADIUS; dx <= ACF_RADIUS; dx++) {
					let sum = 0;
					const [from, to] = [Math.max(0, -dx), Math.min(BLOCK, BLOCK - dx)];
					for (let y = 0; y + dy < BLOCK; y++) {
						const p = y * BLOCK;
						const q = (y + dy) * BLOCK + dx;
						for (let x = from; x < to; x++) sum += own[p + x]! * own[q + x]!;
					}
					// Unbiased: fewer pairs reach over longer lags.
					sums[(dy + ACF_RADIUS) * ACF_SIDE + dx + ACF_RADIUS]! += (sum * weight) / ((to - from) * (BLOCK - dy));
				}
			}
		}
		const middle = sums[ACF_RADIUS * ACF_SIDE + ACF_RADIUS]!;
		return Array.from({ length: sums.length }, (_, i) => {
			const mirrored = sums.length - 1 - i;
			return (i >= (sums.length - 1) / 2 ? sums[i]! : sums[mirrored]!) / middle;
		});
	}
}
