/**
 * Blocks of a codec: how much steeper a picture is across the lines of an 8×8 grid than beside them. After Wang, Sheikh, Bovik: No-reference
 * perceptual quality assessment of JPEG compressed images (ICIP 2002), whose B (mean step across block borders) and A (mean step elsewhere)
 * are these; their ratio needs no fitted constants. The grid may lie anywhere: film that was cropped or padded after coding is found as well.
 */

import type { Plane } from './planes.ts';

/** Side of a block in pixels; 16×16 blocks share these lines. */
const GRID = 8;
/** Below this mean step (1/50 of a code) a picture is blank and has no blocks to speak of. */
const BLANK = 0.02 / 255;

/**
 * Mean absolute step between neighbors at each phase of the grid, along rows (`dx` 1) or columns. Steps count up to the mean one: edges of things, which
 * may well lie in one column of the picture, do not pass for a grid, as that is made of small steps everywhere.
 */
function stepsByPhase({ data, width, height }: Plane, along: 'x' | 'y'): number[] {
	const [w, h] = along === 'x' ? [width - 1, height] : [width, height - 1];
	const step = along === 'x' ? 1 : width;
	let all = 0;
	for (let y = 0; y < h; y++)
		for (let i = y * width; i < y * width + w; i++) all += Math.abs(data[i + step]! - data[i]!);
	const most = all / (w * h);
	const sums = new Float64Array(GRID);
	const counts = new Float64Array(GRID);
	for (let y = 0; y < h; y++) {
		for (let x = 0, i = y * width; x < w; x++, i++) {
			const phase = (along === 'x' ? x : y) % GRID;
			sums[phase]! += Math.min(most, Math.abs(data[i + step]! - data[i]!));
			counts[phase]!++;
		}
	}
	return Array.from(sums, (sum, k) => sum / counts[k]!);
}

/** The steepest phase against the middle of the others, minus 1. */
function excess(steps: readonly number[]): number {
	const most = Math.max(...steps);
	const others = [...steps].sort((a, b) => a - b).slice(0, GRID - 1);
	// A blank picture that steps only at block borders is nothing but blocks: the floor keeps the figure finite.
	const usual = Math.max(BLANK, others[(GRID - 1) >> 1]!);
	return most < BLANK ? 0 : Math.max(0, most / usual - 1);
}

/**
 * Blockiness in percent, 0 for a picture without blocks (a natural picture's own unevenness makes it 1 or 2); mean of both directions.
 * Null for pictures under 32 pixels on a side.
 */
export function blockiness(luma: Plane): number | null {
	if (luma.width < 4 * GRID || luma.height < 4 * GRID) return null;
	return 50 * (excess(stepsByPhase(luma, 'x')) + excess(stepsByPhase(luma, 'y')));
}
