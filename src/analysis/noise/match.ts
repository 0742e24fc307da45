/**
 * What two neighboring frames do not share: the difference after whole-pixel block matching. The picture cancels, noise
 * that is new in every frame stays. Whole pixels only, because interpolation would filter the noise that is to be measured.
 */

/** Side of the matched blocks in pixels. */
export const BLOCK = 16;
/** Reduction of the coarse search. */
const COARSE = 4;
/** Search radius on the coarse grid: ±32 pixels. */
const REACH = 8;
/**
 * A displacement is believed where it lowers the squared error to this share: among many, one always fits the noise a
 * little better, and taking it would make noise look weaker.
 */
const GAIN = 0.8;
/** Blocks outside of these means may be clipped. */
const CLIP = { low: 0.04, high: 0.96 };

interface Plane {
	readonly data: Float32Array;
	readonly width: number;
	readonly height: number;
}

/** A frame's three planes, one after the other. */
export type Rgb = Plane;

/** A block of one frame and its displacement to where it lies in the other. */
export interface Match {
	readonly x: number;
	readonly y: number;
	readonly dx: number;
	readonly dy: number;
	readonly error: number;
}

/** Mean of the three channels. */
function luma({ data, width, height }: Rgb): Plane {
	const area = width * height;
	const out = new Float32Array(area);
	for (let i = 0; i < area; i++) out[i] = (data[i]! + data[area + i]! + data[2 * area + i]!) / 3;
	return { data: out, width, height };
}

function reduced({ data, width, height }: Plane): Plane {
	const [w, h] = [Math.floor(width / COARSE), Math.floor(height / COARSE)];
	const out = new Float32Array(w * h);
	for (let y = 0; y < h * COARSE; y++) {
		const row = Math.floor(y / COARSE) * w;
		for (let x = 0; x < w * COARSE; x++) {
			out[row + Math.floor(x / COARSE)]! += data[y * width + x]! / (COARSE * COARSE);
		}
	}
	return { data: out, width: w, height: h };
}

/** Sum of squared differences of a block of `a` and one displaced in `b`; Infinity where that leaves the picture. */
function blockError(a: Plane, b: Plane, x: number, y: number, side: number, dx: number, dy: number): number {
	const { width, height } = a;
	if (x + dx < 0 || y + dy < 0 || x + dx + side > width || y + dy + side > height) return Infinity;
	let sum = 0;
	for (let j = 0; j < side; j++) {
		const p = (y + j) * width + x;
		const q = p + dy * width + dx;
		for (let i = 0; i < side; i++) {
			const d = a.data[p + i]! - b.data[q + i]!;
			sum += d * d;
		}
	}
	return sum;
}

/** The best displacement of a block within `radius` of a start, which is kept unless another is clearly better. */
function search(
	[a, b]: readonly [Plane, Plane],
	block: { readonly x: number; readonly y: number; readonly side: number },
	start: { readonly dx: number; readonly dy: number },
	radius: number,
): Match {
	const { x, y, side } = block;
	const first = blockError(a, b, x, y, side, start.dx, start.dy);
	let best: Match = { x, y, ...start, error: Infinity };
	for (let dy = start.dy - radius; dy <= start.dy + radius; dy++) {
		for (let dx = start.dx - radius; dx <= start.dx + radius; dx++) {
			const error = blockError(a, b, x, y, side, dx, dy);
			if (error < best.error) best = { x, y, dx, dy, error };
		}
	}
	return best.error < GAIN * first ? best : { x, y, ...start, error: first };
}

/** Every block of `a` that is not clipped, with where it lies in `b` (R′G′B′, one size); `error` is the squared difference of their lumas. */
export function matchBlocks(a: Rgb, b: Rgb): Match[] {
	return matchPlanes(luma(a), luma(b)).filter((m) => m.error < Infinity);
}

