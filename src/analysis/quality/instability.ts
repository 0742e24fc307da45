/**
 * Temporal consistency: what a frame has that the one before, moved to it, does not. Pictures are reduced first and blocks matched by whole
 * pixels (the warping error of video restoration's literature, Lai et al.: Learning blind video temporal consistency, ECCV 2018, with
 * block matching for flow). Grain differs between frames as well: of blocks equally bright the calmest ones tell how much, and only what others have beyond
 * that counts. Changes of brightness are flicker's and taken off.
 */

import { BLOCK, matchPlanes } from '../noise/match.ts';
import { type Plane, reduceBy } from './planes.ts';

/** Longest side of the pictures compared. */
const SIDE = 480;
/** Steps of brightness within which blocks are compared, and the quantile of their residuals that is grain. */
const STEPS = 6;
const CALM = 0.3;

/** The picture as {@link instability} takes it. */
export function reducedForMatching(luma: Plane): Plane {
	return reduceBy(luma, Math.max(1, Math.ceil(Math.max(luma.width, luma.height) / SIDE)));
}

const mean = ({ data }: Plane): number => data.reduce((sum, v) => sum + v, 0) / data.length;

/**
 * Root mean square over the picture in 8-bit codes; null where no block could be compared. Both planes are reduced, of one size. The outermost blocks are
 * left out where there are others: what comes into the picture was not in the frame before.
 */
export function instability(frame: Plane, before: Plane): number | null {
	const { width, height } = frame;
	const shift = mean(frame) - mean(before);
	// Of one brightness, or blocks would move to where the picture is brighter.
	const level = { ...before, data: before.data.map((v) => v + shift) };
	const edge = Math.min(width, height) >= 6 * BLOCK ? BLOCK : 0;
	const steps = Array.from({ length: STEPS }, (): number[] => []);
	for (const { x, y, dx, dy, error } of matchPlanes(frame, level)) {
		if (error === Infinity || x < edge || y < edge || x + BLOCK + edge > width || y + BLOCK + edge > height) continue;
		let [sum, squares, bright] = [0, 0, 0];
		for (let j = 0; j < BLOCK; j++) {
			for (let i = 0; i < BLOCK; i++) {
				const p = (y + j) * width + x + i;
				const d = frame.data[p]! - level.data[p + dy * width + dx]!;
				sum += d;
				squares += d * d;
				bright += frame.data[p]!;
			}
		}
		const area = BLOCK * BLOCK;
		const step = Math.min(STEPS - 1, Math.max(0, Math.floor((bright / area) * STEPS)));
		steps[step]!.push(Math.max(0, squares / area - (sum / area) ** 2));
	}
	const count = steps.reduce((n, step) => n + step.length, 0);
	if (count === 0) return null;
	let beyond = 0;
	for (const step of steps) {
		step.sort((a, b) => a - b);
		const calm = step[Math.floor(step.length * CALM)] ?? 0;
		for (const power of step) beyond += Math.max(0, power - calm);
	}
	// Both frames' share of what differs.
	return 255 * Math.sqrt(beyond / count / 2);
}
