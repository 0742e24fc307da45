/** Keeps scopes that name shots true when the shot list changes: indices move, halves of a split shot both belong. */

import type { Recipe, RecipeStage } from '../contracts/recipe.ts';
import type { Shot } from '../core/shots.ts';

function overlap(a: Shot, b: Shot): number {
	return Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
}

/** Shots of the new list at least half of whose frames lay in the named shots of the old one. */
export function remapShots(named: readonly number[], before: readonly Shot[], after: readonly Shot[]): number[] {
	const chosen = named.flatMap((index) => before[index] ?? []);
	return after.flatMap((shot, index) => {
		const covered = chosen.reduce((sum, old) => sum + overlap(shot, old), 0);
		return covered * 2 >= shot.end - shot.start && covered > 0 ? [index] : [];
	});
}

/** The recipe for a new shot list. Without an old list there is nothing to follow, and scopes stay as they are. */
export function remapScopes(recipe: Recipe, before: readonly Shot[] | null, after: readonly Shot[]): Recipe {
	if (before === null) return recipe;
	const stages = recipe.stages.map((stage): RecipeStage => {
		if (stage.scope === 'all' || !('shots' in stage.scope)) return stage;
		return { ...stage, scope: { shots: remapShots(stage.scope.shots, before, after) } };
	});
	return { version: 1, stages };
}
