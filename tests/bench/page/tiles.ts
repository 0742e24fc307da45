/** A model stage against bare `session.run`: same model, same tile sizes, same bindings, both ended with an empty queue. */

import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { Compute, Picture } from '../../../src/contracts/compute.ts';
import type { ModelSpec } from '../../../src/contracts/models.ts';
import type { RenderRequest, Stage, StageEnv, WorkingFrame } from '../../../src/contracts/stage.ts';
import { tilesOf } from '../../../src/core/tiles.ts';
import { say } from '../../../src/core/phrases.ts';
import { createCompute } from '../../../src/gpu/create.ts';
import { CpuCompute, cpuFloats } from '../../../src/gpu/cpu-compute.ts';
import { gpuBuffer, WebGpuCompute } from '../../../src/gpu/webgpu-compute.ts';
import { outputSizes } from '../../../src/models/canary.ts';
import { fetchModel, tensorDims } from '../../../src/models/manifest.ts';
import { loadOrt, type OrtModule } from '../../../src/models/ort.ts';
import { createModelRuntime } from '../../../src/models/runtime.ts';
import { tileOptions } from '../../../src/models/tiles.ts';
import { loadStage } from '../../../src/stages/registry.ts';
import { releaseFrame } from '../../../src/store/frames.ts';
import { BT709 } from '../../helpers/color.ts';
import type { TileCosts, TileRequest } from './api.ts';

const MODEL = 'ffdnet';
const BASE = '/models/';

/** Reproducible numbers in 0…1. */
export function noise(count: number, seed = 1): Float32Array<ArrayBuffer> {
	let state = seed;
	return Float32Array.from({ length: count }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return (state >>> 8) / 0x1000000;
	});
}

/** A session without any of ours around it, with the options that ours has. */
export async function bareSession(
	ort: OrtModule,
	compute: Compute,
	model: ArrayBuffer,
	layout: 'NCHW' | 'NHWC' = 'NCHW',
): Promise<InferenceSession> {
	const bytes = new Uint8Array(model);
	if (!(compute instanceof WebGpuCompute)) {
		return ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
	}
	return ort.InferenceSession.create(bytes, {
		executionProviders: [{ name: 'webgpu', device: compute.device as never, preferredLayout: layout }],
		graphOptimizationLevel: 'all',
		preferredOutputLocation: 'gpu-buffer',
		extra: { session: { disable_cpu_ep_fallback: '1' } },
	});
}

/** Tensors bound once: inputs with numbers, and on a GPU outputs as well. */
export interface Bindings {
	readonly feeds: Record<string, Tensor>;
	/** Undefined on the CPU, where onnxruntime allocates. */
	readonly fetches: Record<string, Tensor> | undefined;
	readonly names: readonly string[];
	readonly outputs: Readonly<Record<string, Picture>>;
	release(): void;
}

function bind(ort: OrtModule, compute: Compute, picture: Picture): Tensor {
	const dims = [1, picture.channels, picture.height, picture.width];
	if (compute instanceof CpuCompute) return new ort.Tensor('float32', cpuFloats(picture), dims);
	return ort.Tensor.fromGpuBuffer(gpuBuffer(picture) as never, { dataType: 'float32', dims });
}

/** Binds a model at a size. Inputs are noise in 0…1, which is legal for all of ours. */
export function makeBindings(
	ort: OrtModule,
	compute: Compute,
	spec: ModelSpec,
	width: number,
	height: number,
): Bindings {
	const held: Picture[] = [];
	const feeds: Record<string, Tensor> = {};
	for (const input of spec.inputs) {
		const [, channels, h, w] = tensorDims(input, height, width) as [number, number, number, number];
		// Strengths of noise are legal up to 75/255.
		const values = noise(channels * h * w).map((v) => (input.name === 'sigma' ? 0.1 : v));
		const picture = compute.uploadPicture(values, w, h, channels);
		held.push(picture);
		feeds[input.name] = bind(ort, compute, picture);
	}
	const sizes = outputSizes(spec, height, width);
	const names = Object.keys(sizes);
	const outputs: Record<string, Picture> = {};
	const fetches: Record<string, Tensor> = {};
	if (compute instanceof WebGpuCompute) {
		for (const [name, size] of Object.entries(sizes)) {
			outputs[name] = compute.picture(size.width, size.height, size.channels);
			held.push(outputs[name]);
			fetches[name] = bind(ort, compute, outputs[name]);
		}
	}
	return {
		feeds,
		fetches: compute instanceof WebGpuCompute ? fetches : undefined,
		names,
		outputs,
		release: () => held.forEach((picture) => picture.release()),
	};
}

