import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/project/recipe.ts';
import { STAGE_METAS } from '../../src/stages/metas.ts';
import { DEMO_RECIPE, makeReel } from './make.ts';

describe('demo reel', () => {
	it('is the same bytes every time, and a whole AVI', () => {
		const reel = makeReel();
		expect(reel.equals(makeReel())).toBe(true);
		expect(reel.toString('latin1', 0, 4)).toBe('RIFF');
		expect(reel.readUInt32LE(4)).toBe(reel.length - 8);
	});

	it('comes with a recipe the app accepts', () => {
		expect(parseRecipe(JSON.stringify(DEMO_RECIPE), STAGE_METAS).stages).toHaveLength(3);
	});
});
