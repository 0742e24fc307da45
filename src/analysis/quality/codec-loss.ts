/**
 * How much of a version's grain an encoded review clip keeps. Between neighboring frames blocks are matched in the version; there the picture cancels and
 * what is left is grain. The same blocks at the same places of the decoded clip show what became of it: its power, and how much of it is still
 * the version's own grain (the projection onto it), by spatial frequency. Rate–distortion quantizers keep as much of one as of the other (the centroid
 * condition: the error is at right angles to what is sent); a decoder that lays synthetic grain keeps only power.
 */

import type { QualityFrames } from '../../contracts/quality.ts';
import { EmulsionError, throwIfAborted } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { type CodecLoss, GRAIN_KEPT_LEAST } from '../../core/quality.ts';
import { BLOCK, type Match, matchPlanes } from '../noise/match.ts';
import { alongside, type Misfit } from './alongside.ts';
import { lumaOf, type Plane } from './planes.ts';

/** Ends of the bands in cycles a pixel; what is coarser than the first is brightness and motion. */
const BANDS = [0.04, 0.1, 0.2, 0.3, 0.7072] as const;
/** Grain under this standard deviation (8-bit codes) is no more than the rounding to 8 bits: there is nothing to keep. */
const LEAST_GRAIN = 0.5;
/** Of the matched blocks the flattest third is looked at; texture that moves by broken pixels is no grain. */
const FLAT_SHARE = 1 / 3;
const LEAST_BLOCKS = 6;
/** A block with more than this many times the usual power holds something else than grain. */
const OUTLIER = 3;
/** Frames between two pairs that are compared. */
const EVERY = 8;

const AREA = BLOCK * BLOCK;
/** Rows of the orthonormal cosine transform (DCT-II). */
const COSINES = Float64Array.from({ length: AREA }, (_, i) => {
	const [k, n] = [Math.floor(i / BLOCK), i % BLOCK];
	return Math.sqrt((k === 0 ? 1 : 2) / BLOCK) * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * BLOCK));
});
/** Band of each coefficient; −1 for those that are left out. */
const BAND_OF = Int8Array.from({ length: AREA }, (_, i) => {
	const frequency = Math.hypot(Math.floor(i / BLOCK), i % BLOCK) / (2 * BLOCK);
	return frequency < BANDS[0] ? -1 : BANDS.findIndex((end, k) => k > 0 && frequency <= end) - 1;
});

function transform(block: Float64Array): Float64Array {
	const rows = new Float64Array(AREA);
	const out = new Float64Array(AREA);
	for (let y = 0; y < BLOCK; y++) {
		for (let k = 0; k < BLOCK; k++) {
			let sum = 0;
			for (let n = 0; n < BLOCK; n++) sum += COSINES[k * BLOCK + n]! * block[y * BLOCK + n]!;
			rows[y * BLOCK + k] = sum;
		}
	}
	for (let x = 0; x < BLOCK; x++) {
		for (let k = 0; k < BLOCK; k++) {
			let sum = 0;
			for (let n = 0; n < BLOCK; n++) sum += COSINES[k * BLOCK + n]! * rows[n * BLOCK + x]!;
			out[k * BLOCK + x] = sum;
		}
	}
	return out;
}

/** What a block of one frame has and its place in the frame before has not, over √2: independent grain keeps its strength. */
function residual(frame: Plane, before: Plane, { x, y, dx, dy }: Match): Float64Array {
	const out = new Float64Array(AREA);
	for (let j = 0, i = 0; j < BLOCK; j++) {
		const p = (y + j) * frame.width + x;
		const q = p + dy * frame.width + dx;
		for (let k = 0; k < BLOCK; k++) out[i++] = (frame.data[p + k]! - before.data[q + k]!) * Math.SQRT1_2;
	}
	return out;
}

/** Variance of the mean of a block and its match: what is not flat. */
function texture(frame: Plane, before: Plane, { x, y, dx, dy }: Match): number {
	let [sum, squares] = [0, 0];
	for (let j = 0; j < BLOCK; j++) {
		const p = (y + j) * frame.width + x;
		const q = p + dy * frame.width + dx;
		for (let k = 0; k < BLOCK; k++) {
			const v = (frame.data[p + k]! + before.data[q + k]!) / 2;
			sum += v;
			squares += v * v;
		}
	}
	return squares / AREA - (sum / AREA) ** 2;
}

