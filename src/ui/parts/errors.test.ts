import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../../core/errors.ts';
import { phrase } from '../../core/phrases.ts';
import { I18n } from '../../state/i18n/i18n.svelte.ts';
import type { Preferences } from '../../state/preferences.svelte.ts';
import { describeError } from './errors.ts';

const i18n = new I18n({ language: 'en', set: () => undefined } as unknown as Preferences);
const textOf = (error: EmulsionError) => describeError(error, i18n, []);

describe('an error in words', () => {
	it('says of a film what to do with a film', () => {
		const { what, todo } = textOf(new EmulsionError('input-truncated', 'cut'));
		expect(what).toBe('The file ends too soon.');
		expect(todo).toMatch(/out point/);
	});

	it('says of a review package and of votes what to do with those', () => {
		for (const error of [
			new EmulsionError('input-truncated', phrase('package-cut', { name: 'a', got: 1, want: 2 })),
			new EmulsionError('input-unreadable', phrase('package-fetch', { name: 'a', status: 404 })),
			new EmulsionError('review-invalid', phrase('package-not', { name: 'a' })),
			new EmulsionError('review-invalid', phrase('votes-file', { name: 'a' })),
		]) {
			const { what, todo } = textOf(error);
			expect(`${what} ${todo}`).not.toMatch(/film|image sequence|out point|make it again/i);
			expect(todo).toMatch(/package|\.emreview|\.emulsion-votes|file again/);
		}
		expect(textOf(new EmulsionError('review-invalid', phrase('votes-file', { name: 'a' }))).todo).toMatch(/sent back/);
	});
});
