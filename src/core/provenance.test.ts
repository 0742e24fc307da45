import { expect, it } from 'vitest';
import { say } from './phrases.ts';
import { provenancePhrase } from './provenance.ts';

it.each([
	[{ original: 1, repaired: 0, generated: 0 }, 'original'],
	[{ original: 0, repaired: 48, generated: 0 }, 'repaired'],
	[{ original: 24, repaired: 0, generated: 24 }, '50.0 % original, 50.0 % generated'],
	[{ original: 0.5, repaired: 0.25, generated: 0.25 }, '50.0 % original, 25.0 % repaired, 25.0 % generated'],
	// A single pixel is not rounded away.
	[{ original: 1 - 1e-6, repaired: 1e-6, generated: 0 }, '99.9 % original, 0.1 % repaired'],
	[{ original: 0, repaired: 0, generated: 0 }, ''],
])('%o: %s', (shares, words) => {
	expect(say(provenancePhrase(shares))).toBe(words);
});
