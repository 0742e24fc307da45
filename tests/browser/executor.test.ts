/** The executor on the real CPU backend, with small stages of its own: what the contract promises to every stage. */

import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PlanarFrame } from '../../src/contracts/frames.ts';
import type { ModelRuntime } from '../../src/contracts/models.ts';
import type { ParamTable, Stage } from '../../src/contracts/stage.ts';
import type { RecipeStage } from '../../src/contracts/recipe.ts';
import { EmulsionError } from '../../src/core/errors.ts';
import { CpuCompute, cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { Executor, type ExecutorDeps } from '../../src/pipeline/executor.ts';
import { countProvenance } from '../../src/pipeline/ops/provenance.ts';
import { entryOf, matteOf, metaOf, planWith, requestOf, stageOf } from '../../src/pipeline/plan.testkit.ts';
import { ArtifactStore } from '../../src/store/artifacts.ts';
import { FrameStore } from '../../src/store/frame-store.ts';
import { releaseFrame } from '../../src/store/frames.ts';
import { createHashes, type Hashes } from '../../src/store/keys.ts';

const WIDTH = 64;
const HEIGHT = 48;
const AREA = WIDTH * HEIGHT;

let hashes: Hashes;
beforeAll(async () => {
	hashes = await createHashes();
});

/** No stage here uses a model. */
const noModels: ModelRuntime = {
	spec: () => {
		throw new EmulsionError('model-invalid', 'no models here');
	},
	run: () => Promise.reject(new EmulsionError('model-invalid', 'no models here')),
	ready: () => Promise.reject(new EmulsionError('model-invalid', 'no models here')),
	used: () => [],
	release: () => Promise.resolve(),
};

/** Multiplies all values; the smallest stage that changes pixels. */
function gain(id: string, rest: Partial<Stage<ParamTable>> = {}): Stage<ParamTable> {
	return stageOf(id, {
		meta: metaOf(id, { provenance: 'repaired' }),
		async render(request, { compute }) {
			const { picture, color } = request.input(request.frame.needs[0]!);
			const values = new Float32Array(await compute.readback(picture)).subarray(0, AREA * 3);
			return {
				picture: compute.uploadPicture(
					values.map((v) => v * 2),
					WIDTH,
					HEIGHT,
					3,
				),
				sides: {},
				color,
			};
		},
		...rest,
	});
}

/** Reads its neighbors' flows and gives the frame back. */
const flowing = (id: string) =>
	gain(id, {
		needs: (frame, _params, shot) => ({
			inputs: [frame.index],
			flows: [frame.index - 1, frame.index + 1]
				.filter((to) => to >= shot.start && to < shot.end)
				.map((to) => ({ from: frame.index, to })),
		}),
		render(request) {
			const { picture, sides, color } = request.input(request.frame.index);
			const flow = request.flow(request.frame.index, request.frame.index + 1);
			expect(flow.vectors.channels).toBe(2);
			return Promise.resolve({ picture: picture.retain(), sides, color });
		},
	});

interface Bench {
	readonly compute: CpuCompute;
	readonly executor: Executor;
	readonly store: FrameStore;
	readonly counts: { flows: number; guides: number; decoded: number };
}

const benches: Bench[] = [];
afterEach(() => {
	for (const { store, compute } of benches.splice(0)) {
		store.close();
		expect(compute.live).toBe(0);
		compute.destroy();
	}
});

async function bench(
	stages: readonly Stage<ParamTable>[],
	entries: readonly RecipeStage[],
	{
		cut,
		signal = new AbortController().signal,
		budget = 2 ** 26,
		matte,
	}: { cut?: number; signal?: AbortSignal; budget?: number; matte?: ExecutorDeps['matte'] } = {},
): Promise<Bench> {
	const compute = new CpuCompute({ memoryBudget: budget, threads: 1, reason: 'test' });
	const store = new FrameStore(compute, { gpu: budget, memory: 2 ** 24 });
	const mattes = matte ? [matteOf('left', 10)] : [];
	const request = requestOf(10, cut, entries, { mattes });
	const plan = await planWith(request, stages);
	const counts = { flows: 0, guides: 0, decoded: 0 };
	const executor = new Executor(
		request,
		plan.levels,
		{
			compute,
			store,
			hashes,
			models: noModels,
			artifacts: new ArtifactStore(false),
			source: {
				async use(index, _signal, look) {
					counts.decoded++;
					const data = new Uint8Array(AREA * 3).fill(100 + index);
					const { format, size, color, fields, frames } = request.info;
					const { pts, duration } = frames[index]!;
					const frame: PlanarFrame = { format, size, color, fields, pts, duration, index, data: data.buffer };
					return look(frame);
				},
			},
			flow: {
				key: 'still',
				guide: (picture, { denoise = 0 }) => {
					if (denoise === 0) return Promise.resolve(picture.retain());
					counts.guides++;
					return Promise.resolve(compute.uploadPicture(new Float32Array(48), 4, 4, 3));
				},
				pair: () => {
					const field = (direction: number) => ({
						width: 4,
						height: 4,
						vectors: compute.uploadPicture(new Float32Array(32).fill(direction), 4, 4, 2),
						confidence: compute.uploadPicture(new Float32Array(16).fill(1), 4, 4, 1),
					});
					return Promise.resolve({ forward: field(1), backward: field(-1) });
				},
			},
			onFlow: () => counts.flows++,
			breathe: () => Promise.resolve(),
			matte: matte ?? (() => Promise.reject(new Error('no region asks for a matte here'))),
		},
		signal,
	);
	const made = { compute, executor, store, counts };
	benches.push(made);
	return made;
}

describe('executor', () => {
	it('makes every frame once, whoever asks for it', async () => {
		const { executor, counts, store } = await bench([gain('a'), gain('b')], [entryOf('a'), entryOf('b')]);
		for (let round = 0; round < 2; round++) {
			for (let i = 0; i < 10; i++) releaseFrame(await executor.frame(2, i));
		}
		expect(counts.decoded).toBe(10);
		expect(executor.times().find((t) => t.id === 'b')?.frames).toBe(10);
		expect(store.stats().hits).toBeGreaterThanOrEqual(10);
	});

	it('computes a flow once, for all frames and stages that ask', async () => {
		const { executor, counts } = await bench(
			[flowing('a'), flowing('b')],
			// `b` looks at frames that `a` does not touch: the same pictures, hence the same flows.
			[
				entryOf('a', { scope: { range: { start: 0, end: 4 } } }),
				entryOf('b', { scope: { range: { start: 6, end: 9 } } }),
			],
		);
		releaseFrame(await executor.frame(2, 7));
		expect(counts.flows).toBe(2);
		releaseFrame(await executor.frame(2, 7));
		// The pair 7–8 is known from its other end.
		releaseFrame(await executor.frame(2, 8));
		expect(counts.flows).toBe(3);
	});

	it('denoises a frame once as a guide, for all flows, and gives the same flow whoever asks first', async () => {
		const seen = new Map<string, number>();
		const looking = (id: string) =>
			gain(id, {
				needs: (frame) => {
					const others = [frame.index - 1, frame.index + 1];
					const options = { maxSide: 320, denoise: 0.1 };
					return {
						inputs: [frame.index],
						flows: others.map((to) => ({ from: frame.index, to, ...options })),
						guides: [frame.index, ...others].map((index) => ({ index, ...options })),
					};
				},
				async render(request, { compute }) {
					const { index } = request.frame;
					for (const to of [index - 1, index + 1]) {
						expect(request.guide(to).width).toBe(4);
						const [x] = new Float32Array(await compute.readback(request.flow(index, to).vectors));
						seen.set(`${index}>${to}`, x!);
					}
					expect(() => request.guide(index + 2)).toThrow('guide');
					const { picture, sides, color } = request.input(index);
					return { picture: picture.retain(), sides, color };
				},
			});
		for (const order of [
			[3, 4, 5],
			[5, 4, 3],
		]) {
			const { executor, counts } = await bench([looking('a')], [entryOf('a')]);
			for (const index of order) releaseFrame(await executor.frame(1, index));
			// Pairs 2–3, 3–4, 4–5, 5–6 of frames 2 to 6.
			expect(counts.flows).toBe(4);
			expect(counts.guides).toBe(5);
			expect([...seen].every(([ends, x]) => x === (ends[0]! < ends[2]! ? 1 : -1))).toBe(true);
		}
	});

	it('never hands a stage anything from the other side of a cut', async () => {
		const { executor, counts } = await bench([flowing('a')], [entryOf('a')], { cut: 5 });
		releaseFrame(await executor.frame(1, 0));
		expect(counts.flows).toBe(1);
		// The last frame of the shot has no flow to the next: the stage that asks for one fails, named.
		await expect(executor.frame(1, 4)).rejects.toMatchObject({
			code: 'internal',
			details: { stage: 'a', frame: 4 },
			message: expect.stringContaining('flow 4>5 was not named') as string,
		});
	});

	it('marks what a stage changed, and carries marks on', async () => {
		const made = metaOf('made', { provenance: 'generated' });
		const { executor, compute } = await bench(
			[gain('a'), gain('made', { meta: made })],
			[entryOf('a'), entryOf('made', { scope: { range: { start: 2, end: 3 } } })],
		);
		for (const [index, wanted] of [
			[1, { repaired: AREA, generated: 0 }],
			[2, { repaired: 0, generated: AREA }],
		] as const) {
			const frame = await executor.frame(2, index);
			expect(await countProvenance(compute, frame.sides.provenance!)).toEqual(wanted);
			releaseFrame(frame);
		}
		const source = await executor.frame(0, 1);
		expect(source.sides.provenance).toBeUndefined();
		releaseFrame(source);
	});

	it('puts the input back outside of a region', async () => {
		const { executor, compute } = await bench([gain('a')], [entryOf('a', { region: 'left' })], {
			matte: (_id, _source, size) => {
				const values = Float32Array.from({ length: AREA }, (_, i) => (i % WIDTH < WIDTH / 2 ? 1 : 0));
				return Promise.resolve(benches.at(-1)!.compute.uploadPicture(values, size.width, size.height, 1));
			},
		});
		const [before, after] = [await executor.frame(0, 3), await executor.frame(1, 3)];
		const a = new Float32Array(await compute.readback(before.picture));
		const b = new Float32Array(await compute.readback(after.picture));
		expect(b[0]).toBeCloseTo(a[0]! * 2, 6);
		expect(b[WIDTH - 1]).toBe(a[WIDTH - 1]);
		// What the stage did not reach is as original as it was.
		expect(await countProvenance(compute, after.sides.provenance!)).toEqual({ repaired: AREA / 2, generated: 0 });
		releaseFrame(before);
		releaseFrame(after);
	});

	it('names stage and frame of an error, in one place, and leaks nothing', async () => {
		const broken = gain('broken', { render: () => Promise.reject(new Error('no such luck')) });
		const { executor } = await bench([gain('a'), broken], [entryOf('a'), entryOf('broken', { id: 'my-entry' })]);
		await expect(executor.frame(2, 6)).rejects.toMatchObject({
			code: 'internal',
			message: 'no such luck',
			details: { stage: 'my-entry', frame: 6 },
		});
	});

	it('refuses a picture of a size that was not planned', async () => {
		const small = gain('small', {
			render: (request, { compute }) =>
				Promise.resolve({ picture: compute.picture(8, 8, 3), sides: {}, color: request.input(0).color }),
		});
		const { executor } = await bench([small], [entryOf('small')]);
		await expect(executor.frame(1, 0)).rejects.toThrow('gave 8×8, expected 64×48');
	});

	it('drops what it can make again when memory is full, and goes on', async () => {
		// Room for five pictures; the store would keep all of them.
		const { executor, store } = await bench([gain('a')], [entryOf('a')], { budget: 5 * AREA * 16 });
		for (let i = 0; i < 10; i++) releaseFrame(await executor.frame(1, i));
		expect(store.stats().dropped).toBeGreaterThan(0);
	});

	it('shows analysis the source below what other stages made of it', async () => {
		const seen: number[] = [];
		const looking = gain('looking', {
			async analyze(access) {
				for (const frame of [await access.frame(1), await access.source.frame(1)]) {
					seen.push(cpuFloats(frame.picture)[0]!);
					releaseFrame(frame);
				}
				return access.range;
			},
		});
		const { executor } = await bench([gain('a'), looking], [entryOf('a'), entryOf('looking')]);
		releaseFrame(await executor.frame(2, 0));
		const source = await executor.frame(0, 1);
		expect(seen[1]).toBe(cpuFloats(source.picture)[0]!);
		expect(seen[0]).not.toBe(seen[1]);
		releaseFrame(source);
	});

	it('analyzes a shot once, and again only when what it read has changed', async () => {
		let analyzed = 0;
		const looking = gain('looking', {
			async analyze(access) {
				analyzed++;
				releaseFrame(await access.frame(access.range.start));
				await expect(access.frame(9)).rejects.toThrow('asked for 9');
				expect(access.source.range).toEqual({ start: 0, end: 5 });
				await expect(access.source.frame(5)).rejects.toThrow('asked for 5');
				return access.range;
			},
			needs: (frame, _params, shot, artifact) => {
				expect(artifact).toEqual(shot);
				return { inputs: [frame.index] };
			},
		});
		const { executor } = await bench([looking], [entryOf('looking', { scope: { shots: [0] } })], { cut: 5 });
		for (const index of [0, 3, 1]) releaseFrame(await executor.frame(1, index));
		releaseFrame(await executor.frame(1, 8));
		expect(analyzed).toBe(1);
	});

	it('stops where the signal fires', async () => {
		const controller = new AbortController();
		const { executor } = await bench([gain('a')], [entryOf('a')], { signal: controller.signal });
		controller.abort();
		await expect(executor.frame(1, 0)).rejects.toMatchObject({ code: 'aborted' });
	});
});
