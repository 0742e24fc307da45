/**
 * The automatic judge: predicts from figures which version people prefer, says how sure it is and how often it was right, and shows where people
 * see it otherwise. It knows nothing before there are votes: no prior opinion is built in, as none was ever measured.
 */

import type { MetricId } from '../../core/quality.ts';
import { calibrationSlope, fitLogistic, logit, predictLogit, type Row, sigmoid } from './logistic.ts';
import {
	FEATURE_IDS,
	featuresOf,
	mergedVotes,
	type Pair,
	type PairFeatures,
	type PairVotes,
	RecordIndex,
} from './pairs.ts';
import type { JudgeRecord } from './record.ts';
import { wilson } from '../statistics/binomial.ts';

/** What is needed before anything is predicted. */
export const NEEDED = {
	/** Shots with pairs that have a majority. */
	shots: 4,
	/** Pairs of two versions of a shot that have a majority. */
	decided: 8,
} as const;

/**
 * Votes on one pair are not as many samples of what figures mean: all voters see the same pictures. The correlation assumed between them
 * (n votes count as n ÷ (1 + (n − 1) · ρ)).
 */
const SHARED = 0.2;
/** Most parts of a cross-validation; with up to as many shots, each is a part of its own. */
const FOLDS = 12;

/** What the judge says of a pair. */
export interface PredictedPair extends Pair {
	/** Probability that a vote that is no tie is for a, 0…1, calibrated. Pairs with votes: predicted without any vote on their shot. */
	readonly probability: number;
	/** False where no metric could tell the two apart: then `probability` is ½. */
	readonly called: boolean;
	/** True where the pair's shot was left out of the fit. */
	readonly crossValidated: boolean;
	/** Votes so far, all 0 where there are none. */
	readonly votes: { readonly a: number; readonly b: number; readonly ties: number };
	/** Metrics that had no part, and why. */
	readonly missing: PairFeatures['missing'];
}

/** A pair of which people think otherwise. */
export interface Disagreement extends PredictedPair {
	/** Share of people for a, ties as half. */
	readonly people: number;
	/** True where the votes leave no doubt (95 %) that people lean to their side. */
	readonly certain: boolean;
}

/** How often the judge was right about pairs whose shot it had not been fitted to. */
export interface Accuracy {
	/** Pairs in which it favored the side that most votes were for. */
	readonly right: number;
	/** Pairs with a majority and a prediction. */
	readonly of: number;
	/** 95 %, counting each shot as one trial: pairs of one shot are not independent. */
	readonly interval: readonly [number, number];
	/** What always naming the version that won most in the other shots would have got. */
	readonly baseline: number;
	/** Pairs without a majority, which tell nothing about being right. */
	readonly undecided: number;
	/** Pairs with a majority that no metric could call. */
	readonly uncalled: number;
	/** Mean of how sure it was of the side it named, 0.5…1: to be compared with `right ÷ of`. */
	readonly confidence: number;
	/** True where the interval lies above one half. */
	readonly betterThanChance: boolean;
}

/** How much a metric counts. */
export interface MetricWeight {
	readonly metric: MetricId;
	/** Log-odds for a usual difference (root mean square) in favor of the higher value. */
	readonly weight: number;
	/** Standard error of it. */
	readonly error: number;
}

/** Two versions over all shots. */
export interface VersionForecast {
	readonly a: string;
	readonly b: string;
	/** Share of votes (ties aside) that a is expected to get, mean over the shots, 0…1. */
	readonly expected: number;
	/** Shots that could be called. */
	readonly shots: number;
}

/** What the judge can say. */
export type Judgement =
	| {
			readonly state: 'too-few';
			/** Shots and pairs with a majority so far; see {@link NEEDED}. */
			readonly shots: number;
			readonly decided: number;
			readonly votes: number;
	  }
	| {
			readonly state: 'fitted';
			readonly votes: number;
			/** Each pair of versions that could be called in any shot. */
			readonly versions: readonly VersionForecast[];
			/** Every pair of the record, most certain first. */
			readonly pairs: readonly PredictedPair[];
			readonly accuracy: Accuracy;
			readonly disagreements: readonly Disagreement[];
			readonly weights: readonly MetricWeight[];
	  };

