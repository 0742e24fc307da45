import { describe, expect, it } from 'vitest';
import { letterKeys } from './letters.ts';

describe('letters of a shot', () => {
	const secrets = {
		versions: [
			{ id: 'v1', label: 'Source', source: true, recipe: null },
			{ id: 'v2', label: 'Light degrain', source: false, recipe: null },
		],
		clips: [
			{ object: 'x', version: 'v1', grainKept: null },
			{ object: 'y', version: 'v2', grainKept: null },
			{ object: 'z', version: 'gone', grainKept: null },
		],
	};
	const shot = (...objects: string[]) => ({ clips: objects.map((object) => ({ object })) as never[] });

	it('stand for versions in the order of its clips, which is another in every shot', () => {
		expect(letterKeys(shot('y', 'x'), secrets)).toEqual([
			{ letter: 'A', label: 'Light degrain' },
			{ letter: 'B', label: 'Source' },
		]);
		expect(letterKeys(shot('x', 'y'), secrets).map(({ label }) => label)).toEqual(['Source', 'Light degrain']);
	});

	it('keep their place where another’s version is not known', () => {
		expect(letterKeys(shot('z', 'unknown', 'x'), secrets)).toEqual([{ letter: 'C', label: 'Source' }]);
	});
});
