/** What the tests of the stages share: the wasm backend with real models, noise, clips, rendering by hand. */

import { expect } from 'vitest';
import type { Picture } from '../../src/contracts/compute.ts';
import type { ModelRuntime } from '../../src/contracts/models.ts';
import type {
	FlowField,
	GuideOptions,
	ParamTable,
	ShotAccess,
	Stage,
	StageEnv,
	ValuesOf,
	WorkingFrame,
} from '../../src/contracts/stage.ts';
import { computeFlowPair, releaseFlow } from '../../src/analysis/flow/flow.ts';
import { makeGuide } from '../../src/analysis/flow/guide.ts';
import type { ColorTags } from '../../src/core/color.ts';
import { throwIfAborted } from '../../src/core/errors.ts';
import { rational } from '../../src/core/rational.ts';
import type { TimelineFrame } from '../../src/core/timeline.ts';
import { usingAsync } from '../../src/gpu/op.ts';
import { CpuCompute, cpuFloats } from '../../src/gpu/cpu-compute.ts';
import { createCompute } from '../../src/gpu/create.ts';
import { createModelRuntime } from '../../src/models/runtime.ts';
import { defaultParams } from '../../src/project/recipe.ts';
import { externalFile } from '../helpers/browser-files.ts';
import { runNative, writeNative } from '../helpers/native.ts';

/** Tags of the test pictures. */
export const SRGB: ColorTags = {
	primaries: 'bt709',
	transfer: 'srgb',
	matrix: 'rgb',
	range: 'full',
	chromaLocation: 'unspecified',
};

/** The backend and its models; `close` checks that nothing was left behind. */
export async function openBench() {
	const compute = await createCompute({ wish: 'wasm', memoryBudget: 2 ** 30, threads: 2 });
	if (!(compute instanceof CpuCompute)) throw new Error('expected the CPU backend');
	const models = await createModelRuntime({ compute, modelBase: '/models/' });
	return {
		compute,
		models,
		env: envOf(compute, models),
		async close() {
			await models.release();
			expect(compute.live, 'blocks not released').toBe(0);
			compute.destroy();
		},
	};
}

/** What a stage is called with. */
export function envOf(
	compute: CpuCompute,
	models: ModelRuntime,
	signal: AbortSignal = new AbortController().signal,
): StageEnv {
	const breathe = async (): Promise<void> => {
		await Promise.resolve();
		throwIfAborted(signal);
	};
	return { compute, models, signal, breathe, onProgress: () => undefined };
}

/** Reproducible normal values (xorshift, Box–Muller). */
function normals(seed: number): () => number {
	let state = (seed * 7919 + 13) >>> 0 || 1;
	const uniform = (): number => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return ((state >>> 0) + 0.5) / 4294967296;
	};
	for (let i = 0; i < 10; i++) uniform();
	return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The picture with white noise of `sigma` 8-bit codes; the caller owns it. */
export function noisy(compute: CpuCompute, picture: Picture, sigma: number, seed: number): Picture {
	const next = normals(seed);
	const data = cpuFloats(picture).map((v) => v + (sigma / 255) * next());
	return compute.uploadPicture(data, picture.width, picture.height, picture.channels);
}

/** Frames of a shared file through an ffmpeg filter; skips the test where the data is absent. */
export async function clip(
	ctx: { skip(note?: string): never | void },
	compute: CpuCompute,
	path: string,
	[start, count]: readonly [number, number],
	filter: string,
	{ width, height }: { width: number; height: number },
): Promise<Picture[]> {
	const name = `stages-${path.replaceAll('/', '-')}`;
	await writeNative(name, await externalFile(ctx, path));
	const select = `select=gte(n\\,${start}),${filter}`;
	const output = ['-frames:v', String(count), '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gbrp', '-'];
	const raw = await runNative('ffmpeg', ['-i', name, '-vf', select, ...output]);
	const area = width * height;
	expect(raw.length).toBe(count * 3 * area);
	return Array.from({ length: count }, (_, i) => {
		const data = new Float32Array(3 * area);
		[2, 0, 1].forEach((plane, c) => {
			for (let k = 0; k < area; k++) data[c * area + k] = raw[(i * 3 + plane) * area + k]! / 255;
		});
		return compute.uploadPicture(data, width, height, 3);
	});
}

/** Peak signal-to-noise ratio in dB, `border` pixels left out. */
export function psnr(a: Picture, b: Picture, border = 0): number {
	const [x, y] = [cpuFloats(a), cpuFloats(b)];
	expect([a.width, a.height]).toEqual([b.width, b.height]);
	let sum = 0;
	let count = 0;
	for (let c = 0; c < 3; c++) {
		for (let j = border; j < a.height - border; j++) {
			for (let i = border; i < a.width - border; i++, count++) {
				const k = (c * a.height + j) * a.width + i;
				sum += (Math.min(1, Math.max(0, x[k]!)) - y[k]!) ** 2;
			}
		}
	}
	return -10 * Math.log10(sum / count);
}

