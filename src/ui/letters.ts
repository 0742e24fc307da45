/** What the letters of a blind review stood for, in words. */

import type { LetterKey } from '../share/letters.ts';

/** `A = Source, B = Light degrain`; empty for no letters. */
export function sayLetters(keys: readonly LetterKey[]): string {
	return keys.map(({ letter, label }) => `${letter} = ${label}`).join(', ');
}
