/** Votes that came back as files: put together, with what does not belong left out. */

import type { KeptReturns, PackageHeader } from './package.ts';
import type { VoteRecord } from './protocol.ts';

/** Votes of several files, and how many were left out. */
export interface MergedVotes {
	readonly votes: readonly VoteRecord[];
	/** By links that are none of the package's voters, or in another voter's name. */
	readonly foreign: number;
	/** Older versions of votes that another file changes. */
	readonly superseded: number;
}

/**
 * Puts files of votes together. Whoever sends a file can write what they like into it: a vote counts where its link is one of the
 * package's voters, and on a one-time link only in that link's name; of several by one voter on one pair the last revision counts.
 */
export function mergeReturns(files: readonly KeptReturns[], links: PackageHeader['links']): MergedVotes {
	const voters = new Map(links.filter(({ role }) => role === 'voter').map((link) => [link.id, link]));
	const latest = new Map<string, VoteRecord>();
	let foreign = 0;
	let superseded = 0;
	for (const vote of files.flatMap(({ votes }) => votes)) {
		const link = voters.get(vote.link);
		if (!link || (link.once && vote.voter !== link.id)) {
			foreign++;
			continue;
		}
		const key = `${vote.voter}/${vote.presentation}`;
		const before = latest.get(key);
		if (before) superseded++;
		const isNewer = !before || vote.revision > before.revision;
		if (isNewer) latest.set(key, { ...vote, once: link.once });
	}
	return { votes: [...latest.values()], foreign, superseded };
}
