import { describe, expect, it } from 'vitest';
import type { Recipe } from '../../contracts/recipe.ts';
import type { Reel } from '../../project/schema.ts';
import { clipSettingsOf, INITIAL, twinsOf } from './making-settings.ts';

const recipe = (id: string, sigma: number, enabled = true): Recipe => ({
	version: 1,
	stages: [{ stage: 'degrain', id, enabled, scope: 'all', region: 'all', params: { sigma } }],
});
const kept = (id: string, made: Recipe): Reel['versions'][number] => ({ id, name: id, keptAt: 0, recipe: made });
const versions = [kept('light', recipe('b', 5)), kept('same', recipe('c', 20))];
/** What the functions read of a reel. */
const reel = { recipe: recipe('a', 20), versions } as unknown as Reel;
const choose = (...ids: string[]) => ({ ...INITIAL, versions: ids });

describe('versions that do the same', () => {
	it('are found whatever the ids of their stages, and others are not', () => {
		expect(twinsOf(choose('source', 'current', 'kept:light'), reel)).toBeNull();
		const twins = twinsOf(choose('source', 'current', 'kept:same'), reel);
		expect(twins?.map(({ id }) => id)).toEqual(['current', 'kept:same']);
	});

	it('are the source and a recipe whose stages are all bypassed', () => {
		const bypassed = { ...reel, recipe: recipe('a', 20, false) };
		expect(twinsOf(choose('source', 'current'), bypassed)?.map(({ id }) => id)).toEqual(['source', 'current']);
	});
});

describe('the known truth', () => {
	const truth = (id: string | null, judge = true) =>
		clipSettingsOf({ ...choose('source', 'kept:light', 'kept:same'), shots: [0], truth: id, judge }, versions).truth;

	it('is told by its place among the versions that are made', () => {
		expect([truth('source'), truth('kept:light'), truth('kept:same')]).toEqual([0, 1, 2]);
	});

	it('is none where nobody named one, where it is not chosen any more, and where nothing is judged', () => {
		expect([truth(null), truth('current'), truth('source', false)]).toEqual([undefined, undefined, undefined]);
	});
});
