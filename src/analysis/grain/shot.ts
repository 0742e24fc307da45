/** The grain of a shot, from some of its pairs of neighboring frames. */

import type { FrameRange } from '../../contracts/frames.ts';
import type { Rgb } from '../noise/match.ts';
import { GrainMeter } from './measure.ts';
import type { GrainProfile } from './profile.ts';

/** Pairs of neighboring frames measured, spread over the shot. */
const PAIRS = 4;

/** First frames of the pairs to measure. */
function places({ start, end }: FrameRange): number[] {
	const last = end - 2;
	if (last < start) return [];
	const count = Math.min(PAIRS, last - start + 1);
	return [
		...new Set(Array.from({ length: count }, (_, i) => start + Math.floor(((last - start) * (i + 0.5)) / count))),
	];
}

/**
 * Measures the grain of a shot; undefined where nothing can be measured.
 * @param read a frame of the range, R′G′B′
 * @param breathe called between pairs: yields, and throws when the job was aborted
 */
export async function shotGrain(
	range: FrameRange,
	read: (index: number) => Promise<Rgb>,
	breathe: () => Promise<void>,
): Promise<GrainProfile | undefined> {
	const meter = new GrainMeter();
	for (const at of places(range)) {
		await breathe();
		const frame = await read(at);
		meter.add(frame, await read(at + 1));
	}
	return meter.profile();
}
