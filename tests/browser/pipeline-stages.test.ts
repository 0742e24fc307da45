/** Real stages with real models through the pipeline, on the wasm backend. */

import { describe, expect, it } from 'vitest';
import { EmulsionError } from '../../src/core/errors.ts';
import { toNumber } from '../../src/core/rational.ts';
import { shotsFromBoundaries } from '../../src/core/shots.ts';
import { validateRecipe } from '../../src/project/recipe.ts';
import type { Engine } from '../../src/services/engine.ts';
import { STAGE_METAS } from '../../src/stages/metas.ts';
import { exportFile, exportOf, NEVER, openClip, planOf, quiet, withEngine } from './pipeline-helpers.ts';

const recipeOf = (...stages: object[]) => validateRecipe({ version: 1, stages }, STAGE_METAS);

/** Frames 0–9 and 10–19 are two shots. */
const CUT = shotsFromBoundaries(20, [{ transition: 'cut', frame: 10 }], 'edited');

async function stills(engine: Engine, request: Parameters<Engine['still']>[0], frames: readonly number[]) {
	const pictures: Float32Array[] = [];
	for (const frame of frames) pictures.push((await engine.still(request, frame, 'result', NEVER)).rgb);
	return pictures;
}

const meanDifference = (a: Float32Array, b: Float32Array): number =>
	a.reduce((sum, v, i) => sum + Math.abs(v - b[i]!), 0) / a.length;

