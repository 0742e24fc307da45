/**
 * Stage code by id: `<id>/stage.ts` exports `stage`. Loaded when a recipe first names it, so that a plan without models
 * pulls in none of theirs.
 */

import type { Stage } from '../contracts/stage.ts';
import { EmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import { stageMeta } from './metas.ts';

const modules = import.meta.glob<{ readonly stage: Stage }>('./*/stage.ts');

/** Loads a stage. Throws `recipe-invalid` for an unknown id, `internal` where folder and list disagree. */
export async function loadStage(id: string): Promise<Stage> {
	if (!stageMeta(id)) throw new EmulsionError('recipe-invalid', phrase('no-stage', { id }));
	const load = modules[`./${id}/stage.ts`];
	if (!load) throw new EmulsionError('internal', `stage "${id}" is listed, but src/stages/${id}/stage.ts is missing`);
	const { stage } = await load();
	if (stage.meta.id !== id) {
		throw new EmulsionError('internal', `src/stages/${id}/stage.ts holds stage "${stage.meta.id}"`);
	}
	return stage;
}