/** A frame around a picture it borrows. */
export function frameOf(picture: Picture, sides: WorkingFrame['sides'] = {}): WorkingFrame {
	return { picture, sides, color: SRGB };
}

/** Releases a frame's pictures. */
export function drop(frame: WorkingFrame): void {
	frame.picture.release();
	for (const side of Object.values(frame.sides)) side.release();
}

/** An original frame of a 24 fps timeline. */
export function original(index: number): TimelineFrame {
	const time = { pts: rational(index, 24), duration: rational(1, 24) };
	return { index, ...time, origin: 'original', needs: [index], shot: 0 };
}

/** What a recipe that names no parameters gives a stage. */
export function defaultsOf<T extends ParamTable>({ meta }: { readonly meta: { readonly params: T } }): ValuesOf<T> {
	return defaultParams(meta.params) as ValuesOf<T>;
}

/** Renders one frame of a stage from borrowed pictures that form one shot; refuses what `needs` did not name. */
export async function render<T extends ParamTable, A, S>(
	stage: Stage<T, A, S>,
	env: StageEnv,
	shot: readonly WorkingFrame[],
	frame: TimelineFrame,
	params: ValuesOf<T>,
	{ artifact, view = 'result' }: { artifact?: A; view?: string } = {},
): Promise<WorkingFrame> {
	const range = { start: 0, end: shot.length };
	const needs = stage.needs(frame, params, range, artifact);
	const guides = new Map<number, Picture>();
	const flows = new Map<string, FlowField>();
	const input = (index: number): WorkingFrame => {
		expect(needs.inputs).toContain(index);
		return shot[index]!;
	};
	const flow = (from: number, to: number): FlowField => {
		expect([...flows.keys()]).toContain(`${from}>${to}`);
		return flows.get(`${from}>${to}`)!;
	};
	const guide = (index: number): Picture => {
		expect([...guides.keys()]).toContain(index);
		return guides.get(index)!;
	};
	try {
		for (const { index, ...options } of needs.guides ?? []) {
			guides.set(index, await makeGuide(env, shot[index]!.picture, options));
		}
		for (const { from, to, ...options } of needs.flows ?? []) {
			flows.set(`${from}>${to}`, await flowBetween(env, shot, from, to, options));
		}
		return await stage.render({ frame, params, artifact, input, flow, guide, shot: range, view }, env);
	} finally {
		for (const picture of guides.values()) picture.release();
		for (const field of flows.values()) releaseFlow(field);
	}
}

/** As the executor does it: earlier frame first. */
async function flowBetween(
	env: StageEnv,
	shot: readonly WorkingFrame[],
	from: number,
	to: number,
	options: GuideOptions,
): Promise<FlowField> {
	const [first, second] = [Math.min(from, to), Math.max(from, to)];
	const a = await makeGuide(env, shot[first]!.picture, options);
	const b = await makeGuide(env, shot[second]!.picture, options);
	const { forward, backward } = await usingAsync([a, b], () => computeFlowPair(env, a, b, Infinity));
	const [wanted, other] = from < to ? [forward, backward] : [backward, forward];
	releaseFlow(other);
	return wanted;
}

/** A shot of borrowed pictures for `analyze`; `sources` are what was decoded, where that is not the same, by `codec`. */
export function accessOf(
	pictures: readonly Picture[],
	sources: readonly Picture[] = pictures,
	codec = 'ffv1',
): ShotAccess {
	const range = { start: 0, end: pictures.length };
	const framesOf = (from: readonly Picture[]) => (index: number) => Promise.resolve(frameOf(from[index]!.retain()));
	return {
		shot: { ...range, transitionIn: 'start', source: 'edited' },
		range,
		size: pictures[0]!,
		timeline: { timebase: rational(1, 24), frames: pictures.map((_, index) => original(index)) },
		frame: framesOf(pictures),
		source: { range: { start: 0, end: sources.length }, codec, frame: framesOf(sources) },
	};
}

/** The real runtime, counting; `after` is called when a run has ended. */
export function counted(models: ModelRuntime, after: (runs: number) => void): ModelRuntime {
	let runs = 0;
	return {
		spec: (id) => models.spec(id),
		async run(...call) {
			const result = await models.run(...call);
			after(++runs);
			return result;
		},
		ready: (...call) => models.ready(...call),
		used: () => models.used(),
		release: () => models.release(),
	};
}
