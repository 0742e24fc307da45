/**
 * Why a shot is soft: which of five causes took its detail, how much each, and how sure that is. By the net `blur-cause` over places of
 * the shot's source frames, whose evidence is pooled by its mean. Reference: training/workshop/evaluate_cause.py.
 */

import type { Picture } from '../../contracts/compute.ts';
import type { SourceAccess, StageEnv } from '../../contracts/stage.ts';
import type { Size } from '../../core/color.ts';
import { type Phrase, phrase } from '../../core/phrases.ts';
import type { Rect } from '../../core/tiles.ts';
import { CAUSE_OUTPUTS, causeRun, LEAST_PLACE } from '../../models/cause.ts';

/** The five causes, in the order of the net's outputs. */
export const CAUSES = ['capture', 'storage', 'duplication', 'digitization', 'compression'] as const;

/** Why a film is soft: lens and shutter; decades in the can; copies of copies; the scanner; the codec. */
export type FilmCause = (typeof CAUSES)[number];

/** What a shot's pictures say of its softness. Structured-clone safe. */
export interface CauseDiagnosis {
	/** Chance that the shot is soft at all, 0…1. */
	readonly soft: number;
	/** Which cause most likely took the most detail. */
	readonly leading: FilmCause;
	/** Chance that it did, 0…1, given that the shot is soft. */
	readonly confidence: number;
	/** Share of detail that each cause took by itself, 0…1. */
	readonly strength: Readonly<Record<FilmCause, number>>;
}

/** What may be said: a cause, that it is `unsure` which, or that the shot is `sharp`. */
export type CauseVerdict = FilmCause | 'unsure' | 'sharp';

/** A leading cause is named from this confidence on. */
const SURE = 0.6;
/** Runs of three frames looked at, spread over the shot, and places in each. */
const RUNS = 4;
const PLACE = 160;
/** Places begin at multiples of this: a codec's blocks are looked for by their grid. */
const GRID = 8;
const MIDDLES = [
	[0.5, 0.5],
	[0.2, 0.25],
	[0.8, 0.25],
	[0.2, 0.75],
	[0.8, 0.75],
] as const;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** What is looked at of a picture: five places of it, or all of a small one; none where it is too small. */
export function placesOf({ width, height }: Size): Rect[] {
	const [w, h] = [Math.min(PLACE, width), Math.min(PLACE, height)].map((v) => Math.floor(v / GRID) * GRID) as [
		number,
		number,
	];
	if (Math.min(w, h) < LEAST_PLACE) return [];
	const spots = MIDDLES.map(([x, y]) => ({
		x: Math.round(((width - w) * x) / GRID) * GRID,
		y: Math.round(((height - h) * y) / GRID) * GRID,
	}));
	const own = spots.map(({ x, y }) => ({
		x: Math.min(x, Math.floor((width - w) / GRID) * GRID),
		y: Math.min(y, Math.floor((height - h) / GRID) * GRID),
	}));
	const distinct = own.filter((a, i) => own.findIndex((b) => b.x === a.x && b.y === a.y) === i);
	return distinct.map(({ x, y }) => ({ x, y, width: w, height: h }));
}

/** Pooled evidence in figures. */
export function diagnosisOf(evidence: ArrayLike<number>): CauseDiagnosis {
	const n = CAUSES.length;
	const votes = CAUSES.map((_, i) => evidence[n + i]!);
	const top = Math.max(...votes);
	const shares = votes.map((v) => Math.exp(v - top));
	const confidence = 1 / shares.reduce((sum, v) => sum + v, 0);
	return {
		soft: sigmoid(evidence[2 * n]!),
		leading: CAUSES[votes.indexOf(top)]!,
		confidence,
		strength: Object.fromEntries(CAUSES.map((cause, i) => [cause, sigmoid(evidence[i]!)])) as Record<FilmCause, number>,
	};
}

/** What a diagnosis comes to. */
export function verdictOf({ soft, leading, confidence }: CauseDiagnosis): CauseVerdict {
	if (soft < 0.5) return 'sharp';
	return confidence < SURE ? 'unsure' : leading;
}

/** A diagnosis as a sentence: the cause's name and how sure it is, that it is unsure, or that the shot is sharp. */
export function sayCause(diagnosis: CauseDiagnosis): Phrase {
	const { soft, leading, confidence } = diagnosis;
	const percent = (share: number): string => Math.min(99, Math.round(100 * share)).toFixed(0);
	const verdict = verdictOf(diagnosis);
	if (verdict === 'sharp') return phrase('blur-sharp', { percent: percent(1 - soft) });
	const values = { cause: phrase(`cause-${leading}`), percent: percent(confidence) };
	return phrase(verdict === 'unsure' ? 'blur-unsure' : 'blur-caused', values);
}

/** Diagnoses a shot by its source frames; undefined where it has fewer than three, or pictures too small to be looked at. */
export async function shotCause(
	{ range: { start, end }, frame }: SourceAccess,
	{ compute, models, signal, breathe }: Pick<StageEnv, 'compute' | 'models' | 'signal' | 'breathe'>,
): Promise<CauseDiagnosis | undefined> {
	const count = end - start;
	if (count < 3) return undefined;
	const picture = async (index: number): Promise<Picture> => {
		const { picture: own, sides } = await frame(index);
		for (const side of Object.values(sides)) side.release();
		return own;
	};
	const middles = Array.from({ length: RUNS }, (_, i) => start + 1 + Math.floor(((count - 2) * (i + 0.5)) / RUNS));
	const sums = new Float64Array(CAUSE_OUTPUTS);
	let looked = 0;
	for (const middle of new Set(middles)) {
		const held: Picture[] = [];
		try {
			for (const t of [-1, 0, 1]) held.push(await picture(middle + t));
			const run = held as unknown as readonly [Picture, Picture, Picture];
			for (const rect of placesOf(run[1])) {
				await breathe();
				const evidence = await causeRun(models, compute, run, rect, signal);
				evidence.forEach((v, i) => (sums[i]! += v));
				looked++;
			}
		} finally {
			for (const own of held) own.release();
		}
	}
	return looked === 0 ? undefined : diagnosisOf(sums.map((v) => v / looked));
}
