/** Keys of the review's pages: one table for the handler and the help. */

import type { MessageKey } from '../../state/i18n/messages.en.ts';
import { LOUPES, VIEW_MODES } from '../../services/review-player/paint.ts';
import { type ReviewPlayer, SPEEDS } from '../../state/review/player.svelte.ts';

/** What the page around the player does on a key. */
export interface PageActions {
	readonly fullscreen: () => void;
	readonly help: () => void;
	/** Previous or next shot or pair; absent where there is none. */
	readonly go?: (by: number) => void;
	/** Begins a note. */
	readonly note?: () => void;
	/** Votes. */
	readonly vote?: (choice: 'left' | 'tie' | 'right') => void;
}

/** One line of the table. */
export interface ReviewKey {
	readonly keys: readonly string[];
	readonly shown: string;
	readonly does: MessageKey;
	/** Shown and heard only where it is there. */
	readonly needs?: 'go' | 'note' | 'vote';
	/** Neither shown nor heard where the page votes. */
	readonly notVoting?: true;
	readonly run: (player: ReviewPlayer, page: PageActions) => void;
}

const nudge = (player: ReviewPlayer, x: number, y: number): void => {
	const { at } = player.view;
	const inside = (value: number): number => Math.min(1, Math.max(0, value));
	player.setView({ at: { x: inside(at.x + x), y: inside(at.y + y) } });
};
const wipe = (player: ReviewPlayer, by: number): void =>
	player.setView({ mode: 'wipe', wipe: Math.min(1, Math.max(0, player.view.wipe + by)) });
const speed = (player: ReviewPlayer, by: number): void => {
	const at = SPEEDS.findIndex((s) => s === player.speed);
	player.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))]!);
};
/** Shows the other picture in the same place. */
export function flip(player: ReviewPlayer): void {
	if (player.view.mode !== 'toggle') player.setView({ mode: 'toggle' });
	else player.setView({ shown: player.view.shown === 'a' ? 'b' : 'a' });
}
/** Loupe off, 1:1, 2:1 and off again. */
export function nextLoupe(player: ReviewPlayer): void {
	const at = LOUPES.findIndex((l) => l === player.view.loupe);
	player.setView({ loupe: LOUPES[(at + 1) % LOUPES.length]! });
}

