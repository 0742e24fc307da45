/** How long a film's sound plays before its first picture. */

import { compare, type Rational, rational, sub, ZERO } from '../../core/rational.ts';
import type { AudioTrackInfo } from '../../contracts/media.ts';

/** Codecs whose encoders put priming samples before the sound; many containers (MPEG-TS, AVI, old Matroska) do not say so. */
const PRIMED: readonly string[] = ['aac', 'mp2', 'mp3', 'ac3', 'eac3', 'opus', 'vorbis'];
/** Samples of the longest packet among them (HE-AAC). */
const PRIMING = 2048;

/**
 * Seconds from a track's first sample to the first picture (`picture` seconds on the source's clock), which belong to the
 * film; zero where the sound starts with the picture or after it. Of a codec with priming, a lead of no more than a packet
 * is priming that no header states, and not sound.
 */
export function soundLead(track: AudioTrackInfo, picture: Rational): Rational {
	const lead = sub(picture, track.start);
	const primed = PRIMED.includes(track.codec) && track.sampleRate > 0;
	return compare(lead, primed ? rational(PRIMING, track.sampleRate) : ZERO) > 0 ? lead : ZERO;
}
