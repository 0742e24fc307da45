/** Reviews that never took place: shots with figures, and voters who follow known rules. */

import { type ClipMetrics, MEASURED_IDS, type MeasuredId, QUALITY_METHOD } from '../../core/quality.ts';
import type { PairVotes } from './pairs.ts';
import type { JudgeRecord } from './record.ts';

/** Uniform numbers of 0…1 from a seed (mulberry32). */
export function uniforms(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/** Figures of a clip of one frame: those given, the others all alike; the grain is one that all clips share. */
export function clipOf(values: Partial<Record<MeasuredId, number | null>>, grainSigma = 4): ClipMetrics {
	const all = Object.fromEntries(
		MEASURED_IDS.map((id) => [id, id in values ? values[id]! : 1]),
	) as ClipMetrics['values'];
	const series = Object.fromEntries(MEASURED_IDS.map((id) => [id, [all[id]]])) as unknown as ClipMetrics['series'];
	const size = { width: 640, height: 480 };
	const grain = { size, sigma: new Array<number>(8).fill(grainSigma), spectrum: new Array<number>(8).fill(1 / 8) };
	return { method: QUALITY_METHOD, size, frames: 1, values: all, series, grain };
}

/** How a simulated review is made. */
export interface Simulation {
	readonly seed: number;
	readonly shots: number;
	readonly versions: readonly string[];
	readonly voters: number;
	/** Log-odds for a that voters see: from both clips' figures. */
	readonly prefer: (a: ClipMetrics['values'], b: ClipMetrics['values']) => number;
	/** Share of voters who answer "no difference". */
	readonly ties?: number;
}

/** Clips whose sharpness, flicker and instability vary from version to version, and votes on every pair. */
export function simulate({ seed, shots, versions, voters, prefer, ties = 0 }: Simulation): {
	readonly record: JudgeRecord;
	readonly votes: readonly PairVotes[];
} {
	const next = uniforms(seed);
	const names = Array.from({ length: shots }, (_, i) => `shot-${i}`);
	const clips = names.flatMap((shot) =>
		versions.map((version) => {
			const figures = { sharpness: 3 + 2 * next(), flicker: 4 * next(), instability: 1 + 4 * next() };
			return { shot, version, metrics: clipOf(figures) };
		}),
	);
	const { grain } = clipOf({});
	const valuesOf = (shot: string, version: string): ClipMetrics['values'] =>
		clips.find((clip) => clip.shot === shot && clip.version === version)!.metrics.values;
	const votes = names.flatMap((shot) =>
		versions.flatMap((a, i) =>
			versions.slice(i + 1).map((b): PairVotes => {
				const p = 1 / (1 + Math.exp(-prefer(valuesOf(shot, a), valuesOf(shot, b))));
				let [winsA, winsB, even] = [0, 0, 0];
				for (let n = 0; n < voters; n++) {
					if (next() < ties) even++;
					else if (next() < p) winsA++;
					else winsB++;
				}
				return { shot, a, b, winsA, winsB, ties: even };
			}),
		),
	);
	return { record: { format: 1, sources: names.map((shot) => ({ shot, grain })), clips }, votes };
}
