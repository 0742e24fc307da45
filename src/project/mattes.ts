/** What commands do to a reel's mattes and to the regions that name them. */

import type { Recipe, RecipeStage } from '../contracts/recipe.ts';
import type { StageMeta } from '../contracts/stage.ts';
import { EmulsionError } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import { isMatteId, outsideOf, parseRegion } from '../core/regions.ts';
import { type MatteRef, MAX_MATTES, type Reel } from './schema.ts';

function usage(said: Phrase): EmulsionError {
	return new EmulsionError('usage', said);
}

function find(reel: Reel, id: string): MatteRef {
	const matte = reel.mattes.find((m) => m.id === id);
	if (!matte) throw usage(phrase('no-matte', { id }));
	return matte;
}

/** The id as it may be given to a further matte of the reel. Throws `usage`. */
function freeName(reel: Reel, id: string): string {
	if (!isMatteId(id)) {
		throw usage(phrase('matte-name', { id }));
	}
	if (reel.mattes.some((m) => m.id === id)) throw usage(phrase('matte-twice', { id }));
	return id;
}

function checkFrames(reel: Reel, matte: Pick<MatteRef, 'id' | 'frames'>): void {
	const { frames } = reel.source;
	if (matte.frames === 1 || matte.frames === frames) return;
	throw usage(phrase('matte-frames', { id: matte.id, found: matte.frames, frames }));
}

/** Kept versions that name a matte, by their names. */
function versionsWithin(reel: Reel, matte: string): readonly string[] {
	return reel.versions.filter((version) => stagesWithin(version, matte).length > 0).map(({ name }) => name);
}

/** Stages whose region is bounded by a matte. */
export function stagesWithin(reel: Pick<Reel, 'recipe'>, matte: string): readonly RecipeStage[] {
	return reel.recipe.stages.filter((stage) => parseRegion(stage.region)?.matte === matte);
}

/** Adds a matte. Throws `usage` for a name that is taken or none, too many mattes, or frames that are not the film's. */
export function addMatte(reel: Reel, matte: MatteRef): Reel {
	if (reel.mattes.length >= MAX_MATTES) throw usage(phrase('most-mattes', { max: MAX_MATTES }));
	freeName(reel, matte.id);
	checkFrames(reel, matte);
	return { ...reel, mattes: [...reel.mattes, matte] };
}

/** Removes a matte that no stage names. Throws `usage` naming those that do. */
export function removeMatte(reel: Reel, id: string): Reel {
	const matte = find(reel, id);
	const users = stagesWithin(reel, id).map((stage) => stage.id);
	if (users.length > 0) {
		throw usage(phrase('matte-used', { id, stages: users }));
	}
	const versions = versionsWithin(reel, id);
	if (versions.length > 0) throw usage(phrase('matte-used-version', { id, versions }));
	return { ...reel, mattes: reel.mattes.filter((m) => m !== matte) };
}

/** Renames a matte and every region that names it. Throws `usage`. */
export function renameMatte(reel: Reel, id: string, name: string): Reel {
	const matte = find(reel, id);
	if (name === id) return reel;
	freeName(reel, name);
	const renamed = (recipe: Recipe): Recipe => ({
		version: 1,
		stages: recipe.stages.map((stage): RecipeStage => {
			const region = parseRegion(stage.region);
			if (region?.matte !== id) return stage;
			return { ...stage, region: region.inverted ? outsideOf(name) : name };
		}),
	});
	return {
		...reel,
		mattes: reel.mattes.map((m) => (m === matte ? { ...m, id: name } : m)),
		recipe: renamed(reel.recipe),
		versions: reel.versions.map((version) => ({ ...version, recipe: renamed(version.recipe) })),
	};
}

/** Another file for a matte. Throws `usage` where its frames are not the film's. */
export function relinkMatte(reel: Reel, matte: MatteRef): Reel {
	const old = find(reel, matte.id);
	checkFrames(reel, matte);
	return { ...reel, mattes: reel.mattes.map((m) => (m === old ? matte : m)) };
}

/** Why a stage of this kind has no region; null where it may have one. */
export function regionObstacle(meta: Pick<StageMeta, 'changesSize' | 'changesTimeline'>): 'timeline' | 'size' | null {
	if (meta.changesTimeline) return 'timeline';
	return meta.changesSize ? 'size' : null;
}

/** The stage with another region. Throws `usage` for a matte the reel does not have and for stages that have no region. */
export function withRegion(reel: Reel, stage: RecipeStage, region: string, meta: StageMeta): RecipeStage {
	if (stage.region === region) return stage;
	const parsed = parseRegion(region);
	if (parsed) {
		find(reel, parsed.matte);
		const obstacle = regionObstacle(meta);
		if (obstacle) throw usage(phrase(`region-${obstacle}`, { id: stage.id }));
	}
	return { ...stage, region };
}
