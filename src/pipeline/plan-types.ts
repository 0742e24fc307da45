/** The planned graph: one level a stage, the source at the bottom. */

import type { FrameRange } from '../contracts/frames.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { ParamTable, Stage, ValuesOf } from '../contracts/stage.ts';
import type { PlanRequest } from '../contracts/workers.ts';
import type { Size } from '../core/color.ts';
import type { Phrase } from '../core/phrases.ts';
import type { Rational } from '../core/rational.ts';
import type { Timeline } from '../core/timeline.ts';

/** One enabled recipe entry, bound to its code. */
export interface PlanStep {
	readonly entry: RecipeStage;
	readonly stage: Stage;
	/** 1 where this stage makes the frame, 0 where the frame passes through; by index of the level's timeline. */
	readonly touched: Uint8Array;
}

/** The frames after one stage. Level 0 is the source and has no step. */
export interface PlanLevel {
	readonly step?: PlanStep;
	readonly timeline: Timeline;
	readonly size: Size;
	/** Frames of this timeline a shot, by shot index; empty ranges where a shot has none. */
	readonly shots: readonly FrameRange[];
	/** Source frame that each frame stands for. */
	readonly sources: Int32Array;
}

/** A whole plan. */
export interface Plan {
	readonly request: PlanRequest;
	/** At least one; the last is what is shown and exported. */
	readonly levels: readonly PlanLevel[];
	/** Frames of the last level that the request's range covers. */
	readonly window: FrameRange;
	/** Those frames counted from 0, with `needs` and `origin` told in source frames; times are kept. */
	readonly timeline: Timeline;
	readonly size: Size;
	readonly rate: Rational;
	/** Output ÷ source duration. */
	readonly stretch: Rational;
	readonly warnings: readonly Phrase[];
	/** By index of `timeline`: the source frame whose planes are the output's, or −1 where a stage touches the frame. */
	readonly copies: Int32Array;
}

/** A validated entry's parameters as its stage takes them: the recipe's validator has checked them against the stage's table. */
export function paramsOf(entry: RecipeStage): ValuesOf<ParamTable> {
	return entry.params as ValuesOf<ParamTable>;
}
