/** Which recipes need to know the shots of the whole film, though only a part of it is rendered. */

import type { RecipeStage } from '../contracts/recipe.ts';
import type { StageMeta } from '../contracts/stage.ts';

/**
 * True where an enabled entry's result in one shot depends on the bounds of others: it names shots by number, its survey moves
 * frames of other shots, or it changes the timeline of a range of source frames, in which every shot has a grid of its own.
 */
export function needsAllShots(
	{ enabled, scope }: RecipeStage,
	{ changesTimeline, surveyMovesTime }: Pick<StageMeta, 'changesTimeline' | 'surveyMovesTime'>,
): boolean {
	if (!enabled) return false;
	if (scope === 'all') return surveyMovesTime === true;
	return 'shots' in scope || changesTimeline || surveyMovesTime === true;
}
