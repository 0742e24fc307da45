/** Two streams of frames, pulled together. */

import type { QualityFrame, QualityFrames } from '../../contracts/quality.ts';
import type { EmulsionError } from '../../core/errors.ts';

/** What to throw where the second stream does not fit the first. */
export interface Misfit {
	/** It ended after so many frames, before the first did. */
	readonly short: (frames: number) => EmulsionError;
	/** Its pictures have another size; both as `640×480`. */
	readonly size: (second: string, first: string) => EmulsionError;
}

const named = ({ width, height }: QualityFrame): string => `${width}×${height}`;

/** Pairs of frames as long as the first stream goes; the second is told to end with it, on success, error and early return. */
export async function* alongside(
	first: QualityFrames,
	second: QualityFrames,
	misfit: Misfit,
): AsyncGenerator<readonly [QualityFrame, QualityFrame]> {
	const others = Symbol.asyncIterator in second ? second[Symbol.asyncIterator]() : second[Symbol.iterator]();
	try {
		let count = 0;
		for await (const frame of first) {
			const other = await others.next();
			if (other.done === true) throw misfit.short(count);
			if (named(other.value) !== named(frame)) throw misfit.size(named(other.value), named(frame));
			count++;
			yield [frame, other.value];
		}
	} finally {
		await others.return?.();
	}
}
