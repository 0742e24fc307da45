/**
 * Where each key of the editor's state lives and whether undo covers it. This table is read by the code: `carryOver` keeps
 * what undo does not cover, the preferences store saves exactly the keys marked `preferences`, and a test walks it.
 */

import type { Project, Reel } from './schema.ts';

/** Where a key is kept. */
export type Place =
	/** In the project: autosaved, and written to the project's file. */
	| 'project'
	/** In this browser's preferences, for all projects. */
	| 'preferences'
	/** In memory, until the tab closes. */
	| 'session';

/** One line of the table. */
export interface KeyPolicy {
	readonly place: Place;
	readonly undo: boolean;
}

/** Keys of the document, of the preferences and of the session. */
export type StateKey =
	| `project.${keyof Project}`
	| `reel.${keyof Reel}`
	| 'preferences.language'
	| 'preferences.sourcePanel'
	| 'preferences.muted'
	| 'preferences.toldPersistence'
	| 'session.openSources'
	| 'session.openMattes'
	| 'session.plan'
	| 'session.renderedRanges'
	| 'session.playback'
	| 'session.selectedStage'
	| 'session.selectedShot'
	| 'session.jobs'
	| 'session.notices';

/** The table. */
export const STATE_KEYS: Readonly<Record<StateKey, KeyPolicy>> = {
	'project.version': { place: 'project', undo: false },
	'project.id': { place: 'project', undo: false },
	'project.name': { place: 'project', undo: true },
	'project.reels': { place: 'project', undo: true },
	'project.activeReel': { place: 'project', undo: false },
	// A review that was made is there, whatever is undone here.
	'project.reviews': { place: 'project', undo: false },
	'project.record': { place: 'project', undo: true },
	'reel.id': { place: 'project', undo: true },
	'reel.source': { place: 'project', undo: true },
	'reel.mattes': { place: 'project', undo: true },
	'reel.numbering': { place: 'project', undo: true },
	'reel.shots': { place: 'project', undo: true },
	'reel.recipe': { place: 'project', undo: true },
	'reel.versions': { place: 'project', undo: true },
	'reel.marks': { place: 'project', undo: true },
	'reel.view': { place: 'project', undo: false },
	'preferences.language': { place: 'preferences', undo: false },
	'preferences.sourcePanel': { place: 'preferences', undo: false },
	'preferences.muted': { place: 'preferences', undo: false },
	'preferences.toldPersistence': { place: 'preferences', undo: false },
	'session.openSources': { place: 'session', undo: false },
	'session.openMattes': { place: 'session', undo: false },
	'session.plan': { place: 'session', undo: false },
	'session.renderedRanges': { place: 'session', undo: false },
	'session.playback': { place: 'session', undo: false },
	'session.selectedStage': { place: 'session', undo: false },
	'session.selectedShot': { place: 'session', undo: false },
	'session.jobs': { place: 'session', undo: false },
	'session.notices': { place: 'session', undo: false },
};

const undone = (key: StateKey): boolean => STATE_KEYS[key].undo;

/** A document of the past with the keys that undo does not cover taken from the present. */
export function carryOver(past: Project, present: Project): Project {
	const reels = past.reels.map((reel): Reel => {
		const now = present.reels.find((r) => r.id === reel.id);
		if (!now) return reel;
		const kept = (Object.keys(reel) as (keyof Reel)[]).filter((key) => !undone(`reel.${key}`));
		return { ...reel, ...Object.fromEntries(kept.map((key) => [key, now[key]])) };
	});
	const kept = (Object.keys(past) as (keyof Project)[]).filter((key) => !undone(`project.${key}`));
	const merged: Project = { ...past, ...Object.fromEntries(kept.map((key) => [key, present[key]])), reels };
	const active = reels.some((r) => r.id === merged.activeReel) ? merged.activeReel : (reels[0]?.id ?? null);
	return { ...merged, activeReel: active };
}
