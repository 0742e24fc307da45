/** What a review's maker decides, and what follows from it: versions, shots, pairs, links. Pure. */

import type { ClipSettings } from '../../contracts/review.ts';
import type { FrameRange } from '../../contracts/frames.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import type { EmulsionError } from '../../core/errors.ts';
import { EMPTY_RECIPE } from '../../project/recipe.ts';
import { type Reel, shotsOf } from '../../project/schema.ts';
import type { ReviewWishes } from '../../share/making/assemble.ts';
import type { ClipCodec } from '../../share/making/codec.ts';
import { cropFrameBudget, USUAL_PAIRS } from '../../share/making/estimate.ts';
import type { LinkWish } from '../../share/publish.ts';

const DAY_MS = 86_400_000;
const MINIMUM_VIEW_MS = 3000;

/** A version that can be chosen: the source, the recipe as it is, or one that was kept. */
export interface VersionChoice {
	/** `source`, `current`, or a kept version's id with `kept:` before it. */
	readonly id: string;
	/** Kept versions have names; the others are named by the interface. */
	readonly name: string | null;
}

/** What the dialog decides. */
export interface MakingSettings {
	readonly title: string;
	readonly question: string;
	readonly blind: boolean;
	readonly ties: boolean;
	readonly vote: boolean;
	/** Null: every pair of versions in every shot, at most 24. */
	readonly pairs: number | null;
	readonly days: number;
	readonly passphrase: string;
	/** One link for everybody, or so many one-time links. */
	readonly voters: 'open' | number;
	readonly codec: ClipCodec;
	readonly stills: number;
	/** Measure the clips for the automatic judge. */
	readonly judge: boolean;
	/** Id of the version that shows what the others should look like (test material); null where nobody knows. */
	readonly truth: string | null;
	/** Ids of {@link VersionChoice}. */
	readonly versions: readonly string[];
	/** Indexes of the reel's shots. */
	readonly shots: readonly number[];
	readonly destination: 'service' | 'file';
}

/** A link that was made. */
export interface ReadyLink {
	readonly role: 'owner' | 'commenter' | 'voter' | 'viewer';
	readonly once: boolean;
	readonly url: string;
}

/** Where making is. */
export type MakingStep =
	| { readonly kind: 'form'; readonly error: EmulsionError | null }
	| { readonly kind: 'rendering' }
	/** Rendered; on its way, paused, or stopped by an error that a further try may pass. */
	| { readonly kind: 'sending'; readonly paused: boolean; readonly error: EmulsionError | null }
	| {
			readonly kind: 'done';
			readonly links: readonly ReadyLink[];
			readonly file: string | null;
			readonly expiresAt: number;
	  };

/** What the dialog begins with. */
export const INITIAL: MakingSettings = {
	...{ title: '', question: '', blind: true, ties: true, vote: true, pairs: null, days: 30, passphrase: '' },
	...{
		voters: 'open',
		codec: 'h264',
		stills: 3,
		judge: true,
		truth: null,
		versions: ['source', 'current'],
		shots: [],
		destination: 'service',
	},
};

/** Versions that can be chosen of a reel. */
export function choicesOf(kept: Reel['versions']): VersionChoice[] {
	return [
		{ id: 'source', name: null },
		{ id: 'current', name: null },
		...kept.map(({ id, name }) => ({ id: `kept:${id}`, name })),
	];
}

/** Real pairs that will be asked. */
export function pairsOf({ vote, pairs, versions, shots }: MakingSettings): number {
	if (!vote) return 0;
	const couples = (versions.length * (versions.length - 1)) / 2;
	return pairs ?? Math.max(1, Math.min(USUAL_PAIRS, couples * shots.length));
}

/** Source frames of the chosen shots, in the order of the film. */
export function rangesOf({ shots: chosen }: MakingSettings, reel: Reel): FrameRange[] {
	const shots = shotsOf(reel);
	return [...chosen]
		.sort((a, b) => a - b)
		.flatMap((index) => shots[index] ?? [])
		.map(({ start, end }) => ({ start, end }));
}

/** How clips and stills are made. @throws EmulsionError `usage`: they would be too many files. */
export function clipSettingsOf(settings: MakingSettings, kept: Reel['versions']): ClipSettings {
	const { codec, stills, judge, truth: wanted, blind, versions, shots } = settings;
	const counts = { versions: versions.length, shots: shots.length, stills, blind, pairs: pairsOf(settings) };
	const truth = judge ? chosenOf(settings, kept).findIndex(({ id }) => id === wanted) : -1;
	return { codec, stills, judge, cropFrames: cropFrameBudget(counts), ...(truth >= 0 && { truth }) };
}

/** Frames that a crop may have; none where clips and stills alone are too many, which making the review refuses. */
export function cropBudgetOf(settings: MakingSettings): number {
	try {
		return clipSettingsOf(settings, []).cropFrames;
	} catch {
		return 0;
	}
}

/** The chosen versions in the order in which they are made. */
export function chosenOf({ versions }: MakingSettings, kept: Reel['versions']): VersionChoice[] {
	return choicesOf(kept).filter(({ id }) => versions.includes(id));
}

/** Recipe of a version; of one that is not there, the reel's. */
function recipeOf(id: string, reel: Reel): Recipe {
	if (id === 'source') return EMPTY_RECIPE;
	return reel.versions.find((version) => `kept:${version.id}` === id)?.recipe ?? reel.recipe;
}

/** Two chosen versions that do the same: whoever votes on them would be asked to tell equal pictures apart. */
export function twinsOf(settings: MakingSettings, reel: Reel): readonly [VersionChoice, VersionChoice] | null {
	const seen = new Map<string, VersionChoice>();
	for (const choice of chosenOf(settings, reel.versions)) {
		const stages = recipeOf(choice.id, reel).stages.filter((stage) => stage.enabled);
		const does = JSON.stringify(stages.map(({ id: _id, ...stage }) => stage));
		const twin = seen.get(does);
		if (twin) return [twin, choice];
		seen.set(does, choice);
	}
	return null;
}

/** The chosen versions with their recipes. @param nameOf Of a version that has no name of its own. */
export function versionsOf(
	settings: MakingSettings,
	reel: Reel,
	nameOf: (id: string) => string,
): { readonly label: string; readonly recipe: Recipe; readonly source: boolean }[] {
	return chosenOf(settings, reel.versions).map(({ id, name }) => {
		return { label: name ?? nameOf(id), recipe: recipeOf(id, reel), source: id === 'source' };
	});
}

/** What is asked of the review, with its links. @param shortestMs Length of the shortest shot: no minimum of viewing is longer. */
export function wishesOf(settings: MakingSettings, fingerprint: string, shortestMs: number): ReviewWishes {
	const { title, question, blind, ties, days, passphrase, voters, vote } = settings;
	const more = passphrase === '' ? {} : { passphrase };
	const voter: LinkWish = { role: 'voter', once: voters !== 'open', ...more };
	const count = !vote ? 0 : voters === 'open' ? 1 : voters;
	const links: LinkWish[] = [
		{ role: 'commenter', ...more },
		{ role: 'viewer', ...more },
		...Array.from({ length: count }, () => voter),
	];
	return {
		...{ title, question, blind, tiesAllowed: ties, links, pairs: pairsOf(settings), source: fingerprint },
		minimumViewMs: Math.min(MINIMUM_VIEW_MS, Math.floor(shortestMs)),
		expiresAt: Date.now() + days * DAY_MS,
	};
}

/** The address of this app, whose service keeps its reviews. */
export function serviceOrigin(): string {
	return new URL('.', location.href.replace(/[?#].*$/, '')).href;
}
