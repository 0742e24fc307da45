/** The bench page: whole exports run here, on the product's engine; parts run in a worker, as the product's do. */

import { proxy, wrap } from 'comlink';
import type { BackendWish } from '../../../src/contracts/workers.ts';
import type { RecipeStage } from '../../../src/contracts/recipe.ts';
import { say } from '../../../src/core/phrases.ts';
import { createEngine, type Engine, type OpenSource } from '../../../src/services/engine.ts';
import type { BenchPageApi, BenchWorkerApi, Whole } from './api.ts';

declare global {
	/** Bound by the terminal. */
	var benchCpu: () => Promise<number | null>;
	/** What the terminal calls. */
	var emulsionBench: BenchPageApi | undefined;
}

const NEVER = new AbortController().signal;
const quiet = (): void => undefined;
const IDENTITY: RecipeStage = {
	stage: 'identity',
	id: 'identity-0',
	enabled: true,
	scope: 'all',
	region: 'all',
	params: {},
};
/** Frames of the export that warms the engine up. */
const WARM_UP = 8;

const worker = wrap<BenchWorkerApi>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));

function inputFile(): File {
	const file = document.querySelector<HTMLInputElement>('#input')?.files?.[0];
	if (!file) throw new Error('the bench page has no input file');
	return file;
}

async function exportFrames(engine: Engine, source: OpenSource, frames: number, name: string) {
	const times: number[] = [];
	let before = 0;
	const cpu = await globalThis.benchCpu();
	const started = performance.now();
	const report = await engine.export(
		{
			source: source.id,
			info: source.info,
			shots: [{ start: 0, end: source.info.frames.length, transitionIn: 'start', source: 'edited' }],
			recipe: { version: 1, stages: [IDENTITY] },
			range: { start: 0, end: frames },
			container: 'mp4',
			audio: 'none',
			target: { kind: 'opfs', folder: 'bench' },
			name,
		},
		(progress) => {
			if (progress.phase !== 'render' || progress.done === before) return;
			before = progress.done;
			times.push(performance.now());
		},
		NEVER,
	);
	const seconds = (performance.now() - started) / 1000;
	const after = await globalThis.benchCpu();
	return { report, seconds, times, cpu: cpu === null || after === null ? null : after - cpu };
}

async function whole(frames: number, backend: BackendWish, threads: number): Promise<Whole> {
	const file = inputFile();
	const engine = createEngine({ backend, threads });
	try {
		const { name } = await engine.backend();
		const source = await engine.open({ kind: 'file', files: [{ path: file.name, file }] }, quiet, NEVER);
		const cold = await exportFrames(engine, source, Math.min(WARM_UP, frames), 'warm-up.mp4');
		const { report, seconds, times, cpu } = await exportFrames(engine, source, frames, 'passthrough.mp4');
		const stages = report.seconds.stages;
		return {
			frames,
			backend: say(name),
			coldSeconds: cold.seconds,
			seconds,
			renderSeconds: ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000,
			cpu,
			decodeSeconds: report.seconds.decode,
			convertSeconds: stages.reduce((sum, stage) => sum + stage.computeSeconds, 0),
			encodeSeconds: report.seconds.encode,
		};
	} finally {
		engine.dispose();
	}
}

globalThis.emulsionBench = {
	whole,
	parts: (frames, backend, threads) =>
		worker.parts(
			inputFile(),
			frames,
			backend,
			threads,
			proxy(() => globalThis.benchCpu()),
		),
	decodeRates: (engine, rounds) =>
		worker.decodeRates(
			inputFile(),
			engine,
			rounds,
			proxy(() => globalThis.benchCpu()),
		),
	tiles: (request) => worker.tiles(request),
	grain: (request) =>
		worker.grain(
			request,
			proxy(() => globalThis.benchCpu()),
		),
	dpx: (iterations) => worker.dpx(iterations),
	gpu: (cases, runs) => worker.gpu(cases, runs),
};
