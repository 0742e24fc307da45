import { expect, it } from 'vitest';
import type { RecipeStage } from '../contracts/recipe.ts';
import { needsAllShots } from './shot-needs.ts';

const entry = (rest: Partial<RecipeStage>): RecipeStage => ({
	...{ stage: 'a', id: 'a', enabled: true, scope: 'all', region: 'all', params: {} },
	...rest,
});
const range = { range: { start: 0, end: 4 } };

it.each([
	['a stage on the whole film', {}, {}, false],
	['a timeline of the whole film', {}, { changesTimeline: true }, false],
	['shots by number', { scope: { shots: [1] } }, {}, true],
	['a range of frames that keep their times', { scope: range }, {}, false],
	['a range of frames with new times', { scope: range }, { changesTimeline: true }, true],
	['a survey that moves time', {}, { changesTimeline: true, surveyMovesTime: true }, true],
	['shots by number of a disabled stage', { enabled: false, scope: { shots: [1] } }, {}, false],
] as const)('%s: whether all shots are needed', (_what, rest, meta, expected) => {
	expect(needsAllShots(entry(rest), { changesTimeline: false, ...meta })).toBe(expected);
});
