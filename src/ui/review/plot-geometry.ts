/** What the judge's plot draws, as numbers: one row a metric, one line a version and shot. Pure. */

import { METRICS, type MetricId } from '../../core/quality.ts';
import { metricValue, sameGrain } from '../../core/quality-compare.ts';
import { RecordIndex } from '../../share/judge/pairs.ts';
import type { JudgeRecord } from '../../share/judge/record.ts';

/** A shot on the plot's timeline. */
export interface PlotShot {
	readonly id: string;
	readonly name: string;
	/** Its first frame on the timeline. */
	readonly start: number;
	readonly frames: number;
}

/** A version, in the order of its color. */
export interface PlotVersion {
	readonly id: string;
	readonly name: string;
}

/** A measured value. */
export interface PlotPoint {
	/** On the timeline. */
	readonly frame: number;
	readonly value: number;
}

/** A version's values in one shot. */
export interface PlotLine {
	readonly shot: PlotShot;
	/** Index of the version. */
	readonly version: number;
	/** In order; the grain metrics, which are of a whole shot, have its first and last frame. */
	readonly points: readonly PlotPoint[];
	/** Of the shot. */
	readonly mean: number;
}

/** One metric. */
export interface PlotRow {
	readonly metric: MetricId;
	readonly lines: readonly PlotLine[];
	/** Ends of the scale. */
	readonly low: number;
	readonly high: number;
	/** Shots in which the metric may not rank the versions, as their grain differs or is not known. */
	readonly unranked: readonly PlotShot[];
	/** Mean over the measured frames of the shots, for each version; null where there is none. */
	readonly overall: readonly (number | null)[];
}

/** Round ends of a scale that holds all values: 1, 2 or 5 times a power of ten apart by quarters. */
export function niceScale(values: readonly number[], atZero: boolean): { readonly low: number; readonly high: number } {
	const known = values.filter(Number.isFinite);
	if (known.length === 0) return { low: 0, high: 1 };
	let [low, high] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
	if (atZero) low = Math.min(0, low);
	if (high - low < 1e-9) [low, high] = atZero && high > 0 ? [low, high] : [low - 0.5, high + 0.5];
	const raw = (high - low) / 4;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw - 1e-12)!;
	// Broken multiples of a power of ten are not exact: what is nearly on a step is on it.
	const round = (value: number): number => Number((value * step).toPrecision(12));
	return { low: round(Math.floor(low / step + 1e-9)), high: round(Math.ceil(high / step - 1e-9)) };
}

/** Metrics whose scale starts at 0: amounts of something, of which none is the least. */
const FROM_ZERO: readonly MetricId[] = [
	'noise',
	'grainAmplitude',
	'grainSpectrum',
	'flicker',
	'instability',
	'blockiness',
];

function lineOf(
	index: RecordIndex,
	metric: MetricId,
	shot: PlotShot,
	version: PlotVersion,
	at: number,
): PlotLine | undefined {
	const clip = index.clip(shot.id, version.id);
	const mean = clip && metricValue(clip, metric);
	if (!clip || mean === null || mean === undefined) return undefined;
	if (metric === 'grainAmplitude' || metric === 'grainSpectrum') {
		const ends = [shot.start, shot.start + Math.max(0, shot.frames - 1)];
		return { shot, version: at, mean, points: ends.map((frame) => ({ frame, value: mean })) };
	}
	const points = clip.metrics.series[metric].flatMap((value, i) =>
		value === null || i >= shot.frames ? [] : [{ frame: shot.start + i, value }],
	);
	return { shot, version: at, mean, points };
}

/** The rows of some metrics; those without any value are left out. */
export function plotRows(
	record: JudgeRecord,
	shots: readonly PlotShot[],
	versions: readonly PlotVersion[],
	metrics: readonly MetricId[],
): PlotRow[] {
	const index = new RecordIndex(record);
	const mixed = shots.filter((shot) => {
		const clips = versions.flatMap(({ id }) => index.clip(shot.id, id)?.metrics ?? []);
		return clips.some((a, i) => clips.slice(i + 1).some((b) => sameGrain(a, b) !== true));
	});
	return metrics.flatMap((metric) => {
		const lines = shots.flatMap((shot) =>
			versions.flatMap((version, i) => lineOf(index, metric, shot, version, i) ?? []),
		);
		if (lines.length === 0) return [];
		const values = lines.flatMap(({ points, mean }) => [mean, ...points.map(({ value }) => value)]);
		const overall = versions.map((_, i) => {
			const own = lines.filter(({ version }) => version === i);
			const frames = own.reduce((sum, { shot }) => sum + shot.frames, 0);
			return frames === 0 ? null : own.reduce((sum, { mean, shot }) => sum + mean * shot.frames, 0) / frames;
		});
		const unranked = METRICS[metric].grainBound ? mixed : [];
		return [{ metric, lines, ...niceScale(values, FROM_ZERO.includes(metric)), unranked, overall }];
	});
}

/** The value nearest to a frame within its shot, for each version. */
export function valuesAt({ lines }: PlotRow, frame: number, versions: number): (number | null)[] {
	return Array.from({ length: versions }, (_, i) => {
		const line = lines.find(
			({ version, shot }) => version === i && frame >= shot.start && frame < shot.start + shot.frames,
		);
		let best: PlotPoint | undefined;
		for (const point of line?.points ?? []) {
			if (!best || Math.abs(point.frame - frame) < Math.abs(best.frame - frame)) best = point;
		}
		return best?.value ?? null;
	});
}

/** A line as an SVG path; where there are more values than pixels, each pixel has the mean of its values. */
export function pathOf(
	points: readonly PlotPoint[],
	x: (frame: number) => number,
	y: (value: number) => number,
): string {
	const columns = new Map<number, { sum: number; count: number; x: number }>();
	for (const { frame, value } of points) {
		const at = x(frame);
		const column = columns.get(Math.round(at)) ?? { sum: 0, count: 0, x: at };
		columns.set(Math.round(at), { ...column, sum: column.sum + value, count: column.count + 1 });
	}
	const dense = columns.size < points.length;
	return [...columns]
		.map(([pixel, column], i) => {
			const across = dense ? pixel : column.x;
			return `${i === 0 ? 'M' : 'L'}${across.toFixed(1)} ${y(column.sum / column.count).toFixed(1)}`;
		})
		.join('');
}
