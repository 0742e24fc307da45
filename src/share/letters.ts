/** Letters: how reviewers who may not know the versions' names call them. */

import type { OwnerSecrets, ReviewShot } from './manifest.ts';

/** Of the clips of a shot, in their order: which version has which differs from shot to shot in a blind review. */
export const VERSION_LETTERS = 'ABCD';

/** What a letter of a shot stood for. */
export interface LetterKey {
	readonly letter: string;
	/** The version's name. */
	readonly label: string;
}

/** Which version each letter of a shot is; the owner's secrets alone tell. What they do not name is left out. */
export function letterKeys(
	shot: Pick<ReviewShot, 'clips'>,
	secrets: Pick<OwnerSecrets, 'clips' | 'versions'>,
): LetterKey[] {
	return shot.clips.flatMap(({ object }, i) => {
		const version = secrets.clips.find((clip) => clip.object === object)?.version;
		const label = secrets.versions.find(({ id }) => id === version)?.label;
		return label === undefined ? [] : [{ letter: VERSION_LETTERS[i] ?? '?', label }];
	});
}
