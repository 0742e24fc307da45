/**
 * Noise level of a shot. In one picture, texture can pass for noise; between two frames, motion can. Both errors only ever
 * add, so the smaller of both measurements is taken, pair by pair, and the median over pairs, as many as it takes until two
 * agree. Grain that is coarser than
 * a pixel (any scanned film's) hides from both; it is measured by how blocks differ between frames that were matched.
 */

import type { Compute, Picture } from '../../contracts/compute.ts';
import type { FrameRange } from '../../contracts/frames.ts';
import { estimateNoise, withoutClipped } from './estimate.ts';
import { noiseDifference, type Rgb } from './match.ts';

/** Noise of a shot: standard deviations on the scale of the picture (σ in 8-bit codes ÷ 255). */
export interface ShotNoise {
	/** Root mean square of the three channels. */
	readonly sigma: number;
	/** Red, green, blue. */
	readonly channels: readonly [number, number, number];
}

/** What the measurement needs. */
export interface NoiseAccess {
	readonly compute: Compute;
	/** Frames of the shot. */
	readonly range: FrameRange;
	/** A frame's picture (3 channels R′G′B′), which is released after its use. */
	readonly picture: (index: number) => Promise<Picture>;
	/** Called between pairs: yields, and throws when the job was aborted. */
	readonly breathe: () => Promise<void>;
	/** Most pairs of neighboring frames looked at, spread over the shot; default 5. */
	readonly pairs?: number;
}

/** Mean difference (0.1 codes) below which a frame repeats the one before: its noise is no new sample. */
const REPEATED = 0.1 / 255;

/** True where two channels of a frame hold the same: black-and-white film. */
function sameChannels({ data, width, height }: Rgb, a: number, b: number): boolean {
	const area = width * height;
	for (let i = 0; i < area; i++) if (data[a * area + i] !== data[b * area + i]) return false;
	return true;
}

/** Noise of one channel of one frame from itself and, where there is one, its neighbor's difference. */
export function pairNoise(frame: Rgb, next: Rgb | undefined): [number, number, number] {
	const { width, height } = frame;
	const area = width * height;
	const difference = next && noiseDifference(frame, next);
	const one = (c: number): number => {
		const plane = withoutClipped(frame.data.subarray(c * area, (c + 1) * area), width, height);
		const spatial = estimateNoise(plane, width, height);
		const between = difference?.planes[c];
		if (between === undefined || difference === undefined || difference.mean < REPEATED) return spatial;
		const temporal = estimateNoise(between, width, height);
		const white = temporal > 0 ? Math.min(spatial, temporal) : spatial;
		// Scanned grain is coarser than a pixel: patches see only its finest part, the difference sees it whole.
		return Math.max(white, difference.grain[c] ?? 0);
	};
	const first = one(0);
	// The same pictures have the same noise.
	const other = (c: number): number =>
		sameChannels(frame, 0, c) && (next === undefined || sameChannels(next, 0, c)) ? first : one(c);
	return [first, other(1), other(2)];
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** First frames of the pairs to look at, inner ones first: a shot's ends may be transitions. */
function places({ start, end }: FrameRange, count: number): number[] {
	const last = Math.max(start, end - 2);
	const steps = Math.min(count, last - start + 1);
	const all = Array.from({ length: steps }, (_, i) => start + Math.floor(((last - start) * (i + 0.5)) / steps));
	const order = [1, steps - 2, 0, steps - 1, ...all.keys()].filter((i) => i >= 0 && i < steps);
	return [...new Set(order)].map((i) => all[i]!);
}

/** Two pairs that differ by no more than this share of the larger one, or by 0.15 codes, agree: a third changes nothing. */
const AGREEMENT = { share: 0.1, codes: 0.15 / 255 };

/** True when two of the pairs tell the same in every channel. */
function settled(found: readonly (readonly [number, number, number])[]): boolean {
	return found.some((a, i) =>
		found.slice(0, i).some((b) =>
			a.every((v, c) => {
				const most = Math.max(v, b[c]!);
				return Math.abs(v - b[c]!) <= Math.max(AGREEMENT.share * most, AGREEMENT.codes);
			}),
		),
	);
}

/** Measures the noise of a shot. */
export async function shotNoise(access: NoiseAccess): Promise<ShotNoise> {
	const { compute, range, picture, breathe } = access;
	const load = async (index: number): Promise<Rgb> => {
		const frame = await picture(index);
		try {
			const { width, height } = frame;
			return { data: new Float32Array(await compute.readback(frame)), width, height };
		} finally {
			frame.release();
		}
	};
	const found: [number, number, number][] = [];
	for (const at of places(range, access.pairs ?? 5)) {
		await breathe();
		const frame = await load(at);
		const next = at + 1 < range.end ? await load(at + 1) : undefined;
		await breathe();
		found.push(pairNoise(frame, next));
		if (settled(found)) break;
	}
	const channels = [0, 1, 2].map((c) => median(found.map((f) => f[c]!))) as [number, number, number];
	return { sigma: Math.sqrt(channels.reduce((sum, s) => sum + s * s, 0) / 3), channels };
}
