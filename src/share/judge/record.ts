/**
 * What the judge keeps of a review, in the owner's object: the figures of every shot in every version, and the grain of every shot's source. The
 * owner's object comes back from a server, so it is checked like anything from outside.
 */

import * as v from 'valibot';
import {
	type ClipMetrics,
	type CodecLoss,
	GRAIN_BANDS,
	GRAIN_LEVELS,
	type GrainSummary,
	MEASURED_IDS,
	type MeasuredId,
} from '../../core/quality.ts';

/** Bounds of a record. */
export const RECORD_LIMITS = { clips: 4096, frames: 20_000, name: 128 } as const;

const Finite = v.pipe(v.number(), v.finite());
const Positive = v.pipe(Finite, v.minValue(0));
const Figure = v.nullable(Finite);
const Whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const PictureSize = v.strictObject({ width: Whole(1, 65_536), height: Whole(1, 65_536) });
const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(RECORD_LIMITS.name));

/** One entry for each measured metric and no other. */
function byMetric<T extends v.GenericSchema>(entry: T) {
	return v.strictObject(Object.fromEntries(MEASURED_IDS.map((id) => [id, entry])) as Record<MeasuredId, T>);
}

/** See `GrainSummary`. */
export const GrainSchema = v.strictObject({
	size: PictureSize,
	sigma: v.pipe(v.array(Positive), v.length(GRAIN_LEVELS)),
	spectrum: v.pipe(v.array(Positive), v.length(GRAIN_BANDS.length)),
}) satisfies v.GenericSchema<unknown, GrainSummary>;

/** See `ClipMetrics`. */
export const ClipMetricsSchema = v.pipe(
	v.strictObject({
		method: Whole(1, 1e6),
		size: PictureSize,
		frames: Whole(1, RECORD_LIMITS.frames),
		values: byMetric(Figure),
		series: byMetric(v.pipe(v.array(Figure), v.maxLength(RECORD_LIMITS.frames))),
		grain: v.nullable(GrainSchema),
	}),
	v.check(
		({ frames, series }) => MEASURED_IDS.every((id) => series[id].length === frames),
		'Every series has one value a frame.',
	),
) satisfies v.GenericSchema<unknown, ClipMetrics>;

/** See `CodecLoss`. */
export const CodecLossSchema = v.strictObject({
	pairs: Whole(1, RECORD_LIMITS.frames),
	sigma: Positive,
	kept: Figure,
	power: Figure,
	own: Figure,
	bands: v.pipe(
		v.array(v.strictObject({ from: Positive, to: Positive, power: Finite, own: Finite })),
		v.maxLength(GRAIN_BANDS.length),
	),
	asksOnCrops: v.boolean(),
}) satisfies v.GenericSchema<unknown, CodecLoss>;

/** All figures of a review. Shots and versions are named as the review names them. Plain JSON. */
export interface JudgeRecord {
	readonly format: 1;
	/** The grain of each shot in the source; null where it could not be measured. */
	readonly sources: readonly { readonly shot: string; readonly grain: GrainSummary | null }[];
	/** One entry a shot and version. */
	readonly clips: readonly { readonly shot: string; readonly version: string; readonly metrics: ClipMetrics }[];
}

/** See {@link JudgeRecord}. */
export const JudgeRecordSchema = v.pipe(
	v.strictObject({
		format: v.literal(1),
		sources: v.pipe(
			v.array(v.strictObject({ shot: Name, grain: v.nullable(GrainSchema) })),
			v.maxLength(RECORD_LIMITS.clips),
		),
		clips: v.pipe(
			v.array(v.strictObject({ shot: Name, version: Name, metrics: ClipMetricsSchema })),
			v.maxLength(RECORD_LIMITS.clips),
		),
	}),
	v.check(
		({ clips }) => new Set(clips.map(({ shot, version }) => JSON.stringify([shot, version]))).size === clips.length,
		'A shot of a version is measured once.',
	),
) satisfies v.GenericSchema<unknown, JudgeRecord>;
