/** A review's notes as its owner's timeline shows them: threads with their state, at frames of the source. */

import type { Manifest } from './manifest.ts';
import type { Approval, Entry } from './notes.ts';

/** An entry of the log that could be opened. */
export interface OpenEntry {
	readonly id: string;
	readonly seq: number;
	readonly updatedAt: number;
	readonly entry: Entry;
}

/** A note with what was said to it. */
export interface TimelineNote {
	readonly id: string;
	/** The shot's id. */
	readonly shot: string;
	/** Frames of the source, both included. */
	readonly from: number;
	readonly to: number;
	readonly author: string;
	readonly text: string;
	readonly resolved: boolean;
	/** Last change of the note itself, ms since 1970 by the service's clock. */
	readonly at: number;
	readonly replies: readonly { readonly id: string; readonly author: string; readonly text: string }[];
}

/**
 * Notes in the order of the film. What names a shot that the review does not have is left out; frames beyond a shot's end are
 * those of its end. The last word on "resolved" holds.
 */
export function timelineNotes(entries: readonly OpenEntry[], manifest: Pick<Manifest, 'shots'>): TimelineNote[] {
	const shots = new Map(manifest.shots.map((shot) => [shot.id, shot]));
	const sorted = [...entries].sort((a, b) => a.seq - b.seq);
	return sorted
		.flatMap(({ id, updatedAt, entry }): TimelineNote[] => {
			const shot = entry.type === 'note' ? shots.get(entry.shot) : undefined;
			if (entry.type !== 'note' || !shot) return [];
			const frame = (at: number): number => shot.sourceFrame + Math.min(shot.frames - 1, at);
			const about = sorted.filter((e) => e.entry.type !== 'note' && 'to' in e.entry && e.entry.to === id);
			const words = about.flatMap((e) =>
				e.entry.type === 'reply' ? [{ id: e.id, author: e.entry.name, text: e.entry.text }] : [],
			);
			const last = about.filter((e) => e.entry.type === 'resolve').at(-1)?.entry;
			const [from, to] = [frame(Math.min(entry.from, entry.to)), frame(Math.max(entry.from, entry.to))];
			return [
				{
					...{ id, shot: shot.id, from, to, author: entry.name, text: entry.text, at: updatedAt, replies: words },
					resolved: last?.type === 'resolve' && last.resolved,
				},
			];
		})
		.sort((a, b) => a.from - b.from || a.at - b.at);
}

/** Approvals of this review's shots and clips; whether their signatures hold is `verifyApproval`'s to say. */
export function approvalsIn(entries: readonly OpenEntry[], manifest: Pick<Manifest, 'review' | 'shots'>): Approval[] {
	return entries.flatMap(({ entry }) => {
		if (entry.type !== 'approval' || entry.review !== manifest.review) return [];
		const shot = manifest.shots.find(({ id }) => id === entry.shot);
		return shot?.clips.some(({ object }) => object === entry.clip) ? [entry] : [];
	});
}