/** Runs once with given bindings. */
export async function runBound(session: InferenceSession, { feeds, fetches, names }: Bindings): Promise<void> {
	await (fetches ? session.run(feeds, fetches) : session.run(feeds, names));
}

/** Waits until the queue is empty, by the queue's own word. */
export async function drained(compute: Compute): Promise<void> {
	await (compute instanceof WebGpuCompute ? compute.device.queue.onSubmittedWorkDone() : compute.done());
}

const FRAME = {
	index: 0,
	pts: { num: 0, den: 1 },
	duration: { num: 1, den: 24 },
	origin: 'original',
	needs: [0],
	shot: 0,
} as const;

/** One frame of a stage, with what it analyzed. */
export function renderOnce(
	stage: Stage,
	params: RenderRequest<never, unknown>['params'],
	input: WorkingFrame,
	env: StageEnv,
	artifact?: unknown,
): Promise<WorkingFrame> {
	return stage.render(
		{
			frame: FRAME,
			params,
			artifact,
			input: () => input,
			flow: () => {
				throw new Error('no flow was asked for');
			},
			guide: () => {
				throw new Error('no guide was asked for');
			},
			shot: { start: 0, end: 1 },
			view: 'result',
		},
		env,
	);
}

const DEGRAIN = { sigma: 25, temporal: 0, luma: 1, chroma: 1 } as never;

/** Seconds a tile of `degrain` and of its bare model, taking turns; and the readbacks of two stages in a row. */
export async function tileCosts(request: TileRequest): Promise<TileCosts> {
	const { width, height, rounds, tile } = request;
	const compute = await createCompute({ wish: request.backend, threads: request.threads });
	const models = await createModelRuntime({ compute, modelBase: BASE });
	const spec = models.spec(MODEL);
	const sizes = tilesOf({ width, height }, tileOptions(spec, tile === undefined ? {} : { tile })).map((t) => t.read);
	const stage = await loadStage('degrain');
	const env = {
		compute,
		models,
		signal: new AbortController().signal,
		breathe: () => Promise.resolve(),
		onProgress: () => undefined,
		...(tile === undefined ? {} : { tile }),
	};
	const picture = compute.uploadPicture(noise(width * height * 3), width, height, 3);
	const input: WorkingFrame = { picture, sides: {}, color: BT709 };
	const ort = await loadOrt(compute.info.kind, compute instanceof CpuCompute ? compute.threads : 1);
	const session = await bareSession(ort, compute, await fetchModel(BASE, spec));
	const bindings = sizes.map((read) => makeBindings(ort, compute, spec, read.width, read.height));
	const staged: number[] = [];
	const bare: number[] = [];
	const timed = async (work: () => Promise<void>): Promise<number> => {
		await drained(compute);
		const started = performance.now();
		await work();
		await drained(compute);
		return (performance.now() - started) / 1000 / sizes.length;
	};
	const runStage = async (): Promise<void> => releaseFrame(await renderOnce(stage, DEGRAIN, input, env));
	const runBare = async (): Promise<void> => {
		for (const binding of bindings) await runBound(session, binding);
	};
	try {
		await runStage();
		await runBare();
		for (let round = 0; round < rounds; round++) {
			bare.push(await timed(runBare));
			staged.push(await timed(runStage));
		}
		const before = compute.counters().readbacks;
		const first = await renderOnce(stage, DEGRAIN, input, env);
		releaseFrame(await renderOnce(stage, DEGRAIN, first, env));
		releaseFrame(first);
		const readbacks = compute.counters().readbacks - before;
		const tiles = sizes.map((read) => `${read.width}×${read.height}`);
		const { name, software } = compute.info;
		return { backend: say(name), software, model: MODEL, tiles, stage: staged, bare, readbacks };
	} finally {
		bindings.forEach((binding) => binding.release());
		picture.release();
		await session.release();
		await models.release();
		compute.destroy();
	}
}
