/**
 * Shots: half-open ranges of source frames that tile the film. A shot list comes from detection, from an EDL or from the
 * restorer's hand; nothing in the program may read across a boundary, and a dissolve's frames belong to two shots at once.
 * All functions are pure: they return new lists.
 */

import { EmulsionError } from './errors.ts';
import { phrase, type PhraseValue } from './phrases.ts';

/** How a shot begins. A fade through black counts as a cut at the first frame that shows the new picture. */
export type TransitionIn = 'start' | 'cut' | 'dissolve';

/** The frames of a dissolve: `from` is the first that mixes both pictures, `to` the first that shows only the new one. */
export interface DissolveRange {
	readonly from: number;
	readonly to: number;
}

/** One shot. */
export interface Shot {
	/** First frame (0-based, presentation order). In a dissolve, its middle. */
	readonly start: number;
	/** Frame after the last. */
	readonly end: number;
	/** `start` for the first shot of the film and for no other. */
	readonly transitionIn: TransitionIn;
	/** Present exactly where `transitionIn` is `dissolve`: `from ≤ start < to`, from after the shot before's first frame. */
	readonly dissolve?: DissolveRange;
	/** Where the shot's bounds come from; `edited` where one of them was drawn, moved or taken away by hand. */
	readonly source: 'detected' | 'edited' | 'edl';
	/** Nobody has looked for shots in these frames: they may be many. Only beside a part of a film that was looked at alone. */
	readonly unseen?: true;
}

/** Shots in order, tiling `[0, frames)`; empty for a film of no frames. */
export type ShotList = readonly Shot[];

/** A boundary between two shots, before it is part of a list. */
export type ShotBoundary =
	| { readonly transition: 'cut'; readonly frame: number }
	| { readonly transition: 'dissolve'; readonly dissolve: DissolveRange };

/** The frame at which a dissolve's new shot starts: its middle. */
export function dissolveMiddle(dissolve: DissolveRange): number {
	return dissolve.from + Math.floor((dissolve.to - dissolve.from) / 2);
}

function invalid(path: string, expected: PhraseValue, got: PhraseValue): EmulsionError {
	return new EmulsionError('project-invalid', phrase('expected', { path, expected, got }), { path });
}

function checkDissolve(shot: Shot, previous: Shot | undefined, path: string): void {
	const { dissolve } = shot;
	if ((shot.transitionIn === 'dissolve') !== (dissolve !== undefined))
		throw invalid(`${path}.dissolve`, phrase('kind-where-dissolve'), `"${shot.transitionIn}"`);
	if (dissolve === undefined) return;
	const { from, to } = dissolve;
	const inside = from > (previous?.start ?? 0) && from <= shot.start && shot.start < to && to <= shot.end;
	if (!Number.isInteger(from) || !Number.isInteger(to) || !inside)
		throw invalid(
			`${path}.dissolve`,
			phrase('kind-dissolve', { start: shot.start }),
			phrase('got-range', { from, to }),
		);
}

/**
 * Checks that a list tiles `[0, frames)` in order, with one `start`, and dissolves inside their shots.
 * @throws EmulsionError `project-invalid` naming the path (`shots[2].end`) and what was expected.
 */
export function validateShots(list: ShotList, frames: number): void {
	if (!Number.isSafeInteger(frames) || frames < 0)
		throw invalid('frames', phrase('kind-whole-from', { min: 0 }), frames);
	let expected = 0;
	list.forEach((shot, index) => {
		const path = `shots[${index}]`;
		if (shot.start !== expected) throw invalid(`${path}.start`, expected, shot.start);
		if (!Number.isSafeInteger(shot.end) || shot.end <= shot.start || shot.end > frames)
			throw invalid(`${path}.end`, phrase('kind-whole-from-to', { min: shot.start + 1, max: frames }), shot.end);
		if ((index === 0) !== (shot.transitionIn === 'start'))
			throw invalid(`${path}.transitionIn`, phrase('kind-start'), `"${shot.transitionIn}"`);
		checkDissolve(shot, list[index - 1], path);
		expected = shot.end;
	});
	if (expected !== frames) throw invalid('shots', phrase('kind-end', { frames }), expected);
}

/** Index of the shot that holds a frame, or −1 where no shot does. Binary search. */
export function shotIndexAt(list: ShotList, frame: number): number {
	if (!Number.isFinite(frame)) return -1;
	let low = 0;
	let high = list.length - 1;
	while (low <= high) {
		const middle = (low + high) >> 1;
		const shot = list[middle];
		if (shot === undefined) return -1;
		if (frame < shot.start) high = middle - 1;
		else if (frame >= shot.end) low = middle + 1;
		else return middle;
	}
	return -1;
}

/** The shot that holds a frame, or undefined outside of the film. */
export function shotAt(list: ShotList, frame: number): Shot | undefined {
	return list[shotIndexAt(list, frame)];
}

