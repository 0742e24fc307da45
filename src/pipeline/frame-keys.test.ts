import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelRuntime, ModelSpec } from '../contracts/models.ts';
import type { RecipeStage } from '../contracts/recipe.ts';
import type { Stage } from '../contracts/stage.ts';
import type { MatteInput, PlanRequest } from '../contracts/workers.ts';
import { canonical, createHashes, type Hashes } from '../store/keys.ts';
import { FrameKeys, surveyKey } from './frame-keys.ts';
import { doubled, entryOf, matteOf, metaOf, planWith, requestOf, stageOf } from './plan.testkit.ts';

let hashes: Hashes;
beforeAll(async () => {
	hashes = await createHashes();
});

const temporal = stageOf('temporal', {
	needs: (frame, _params, shot) => ({
		inputs: [frame.index - 1, frame.index, frame.index + 1].filter((i) => i >= shot.start && i < shot.end),
		flows: frame.index > shot.start ? [{ from: frame.index, to: frame.index - 1 }] : [],
	}),
});
const point = stageOf('point');

function modelsWith(sha256: string): ModelRuntime {
	const spec = { sha256, tile: 256, halo: 8, align: 2 } as ModelSpec;
	return {
		spec: () => spec,
		run: () => Promise.reject(new Error()),
		ready: () => Promise.reject(new Error()),
		used: () => [],
		release: () => Promise.resolve(),
	};
}

async function keysOf(
	request: PlanRequest,
	stages: readonly Stage[],
	{ backend = 'wasm:1', model = 'aa', artifact = 1 as unknown } = {},
): Promise<FrameKeys> {
	const { levels } = await planWith(request, stages);
	return new FrameKeys({
		levels,
		info: request.info,
		mattes: request.mattes ?? [],
		hashes,
		models: modelsWith(model),
		backend,
		flow: 'flow:1',
		artifact: () => Promise.resolve(artifact),
	});
}

describe('canonical text', () => {
	it('does not depend on the order of members and keeps types apart', () => {
		expect(canonical({ b: 1, a: [true, null] })).toBe(canonical({ a: [true, null], b: 1 }));
		const texts = ['1', 1, true, null, [1], { a: 1 }, '', 0, -0, NaN, [], {}].map((v) => canonical(v));
		expect(new Set(texts).size).toBe(texts.length);
	});
});

