/** Everything that can be done to a project: a closed union of commands and one pure function that applies them. */

import type { Recipe, RecipeStage, Scope } from '../contracts/recipe.ts';
import type { StageMeta } from '../contracts/stage.ts';
import { EmulsionError } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import {
	mergeWithPrevious,
	setTransition,
	type Shot,
	type ShotBoundary,
	splitShot,
	validateShots,
} from '../core/shots.ts';
import { addMatte, relinkMatte, removeMatte, renameMatte, withRegion } from './mattes.ts';
import { defaultParams, MAX_STAGES, validateParam } from './recipe.ts';
import type { AdoptionEntry, RecordEntry, ReviewRef } from './review-records.ts';
import {
	type Marks,
	type MatteRef,
	MAX_REELS,
	type Project,
	type Reel,
	type ReelNumbering,
	type ReelView,
	type SourceRef,
} from './schema.ts';
import { remapScopes } from './scopes.ts';
import { addReview, keepVersion, removeVersion, withRecord } from './versions.ts';

/** A command. Those with `reel` act on that reel; frames are indices of its source. */
export type Command =
	| { readonly type: 'rename'; readonly name: string }
	| { readonly type: 'add-reel'; readonly reel: Reel }
	| { readonly type: 'remove-reel'; readonly reel: string }
	| { readonly type: 'activate-reel'; readonly reel: string }
	| { readonly type: 'relink'; readonly reel: string; readonly source: SourceRef }
	| { readonly type: 'numbering'; readonly reel: string; readonly numbering: ReelNumbering }
	| { readonly type: 'shots'; readonly reel: string; readonly shots: readonly Shot[] }
	| { readonly type: 'split-shot'; readonly reel: string; readonly frame: number }
	| { readonly type: 'merge-shot'; readonly reel: string; readonly index: number }
	| {
			readonly type: 'transition';
			readonly reel: string;
			readonly index: number;
			readonly boundary: ShotBoundary;
	  }
	| { readonly type: 'recipe'; readonly reel: string; readonly recipe: Recipe }
	| { readonly type: 'add-stage'; readonly reel: string; readonly stage: string; readonly at?: number }
	| { readonly type: 'remove-stage'; readonly reel: string; readonly id: string }
	| { readonly type: 'move-stage'; readonly reel: string; readonly id: string; readonly to: number }
	| { readonly type: 'enable-stage'; readonly reel: string; readonly id: string; readonly enabled: boolean }
	| {
			readonly type: 'param';
			readonly reel: string;
			readonly id: string;
			readonly name: string;
			readonly value: number | string | boolean;
	  }
	| { readonly type: 'reset-params'; readonly reel: string; readonly id: string }
	| { readonly type: 'scope'; readonly reel: string; readonly id: string; readonly scope: Scope }
	| { readonly type: 'region'; readonly reel: string; readonly id: string; readonly region: string }
	| { readonly type: 'add-matte'; readonly reel: string; readonly matte: MatteRef }
	| { readonly type: 'remove-matte'; readonly reel: string; readonly id: string }
	| { readonly type: 'rename-matte'; readonly reel: string; readonly id: string; readonly name: string }
	/** Another file for the matte of the same id. */
	| { readonly type: 'relink-matte'; readonly reel: string; readonly matte: MatteRef }
	| { readonly type: 'marks'; readonly reel: string; readonly marks: Marks }
	| { readonly type: 'view'; readonly reel: string; readonly view: Partial<ReelView> }
	/** Keeps the reel's recipe as it is now under a name. */
	| {
			readonly type: 'keep-version';
			readonly reel: string;
			readonly id: string;
			readonly name: string;
			readonly at: number;
	  }
	| { readonly type: 'remove-version'; readonly reel: string; readonly id: string }
	| { readonly type: 'add-review'; readonly review: ReviewRef }
	/** The review itself stays where it is: only the project knows it no more. */
	| { readonly type: 'forget-review'; readonly id: string }
	/** Takes entries into the project's record. */
	| { readonly type: 'record'; readonly entries: readonly RecordEntry[] }
	/** A version becomes the reel's recipe, and the record says by which votes. */
	| { readonly type: 'adopt'; readonly reel: string; readonly recipe: Recipe; readonly entry: AdoptionEntry };

/** What commands need to know besides the document. */
export interface CommandContext {
	readonly metas: readonly StageMeta[];
}

/** Commands with equal keys may be one undo step; null never joins. */
export function coalesceKey(command: Command): string | null {
	switch (command.type) {
		case 'param':
			return `param ${command.reel} ${command.id} ${command.name}`;
		case 'rename':
			return 'rename';
		case 'numbering':
			return `numbering ${command.reel}`;
		default:
			return null;
	}
}

function usage(said: Phrase): EmulsionError {
	return new EmulsionError('usage', said);
}

