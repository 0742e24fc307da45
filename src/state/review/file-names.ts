/** Names of files that a review's pages save. */

import { randomBytes } from '../../share/bytes.ts';

/** A title as a file name. */
export function fileName(title: string): string {
	return (
		title
			.replace(/[^\p{L}\p{N}._ -]+/gu, ' ')
			.trim()
			.replace(/\s+/g, '-')
			.slice(0, 80) || 'review'
	);
}

/** Drawn once a visit: files of several people lie in one folder without taking each other's name, and name nobody. */
let tag: string | undefined;

/** The name of what is sent back to the owner: `votes-The-Lost-Reel-kqzw.emulsion-votes`. */
export function returnName(kind: 'votes' | 'notes', title: string): string {
	tag ??= [...randomBytes(4)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('');
	return `${kind}-${fileName(title)}-${tag}.emulsion-votes`;
}