/** Every block of a plane that is not clipped, with where it lies in another one of its size; `error` is Infinity where it lies outside. */
export function matchPlanes(a: Plane, b: Plane): Match[] {
	const [ra, rb] = [reduced(a), reduced(b)];
	const found: Match[] = [];
	for (let y = 0; y + BLOCK <= a.height; y += BLOCK) {
		for (let x = 0; x + BLOCK <= a.width; x += BLOCK) {
			let sum = 0;
			for (let i = 0; i < BLOCK * BLOCK; i++) sum += a.data[(y + (i >> 4)) * a.width + x + (i & 15)]!;
			const mean = sum / (BLOCK * BLOCK);
			if (mean < CLIP.low || mean > CLIP.high) continue;
			const side = 8;
			const cx = Math.min(Math.max(0, x / COARSE - 2), ra.width - side);
			const cy = Math.min(Math.max(0, y / COARSE - 2), ra.height - side);
			const coarse = cx < 0 || cy < 0 ? undefined : search([ra, rb], { x: cx, y: cy, side }, { dx: 0, dy: 0 }, REACH);
			const block = { x, y, side: BLOCK };
			const still = search([a, b], block, { dx: 0, dy: 0 }, 1);
			const far = { dx: (coarse?.dx ?? 0) * COARSE, dy: (coarse?.dy ?? 0) * COARSE };
			const moved = far.dx === 0 && far.dy === 0 ? still : search([a, b], block, far, COARSE);
			found.push(moved.error < GAIN * still.error ? moved : still);
		}
	}
	return found;
}

/** What {@link noiseDifference} found. */
export interface NoiseDifference {
	/** Three planes of (a − b displaced) ÷ √2: independent noise keeps its strength. NaN where frames do not match. */
	readonly planes: readonly Float32Array<ArrayBuffer>[];
	/** Mean magnitude of those values; 0 for a repeated frame. */
	readonly mean: number;
	/**
	 * Grain of any size, not only white noise, for each channel: root mean square over the picture. Grain depends on
	 * brightness, so blocks are compared with blocks as bright as they: of each brightness, the calmer ones are believed.
	 */
	readonly grain: readonly number[];
}

/** Standard deviation of one block of a plane. */
function blockDeviation(plane: Float32Array, width: number, x: number, y: number): number {
	let [sum, squares] = [0, 0];
	for (let j = 0; j < BLOCK; j++) {
		for (let i = 0; i < BLOCK; i++) {
			const v = plane[(y + j) * width + x + i]!;
			sum += v;
			squares += v * v;
		}
	}
	const count = BLOCK * BLOCK;
	return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/** Steps of brightness within which blocks are compared. */
const STEPS = 12;
/** Of the blocks of one brightness, this quantile of their deviations is the grain: motion and texture only add. */
const CALM = 0.3;

/** Root mean square, over the picture's blocks, of the grain that blocks of their brightness have; one value a channel. */
function grainByBrightness(a: Rgb, b: Rgb, found: readonly Match[]): number[] {
	const { width, height } = a;
	const area = width * height;
	const difference = new Float32Array(area);
	return [0, 1, 2].map((c) => {
		const steps = Array.from({ length: STEPS }, (): number[] => []);
		for (const { x, y, dx, dy } of found) {
			let sum = 0;
			for (let j = 0; j < BLOCK; j++) {
				for (let i = 0; i < BLOCK; i++) {
					const p = (y + j) * width + x + i;
					const value = a.data[c * area + p]!;
					sum += value;
					difference[p] = (value - b.data[c * area + p + dy * width + dx]!) * Math.SQRT1_2;
				}
			}
			const step = Math.min(STEPS - 1, Math.max(0, Math.floor((sum / (BLOCK * BLOCK)) * STEPS)));
			steps[step]!.push(blockDeviation(difference, width, x, y));
		}
		let squares = 0;
		for (const step of steps) {
			const sorted = step.sort((p, q) => p - q);
			const calm = sorted[Math.floor(sorted.length * CALM)] ?? 0;
			squares += sorted.length * calm * calm;
		}
		return Math.sqrt(squares / found.length);
	});
}

/** The difference of two frames (R′G′B′, one size), in the better-matching half of their blocks; undefined where none can be matched. */
export function noiseDifference(a: Rgb, b: Rgb): NoiseDifference | undefined {
	const { width, height } = a;
	const found = matchBlocks(a, b);
	if (found.length === 0) return undefined;
	const kept = found.sort((p, q) => p.error - q.error).slice(0, Math.ceil(found.length / 2));
	const area = width * height;
	const planes = [0, 1, 2].map(() => new Float32Array(area).fill(NaN));
	let sum = 0;
	for (const { x, y, dx, dy } of kept) {
		planes.forEach((plane, c) => {
			for (let j = 0; j < BLOCK; j++) {
				for (let i = 0; i < BLOCK; i++) {
					const p = (y + j) * width + x + i;
					const d = (a.data[c * area + p]! - b.data[c * area + p + dy * width + dx]!) * Math.SQRT1_2;
					plane[p] = d;
					sum += Math.abs(d);
				}
			}
		});
	}
	const grain = grainByBrightness(a, b, found);
	return { planes, mean: sum / (kept.length * BLOCK * BLOCK * 3), grain };
}