function updateReel(project: Project, id: string, change: (reel: Reel) => Reel): Project {
	const reel = project.reels.find((r) => r.id === id);
	if (!reel) throw usage(phrase('no-reel', { id }));
	const changed = change(reel);
	if (changed === reel) return project;
	return { ...project, reels: project.reels.map((r) => (r === reel ? changed : r)) };
}

function withShots(reel: Reel, shots: readonly Shot[]): Reel {
	validateShots(shots, reel.source.frames);
	const remap = (recipe: Recipe): Recipe => remapScopes(recipe, reel.shots, shots);
	const versions = reel.versions.map((version) => ({ ...version, recipe: remap(version.recipe) }));
	return { ...reel, shots, recipe: remap(reel.recipe), versions };
}

function needShots(reel: Reel): readonly Shot[] {
	if (reel.shots === null) throw usage(phrase('no-shots'));
	return reel.shots;
}

function withStages(reel: Reel, stages: readonly RecipeStage[]): Reel {
	return { ...reel, recipe: { version: 1, stages } };
}

function updateStage(reel: Reel, id: string, change: (stage: RecipeStage) => RecipeStage): Reel {
	const stage = reel.recipe.stages.find((s) => s.id === id);
	if (!stage) throw usage(phrase('no-entry', { id }));
	const changed = change(stage);
	if (changed === stage) return reel;
	return withStages(
		reel,
		reel.recipe.stages.map((s) => (s === stage ? changed : s)),
	);
}

function metaOf(context: CommandContext, stage: string): StageMeta {
	const meta = context.metas.find((m) => m.id === stage);
	if (!meta) throw usage(phrase('no-stage', { id: stage }));
	return meta;
}

/** Where a new stage goes when the restorer names no place: by the default order of the stages around it. */
function defaultPlace(stages: readonly RecipeStage[], meta: StageMeta, context: CommandContext): number {
	const after = stages.findIndex((s) => metaOf(context, s.stage).order > meta.order);
	return after < 0 ? stages.length : after;
}

function freeId(stages: readonly RecipeStage[], stage: string): string {
	let n = 1;
	while (stages.some((s) => s.id === `${stage}-${n}`)) n++;
	return `${stage}-${n}`;
}

function addStage(reel: Reel, command: Extract<Command, { type: 'add-stage' }>, context: CommandContext): Reel {
	const { stages } = reel.recipe;
	if (stages.length >= MAX_STAGES) throw usage(phrase('most-stages', { max: MAX_STAGES }));
	const meta = metaOf(context, command.stage);
	const entry: RecipeStage = {
		stage: meta.id,
		id: freeId(stages, meta.id),
		enabled: true,
		scope: 'all',
		region: 'all',
		params: defaultParams(meta.params),
	};
	const at = Math.min(stages.length, Math.max(0, command.at ?? defaultPlace(stages, meta, context)));
	return withStages(reel, [...stages.slice(0, at), entry, ...stages.slice(at)]);
}

function moveStage(reel: Reel, id: string, to: number): Reel {
	const { stages } = reel.recipe;
	const from = stages.findIndex((s) => s.id === id);
	const stage = stages[from];
	if (!stage) throw usage(phrase('no-entry', { id }));
	const place = Math.min(stages.length - 1, Math.max(0, to));
	if (place === from) return reel;
	const rest = stages.filter((s) => s !== stage);
	return withStages(reel, [...rest.slice(0, place), stage, ...rest.slice(place)]);
}

function setParam(reel: Reel, command: Extract<Command, { type: 'param' }>, context: CommandContext): Reel {
	return updateStage(reel, command.id, (stage) => {
		const table = metaOf(context, stage.stage).params;
		const param = Object.hasOwn(table, command.name) ? table[command.name] : undefined;
		if (!param) throw usage(phrase('no-parameter', { stage: { stage: stage.stage }, name: command.name }));
		const value = validateParam(param, command.value, `${stage.id}.params.${command.name}`);
		if (stage.params[command.name] === value) return stage;
		return { ...stage, params: { ...stage.params, [command.name]: value } };
	});
}

/** In and out inside the film and in order: setting one past the other clears the other. */
function setMarks(reel: Reel, marks: Marks): Reel {
	const { frames } = reel.source;
	const clampTo = (v: number | null, min: number, max: number): number | null =>
		v === null ? null : Math.min(max, Math.max(min, Math.round(v)));
	let start = clampTo(marks.in, 0, frames - 1);
	let out = clampTo(marks.out, 1, frames);
	if (start !== null && out !== null && out <= start) {
		if (marks.in !== reel.marks.in) out = null;
		else start = null;
	}
	if (start === reel.marks.in && out === reel.marks.out) return reel;
	return { ...reel, marks: { in: start, out } };
}

