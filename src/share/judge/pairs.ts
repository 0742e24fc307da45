/** What a pair of versions is judged by: differences of their figures, and what people said of them. */

import { type ClipMetrics, METRIC_IDS, METRICS, type MetricId } from '../../core/quality.ts';
import { compareBy, type ComparedClip, type Incomparable, metricValue } from '../../core/quality-compare.ts';
import type { JudgeRecord } from './record.ts';

/** Two versions of one shot. */
export interface Pair {
	readonly shot: string;
	readonly a: string;
	readonly b: string;
}

/** Valid votes on a pair. */
export interface PairVotes extends Pair {
	readonly winsA: number;
	readonly winsB: number;
	readonly ties: number;
}

/** Metrics that a prediction may use: all that may rank; PSNR may not. */
export const FEATURE_IDS: readonly MetricId[] = METRIC_IDS.filter((id) => METRICS[id].ranks);

/** A pair as numbers. */
export interface PairFeatures {
	/** For each of {@link FEATURE_IDS} a's value minus b's on the scale of {@link scaled}; null where they cannot be compared. */
	readonly values: readonly (number | null)[];
	/** Why metrics are missing. */
	readonly missing: readonly { readonly metric: MetricId; readonly why: Incomparable }[];
}

/**
 * A value on the scale on which differences are taken: twice as strong is one step, whether of little flicker or of much; figures in dB and
 * scores are scales of that kind already.
 */
export function scaled(id: MetricId, value: number): number {
	const { unit } = METRICS[id];
	return unit === 'codes' || unit === '%' ? Math.log2(Math.max(0, value) + 0.25) : value;
}

/** A record, to be asked for clips. */
export class RecordIndex {
	readonly #clips = new Map<string, ClipMetrics>();
	readonly #sources = new Map<string, ComparedClip['source']>();

	constructor(record: JudgeRecord) {
		for (const { shot, version, metrics } of record.clips) this.#clips.set(JSON.stringify([shot, version]), metrics);
		for (const { shot, grain } of record.sources) this.#sources.set(shot, grain);
	}

	/** A clip with its source's grain; undefined where it was not measured. */
	clip(shot: string, version: string): ComparedClip | undefined {
		const metrics = this.#clips.get(JSON.stringify([shot, version]));
		return metrics && { metrics, source: this.#sources.get(shot) ?? null };
	}
}

/** The numbers of a pair; swapping its versions changes every sign and nothing else. */
export function featuresOf(index: RecordIndex, { shot, a, b }: Pair): PairFeatures {
	const [clipA, clipB] = [index.clip(shot, a), index.clip(shot, b)];
	const missing: { metric: MetricId; why: Incomparable }[] = [];
	const values = FEATURE_IDS.map((id) => {
		const comparison = clipA && clipB ? compareBy(id, clipA, clipB) : ({ comparable: false, why: 'missing' } as const);
		if (!comparison.comparable || !clipA || !clipB) {
			missing.push({ metric: id, why: comparison.comparable ? 'missing' : comparison.why });
			return null;
		}
		return scaled(id, metricValue(clipA, id)!) - scaled(id, metricValue(clipB, id)!);
	});
	return { values, missing };
}

/** One entry a pair, whichever way round its votes came; those of no votes are left out. */
export function mergedVotes(votes: readonly PairVotes[]): PairVotes[] {
	const merged = new Map<string, PairVotes>();
	for (const vote of votes) {
		if (vote.a === vote.b || vote.winsA + vote.winsB + vote.ties === 0) continue;
		const turned = vote.a > vote.b;
		const [a, b] = turned ? [vote.b, vote.a] : [vote.a, vote.b];
		const [winsA, winsB] = turned ? [vote.winsB, vote.winsA] : [vote.winsA, vote.winsB];
		const key = JSON.stringify([vote.shot, a, b]);
		const before = merged.get(key);
		merged.set(key, {
			shot: vote.shot,
			a,
			b,
			winsA: winsA + (before?.winsA ?? 0),
			winsB: winsB + (before?.winsB ?? 0),
			ties: vote.ties + (before?.ties ?? 0),
		});
	}
	return [...merged.values()];
}