/** A pair with votes, ready for a fit. */
interface Judged extends PairVotes, Row {
	readonly features: PairFeatures;
}

function judgedPairs(index: RecordIndex, votes: readonly PairVotes[]): Judged[] {
	return mergedVotes(votes).flatMap((pair) => {
		// Versions that were never measured cannot be judged.
		if (!index.clip(pair.shot, pair.a) || !index.clip(pair.shot, pair.b)) return [];
		const features = featuresOf(index, pair);
		const count = pair.winsA + pair.winsB + pair.ties;
		const share = (pair.winsA + pair.ties / 2) / count;
		return [{ ...pair, features, values: features.values, weight: count / (1 + (count - 1) * SHARED), share }];
	});
}

/** Shots in order of appearance, dealt out to the parts of a cross-validation. */
function foldsOf(rows: readonly Judged[]): Map<string, number> {
	const shots = [...new Set(rows.map(({ shot }) => shot))];
	return new Map(shots.map((shot, i) => [shot, i % Math.min(FOLDS, shots.length)]));
}

/** Rows of each part, predicted by a fit to the other parts. */
function leftOut(rows: readonly Judged[]): { readonly row: Judged; readonly logit: number }[] {
	const folds = foldsOf(rows);
	return [...new Set(folds.values())].flatMap((fold) => {
		const fit = fitLogistic(
			rows.filter(({ shot }) => folds.get(shot) !== fold),
			FEATURE_IDS.length,
		);
		const own = rows.filter(({ shot }) => folds.get(shot) === fold);
		return own.map((row) => ({ row, logit: predictLogit(fit, row.values) }));
	});
}

/** A model: a fit and how much surer it is than right, both from the same rows. */
function train(rows: readonly Judged[]): (values: readonly (number | null)[]) => number {
	const fit = fitLogistic(rows, FEATURE_IDS.length);
	const checked = leftOut(rows).map(({ row, logit: z }) => ({ logit: z, weight: row.weight, share: row.share }));
	const slope = calibrationSlope(checked);
	return (values) => sigmoid(slope * predictLogit(fit, values));
}

/** Predictions of pairs with votes, each by a model that was trained and calibrated without any vote on its shot. */
function crossValidate(rows: readonly Judged[]): Map<Judged, number> {
	const folds = foldsOf(rows);
	const out = new Map<Judged, number>();
	for (const fold of new Set(folds.values())) {
		const model = train(rows.filter(({ shot }) => folds.get(shot) !== fold));
		for (const row of rows) if (folds.get(row.shot) === fold) out.set(row, model(row.values));
	}
	return out;
}

/** Of decided pairs, those in which the version that won most in the other shots has the majority. */
function baselineOf(decided: readonly Judged[]): number {
	return decided.filter((pair) => {
		const wins = new Map<string, number>();
		for (const other of decided) {
			if (other.shot === pair.shot) continue;
			wins.set(other.a, (wins.get(other.a) ?? 0) + other.winsA - other.winsB);
			wins.set(other.b, (wins.get(other.b) ?? 0) + other.winsB - other.winsA);
		}
		const lead = (wins.get(pair.a) ?? 0) - (wins.get(pair.b) ?? 0);
		return lead !== 0 && lead > 0 === pair.winsA > pair.winsB;
	}).length;
}

const isDecided = ({ winsA, winsB }: PairVotes): boolean => winsA !== winsB;
const isCalled = ({ values }: Row): boolean => values.some((v) => v !== null && v !== 0);
const shotsOf = (pairs: readonly Pair[]): number => new Set(pairs.map(({ shot }) => shot)).size;

function accuracyOf(rows: readonly Judged[], predicted: ReadonlyMap<Judged, number>): Accuracy {
	const decided = rows.filter(isDecided);
	// A half is no prediction: none of the pair's differences was ever met in the other shots.
	const called = decided.filter((row) => predicted.get(row) !== 0.5);
	const isRight = (row: Judged): boolean => predicted.get(row)! > 0.5 === row.winsA > row.winsB;
	const right = called.filter(isRight).length;
	const shots = shotsOf(called);
	const interval = wilson(called.length === 0 ? 0 : (right / called.length) * shots, shots);
	const sure = called.reduce((sum, row) => sum + Math.max(predicted.get(row)!, 1 - predicted.get(row)!), 0);
	return {
		right,
		of: called.length,
		interval,
		baseline: baselineOf(called),
		undecided: rows.length - decided.length,
		uncalled: decided.length - called.length,
		confidence: called.length === 0 ? 0.5 : sure / called.length,
		betterThanChance: interval[0] > 0.5,
	};
}

