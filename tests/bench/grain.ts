/** The stage `grain` against the physical model of film grain that it stands for: what a frame of 1920×1080 costs. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/build.ts';
import { withBenchPage } from './chrome.ts';
import type { GrainCosts } from './page/api.ts';
import type { BenchOptions, BenchRow } from './types.ts';

const WIDTH = 1920;
const HEIGHT = 1080;
/** How many times cheaper than the Monte Carlo a frame must be. */
const TARGET = 50;

/** What the physical model costs: processor seconds a pixel of all channels of a stock. */
export interface GrainModel {
	readonly where: string;
	/** Displacements of the Monte Carlo. */
	readonly samples: number;
	readonly stocks: readonly {
		readonly stock: string;
		readonly channels: number;
		/** By the authors' grain-wise Monte Carlo. */
		readonly reference: number;
		/** By one drawing for all levels, as the workshop's own fast form has it. */
		readonly drawing: number;
	}[];
}

/** Runs the workshop's model in Python. Throws with its reason where it does not run. */
function physicalModel(): GrainModel {
	const venv = join(ROOT, 'training', '.venv', 'bin', 'python');
	const python = process.env['EMULSION_PYTHON'] ?? (existsSync(venv) ? venv : 'python3');
	const run = spawnSync(python, [join(ROOT, 'tests', 'bench', 'grain_model.py')], {
		encoding: 'utf8',
		env: { ...process.env, PYTHONPATH: join(ROOT, 'training'), OMP_NUM_THREADS: '1' },
		timeout: 1_800_000,
	});
	if (run.error) throw run.error;
	if (run.status !== 0) {
		const last = run.stderr.trim().split('\n').slice(-2).join('; ');
		throw new Error(`the physical model did not run: ${last || `exit code ${run.status}`}`);
	}
	return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as GrainModel;
}

const whole = (perPixel: number): number => perPixel * WIDTH * HEIGHT;
const seconds = (value: number): string => `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} s`;

/** Rows: the model's stocks, and ours against the cheapest of them. Processor time, which a busy machine changes little. */
export function grainRows({ where, samples, stocks }: GrainModel, ours: readonly GrainCosts[]): BenchRow[] {
	const cheapest = stocks.reduce((a, b) => (b.reference < a.reference ? b : a));
	const fastest = stocks.reduce((a, b) => (b.drawing < a.drawing ? b : a));
	const model = stocks.map(({ stock, channels, reference, drawing }): BenchRow => {
		const what = channels === 1 ? 'one image' : `${channels} dyes`;
		return {
			bench: 'grain',
			name: `physical model, ${stock}, ${what} (${where})`,
			target: '—',
			figure: `${seconds(whole(reference))} by Monte Carlo of ${samples} displacements, ${seconds(whole(drawing))} by one drawing`,
			pass: null,
			data: { stock, channels, reference, drawing, samples },
		};
	});
	const laid = ours.map((costs): BenchRow => {
		// The least disturbed round; wall time where processor time cannot be read.
		const spent = Math.min(...costs.wall.map((wall, i) => costs.cpu[i] ?? wall));
		const ratio = whole(cheapest.reference) / spent;
		const drawn = whole(fastest.drawing) / spent;
		const filter = `${costs.terms} separable filters of ${2 * costs.radius + 1} taps`;
		return {
			bench: 'grain',
			name: `the stage, ${WIDTH}×${HEIGHT}, 3 channels, ${filter}, ${costs.backend}`,
			target: `≥ ${TARGET} × cheaper than the cheapest stock’s Monte Carlo`,
			figure: `${ratio.toFixed(0)} × (${seconds(spent)} of processor time, ${seconds(Math.min(...costs.wall))} wall); ${drawn.toFixed(0)} × one drawing`,
			pass: ratio >= TARGET,
			data: { ...costs, spent, cheapest: cheapest.stock },
		};
	});
	return [...model, ...laid];
}

/** The CPU twin in one thread, then the shaders on the software adapter, which every machine has. */
export async function grainBench({ rounds, log }: BenchOptions): Promise<BenchRow[]> {
	const ours: GrainCosts[] = [];
	for (const [gpu, backend] of [
		['none', 'wasm'],
		['software', 'webgpu'],
	] as const) {
		const request = { backend, width: WIDTH, height: HEIGHT, rounds };
		ours.push(
			await withBenchPage(gpu, [], (page) => page.evaluate((r) => globalThis.emulsionBench!.grain(r), request)),
		);
		log(`grain: ${JSON.stringify(ours.at(-1))}`);
	}
	return grainRows(physicalModel(), ours);
}
