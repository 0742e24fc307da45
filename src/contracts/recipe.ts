/** The recipe: what is to be done to a film, as JSON. Validation lives in `src/project/recipe.ts`. Types only. */

import type { FrameRange } from './frames.ts';
import type { ParamValues } from './stage.ts';

/** Where a stage applies: the whole film, some shots (indices into the shot list), or a half-open range of source frames. */
export type Scope = 'all' | { readonly shots: readonly number[] } | { readonly range: FrameRange };

/** One validated entry: defaults filled in. */
export interface RecipeStage {
	/** Stage name: `degrain`. */
	readonly stage: string;
	/** Unique in the recipe; defaults to `<stage>-<position>`. */
	readonly id: string;
	readonly enabled: boolean;
	readonly scope: Scope;
	/** `all`, the id of a matte, or `outside:` and the id (see `src/core/regions.ts`). */
	readonly region: string;
	readonly params: ParamValues;
}

/** A validated recipe. */
export interface Recipe {
	readonly version: 1;
	readonly stages: readonly RecipeStage[];
}
