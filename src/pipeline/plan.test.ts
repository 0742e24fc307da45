import { describe, expect, it } from 'vitest';
import type { FrameRange } from '../contracts/frames.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { Stage } from '../contracts/stage.ts';
import { say } from '../core/phrases.ts';
import { type Shot, shotsFromBoundaries } from '../core/shots.ts';
import { type TimelineFrame, timelineDuration } from '../core/timeline.ts';
import { interpolateTimeline } from '../stages/interpolate/timeline.ts';
import type { Plan } from './plan-types.ts';
import { summarize } from './plan.ts';
import { doubled, entryOf, matteOf, metaOf, planWith, requestOf, stageOf } from './plan.testkit.ts';

const interpolate = stageOf('interpolate', {
	meta: metaOf('interpolate', { order: 100, changesTimeline: true, provenance: 'generated' }),
	timeline: doubled,
	touches: (frame) => frame.origin === 'created',
});
const double = stageOf('double', {
	meta: metaOf('double', { order: 90, changesSize: true }),
	outputSize: ({ width, height }) => ({ width: width * 2, height: height * 2 }),
});
const degrain = stageOf('degrain', { meta: metaOf('degrain', { order: 50 }) });

describe('plans', () => {
	it('copies every frame of an empty recipe', async () => {
		const plan = await planWith(requestOf(10, 5, []), []);
		expect([...plan.copies]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
		expect(summarize(plan)).toMatchObject({ untouched: 10, stretch: { num: 1, den: 1 }, rate: { num: 24, den: 1 } });
	});

	it('skips a disabled stage', async () => {
		const plan = await planWith(requestOf(4, undefined, [entryOf('degrain', { enabled: false })]), [degrain]);
		expect(plan.levels).toHaveLength(1);
	});

	it('touches only the frames in scope: shots, ranges', async () => {
		const shots = await planWith(requestOf(10, 5, [entryOf('degrain', { scope: { shots: [1] } })]), [degrain]);
		expect([...shots.copies]).toEqual([0, 1, 2, 3, 4, -1, -1, -1, -1, -1]);
		const range = { range: { start: 2, end: 4 } };
		const ranged = await planWith(requestOf(6, undefined, [entryOf('degrain', { scope: range })]), [degrain]);
		expect([...ranged.copies]).toEqual([0, 1, -1, -1, 4, 5]);
	});

	it('keeps the planes of original frames between created ones, and says what each frame is', async () => {
		const plan = await planWith(requestOf(4, 2, [entryOf('interpolate')]), [interpolate]);
		expect(plan.timeline.frames.map((f) => f.origin)).toEqual([
			'original',
			'created',
			'original',
			'repeated',
			'original',
			'created',
			'original',
			'repeated',
		]);
		expect([...plan.copies]).toEqual([0, -1, 1, 1, 2, -1, 3, 3]);
		expect(plan.rate).toEqual({ num: 48, den: 1 });
		expect(timelineDuration(plan.timeline)).toEqual({ num: 1, den: 6 });
		expect(plan.stretch).toEqual({ num: 1, den: 1 });
	});

	it('takes the frames of a range out of the whole film, so that ranges tile', async () => {
		const stages = [entryOf('interpolate')];
		const whole = await planWith(requestOf(6, undefined, stages), [interpolate]);
		const parts = await Promise.all(
			[
				{ start: 0, end: 2 },
				{ start: 2, end: 6 },
			].map((range) => planWith(requestOf(6, undefined, stages, { range }), [interpolate])),
		);
		const joined = parts.flatMap((p) => p.timeline.frames.map(({ pts, needs }) => ({ pts, needs })));
		expect(joined).toEqual(whole.timeline.frames.map(({ pts, needs }) => ({ pts, needs })));
		expect(parts[1]?.timeline.frames[0]?.index).toBe(0);
	});

	it('tells needs in source frames through several timelines', async () => {
		const plan = await planWith(
			requestOf(3, undefined, [entryOf('interpolate', { id: 'a' }), entryOf('interpolate', { id: 'b' })]),
			[interpolate],
		);
		expect(plan.timeline.frames).toHaveLength(12);
		// Between original 0 and the frame created of 0 and 1.
		expect(plan.timeline.frames[1]).toMatchObject({ origin: 'created', needs: [0, 1] });
	});

	it('surveys the shots in scope that the range touches, and none where parameters need none', async () => {
		const asked: number[][] = [];
		const survey = { ...interpolate, survey: () => Promise.resolve(1) };
		const plan = async (stage: Stage, scope: RecipeStage['scope'], range?: FrameRange) => {
			asked.length = 0;
			const request = requestOf(6, 3, [entryOf('interpolate', { scope })], range ? { range } : {});
			await planWith(request, [stage], {
				survey: (_levels, _entry, _stage, shots) => {
					asked.push([...shots]);
					return Promise.resolve(new Map());
				},
			});
			return asked.flat();
		};
		expect(await plan(survey, 'all')).toEqual([0, 1]);
		expect(await plan(survey, { shots: [1] })).toEqual([1]);
		expect(await plan(survey, 'all', { start: 4, end: 5 })).toEqual([1]);
		expect(await plan(survey, { shots: [0] }, { start: 4, end: 5 })).toEqual([]);
		expect(
			await plan({ ...survey, meta: { ...survey.meta, surveyMovesTime: true } }, 'all', { start: 4, end: 5 }),
		).toEqual([0, 1]);
		expect(await plan({ ...survey, surveys: () => false }, 'all')).toEqual([]);
	});

	it('plans a range by its own shots alone as by those of the whole film, and refuses what they do not tell', async () => {
		const cuts = [7, 13, 22, 31].map((frame) => ({ transition: 'cut' as const, frame }));
		const whole = shotsFromBoundaries(40, cuts, 'detected');
		const part = shotsFromBoundaries(40, cuts.slice(1, 3), 'detected').map((shot): Shot =>
			shot.start === 13 ? shot : { ...shot, unseen: true },
		);
		const values = { factor: 2.5, rate: '', slow: 1.5, still: 0.3 };
		const real = stageOf('interpolate', {
			meta: metaOf('interpolate', { order: 100, changesTimeline: true, provenance: 'generated' }),
			timeline: (input, _params, _surveys, scope) => interpolateTimeline(input, values, new Map(), scope),
		});
		const made = (shots: readonly Shot[], range?: FrameRange, scope: RecipeStage['scope'] = 'all') =>
			planWith(
				requestOf(40, undefined, [entryOf('degrain'), entryOf('interpolate', { scope })], {
					shots,
					...(range ? { range } : {}),
				}),
				[degrain, real],
			);
		const range = { start: 14, end: 20 };
		const [a, b] = [await made(whole, range), await made(part, range)];
		// Shots have other numbers, as those before are not told apart.
		const frames = (plan: Plan) => plan.timeline.frames.map(({ shot: _, ...frame }) => frame);
		expect(frames(b)).toEqual(frames(a));
		expect(b.window).toEqual(a.window);
		expect([b.rate, b.stretch, [...b.copies]]).toEqual([a.rate, a.stretch, [...a.copies]]);
		// One frame before the shot that is known, one after it, and no range at all.
		for (const wrong of [{ start: 12, end: 20 }, { start: 14, end: 23 }, undefined])
			await expect(made(part, wrong)).rejects.toMatchObject({ code: 'usage', details: { path: 'shots' } });
		for (const scope of [{ shots: [1] }, { range: { start: 2, end: 30 } }])
			await expect(made(part, range, scope)).rejects.toThrow('stages[1]: needs the shots of the whole film');
	});

	it('gives the frames of a range the survey of the whole film would give', async () => {
		const pairs = { start: 0, differences: [9, 9, 0, 9, 9] };
		const later = { start: 6, differences: [9, 0, 0, 0, 0] };
		const made = (range?: FrameRange) =>
			planWith(requestOf(12, 6, [entryOf('real')], range ? { range } : {}), [real], {
				survey: (_levels, _entry, _stage, shots) => Promise.resolve(new Map(shots.map((s) => [s, [pairs, later][s]]))),
			});
		const values = { factor: 2, rate: '', slow: 1, still: 0.3 };
		const real = stageOf('real', {
			survey: () => Promise.resolve(0),
			timeline: (input, _params, surveys, scope) =>
				interpolateTimeline(input, values, surveys as ReadonlyMap<number, typeof pairs>, scope),
		});
		const whole = await made();
		expect(whole.timeline.frames.some((f) => f.origin === 'repeated')).toBe(true);
		const parts = await Promise.all([
			made({ start: 0, end: 4 }),
			made({ start: 4, end: 9 }),
			made({ start: 9, end: 12 }),
		]);
		const told = (frames: readonly TimelineFrame[]) => frames.map(({ index: _index, ...frame }) => frame);
		expect(parts.flatMap((p) => told(p.timeline.frames))).toEqual(told(whole.timeline.frames));
	});
});

describe('refusals', () => {
	it('never across a cut: a timeline that mixes two shots is the stage’s fault', async () => {
		const bad = stageOf('bad', {
			timeline: (input) => ({
				...input,
				frames: input.frames.map((f) => ({ ...f, origin: 'created', needs: [f.index, Math.min(f.index + 1, 5)] })),
			}),
		});
		await expect(planWith(requestOf(6, 3, [entryOf('bad')]), [bad])).rejects.toMatchObject({
			code: 'internal',
			message: expect.stringContaining('never across a cut') as string,
			details: { stage: 'bad', frame: 2 },
		});
	});

	it.each([
		['an index out of order', { index: 5 }, 'expected index 1'],
		['no duration', { duration: { num: 0, den: 1 } }, 'expected a duration above 0'],
		['time that stands still', { pts: { num: 0, den: 1 } }, 'not after the frame before it'],
		['a frame that does not exist', { needs: [77] }, 'needs frame 77'],
		['no needs', { needs: [] }, 'expected at least one needed frame'],
	])('%s', async (_name, change, message) => {
		const bad = stageOf('bad', {
			timeline: (input) => ({ ...input, frames: input.frames.map((f, i) => (i === 1 ? { ...f, ...change } : f)) }),
		});
		await expect(planWith(requestOf(4, undefined, [entryOf('bad')]), [bad])).rejects.toThrow(message);
	});

	it('a stage that resizes takes the whole film', async () => {
		const request = requestOf(4, 2, [entryOf('double', { scope: { shots: [0] } })]);
		await expect(planWith(request, [double])).rejects.toMatchObject({
			code: 'recipe-invalid',
			details: { path: 'stages[0].scope' },
		});
	});

	it.each(['sky', 'outside:sky'])('region %s needs its matte', async (region) => {
		const entries = [entryOf('degrain', { region })];
		const refusal = { code: 'recipe-invalid', details: { path: 'stages[0].region' } };
		await expect(planWith(requestOf(4, 2, entries), [degrain])).rejects.toMatchObject(refusal);
		const other = { mattes: [matteOf('face', 4)] };
		await expect(planWith(requestOf(4, 2, entries, other), [degrain])).rejects.toThrow('"all" or one of face');
		const plan = await planWith(requestOf(4, 2, entries, { mattes: [matteOf('sky', 4)] }), [degrain]);
		expect([...plan.copies]).toEqual([-1, -1, -1, -1]);
	});

	it('frames that a stage creates cannot be kept to a region', async () => {
		const create = stageOf('double-rate', {
			meta: metaOf('double-rate', { changesTimeline: true }),
			timeline: doubled,
		});
		const request = requestOf(4, 2, [entryOf('double-rate', { region: 'sky' })], { mattes: [matteOf('sky', 4)] });
		await expect(planWith(request, [create])).rejects.toThrow('stages[0].region: expected "all"');
	});

	it.each([
		['of another length', { frames: 3 }, 'has 3 frames; expected 4'],
		['of other proportions', { size: { width: 64, height: 40 } }, 'is 64×40; expected the film’s proportions, 64×48'],
		['turned on its side', { rotation: 90 as const }, 'rotated by 90°'],
		['called as no matte may be', { id: 'all' }, 'and not "all"'],
		['called as another', { id: 'face' }, 'this id is taken'],
	])('a matte %s', async (_name, rest, message) => {
		const mattes = [matteOf('face', 4), matteOf('sky', 4, rest)];
		await expect(planWith(requestOf(4, 2, [], { mattes }), [])).rejects.toMatchObject({
			code: 'usage',
			message: expect.stringContaining(message) as string,
		});
	});

	it('a matte may be one still, and smaller in proportion', async () => {
		const mattes = [matteOf('face', 1, { size: { width: 32, height: 24 } })];
		await expect(planWith(requestOf(4, 2, [], { mattes }), [])).resolves.toBeDefined();
	});

	it('a shot list of another film', async () => {
		const request = { ...requestOf(4, 2, []), shots: requestOf(6, 2, []).shots };
		await expect(planWith(request, [])).rejects.toMatchObject({ code: 'usage' });
	});

	it.each([[{ start: 2, end: 2 }], [{ start: -1, end: 2 }], [{ start: 0, end: 5 }]])(
		'a range outside of the film: %o',
		async (range) => {
			await expect(planWith(requestOf(4, undefined, [], { range }), [])).rejects.toMatchObject({ code: 'usage' });
		},
	);
});

describe('order', () => {
	it('warns where an order defeats a stage, with the reason, and not where it is the default', async () => {
		const stages = [interpolate, degrain, double];
		const bad = await planWith(requestOf(4, undefined, [entryOf('interpolate'), entryOf('degrain')]), stages);
		expect(bad.warnings).toHaveLength(1);
		expect(say(bad.warnings[0]!)).toContain('degrain after interpolate defeats it');
		const good = await planWith(
			requestOf(4, undefined, [entryOf('degrain'), entryOf('double'), entryOf('interpolate')]),
			stages,
		);
		expect(good.warnings).toEqual([]);
	});
});