/**
 * Builds a list from boundaries in any order. Boundaries outside of `(0, frames)` and repeated ones are dropped;
 * a dissolve that another boundary or the film's end cuts short is trimmed, and becomes a cut where nothing of it is left.
 */
export function shotsFromBoundaries(
	frames: number,
	boundaries: readonly ShotBoundary[],
	source: Shot['source'],
): ShotList {
	if (frames <= 0) return [];
	const sorted = boundaries
		.map((b) => ({ ...b, at: b.transition === 'cut' ? b.frame : dissolveMiddle(b.dissolve) }))
		.filter((b) => Number.isSafeInteger(b.at) && b.at > 0 && b.at < frames)
		.sort((a, b) => a.at - b.at);
	const unique = sorted.filter((b, i) => b.at !== sorted[i - 1]?.at);
	const first: Shot = { start: 0, end: unique[0]?.at ?? frames, transitionIn: 'start', source };
	const rest = unique.map((b, i): Shot => {
		const end = unique[i + 1]?.at ?? frames;
		if (b.transition === 'cut') return { start: b.at, end, transitionIn: 'cut', source };
		const from = Math.max((unique[i - 1]?.at ?? 0) + 1, b.dissolve.from);
		const to = Math.min(end, b.dissolve.to);
		if (from > b.at || to - from < 2) return { start: b.at, end, transitionIn: 'cut', source };
		return { start: b.at, end, transitionIn: 'dissolve', dissolve: { from, to }, source };
	});
	return [first, ...rest];
}

/** A shot without the dissolve that a change has made impossible. */
function asCut(shot: Shot): Shot {
	return { start: shot.start, end: shot.end, transitionIn: 'cut', source: shot.source };
}

/** True where a shot's dissolve still lies inside of it and the shot before. */
function dissolveFits(shot: Shot, previous: Shot): boolean {
	return shot.dissolve === undefined || (shot.dissolve.from > previous.start && shot.dissolve.to <= shot.end);
}

/**
 * Splits the shot that holds `frame` so that a new shot starts there with a cut drawn by hand. A dissolve that the new
 * boundary runs through becomes a cut.
 * @throws EmulsionError `usage` where no shot holds the frame or one starts there already.
 */
export function splitShot(list: ShotList, frame: number): ShotList {
	const index = shotIndexAt(list, frame);
	const shot = list[index];
	if (shot === undefined || !Number.isInteger(frame))
		throw new EmulsionError('usage', phrase('split-nowhere', { frame }));
	if (shot.start === frame) throw new EmulsionError('usage', phrase('split-twice', { frame }));
	const head: Shot = { ...shot, end: frame };
	const tail: Shot = { start: frame, end: shot.end, transitionIn: 'cut', source: 'edited' };
	const next = list[index + 1];
	const before = head.dissolve !== undefined && head.dissolve.to > frame ? asCut(head) : head;
	const after = next === undefined ? [] : [dissolveFits(next, tail) ? next : asCut(next)];
	return [...list.slice(0, index), before, tail, ...after, ...list.slice(index + 2)];
}

/**
 * Joins the shot at `index` to the one before it. The joined shot is `edited`: nothing else tells that a boundary was taken away.
 * @throws EmulsionError `usage` for the first shot and for an index that does not exist.
 */
export function mergeWithPrevious(list: ShotList, index: number): ShotList {
	const shot = list[index];
	const previous = list[index - 1];
	if (shot === undefined || previous === undefined)
		throw new EmulsionError('usage', phrase('merge-shot', { index, last: list.length - 1 }));
	const merged: Shot = { ...previous, end: shot.end, source: 'edited' };
	return [...list.slice(0, index - 1), merged, ...list.slice(index + 1)];
}

/**
 * Sets how the shot at `index` begins: with a cut at `frame`, or with a dissolve whose middle becomes its first frame.
 * The shot before is lengthened or shortened to match.
 * @throws EmulsionError `usage` for the first shot, `project-invalid` where the transition does not fit in its two shots.
 */
export function setTransition(list: ShotList, index: number, boundary: ShotBoundary): ShotList {
	const shot = list[index];
	const previous = list[index - 1];
	if (shot === undefined || previous === undefined)
		throw new EmulsionError('usage', phrase('transition-shot', { index, last: list.length - 1 }));
	const start = boundary.transition === 'cut' ? boundary.frame : dissolveMiddle(boundary.dissolve);
	const changed: Shot = {
		start,
		end: shot.end,
		transitionIn: boundary.transition,
		...(boundary.transition === 'dissolve' ? { dissolve: boundary.dissolve } : {}),
		source: 'edited',
	};
	const out = [...list.slice(0, index - 1), { ...previous, end: start }, changed, ...list.slice(index + 1)];
	validateShots(out, list[list.length - 1]?.end ?? 0);
	return out;
}
