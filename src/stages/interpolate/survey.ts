/** What a shot's neighboring frames have in common: decided on the source's own pictures, while the film is planned. */

import type { StageEnv, SurveyAccess, SurveyFrame } from '../../contracts/stage.ts';
import type { PairStatistics } from './pairs.ts';

/** Cells in which a local change is looked for: a mouth that speaks moves, though the mean hardly does. */
const CELLS = { width: 16, height: 12 };
/** The strongest cell counts by this fraction. */
const LOCAL = 8;
/** A common gain outside of these is a change of the picture, not flicker. */
const FLICKER = { min: 0.8, max: 1.25 };

function mean(values: Float32Array): number {
	let sum = 0;
	for (const value of values) sum += value;
	return sum / values.length;
}

/** Largest mean of a cell, over all cells and channels. */
function strongestCell(change: Float32Array, { width, height }: SurveyFrame): number {
	const across = Math.min(CELLS.width, width);
	const down = Math.min(CELLS.height, height);
	let strongest = 0;
	for (let c = 0; c < 3; c++) {
		for (let row = 0; row < down; row++) {
			const [top, bottom] = [row, row + 1].map((k) => Math.floor((k * height) / down)) as [number, number];
			for (let column = 0; column < across; column++) {
				const [left, right] = [column, column + 1].map((k) => Math.floor((k * width) / across)) as [number, number];
				let sum = 0;
				for (let y = top; y < bottom; y++) {
					const start = (c * height + y) * width;
					for (let x = left; x < right; x++) sum += change[start + x]!;
				}
				strongest = Math.max(strongest, sum / ((bottom - top) * (right - left)));
			}
		}
	}
	return strongest;
}

/**
 * Mean absolute difference in 8-bit codes, a common gain removed; a change in one place counts as well. Infinity where a
 * picture holds what is no number: then nothing is known to repeat.
 */
export function frameDifference(a: SurveyFrame, b: SurveyFrame): number {
	if (a.width !== b.width || a.height !== b.height) return Infinity;
	const [before, after] = [mean(a.rgb), mean(b.rgb)];
	const ratio = after > 1e-4 ? before / after : 1;
	const gain = ratio > FLICKER.min && ratio < FLICKER.max ? ratio : 1;
	const change = a.rgb.map((v, i) => Math.abs(v - b.rgb[i]! * gain));
	const found = Math.max(mean(change), strongestCell(change, a) / LOCAL) * 255;
	return Number.isFinite(found) ? found : Infinity;
}

/** Compares each frame of a shot with the next. */
export async function surveyPairs(
	{ range: { start, end }, frame }: SurveyAccess,
	{ breathe, onProgress }: Pick<StageEnv, 'breathe' | 'onProgress'>,
): Promise<PairStatistics> {
	const differences: number[] = [];
	let before = await frame(start);
	for (let index = start + 1; index < end; index++) {
		await breathe();
		const after = await frame(index);
		differences.push(frameDifference(before, after));
		before = after;
		onProgress({ phase: 'analyze', done: index - start, total: end - start });
	}
	return { start, differences };
}