function setView(reel: Reel, view: Partial<ReelView>): Reel {
	const same = (Object.keys(view) as (keyof ReelView)[]).every((key) => reel.view[key] === view[key]);
	return same ? reel : { ...reel, view: { ...reel.view, ...view } };
}

function addReel(project: Project, reel: Reel): Project {
	if (project.reels.length >= MAX_REELS) throw usage(phrase('most-reels', { max: MAX_REELS }));
	if (project.reels.some((r) => r.id === reel.id)) throw usage(phrase('reel-twice', { id: reel.id }));
	return { ...project, reels: [...project.reels, reel], activeReel: reel.id };
}

function removeReel(project: Project, id: string): Project {
	const reels = project.reels.filter((r) => r.id !== id);
	if (reels.length === project.reels.length) throw usage(phrase('no-reel', { id }));
	return { ...project, reels, activeReel: project.activeReel === id ? (reels[0]?.id ?? null) : project.activeReel };
}

function applyToReel(reel: Reel, command: Extract<Command, { reel: string }>, context: CommandContext): Reel {
	switch (command.type) {
		case 'relink':
			return { ...reel, source: command.source };
		case 'numbering':
			return { ...reel, numbering: command.numbering };
		case 'shots':
			return withShots(reel, command.shots);
		case 'split-shot':
			return withShots(reel, splitShot(needShots(reel), command.frame));
		case 'merge-shot':
			return withShots(reel, mergeWithPrevious(needShots(reel), command.index));
		case 'transition':
			return withShots(reel, setTransition(needShots(reel), command.index, command.boundary));
		case 'recipe':
			return { ...reel, recipe: command.recipe };
		case 'add-stage':
			return addStage(reel, command, context);
		case 'remove-stage':
			return removeStage(reel, command.id);
		case 'move-stage':
			return moveStage(reel, command.id, command.to);
		case 'enable-stage':
			return updateStage(reel, command.id, (s) =>
				s.enabled === command.enabled ? s : { ...s, enabled: command.enabled },
			);
		case 'param':
			return setParam(reel, command, context);
		case 'reset-params':
			return updateStage(reel, command.id, (s) => ({
				...s,
				params: defaultParams(metaOf(context, s.stage).params),
			}));
		case 'scope':
			return updateStage(reel, command.id, (s) => ({ ...s, scope: command.scope }));
		case 'region':
			return updateStage(reel, command.id, (s) => withRegion(reel, s, command.region, metaOf(context, s.stage)));
		case 'add-matte':
			return addMatte(reel, command.matte);
		case 'remove-matte':
			return removeMatte(reel, command.id);
		case 'rename-matte':
			return renameMatte(reel, command.id, command.name);
		case 'relink-matte':
			return relinkMatte(reel, command.matte);
		case 'marks':
			return setMarks(reel, command.marks);
		case 'view':
			return setView(reel, command.view);
		case 'keep-version':
			return keepVersion(reel, command);
		case 'remove-version':
			return removeVersion(reel, command.id);
		case 'adopt':
			return { ...reel, recipe: command.recipe };
		case 'remove-reel':
		case 'activate-reel':
			return reel;
	}
}

function removeStage(reel: Reel, id: string): Reel {
	const rest = reel.recipe.stages.filter((s) => s.id !== id);
	if (rest.length === reel.recipe.stages.length) throw usage(phrase('no-entry', { id }));
	return withStages(reel, rest);
}

/**
 * The project after a command; the same object where nothing changed.
 * @throws EmulsionError `usage` for a command that names what does not exist, `recipe-invalid` for a bad parameter value,
 * `project-invalid` for shots that do not tile the reel.
 */
export function applyCommand(project: Project, command: Command, context: CommandContext): Project {
	switch (command.type) {
		case 'rename': {
			const name = command.name.slice(0, 200);
			return name === project.name ? project : { ...project, name };
		}
		case 'add-reel':
			return addReel(project, command.reel);
		case 'remove-reel':
			return removeReel(project, command.reel);
		case 'activate-reel':
			if (!project.reels.some((r) => r.id === command.reel)) throw usage(phrase('no-reel', { id: command.reel }));
			return project.activeReel === command.reel ? project : { ...project, activeReel: command.reel };
		case 'add-review':
			return addReview(project, command.review);
		case 'forget-review': {
			const reviews = project.reviews.filter(({ id }) => id !== command.id);
			return reviews.length === project.reviews.length ? project : { ...project, reviews };
		}
		case 'record':
			return withRecord(project, command.entries);
		case 'adopt': {
			const adopted = updateReel(project, command.reel, (reel) => applyToReel(reel, command, context));
			return withRecord(adopted, [command.entry]);
		}
		default:
			return updateReel(project, command.reel, (reel) => applyToReel(reel, command, context));
	}
}
