import { describe, expect, it } from 'vitest';
import type { Manifest } from './manifest.ts';
import { type Entry, makeCuratorKey, signApproval } from './notes.ts';
import { approvalsIn, type OpenEntry, timelineNotes } from './timeline-notes.ts';

const manifest = {
	review: 'R'.repeat(22),
	shots: [
		{ id: 'S'.repeat(22), sourceFrame: 100, frames: 10, clips: [{ object: 'C'.repeat(22) }] },
		{ id: 'T'.repeat(22), sourceFrame: 20, frames: 5, clips: [] },
	],
} as unknown as Manifest;

let seq = 0;
const open = (id: string, entry: Entry, at = ++seq): OpenEntry => ({ id, seq: at, updatedAt: at, entry });
const note = (shot: string, from: number, to: number, text = 'x'): Entry => ({
	...{ type: 'note', name: 'A', shot: shot.repeat(22), from, to, text, marks: [], clip: null },
});

describe('notes on the timeline', () => {
	it('lie at source frames, in the order of the film, never beyond their shot', () => {
		const notes = timelineNotes(
			[
				open('a', note('S', 3, 5)),
				open('b', note('T', 1, 1e8)),
				open('c', note('S', 4, 2)),
				open('d', note('U', 0, 0)),
			],
			manifest,
		);
		expect(notes.map(({ id, from, to }) => [id, from, to])).toEqual([
			['b', 21, 24],
			['c', 102, 104],
			['a', 103, 105],
		]);
	});

	it('carry answers, and the last word on whether they are settled', () => {
		const said = [
			open('n', note('S', 0, 0)),
			open('r', { type: 'reply', name: 'B', to: 'n', text: 'yes' } as Entry),
			open('x', { type: 'resolve', name: 'B', to: 'n', resolved: true } as Entry),
			open('y', { type: 'resolve', name: 'B', to: 'n', resolved: false } as Entry),
			open('z', { type: 'resolve', name: 'B', to: 'n', resolved: true } as Entry),
			open('o', { type: 'resolve', name: 'B', to: 'other', resolved: false } as Entry),
		];
		expect(timelineNotes([...said].reverse(), manifest)).toMatchObject([
			{ id: 'n', resolved: true, replies: [{ id: 'r', author: 'B', text: 'yes' }] },
		]);
		expect(timelineNotes(said.slice(0, 4), manifest)[0]!.resolved).toBe(false);
	});

	it('hold approvals of this review’s clips only', async () => {
		const key = await makeCuratorKey();
		const base: Parameters<typeof signApproval>[1] = {
			...{ type: 'approval', name: 'C', review: manifest.review, shot: 'S'.repeat(22), clip: 'C'.repeat(22) },
			...{ clipHash: '0'.repeat(64), verdict: 'approved', text: '', at: 1 },
		};
		const good = await signApproval(key, base);
		const others = [
			await signApproval(key, { ...base, review: 'Q'.repeat(22) }),
			await signApproval(key, { ...base, clip: 'D'.repeat(22) }),
			await signApproval(key, { ...base, shot: 'T'.repeat(22) }),
		];
		expect(
			approvalsIn(
				[good, ...others].map((entry, i) => open(`${i}`, entry)),
				manifest,
			),
		).toEqual([good]);
	});
});
