/** What is said where grain was measured on a source whose codec changed it. */

import { codecText, isDeliveryCodec } from '../../core/codecs.ts';
import { type Phrase, phrase } from '../../core/phrases.ts';

/** The codec a measurement has to be doubted for; undefined where there is none. For an artifact, which `measuredOn` reads. */
export function doubtfulCodec(codec: string): string | undefined {
	return isDeliveryCodec(codec) ? codec : undefined;
}

/** The finding of a stage that measured grain on such a source. */
export function measuredOn(codec: string | undefined): Phrase | undefined {
	return codec === undefined ? undefined : phrase('measured-coded', { codec: codecText(codec) });
}
