/**
 * Where lossless crops are cut: places at which grain and dirt can be judged, flat, mid-toned and grainy, the same in all versions. Every version
 * has a say, so that no version's own texture decides.
 */

import type { QualityFrame } from '../../contracts/quality.ts';
import type { Size } from '../../core/color.ts';
import { EmulsionError } from '../../core/errors.ts';
import { CROP, type CropChoice } from '../../core/quality.ts';
import { BLOCK } from '../noise/match.ts';
import { lumaOf, median, type Plane } from './planes.ts';

/** Texture (standard deviation of what both frames share, 8-bit codes) at which a block is half as good as a flat one. */
const TEXTURE = 6;
/** Brightness that shows grain best, and how far from it a block is still half as good. */
const TONE = { best: 0.45, half: 0.25 };
/** Steps between the places that are tried, in blocks. */
const STEP = 1;

interface Map {
	readonly columns: number;
	readonly rows: number;
	readonly scores: Float64Array;
}

/** How good each block is in one version: 0…1. */
function scoresOf(first: Plane, second: Plane): Map {
	const [columns, rows] = [Math.floor(first.width / BLOCK), Math.floor(first.height / BLOCK)];
	const area = BLOCK * BLOCK;
	const blocks = Array.from({ length: columns * rows }, (_, n) => {
		const [bx, by] = [(n % columns) * BLOCK, Math.floor(n / columns) * BLOCK];
		let [sum, squares, apart, shift] = [0, 0, 0, 0];
		for (let j = 0; j < BLOCK; j++) {
			for (let i = 0; i < BLOCK; i++) {
				const p = (by + j) * first.width + bx + i;
				const [mean, d] = [(first.data[p]! + second.data[p]!) / 2, first.data[p]! - second.data[p]!];
				sum += mean;
				squares += mean * mean;
				shift += d;
				apart += d * d;
			}
		}
		const grain = Math.max(0, apart / area - (shift / area) ** 2) / 2;
		// Of independent grain the mean of two frames keeps half: what is beyond is texture.
		const texture = Math.max(0, squares / area - (sum / area) ** 2 - grain / 2);
		return { level: sum / area, grain, texture: 255 * Math.sqrt(texture) };
	});
	const usual = median(blocks.map(({ grain }) => grain));
	const scores = blocks.map(({ level, grain, texture }) => {
		const flat = 1 / (1 + (texture / TEXTURE) ** 2);
		const toned = 2 ** -(((level - TONE.best) / TONE.half) ** 2);
		// Much more than is usual is motion, not grain.
		const grainy = usual === 0 ? 1 : Math.min(1, grain / usual) / Math.max(1, grain / (4 * usual)) ** 2;
		return flat * toned * grainy;
	});
	return { columns, rows, scores: Float64Array.from(scores) };
}

/** Sums of all blocks above and left of each corner. */
function integral({ columns, rows, scores }: Map): Float64Array {
	const sums = new Float64Array((columns + 1) * (rows + 1));
	for (let y = 0; y < rows; y++) {
		for (let x = 0; x < columns; x++) {
			const at = (y + 1) * (columns + 1) + x + 1;
			sums[at] = scores[y * columns + x]! + sums[at - 1]! + sums[at - columns - 1]! - sums[at - columns - 2]!;
		}
	}
	return sums;
}

/**
 * The best places for crops, the best one first; they do not overlap, and there are fewer where no more fit. A picture smaller than a crop is taken
 * whole in that direction. Left and top are multiples of 16, sizes even where the picture allows it.
 * @param versions two neighboring frames of each version, the same two moments, all of one size
 * @throws EmulsionError `internal` without versions, or where sizes differ
 */
export function chooseCrops(
	versions: readonly (readonly [QualityFrame, QualityFrame])[],
	{ size = CROP, count = 1 }: { readonly size?: Size; readonly count?: number } = {},
): CropChoice[] {
	const first = versions[0]?.[0];
	if (!first) throw new EmulsionError('internal', 'chooseCrops: there are no versions.');
	const { width, height } = first;
	if (versions.flat().some((frame) => frame.width !== width || frame.height !== height))
		throw new EmulsionError('internal', 'chooseCrops: the versions differ in size.');
	const maps = versions.map(([a, b]) => scoresOf(lumaOf(a), lumaOf(b)));
	const { columns, rows } = maps[0]!;
	const mean = maps[0]!.scores.map((_, i) => maps.reduce((sum, { scores }) => sum + scores[i]!, 0) / maps.length);
	const sums = integral({ columns, rows, scores: mean });
	const rect = { width: Math.min(size.width, width), height: Math.min(size.height, height) };
	const [across, down] = [Math.max(1, Math.floor(rect.width / BLOCK)), Math.max(1, Math.floor(rect.height / BLOCK))];
	const places: CropChoice[] = [];
	for (let y = 0; y * BLOCK + rect.height <= height; y += STEP) {
		for (let x = 0; x * BLOCK + rect.width <= width; x += STEP) {
			const [right, bottom] = [Math.min(columns, x + across), Math.min(rows, y + down)];
			const at = (i: number, j: number): number => sums[j * (columns + 1) + i]!;
			const sum = at(right, bottom) - at(x, bottom) - at(right, y) + at(x, y);
			const blocks = Math.max(1, (right - x) * (bottom - y));
			places.push({ rect: { x: x * BLOCK, y: y * BLOCK, ...rect }, score: sum / blocks });
		}
	}
	places.sort((a, b) => b.score - a.score);
	const chosen: CropChoice[] = [];
	for (const place of places) {
		if (chosen.length === count) break;
		const apart = ({ rect: r }: CropChoice): boolean =>
			Math.abs(r.x - place.rect.x) >= rect.width || Math.abs(r.y - place.rect.y) >= rect.height;
		if (chosen.every(apart)) chosen.push(place);
	}
	return chosen;
}