/** All keys. */
export const REVIEW_KEYS: readonly ReviewKey[] = [
	{ keys: [' ', 'k'], shown: 'Space', does: 'rv.key.play', run: (p) => p.toggle() },
	{ keys: ['arrowleft'], shown: '←', does: 'rv.key.back1', run: (p) => p.step(-1) },
	{ keys: ['arrowright'], shown: '→', does: 'rv.key.forward1', run: (p) => p.step(1) },
	{ keys: ['shift+arrowleft'], shown: 'Shift ←', does: 'rv.key.back10', run: (p) => p.step(-10) },
	{ keys: ['shift+arrowright'], shown: 'Shift →', does: 'rv.key.forward10', run: (p) => p.step(10) },
	{ keys: ['home'], shown: 'Home', does: 'rv.key.first', run: (p) => p.seek(p.range?.[0] ?? 0) },
	{ keys: ['end'], shown: 'End', does: 'rv.key.last', run: (p) => p.seek(p.range?.[1] ?? p.frames - 1) },
	{ keys: ['i'], shown: 'I', does: 'rv.key.in', run: (p) => p.mark('in') },
	{ keys: ['o'], shown: 'O', does: 'rv.key.out', run: (p) => p.mark('out') },
	{ keys: ['x'], shown: 'X', does: 'rv.key.clear', run: (p) => p.setRange(null) },
	{ keys: ['l'], shown: 'L', does: 'rv.key.loop', run: (p) => p.setLoop(!p.loop) },
	{ keys: [','], shown: ',', does: 'rv.key.slower', run: (p) => speed(p, -1) },
	{ keys: ['.'], shown: '.', does: 'rv.key.faster', run: (p) => speed(p, 1) },
	{ keys: ['t'], shown: 'T', does: 'rv.key.toggle', run: flip },
	{ keys: ['1'], shown: '1', does: 'rv.key.voteLeft', needs: 'vote', run: (_p, page) => page.vote?.('left') },
	{ keys: ['2'], shown: '2', does: 'rv.key.voteTie', needs: 'vote', run: (_p, page) => page.vote?.('tie') },
	{ keys: ['3'], shown: '3', does: 'rv.key.voteRight', needs: 'vote', run: (_p, page) => page.vote?.('right') },
	...VIEW_MODES.map((mode, i): ReviewKey => ({
		keys: [`shift+${i + 1}`, ['!', '@', '#', '$'][i]!, String(i + 1)],
		shown: `Shift ${i + 1}`,
		does: `rv.mode.${mode}`,
		// The difference shows no version: nothing to vote on.
		...(mode === 'difference' && { notVoting: true as const }),
		run: (p) => p.setView({ mode }),
	})),
	{ keys: ['['], shown: '[', does: 'rv.key.wipeLeft', run: (p) => wipe(p, -0.02) },
	{ keys: [']'], shown: ']', does: 'rv.key.wipeRight', run: (p) => wipe(p, 0.02) },
	{ keys: ['z'], shown: 'Z', does: 'rv.key.loupe', run: nextLoupe },
	{ keys: ['a'], shown: 'A', does: 'rv.key.loupeLeft', run: (p) => nudge(p, -0.02, 0) },
	{ keys: ['d'], shown: 'D', does: 'rv.key.loupeRight', run: (p) => nudge(p, 0.02, 0) },
	{ keys: ['w'], shown: 'W', does: 'rv.key.loupeUp', run: (p) => nudge(p, 0, -0.02) },
	{ keys: ['s'], shown: 'S', does: 'rv.key.loupeDown', run: (p) => nudge(p, 0, 0.02) },
	{ keys: ['f'], shown: 'F', does: 'rv.key.full', run: (_p, page) => page.fullscreen() },
	{ keys: ['arrowup', 'pageup'], shown: '↑', does: 'rv.key.previous', needs: 'go', run: (_p, page) => page.go?.(-1) },
	{ keys: ['arrowdown', 'pagedown'], shown: '↓', does: 'rv.key.next', needs: 'go', run: (_p, page) => page.go?.(1) },
	{ keys: ['n'], shown: 'N', does: 'rv.key.note', needs: 'note', run: (_p, page) => page.note?.() },
	{ keys: ['?', 'f1'], shown: '?', does: 'rv.key.help', run: (_p, page) => page.help() },
];

/** True where the key belongs to what has the focus: text, lists, sliders, Space and Enter on a button. */
function isTaken(event: KeyboardEvent): boolean {
	const target = event.target as HTMLElement;
	if (target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select')) return true;
	if (target.matches('input[type=radio]')) return event.key.startsWith('Arrow') || event.key === ' ';
	const acts = event.key === ' ' || event.key === 'Enter';
	if (target.matches('[role=slider]')) return acts || /^Arrow|Home|End/.test(event.key);
	return acts && target.matches('button, a, summary, input');
}

/** Runs the key's line, unless a dialog is open or the key belongs to what has the focus. */
export function handleReviewKey(event: KeyboardEvent, player: ReviewPlayer, page: PageActions): void {
	if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
	if (document.querySelector('dialog[open]') || isTaken(event)) return;
	const key = event.key.toLowerCase();
	const shift = event.shiftKey && (key.length > 1 || /[0-9]/.test(key)) ? 'shift+' : '';
	const line = REVIEW_KEYS.find(
		(k) =>
			k.keys.includes(shift + key) &&
			(!k.needs || page[k.needs] !== undefined) &&
			!(k.notVoting && page.vote !== undefined),
	);
	if (!line) return;
	event.preventDefault();
	line.run(player, page);
}
