/**
 * The `noise` bench: how well the app measures the strength of grain it knows nothing of. Clips of the evaluation set with grain of six stocks of the
 * physical model, its strength known (`training/workshop/grainy_clips.py`).
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/build.ts';
import { shotNoise } from '../../src/analysis/noise/shot.ts';
import type { Picture } from '../../src/contracts/compute.ts';
import { CpuCompute } from '../../src/gpu/cpu-compute.ts';
import type { BenchOptions, BenchRow } from './types.ts';

/** Largest error of the strength, as a share. */
const TOLERANCE = 0.15;

/** A line of `index.json`. */
interface Clip {
	readonly clip: string;
	readonly stock: string;
	/** The grain's true standard deviation, 8-bit codes. */
	readonly sigma: number;
	readonly frames: number;
	readonly height: number;
	readonly width: number;
}

/** The strength that the app finds, in 8-bit codes. */
async function found({ frames, height, width }: Clip, bytes: Uint8Array): Promise<number> {
	const compute = new CpuCompute({ memoryBudget: 2 ** 28, threads: 1, reason: 'bench' });
	const size = 3 * width * height;
	const picture = (index: number): Promise<Picture> => {
		const codes = bytes.subarray(index * size, (index + 1) * size);
		return Promise.resolve(
			compute.uploadPicture(
				Float32Array.from(codes, (v) => v / 255),
				width,
				height,
				3,
			),
		);
	};
	const breathe = (): Promise<void> => Promise.resolve();
	return (await shotNoise({ compute, range: { start: 0, end: frames }, picture, breathe })).sigma * 255;
}

/** Measures. Throws where the clips cannot be made: they need Python and the evaluation pictures. */
export async function noiseBench({ log }: BenchOptions): Promise<BenchRow[]> {
	const folder = mkdtempSync(join(tmpdir(), 'emulsion-noise-'));
	try {
		const command = [join(ROOT, 'training', 'python.sh'), '-m', 'workshop.grainy_clips', folder] as const;
		const run = spawnSync('bash', command, { encoding: 'utf8', timeout: 900_000 });
		if (run.status !== 0) throw new Error(run.error?.message ?? run.stderr.trim().split('\n').at(-1) ?? 'no clips');
		const clips = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly Clip[];
		const measured: (Clip & { found: number; ratio: number })[] = [];
		for (const [index, clip] of clips.entries()) {
			const sigma = await found(clip, readFileSync(join(folder, `${index}.raw`)));
			measured.push({ ...clip, found: sigma, ratio: sigma / clip.sigma });
			log(`${clip.clip}, ${clip.stock}: ${clip.sigma.toFixed(2)} codes, found ${sigma.toFixed(2)}`);
		}
		const within = measured.filter(({ ratio }) => Math.abs(ratio - 1) <= TOLERANCE).length;
		const mean = measured.reduce((sum, { ratio }) => sum + Math.abs(ratio - 1), 0) / measured.length;
		const ratios = measured.map(({ ratio }) => ratio);
		const percent = (ratio: number): string => `${ratio < 1 ? '−' : '+'}${Math.abs(100 * (ratio - 1)).toFixed(0)} %`;
		const range = `${percent(Math.min(...ratios))} to ${percent(Math.max(...ratios))}`;
		return [
			{
				bench: 'noise',
				name: 'grain of six stocks, its strength found blindly',
				target: 'all within ±15 %',
				figure: `${within} of ${measured.length} within; off by ${(100 * mean).toFixed(1)} % on the mean, ${range}`,
				pass: within === measured.length,
				data: { clips: measured },
			},
		];
	} finally {
		rmSync(folder, { recursive: true });
	}
}
