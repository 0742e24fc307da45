/**
 * Sharpness of edges: a picture is blurred a little and a little more; the sharper an edge was, the more of its slope that takes. After Zhuo, Sim:
 * Defocus map estimation from a single image (Pattern Recognition 44, 2011, section 3.2), who derive an edge's blur from the ratio of both
 * slopes; the ratio itself is told here, as lines and texture are sharper than any edge and have no blur of their own. Contrast cancels. Noise does
 * not, so both pictures are blurred before anything is measured, only slopes that stand out from the noise count, and the
 * noise's own power is taken off.
 */

import { gaussianTaps, median, type Plane, separable } from './planes.ts';

/** The two blurs, in pixels. */
const [FINE, COARSE] = [1, 2];
const FINE_TAPS = gaussianTaps(FINE);
/** √(2² − 1²): the fine one blurred by this is the coarse one. */
const MORE_TAPS = gaussianTaps(Math.sqrt(COARSE ** 2 - FINE ** 2));
/** Slopes under this (codes a pixel ÷ 255) are no edges, however clean the picture. */
const LEAST_SLOPE = 1.5 / 255;
/** Edges stand out from the flattest blocks' slopes by this factor. */
const STANDS_OUT = 4;
/** Side of the blocks whose slopes are compared, and share of them that is taken for flat. */
const BLOCK = 16;
const FLAT = 0.2;
/** Edge pixels that a picture must have. */
const LEAST_EDGES = 64;
interface Slopes {
	readonly x: Float32Array;
	readonly y: Float32Array;
	/** Squared magnitudes. */
	readonly power: Float32Array;
}

function slopes({ data, width, height }: Plane): Slopes {
	const [x, y, power] = [0, 0, 0].map(() => new Float32Array(data.length)) as [
		Float32Array,
		Float32Array,
		Float32Array,
	];
	for (let row = 1; row < height - 1; row++) {
		for (let i = row * width + 1; i < (row + 1) * width - 1; i++) {
			x[i] = (data[i + 1]! - data[i - 1]!) / 2;
			y[i] = (data[i + width]! - data[i - width]!) / 2;
			power[i] = x[i]! ** 2 + y[i]! ** 2;
		}
	}
	return { x, y, power };
}

/** Mean power of both slopes in the blocks where the fine one is flattest: what noise alone has. */
function flatPower(fine: Slopes, coarse: Slopes, { width, height }: Plane): [number, number] {
	const blocks: (readonly [number, number])[] = [];
	for (let by = 1; by + BLOCK < height; by += BLOCK) {
		for (let bx = 1; bx + BLOCK < width; bx += BLOCK) {
			let [a, b] = [0, 0];
			for (let y = by; y < by + BLOCK; y++) {
				for (let i = y * width + bx; i < y * width + bx + BLOCK; i++) {
					a += fine.power[i]!;
					b += coarse.power[i]!;
				}
			}
			blocks.push([a / BLOCK ** 2, b / BLOCK ** 2]);
		}
	}
	blocks.sort((p, q) => p[0] - q[0]);
	const flat = blocks.slice(0, Math.max(1, Math.ceil(blocks.length * FLAT)));
	return [median(flat.map(([a]) => a)), median(flat.map(([, b]) => b))];
}

/** True where the slope is the steepest one across its edge. */
function isCrest({ x, y, power }: Slopes, i: number, width: number): boolean {
	const [ax, ay] = [Math.abs(x[i]!), Math.abs(y[i]!)];
	// The neighbors across the edge, to the nearest of four directions (tan 22.5° = 0.414).
	const step = ay < 0.414 * ax ? 1 : ax < 0.414 * ay ? width : x[i]! * y[i]! > 0 ? width + 1 : width - 1;
	return power[i]! >= power[i - step]! && power[i]! > power[i + step]!;
}

/**
 * Power that the slopes of edges lose by the second blur, in dB. A straight edge blurred by σ pixels has
 * 10 · log₁₀((σ² + 4⅓) ÷ (σ² + 1⅓)): 5.1 for an ideal one, 3.6 for σ 1, 2.2 for σ 2; fine texture has up to 8. Null where the picture has too few
 * edges to tell.
 */
export function sharpness(luma: Plane): number | null {
	const { width, height } = luma;
	if (width < 2 * BLOCK || height < 2 * BLOCK) return null;
	const once = separable(luma, FINE_TAPS);
	const fine = slopes(once);
	const coarse = slopes(separable(once, MORE_TAPS));
	const [noiseFine, noiseCoarse] = flatPower(fine, coarse, luma);
	const least = Math.max(LEAST_SLOPE ** 2, STANDS_OUT ** 2 * noiseFine);
	let [sumFine, sumCoarse, count] = [0, 0, 0];
	// Borders are repeated values, which no edge crosses.
	for (let row = 4; row < height - 4; row++) {
		for (let i = row * width + 4; i < (row + 1) * width - 4; i++) {
			if (fine.power[i]! < least || !isCrest(fine, i, width)) continue;
			sumFine += fine.power[i]! - noiseFine;
			sumCoarse += coarse.power[i]! - noiseCoarse;
			count++;
		}
	}
	if (count < LEAST_EDGES) return null;
	return 10 * Math.log10(Math.max(1, sumFine / sumCoarse));
}
