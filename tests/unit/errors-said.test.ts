/** Errors that a person may meet say what happened as data, so that the editor says it in the person's language. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmulsionError, fromRecord } from '../../src/core/errors.ts';
import { isPhrase, phrase, spoken } from '../../src/core/phrases.ts';

/** Faults of the program itself, whose words are for its authors, and what a person asked for. */
const WORDS = ['internal', 'aborted'];
/** A sentence as data: made here, handed in, or taken from another error. */
const SAID = /^(?:phrase\(|said\b|[\w.]+\.said\b|[\w.]+\s+\? phrase\()/;

function sources(folder: string): string[] {
	return readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((path) => /\.(?:ts|svelte)$/.test(path) && !/\.test\.ts$|\.testkit\.ts$/.test(path))
		.map((path) => join(folder, path));
}

describe('errors', () => {
	it('are data wherever they may reach a person', () => {
		const wordy = [...sources('src'), ...sources('workers')]
			// The terminal's own page speaks English, as the terminal does; errors.ts wraps what others threw.
			.filter((path) => !path.endsWith('app/headless.ts') && !path.endsWith('core/errors.ts'))
			.flatMap((path) => {
				const text = readFileSync(path, 'utf8');
				return [...text.matchAll(/new EmulsionError\(\s*([^,]+),\s*([^]{0,80})/g)]
					.filter(([, code, said]) => !WORDS.includes(code!.replaceAll("'", '').trim()) && !SAID.test(said!))
					.map((match) => `${path}:${text.slice(0, match.index).split('\n').length}: ${match[0].slice(0, 100)}`);
			});
		expect(wordy).toEqual([]);
	});

	it('cross threads with their sentence, in English as the message', () => {
		const said = phrase('about-matte', { id: 'face', what: phrase('matte-length', { found: 3, frames: 4 }) });
		const error = new EmulsionError('usage', said, { path: 'mattes.face' }).with({ frame: 2 });
		expect(error.message).toBe('Matte "face": has 3 frames; expected 4 as the film has, or one still for all of it.');
		const back = fromRecord(structuredClone(error.toRecord()));
		expect(back.said).toEqual(said);
		expect(back).toMatchObject({ code: 'usage', message: error.message, details: { path: 'mattes.face', frame: 2 } });
	});

	it('take no sentence that is none of the program’s', () => {
		for (const hostile of [
			{ code: '__proto__' },
			{ code: 'about-matte', values: { id: { code: 'nope' } } },
			{ code: 'about-matte', values: { id: { stage: {} } } },
			{ code: 'about-matte', values: { id: [{}] } },
			{ code: 'about-matte', more: 1 },
			{ code: 'about-matte', values: null },
			'about-matte',
			null,
		]) {
			expect(isPhrase(hostile), JSON.stringify(hostile)).toBe(false);
			const record = new EmulsionError('usage', 'plain words').toRecord();
			expect(fromRecord({ ...record, phrase: hostile as never }).said).toBe('plain words');
		}
	});

	it('speak English in files, whatever carries them', () => {
		const report = {
			reason: phrase('backend-chosen'),
			list: [phrase('thread', { threads: 1 }), 'as it is', 2],
			none: null,
		};
		expect(spoken(report)).toEqual({ reason: 'Chosen by the user.', list: ['1 thread', 'as it is', 2], none: null });
	});
});