/** Sums over blocks, by band. */
class Sums {
	readonly before = BANDS.slice(1).map(() => 0);
	readonly after = BANDS.slice(1).map(() => 0);
	readonly both = BANDS.slice(1).map(() => 0);
	blocks = 0;
	pairs = 0;

	/** Two neighboring frames of the version, and the same two of the clip. */
	add(version: readonly [Plane, Plane], clip: readonly [Plane, Plane]): void {
		this.pairs++;
		const found = matchPlanes(version[1], version[0])
			.filter(({ error }) => error < Infinity)
			.map((match) => ({ match, texture: texture(version[1], version[0], match) }))
			.sort((a, b) => a.texture - b.texture);
		const flat = found.slice(0, Math.max(LEAST_BLOCKS, Math.ceil(found.length * FLAT_SHARE)));
		const own = flat.map(({ match }) => ({ match, values: transform(residual(version[1], version[0], match)) }));
		const powers = own.map(({ values }) => values.reduce((sum, v, i) => sum + (BAND_OF[i]! < 0 ? 0 : v * v), 0));
		const usual = [...powers].sort((a, b) => a - b)[(powers.length - 1) >> 1] ?? 0;
		own.forEach(({ match, values }, n) => {
			if (powers[n]! > OUTLIER * usual) return;
			const coded = transform(residual(clip[1], clip[0], match));
			for (let i = 0; i < AREA; i++) {
				const band = BAND_OF[i]!;
				if (band < 0) continue;
				this.before[band]! += values[i]! ** 2;
				this.after[band]! += coded[i]! ** 2;
				this.both[band]! += values[i]! * coded[i]!;
			}
			this.blocks++;
		});
	}

	result(): CodecLoss {
		const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
		const power = total(this.before);
		const sigma = this.blocks === 0 ? 0 : 255 * Math.sqrt(power / (this.blocks * AREA));
		const { pairs } = this;
		if (sigma < LEAST_GRAIN) return { pairs, sigma, kept: null, power: null, own: null, bands: [], asksOnCrops: false };
		const bands = this.before.map((before, k) => ({
			from: BANDS[k]!,
			to: BANDS[k + 1]!,
			power: before > 0 ? this.after[k]! / before : 1,
			own: before > 0 ? this.both[k]! / before : 1,
		}));
		const shares = { power: total(this.after) / power, own: total(this.both) / power };
		const kept = Math.min(shares.power, shares.own);
		return { pairs, sigma, kept, ...shares, bands, asksOnCrops: kept < GRAIN_KEPT_LEAST };
	}
}

const MISFIT: Misfit = {
	short: (frames) => new EmulsionError('usage', phrase('clip-short', { frames })),
	size: (clip, version) => new EmulsionError('usage', phrase('clip-size', { clip, version })),
};

/**
 * Compares a version's frames with the same frames of its encoded clip, decoded again. One pair of neighboring frames of every eight is looked at;
 * a clip of two or more frames has at least one. Dithered or 8-bit frames are best given as the encoder got them.
 * @throws EmulsionError `usage` where the clip is shorter or of another size, or the version has fewer than two frames; `aborted`.
 */
export async function measureCodecLoss(
	version: QualityFrames,
	clip: QualityFrames,
	signal?: AbortSignal,
): Promise<CodecLoss> {
	const sums = new Sums();
	let last: { readonly version: Plane; readonly clip: Plane } | undefined;
	let index = 0;
	throwIfAborted(signal);
	for await (const [frame, coded] of alongside(version, clip, MISFIT)) {
		throwIfAborted(signal);
		if (last) {
			sums.add([last.version, lumaOf(frame)], [last.clip, lumaOf(coded)]);
			last = undefined;
		} else if (index % EVERY === 0) last = { version: lumaOf(frame), clip: lumaOf(coded) };
		index++;
	}
	if (sums.pairs === 0) throw new EmulsionError('usage', phrase('loss-frames', { frames: index }));
	return sums.result();
}
