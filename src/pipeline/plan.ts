/**
 * Planning: a validated recipe, a source and its shots become a graph of levels with their timelines and sizes. Stages whose
 * timeline depends on the pictures have the source surveyed here, in the shots that the range touches; nothing is rendered.
 */

import type { FrameRange } from '../contracts/frames.ts';
import type { RecipeStage, Scope } from '../contracts/recipe.ts';
import type { Stage, StageMeta } from '../contracts/stage.ts';
import type { PlanRequest, PlanSummary } from '../contracts/workers.ts';
import type { Size } from '../core/color.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';
import { div, ONE, type Rational } from '../core/rational.ts';
import { type Timeline, timelineDuration, type TimelineFrame } from '../core/timeline.ts';
import { Issues } from '../project/issues.ts';
import { regionProblem } from '../project/recipe.ts';
import { needsAllShots } from '../project/shot-needs.ts';
import { checkMattes } from './mattes.ts';
import { paramsOf, type Plan, type PlanLevel } from './plan-types.ts';
import {
	type Ancestry,
	checkedTimeline,
	composeAncestry,
	identityTimeline,
	nominalRate,
	shotRanges,
	sourceTimeline,
} from './timelines.ts';

/** What planning needs from outside. */
export interface PlanDeps {
	/** Loads a stage's code. */
	load(id: string): Promise<Stage>;
	/** Surveys shots for a stage whose input is the last of `levels`; the result has one survey a shot. */
	survey(
		levels: readonly PlanLevel[],
		entry: RecipeStage,
		stage: Stage,
		shots: readonly number[],
	): Promise<ReadonlyMap<number, unknown>>;
}

function inScope(scope: Scope, shot: number, source: number): boolean {
	if (scope === 'all') return true;
	if ('shots' in scope) return scope.shots.includes(shot);
	return source >= scope.range.start && source < scope.range.end;
}

/** Shots that were not looked for hold no frame that is asked for, or the plan would be another than the whole film's. */
function checkSeen({ shots, range }: PlanRequest): void {
	const hidden = shots.find((shot) => shot.unseen && (!range || (shot.start < range.end && shot.end > range.start)));
	if (!hidden) return;
	const frames = { first: hidden.start, last: hidden.end - 1 };
	throw new EmulsionError('usage', phrase('shots-unseen', frames), { path: 'shots' });
}

function checkShots(request: PlanRequest): void {
	const { shots, info, range } = request;
	const last = shots[shots.length - 1];
	if (shots.length > 0 && last?.end !== info.frames.length) {
		throw new EmulsionError('usage', phrase('shots-end', { end: last?.end ?? 0, frames: info.frames.length }));
	}
	if (range && !(range.start >= 0 && range.start < range.end && range.end <= info.frames.length)) {
		throw new EmulsionError(
			'usage',
			phrase('plan-range', { frames: info.frames.length, start: range.start, end: range.end }),
			{ path: 'range' },
		);
	}
	if (info.frames.length === 0) throw new EmulsionError('input-no-video', phrase('no-frames', { name: info.name }));
	checkSeen(request);
}

/** Advice where the restorer's order works against a stage; the reason is part of the sentence. */
export function orderWarnings(metas: readonly StageMeta[]): Phrase[] {
	const warnings: Phrase[] = [];
	for (const [i, later] of metas.entries()) {
		for (const earlier of metas.slice(0, i)) {
			if (earlier.order <= later.order || later.order === 0 || earlier.id === later.id) continue;
			const names = { later: { stage: later.id }, earlier: { stage: earlier.id } };
			const why = earlier.changesTimeline ? 'order-timeline' : earlier.changesSize ? 'order-size' : 'order-other';
			warnings.push(phrase('order-defeats', { ...names, reason: phrase(why, names) }));
		}
	}
	return warnings;
}

function stepSize(stage: Stage, entry: RecipeStage, input: Size, path: string): Size {
	const size = stage.outputSize?.(input, paramsOf(entry)) ?? input;
	if (size.width === input.width && size.height === input.height) return size;
	const issues = new Issues();
	if (entry.scope !== 'all') {
		const sizes = { width: input.width, height: input.height, toWidth: size.width, toHeight: size.height };
		issues.add({ path: `${path}.scope`, said: phrase('scope-size', { path, ...sizes }), stage: entry.id });
	}
	if (entry.region !== 'all') {
		issues.add({ path: `${path}.region`, said: phrase('region-of-size', { path }), stage: entry.id });
	}
	issues.throwAs('recipe-invalid');
	return size;
}

async function stepTimeline(
	levels: readonly PlanLevel[],
	input: PlanLevel,
	entry: RecipeStage,
	stage: Stage,
	deps: PlanDeps,
	scope: (frame: TimelineFrame) => boolean,
	range: FrameRange | undefined,
): Promise<Timeline> {
	if (!stage.timeline) return identityTimeline(input.timeline);
	const params = paramsOf(entry);
	const wants = stage.survey !== undefined && (stage.surveys?.(params) ?? true);
	const shots = wants ? surveyedShots(input, scope, stage.meta.surveyMovesTime ? undefined : range) : [];
	const surveys = shots.length > 0 ? await deps.survey(levels, entry, stage, shots) : new Map<number, unknown>();
	return checkedTimeline(stage.timeline(input.timeline, params, surveys, scope), input.timeline);
}

/**
 * Shots in scope that hold a frame of the range. The others' surveys would say nothing about frames that are asked for: a
 * survey moves no frame of another shot, so the frames of the range are those of the whole film.
 */
