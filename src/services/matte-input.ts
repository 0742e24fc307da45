/** From an open source to a matte. */

import type { SourceInfo } from '../contracts/media.ts';
import type { MatteInput, SourceId } from '../contracts/workers.ts';

/** An open source as a matte that regions may name. */
export function matteInput(
	id: string,
	source: SourceId,
	{ frames, size, rotation, fingerprint }: SourceInfo,
): MatteInput {
	return { id, source, frames: frames.length, size, rotation, fingerprint };
}
