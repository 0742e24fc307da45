/** What can be done to shots at the playhead. */

import { shotIndexAt } from '../../core/shots.ts';
import type { Workspace } from '../../state/workspace.svelte.ts';

/** Half the length in frames of a dissolve drawn by hand. */
const HALF_DISSOLVE = 6;

/** Index of the shot under the playhead, −1 where there is none. */
export function shotHere(w: Workspace): number {
	const shots = w.project.reel?.shots;
	return shots ? shotIndexAt(shots, w.player.sourceFrame) : -1;
}

/** Jumps to the next shot, or to the start of this one and then to the one before. */
export function nextShot(w: Workspace, direction: 1 | -1): void {
	const reel = w.project.reel;
	const shots = reel?.shots;
	if (!reel || !shots) return;
	const frame = w.player.sourceFrame;
	const at = shotIndexAt(shots, frame);
	const back = frame > (shots[at]?.start ?? 0) ? at : at - 1;
	const target = direction === 1 ? (shots[at + 1]?.start ?? reel.source.frames - 1) : (shots[back]?.start ?? 0);
	w.player.stop();
	w.player.seekSource(target);
}

/** Starts a new shot at the playhead. */
export function splitHere(w: Workspace): void {
	const reel = w.project.reel;
	if (reel?.shots) w.project.run({ type: 'split-shot', reel: reel.id, frame: w.player.sourceFrame });
}

/** Joins the shot under the playhead to the one before. */
export function mergeHere(w: Workspace): void {
	const reel = w.project.reel;
	const index = shotHere(w);
	if (reel && index > 0) w.project.run({ type: 'merge-shot', reel: reel.id, index });
}

/** Turns the cut before the shot under the playhead into a dissolve, or the other way round. */
export function toggleDissolve(w: Workspace): void {
	const reel = w.project.reel;
	const index = shotHere(w);
	const shot = reel?.shots?.[index];
	const previous = reel?.shots?.[index - 1];
	if (!reel || !shot || !previous) return;
	if (shot.transitionIn === 'dissolve') {
		const boundary = { transition: 'cut', frame: shot.start } as const;
		w.project.run({ type: 'transition', reel: reel.id, index, boundary });
		return;
	}
	const half = Math.min(HALF_DISSOLVE, shot.start - previous.start - 1, shot.end - shot.start);
	if (half < 1) return w.notices.say('warning', 'shots.tooShort');
	const dissolve = { from: shot.start - half, to: shot.start + half };
	w.project.run({ type: 'transition', reel: reel.id, index, boundary: { transition: 'dissolve', dissolve } });
}