describe('frame keys', () => {
	const one = (params = {}) => requestOf(10, 5, [entryOf('point', { params })]);

	it('changes with parameters, backend, stage version and model, and with nothing else', async () => {
		const base = await (await keysOf(one(), [point])).frame(1, 3);
		const withModel = { ...point, meta: metaOf('point', { models: ['m'] }) };
		const others = await Promise.all([
			keysOf(one({ sigma: 5 }), [point]).then((k) => k.frame(1, 3)),
			keysOf(one(), [point], { backend: 'webgpu:x' }).then((k) => k.frame(1, 3)),
			keysOf(one(), [{ ...point, meta: metaOf('point', { version: 2 }) }]).then((k) => k.frame(1, 3)),
			keysOf(one(), [withModel]).then((k) => k.frame(1, 3)),
			keysOf(one(), [withModel], { model: 'bb' }).then((k) => k.frame(1, 3)),
			keysOf(one(), [point]).then((k) => k.frame(1, 4)),
			keysOf(one(), [point]).then((k) => k.frame(1, 3, 'residual')),
		]);
		expect(new Set([base, ...others]).size).toBe(others.length + 1);
		expect(await (await keysOf(one(), [point])).frame(1, 3)).toBe(base);
		// The entry's id is a name, not an ingredient.
		const renamed = requestOf(10, 5, [entryOf('point', { id: 'other' })]);
		expect(await (await keysOf(renamed, [point])).frame(1, 3)).toBe(base);
	});

	it('gives an untouched frame the key of its source, so that stages share what is the same', async () => {
		const request = requestOf(10, 5, [entryOf('point', { scope: { shots: [1] } })]);
		const keys = await keysOf(request, [point]);
		expect(await keys.frame(1, 2)).toBe(await keys.frame(0, 2));
		expect(await keys.frame(1, 7)).not.toBe(await keys.frame(0, 7));
	});

	it('follows what a temporal stage really reads: a change two frames away does not reach it', async () => {
		const scoped = (start: number, end: number) =>
			requestOf(10, undefined, [entryOf('point', { scope: { range: { start, end } } }), entryOf('temporal')]);
		const near = await keysOf(scoped(4, 5), [point, temporal]);
		const none = await keysOf(scoped(9, 10), [point, temporal]);
		for (const [index, same] of [
			[2, true],
			[3, false],
			[5, false],
			[6, true],
		] as const) {
			expect((await near.frame(2, index)) === (await none.frame(2, index))).toBe(same);
		}
	});

	it('shares a flow between stages that ask for the same pictures', async () => {
		const request = requestOf(10, undefined, [
			entryOf('point', { scope: { range: { start: 8, end: 9 } } }),
			entryOf('temporal'),
		]);
		const keys = await keysOf(request, [point, temporal]);
		expect(await keys.flow(1, { from: 3, to: 2 })).toBe(await keys.flow(0, { from: 3, to: 2 }));
		expect(await keys.flow(1, { from: 2, to: 3 })).not.toBe(await keys.flow(1, { from: 3, to: 2 }));
		expect(await keys.flow(1, { from: 3, to: 2, maxSide: 320 })).not.toBe(await keys.flow(1, { from: 3, to: 2 }));
		expect(await keys.flow(1, { from: 3, to: 2, denoise: 0.1 })).not.toBe(await keys.flow(1, { from: 3, to: 2 }));
		expect(await keys.flow(1, { from: 8, to: 7 })).not.toBe(await keys.flow(0, { from: 8, to: 7 }));
		expect(await keys.guide(1, { index: 3 })).toBe(await keys.guide(0, { index: 3 }));
		expect(await keys.guide(1, { index: 3, denoise: 0.1 })).not.toBe(await keys.guide(1, { index: 3 }));
	});

	it('counts in the matte’s frame, and what lies outside of it', async () => {
		const keys = (region: string, mattes: readonly MatteInput[], below = 'all') =>
			keysOf(requestOf(10, 5, [entryOf('first', { params: { below } }), entryOf('point', { region })], { mattes }), [
				stageOf('first'),
				{ ...point, needs: () => ({ inputs: [] }) },
			]).then((k) => k.frame(2, 3));
		const face = matteOf('face', 10);
		const base = await keys('face', [face]);
		const others = await Promise.all([
			keys('all', [face]),
			keys('outside:face', [face]),
			keys('face', [matteOf('face', 1)]),
			keys('face', [{ ...face, fingerprint: 'redrawn' }]),
			// Nothing else names the picture that is put back outside of the matte.
			keys('face', [face], 'other'),
		]);
		expect(new Set([base, ...others]).size).toBe(others.length + 1);
		expect(await keys('face', [face, matteOf('sky', 10)])).toBe(base);
	});

	it('counts a shot’s artifact in', async () => {
		const analyzed = { ...point, analyze: () => Promise.resolve(1) };
		const plain = await (await keysOf(one(), [point])).frame(1, 3);
		const withArtifact = await (await keysOf(one(), [analyzed])).frame(1, 3);
		expect(withArtifact).not.toBe(plain);
		// The other shot's frames do not matter to it.
		const upstream = (scope: number[]) =>
			requestOf(10, 5, [entryOf('temporal', { scope: { shots: scope } }), entryOf('point')]);
		const touched = await (await keysOf(upstream([1]), [temporal, analyzed])).frame(2, 3);
		expect(touched).toBe(withArtifact);
	});

	it('names artifacts and surveys without looking at a picture, and by all that they would see', async () => {
		const asked: number[] = [];
		const moved = stageOf('moved', { timeline: doubled });
		const made = async (request: PlanRequest, stages = [point, moved]) => {
			const { levels } = await planWith(request, stages);
			const context = { levels, info: request.info, mattes: request.mattes ?? [], hashes };
			const keys = new FrameKeys({
				...context,
				models: modelsWith('aa'),
				backend: 'wasm:1',
				flow: 'flow:1',
				artifact: (_level, _entry, _stage, shot) => {
					asked.push(shot);
					return Promise.resolve(1);
				},
			});
			const entry = entryOf('temporal');
			const top = levels.length - 1;
			return {
				artifact: [0, 1].map((shot) => keys.artifact(top, entry, temporal, shot)),
				survey: [0, 1].map((shot) => surveyKey(context, entry, temporal, shot)),
			};
		};
		const request = (params = {}, scope: RecipeStage['scope'] = 'all', count = 10) =>
			requestOf(count, 5, [entryOf('point', { params, scope }), entryOf('moved')]);
		const analyzed = { ...point, analyze: () => Promise.resolve(1) };
		const base = await made(request(), [analyzed, moved]);
		expect(asked).toEqual([]);
		expect(await made(request(), [analyzed, moved])).toEqual(base);
		const sigma = await made(request({ sigma: 5 }));
		expect(sigma.artifact[0]).not.toBe(base.artifact[0]);
		// The source is what a survey sees: no parameter of a stage below changes it, a timeline does.
		expect(sigma.survey).toEqual(base.survey);
		const still = await made(requestOf(10, 5, [entryOf('point')]), [point]);
		expect(still.survey[0]).not.toBe(base.survey[0]);
		expect(still.artifact[0]).not.toBe(base.artifact[0]);
		// A scope that leaves a shot alone leaves its names alone.
		const [some, none] = [await made(request({}, { shots: [1] })), await made(requestOf(10, 5, [entryOf('moved')]))];
		expect(some.artifact[0]).toBe(none.artifact[0]);
		expect(some.artifact[1]).not.toBe(none.artifact[1]);
	});

	it('refuses needs outside of the shot', async () => {
		const greedy = stageOf('greedy', { needs: (frame) => ({ inputs: [frame.index, frame.index + 1] }) });
		const keys = await keysOf(requestOf(10, 5, [entryOf('greedy')]), [greedy]);
		await expect(keys.frame(1, 3)).resolves.toMatch(/^[0-9a-f]{64}$/);
		await expect(keys.frame(1, 4)).rejects.toThrow('never across a cut');
	});
});
