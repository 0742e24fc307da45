/**
 * Child process of the `gpu` bench: the models through onnxruntime-node's WebGPU provider. Reads cases as JSON from standard
 * input, writes results as one line. The package is found as `onnxruntime-node`, or in the folder `EMULSION_ORT_NODE`:
 * `npm install --no-save --ignore-scripts onnxruntime-node@1.30.0`.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Ort from 'onnxruntime-web';
import type { ModelSpec } from '../../src/contracts/models.ts';
import { readManifest, tensorDims } from '../../src/models/manifest.ts';
import type { Measured } from './gpu.ts';
import type { GpuCase } from './page/api.ts';

const RUNS = 20;
const WARM_UP = 3;

function loadOrtNode(): typeof Ort {
	const require = createRequire(import.meta.url);
	try {
		return require(process.env['EMULSION_ORT_NODE'] ?? 'onnxruntime-node') as typeof Ort;
	} catch (error) {
		const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
		throw new Error(
			`onnxruntime-node cannot be loaded (${why}); npm install --no-save --ignore-scripts onnxruntime-node@1.30.0`,
			{ cause: error },
		);
	}
}

function feedsOf(ort: typeof Ort, spec: ModelSpec, height: number, width: number): Record<string, Ort.Tensor> {
	return Object.fromEntries(
		spec.inputs.map((input) => {
			const dims = tensorDims(input, height, width);
			const count = dims.reduce((a, b) => a * b, 1);
			const data = Float32Array.from({ length: count }, (_, i) =>
				input.name === 'sigma' ? 0.1 : ((i * 37) % 256) / 255,
			);
			return [input.name, new ort.Tensor('float32', data, dims)];
		}),
	);
}

function floats(path: string): Float32Array {
	const bytes = readFileSync(path);
	return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

async function canary(ort: typeof Ort, session: Ort.InferenceSession, spec: ModelSpec, dir: string): Promise<number> {
	const { width, height, inputs, outputs } = spec.canary;
	const feeds = Object.fromEntries(
		spec.inputs.map((input) => {
			const data = floats(join(dir, inputs[input.name] ?? ''));
			return [input.name, new ort.Tensor('float32', data, tensorDims(input, height, width))];
		}),
	);
	const results = await session.run(feeds);
	let worst = 0;
	for (const output of spec.outputs) {
		const expected = floats(join(dir, outputs[output.name] ?? ''));
		const got = (await results[output.name]?.getData()) as Float32Array;
		for (let i = 0; i < expected.length; i++) {
			const error = Math.abs((got[i] ?? NaN) - (expected[i] ?? NaN));
			if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
		}
	}
	return worst;
}

async function median(session: Ort.InferenceSession, feeds: Record<string, Ort.Tensor>): Promise<number> {
	const times: number[] = [];
	for (let i = -WARM_UP; i < RUNS; i++) {
		const started = performance.now();
		await session.run(feeds);
		if (i >= 0) times.push((performance.now() - started) / 1000);
	}
	return times.sort((a, b) => a - b)[RUNS >> 1] ?? 0;
}

async function main(): Promise<void> {
	const { cases, models } = JSON.parse(readFileSync(0, 'utf8')) as { cases: GpuCase[]; models: string };
	const ort = loadOrtNode();
	const manifest = readManifest(JSON.parse(readFileSync(join(models, 'models.json'), 'utf8')));
	const results: Measured[] = [];
	for (const spec of manifest.models) {
		for (const layout of ['NCHW', 'NHWC'] as const) {
			const session = await ort.InferenceSession.create(join(models, spec.file), {
				executionProviders: [{ name: 'webgpu', preferredLayout: layout }],
				graphOptimizationLevel: 'all',
				extra: { session: { disable_cpu_ep_fallback: '1' } },
			});
			const canaryError = await canary(ort, session, spec, models);
			for (const one of cases.filter((c) => c.model === spec.id)) {
				const seconds = await median(session, feedsOf(ort, spec, one.height, one.width));
				results.push({ ...one, variant: layout, seconds, canaryError });
			}
			await session.release();
		}
	}
	process.stdout.write(`\n${JSON.stringify({ where: 'onnxruntime-node', results })}\n`);
}

await main();
