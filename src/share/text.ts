/** Words from other people: bounded, in one normal form, without what could act on the page around them. */

import * as v from 'valibot';

/**
 * Removes control characters but line feeds and tabs, and the characters that turn the direction of what follows
 * (Unicode TR 36 §2.7, "bidirectional spoofing"): text stays itself, and cannot reorder the interface it is shown in.
 */
export function cleanText(text: string): string {
	return text
		.normalize('NFC')
		.replace(/\r\n?/g, '\n')
		.replace(/[\p{Cc}\p{Cs}]/gu, (c) => (c === '\n' || c === '\t' ? c : ''))
		.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** Text of at most so many characters, cleaned. */
export const Words = (most: number) =>
	// Once more after cleaning: composed forms may be longer.
	v.pipe(v.string(), v.maxLength(most), v.transform(cleanText), v.maxLength(most));

/** One line of text of at most so many characters, cleaned. */
export const Line = (most: number) =>
	v.pipe(
		v.string(),
		v.maxLength(most),
		v.transform((text) => cleanText(text).replace(/\s+/g, ' ').trim()),
		v.maxLength(most),
	);