/** All pairs of versions that were measured of a shot. */
function allPairs({ clips }: JudgeRecord): Pair[] {
	const byShot = new Map<string, string[]>();
	for (const { shot, version } of clips) byShot.set(shot, [...(byShot.get(shot) ?? []), version]);
	return [...byShot].flatMap(([shot, names]) => {
		const versions = names.sort();
		return versions.flatMap((a, i) => versions.slice(i + 1).map((b) => ({ shot, a, b })));
	});
}

function forecastsOf(pairs: readonly PredictedPair[]): VersionForecast[] {
	const byVersions = new Map<string, PredictedPair[]>();
	for (const pair of pairs.filter(({ called }) => called)) {
		const key = JSON.stringify([pair.a, pair.b]);
		byVersions.set(key, [...(byVersions.get(key) ?? []), pair]);
	}
	return [...byVersions.values()].map((own) => ({
		a: own[0]!.a,
		b: own[0]!.b,
		expected: own.reduce((sum, { probability }) => sum + probability, 0) / own.length,
		shots: own.length,
	}));
}

function disagreementsOf(pairs: readonly PredictedPair[]): Disagreement[] {
	return pairs
		.filter(({ votes: { a, b }, called, probability }) => called && a !== b && probability > 0.5 !== a > b)
		.map((pair) => {
			const { a, b, ties } = pair.votes;
			const [low, high] = wilson(a, a + b);
			return { ...pair, people: (a + ties / 2) / (a + b + ties), certain: low > 0.5 || high < 0.5 };
		})
		.sort((p, q) => Math.abs(q.people - q.probability) - Math.abs(p.people - p.probability));
}

/**
 * Judges a review.
 * @param record what was measured, checked by its schema
 * @param votes valid ones only (after inattentive voters were taken out), of any order and orientation
 */
export function judge(record: JudgeRecord, votes: readonly PairVotes[]): Judgement {
	const index = new RecordIndex(record);
	const rows = judgedPairs(index, votes);
	const decided = rows.filter((row) => isDecided(row) && isCalled(row));
	const count = rows.reduce((sum, { winsA, winsB, ties }) => sum + winsA + winsB + ties, 0);
	const shots = shotsOf(decided);
	if (shots < NEEDED.shots || decided.length < NEEDED.decided) {
		return { state: 'too-few', shots, decided: decided.length, votes: count };
	}
	const predicted = crossValidate(rows);
	const model = train(rows);
	const key = ({ shot, a, b }: Pair): string => JSON.stringify([shot, a, b]);
	const known = new Map(rows.map((row) => [key(row), row]));
	const pairs = allPairs(record).map((pair): PredictedPair => {
		const row = known.get(key(pair));
		const features = row?.features ?? featuresOf(index, pair);
		const probability = row ? predicted.get(row)! : model(features.values);
		return {
			...pair,
			probability,
			called: probability !== 0.5,
			crossValidated: row !== undefined,
			votes: { a: row?.winsA ?? 0, b: row?.winsB ?? 0, ties: row?.ties ?? 0 },
			missing: features.missing,
		};
	});
	pairs.sort((p, q) => Math.abs(logit(q.probability)) - Math.abs(logit(p.probability)));
	const fit = fitLogistic(rows, FEATURE_IDS.length);
	const weights = FEATURE_IDS.flatMap((metric, k) =>
		fit.scales[k]! > 0
			? [{ metric, weight: fit.weights[k]!, error: Math.sqrt(fit.covariance[k * FEATURE_IDS.length + k]!) }]
			: [],
	);
	return {
		state: 'fitted',
		votes: count,
		versions: forecastsOf(pairs),
		pairs,
		accuracy: accuracyOf(rows, predicted),
		disagreements: disagreementsOf(pairs),
		weights,
	};
}