function surveyedShots(
	{ timeline, shots, sources }: PlanLevel,
	scope: (frame: TimelineFrame) => boolean,
	range: FrameRange | undefined,
): number[] {
	const wanted = (frame: TimelineFrame): boolean => {
		const source = sources[frame.index]!;
		return range === undefined || (source >= range.start && source < range.end);
	};
	return shots.flatMap(({ start, end }, shot) => {
		const frames = timeline.frames.slice(start, end);
		return frames.some(scope) && frames.some(wanted) ? [shot] : [];
	});
}

/** See {@link regionProblem}. */
async function checkRegions({ recipe, mattes: open = [] }: PlanRequest, deps: PlanDeps): Promise<void> {
	const issues = new Issues();
	const mattes = open.map(({ id }) => id);
	for (const [i, { enabled, region, stage, id }] of recipe.stages.entries()) {
		const expected = enabled ? regionProblem(region, (await deps.load(stage)).meta, mattes) : undefined;
		const path = `stages[${i}].region`;
		if (expected) issues.add({ path, said: phrase('expected', { path, expected, got: `"${region}"` }), stage: id });
	}
	issues.throwAs('recipe-invalid');
}

/** Adds the level of one recipe entry. */
async function addLevel(
	levels: PlanLevel[],
	entry: RecipeStage,
	path: string,
	deps: PlanDeps,
	{ shots, range }: PlanRequest,
): Promise<StageMeta> {
	const input = levels[levels.length - 1]!;
	const stage = await deps.load(entry.stage);
	if (shots.some((shot) => shot.unseen) && needsAllShots(entry, stage.meta)) {
		throw new EmulsionError('usage', phrase('shots-needed', { path }), { path: 'shots' });
	}
	const scope = (frame: TimelineFrame) => inScope(entry.scope, frame.shot, input.sources[frame.index]!);
	const size = stepSize(stage, entry, input.size, path);
	const timeline = await stepTimeline(levels, input, entry, stage, deps, scope, range);
	const resized = size.width !== input.size.width || size.height !== input.size.height;
	const touched = Uint8Array.from(timeline.frames, (frame) => {
		if (resized || frame.origin === 'created') return 1;
		return scope(input.timeline.frames[frame.needs[0]!]!) && stage.touches(frame, paramsOf(entry)) ? 1 : 0;
	});
	levels.push({
		step: { entry, stage, touched },
		timeline,
		size,
		shots: shotRanges(timeline, input.shots.length),
		sources: Int32Array.from(timeline.frames, (frame) => input.sources[frame.needs[0]!]!),
	});
	return stage.meta;
}

/** The source frame that comes through all levels untouched, or −1. */
function copiedSource(levels: readonly PlanLevel[], index: number): number {
	let at = index;
	for (let k = levels.length - 1; k > 0; k--) {
		const level = levels[k]!;
		if (level.step?.touched[at] !== 0) return -1;
		at = level.timeline.frames[at]!.needs[0]!;
	}
	return at;
}

function windowOf(level: PlanLevel, range: FrameRange | undefined): FrameRange {
	const count = level.sources.length;
	if (!range) return { start: 0, end: count };
	let start = 0;
	while (start < count && level.sources[start]! < range.start) start++;
	let end = start;
	while (end < count && level.sources[end]! < range.end) end++;
	return { start, end };
}

function stretchOf(first: Timeline, last: Timeline): Rational {
	const before = timelineDuration(first);
	return before.num === 0 ? ONE : div(timelineDuration(last), before);
}

/** Plans. Throws `recipe-invalid`, `usage`, or a stage's own error with its id. */
export async function makePlan(request: PlanRequest, deps: PlanDeps): Promise<Plan> {
	checkShots(request);
	checkMattes(request);
	await checkRegions(request, deps);
	const { info, recipe } = request;
	const timeline = sourceTimeline(info, request.shots);
	const levels: PlanLevel[] = [
		{
			timeline,
			size: info.size,
			shots: shotRanges(timeline, Math.max(1, request.shots.length)),
			sources: Int32Array.from(timeline.frames, (f) => f.index),
		},
	];
	let ancestry: Ancestry[] = timeline.frames.map((f) => ({ origin: 'original', needs: [f.index] }));
	const metas: StageMeta[] = [];
	for (const [i, entry] of recipe.stages.entries()) {
		if (!entry.enabled) continue;
		try {
			metas.push(await addLevel(levels, entry, `stages[${i}]`, deps, request));
		} catch (error) {
			throw toEmulsionError(error).with({ stage: entry.id });
		}
		ancestry = composeAncestry(ancestry, levels[levels.length - 1]!.timeline);
	}
	const top = levels[levels.length - 1]!;
	const window = windowOf(top, request.range);
	const frames = top.timeline.frames
		.slice(window.start, window.end)
		.map((frame, index) => ({ ...frame, ...ancestry[frame.index]!, index }));
	const stretched = metas.some((m) => m.changesTimeline);
	return {
		request,
		levels,
		window,
		timeline: { frames, timebase: top.timeline.timebase },
		size: top.size,
		rate: stretched ? nominalRate(top.timeline.frames, info.rate) : info.rate,
		stretch: stretched ? stretchOf(timeline, top.timeline) : ONE,
		warnings: orderWarnings(metas),
		copies: Int32Array.from(frames, (_f, i) => copiedSource(levels, window.start + i)),
	};
}

/** What the UI and the terminal show of a plan. */
export function summarize(plan: Plan): PlanSummary {
	return {
		size: plan.size,
		sampleAspect: plan.request.info.sampleAspect,
		timeline: plan.timeline,
		rate: plan.rate,
		warnings: plan.warnings,
		stretch: plan.stretch,
		untouched: plan.copies.reduce((sum, source) => sum + (source >= 0 ? 1 : 0), 0),
	};
}