describe('real stages', () => {
	it('never reaches across a cut: a shot looks the same whatever comes after it', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const recipe = recipeOf({ stage: 'degrain', params: { sigma: 8, temporal: 2 } });
			const [last, first] = await stills(engine, planOf(source, recipe, CUT), [9, 10]);
			const plain = planOf(source, recipeOf(), CUT);
			const [sourceLast, sourceFirst] = await stills(engine, plain, [9, 10]);
			// With the cut the frames are near their own source and unlike each other.
			expect(meanDifference(last!, sourceLast!)).toBeLessThan(0.05);
			expect(meanDifference(first!, sourceFirst!)).toBeLessThan(0.05);
			expect(meanDifference(last!, first!)).toBeGreaterThan(0.1);
		});
	});

	it('interpolates within shots only; originals keep their planes, created frames are marked', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const request = planOf(source, recipeOf({ stage: 'interpolate', params: { factor: 2 } }), CUT);
			const plan = await engine.plan(request, quiet, NEVER);
			// Matroska's clock counts milliseconds: the clip lasts 833 of them, not 833⅓.
			expect(toNumber(plan.rate)).toBeCloseTo(2 * toNumber(source.info.rate), 1);
			const across = plan.timeline.frames.filter((f) => f.needs.some((n) => n < 10) && f.needs.some((n) => n >= 10));
			expect(across).toEqual([]);
			// Models are slow here: three source frames are enough to see what the export makes of created ones.
			const all = plan.timeline.frames.filter((f) => f.origin === 'created');
			expect(all.length).toBeGreaterThan(5);
			const start = Math.min(all[2]!.needs[0]!, 17);
			const part = { ...request, range: { start, end: start + 3 } };
			const { frames } = (await engine.plan(part, quiet, NEVER)).timeline;
			const { report } = await exportFile(engine, exportOf(part, 'interpolated.mkv'));
			expect(report.invariants.every((i) => i.ok)).toBe(true);
			expect(report.output.frames).toBe(frames.length);
			const created = frames.filter((f) => f.origin === 'created').length;
			expect(created).toBeGreaterThanOrEqual(1);
			expect(report.provenance.generated).toBeCloseTo(created, 5);
			expect(report.provenance.copiedFrames).toBe(frames.length - created);
			expect(report.models.map((m) => m.id)).toContain('rife');
			const stage = report.seconds.stages.find((s) => s.stage === 'interpolate' && !s.id.includes('/'));
			expect(stage?.frames).toBe(created);
		});
	});

	it('estimates the motion of a pair once: for both of its frames, and for another use of it', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const degrain = (params: object) =>
				planOf(source, recipeOf({ stage: 'degrain', params: { sigma: 9, temporal: 1, ...params } }), CUT);
			await stills(engine, degrain({}), [1, 2]);
			// Pairs 0–1, 1–2 and 2–3, of RIFE's runs one each.
			expect((await engine.status()).flows).toBe(3);
			await stills(engine, degrain({ chroma: 0.5 }), [2, 1]);
			expect((await engine.status()).flows).toBe(3);
			// Other noise, other guides, other flows.
			await stills(engine, degrain({ sigma: 12 }), [0]);
			expect((await engine.status()).flows).toBe(4);
		});
	});

	it('plans a timeline from the source alone, in the shots of the range; joined ranges are the whole', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const recipe = recipeOf(
				{ stage: 'degrain' },
				{ stage: 'upscale', params: { factor: 2 } },
				{ stage: 'interpolate' },
			);
			const request = planOf(source, recipe, CUT);
			const asked = new Map<string, number>();
			const plan = async (range?: { start: number; end: number }) => {
				const told = (p: { phase: string; total: number }) => asked.set(JSON.stringify(range ?? 'all'), p.total);
				const { timeline } = await engine.plan({ ...request, ...(range ? { range } : {}) }, told, NEVER);
				return timeline.frames.map(({ index: _index, ...frame }) => frame);
			};
			const parts = [await plan({ start: 12, end: 15 }), await plan({ start: 15, end: 20 })];
			expect(asked.get('{"start":12,"end":15}')).toBe(10);
			// Planning makes the models ready beside it, and their canaries read back; noise is measured by reading back as well.
			await engine.warm(recipe);
			const { readbacks } = await engine.status();
			const whole = await plan();
			expect(asked.get('"all"')).toBe(20);
			expect((await engine.status()).readbacks).toBe(readbacks);
			expect(parts.flat()).toEqual(whole.filter((f) => f.needs[0]! >= 12));
		});
	});

	it('an abort reaches a running stage, and what ran is not lost', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const request = planOf(source, recipeOf({ stage: 'degrain', params: { sigma: 6, temporal: 1 } }), CUT);
			// Models are loaded and checked at first use: not what is timed here.
			await engine.still(request, 0, 'result', NEVER);
			const controller = new AbortController();
			let rendered = 0;
			const rendering = engine.render(
				request,
				{ start: 0, end: 20 },
				({ phase, done }) => {
					if (phase !== 'render') return;
					rendered = done;
					if (done === 2) controller.abort();
				},
				controller.signal,
			);
			const started = performance.now();
			await expect(rendering).rejects.toBeInstanceOf(EmulsionError);
			await expect(rendering).rejects.toMatchObject({ code: 'aborted' });
			expect(rendered).toBeLessThan(20);
			expect(performance.now() - started).toBeLessThan(60_000);
			// The frame store still serves what was rendered.
			const before = performance.now();
			await engine.still(request, 1, 'result', NEVER);
			const found = performance.now() - before;
			const again = performance.now();
			await engine.still(request, 15, 'result', NEVER);
			expect(found).toBeLessThan(performance.now() - again);
		});
	});

	it('a preview overtakes a render that is running', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const slow = planOf(source, recipeOf({ stage: 'degrain', params: { sigma: 7, temporal: 1 } }), CUT);
			await engine.still(slow, 0, 'result', NEVER);
			let done = 0;
			const rendering = engine.render(slow, { start: 0, end: 20 }, (p) => (done = p.done), NEVER);
			await engine.still(planOf(source, recipeOf(), CUT), 15, 'result', NEVER);
			expect(done).toBeLessThan(20);
			await rendering;
			expect(done).toBe(20);
		});
	});

	it('errors name stage and frame', async () => {
		await withEngine(async (engine) => {
			const source = await openClip(engine, 'p-cut.mkv');
			const request = planOf(source, recipeOf({ stage: 'degrain', id: 'clean', params: { sigma: 5 } }), CUT);
			await expect(engine.still(request, 0, 'clean/nothing', NEVER)).rejects.toMatchObject({ code: 'usage' });
			await expect(engine.still(request, 77, 'result', NEVER)).rejects.toMatchObject({
				code: 'usage',
				details: { path: 'frame' },
			});
		});
	});
});
