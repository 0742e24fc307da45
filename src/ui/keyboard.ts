/** The keyboard: one table of shortcuts, from which both the handler and the help are made. */

import type { MessageKey } from '../state/i18n/messages.en.ts';
import type { Workspace } from '../state/workspace.svelte.ts';
import { nextShot, splitHere, mergeHere, toggleDissolve } from './strip/shot-actions.ts';
import { cycleMode, nudgeWipe, zoomStep } from './viewer/view-actions.ts';

/** What the shell around the editor does on a key. */
export interface ShellActions {
	readonly open: () => void;
	readonly help: () => void;
	readonly export: () => void;
}

/** One line of the table. */
export interface Shortcut {
	/** `KeyboardEvent.key`, lower case for letters; with `mod+` (Ctrl or ⌘) and `shift+` in front. */
	readonly keys: readonly string[];
	/** As shown in the help. */
	readonly shown: string;
	readonly group: 'play' | 'view' | 'shots' | 'project';
	readonly does: MessageKey;
	readonly run: (w: Workspace, shell: ShellActions) => void;
}

const second = (w: Workspace): number => Math.max(1, w.project.reel?.numbering.base ?? 24);

/** All shortcuts. */
export const SHORTCUTS: readonly Shortcut[] = [
	{ keys: [' '], shown: 'Space', group: 'play', does: 'key.playPause', run: (w) => w.player.toggle() },
	{ keys: ['j'], shown: 'J', group: 'play', does: 'key.playBackward', run: (w) => w.player.shuttle(-1) },
	{ keys: ['k'], shown: 'K', group: 'play', does: 'key.stop', run: (w) => w.player.stop() },
	{ keys: ['l'], shown: 'L', group: 'play', does: 'key.playForward', run: (w) => w.player.shuttle(1) },
	{ keys: ['arrowleft'], shown: '←', group: 'play', does: 'key.previousFrame', run: (w) => w.player.step(-1) },
	{ keys: ['arrowright'], shown: '→', group: 'play', does: 'key.nextFrame', run: (w) => w.player.step(1) },
	{
		keys: ['shift+arrowleft'],
		shown: 'Shift ←',
		group: 'play',
		does: 'key.backSecond',
		run: (w) => w.player.step(-second(w)),
	},
	{
		keys: ['shift+arrowright'],
		shown: 'Shift →',
		group: 'play',
		does: 'key.forwardSecond',
		run: (w) => w.player.step(second(w)),
	},
	{ keys: ['home'], shown: 'Home', group: 'play', does: 'key.first', run: (w) => w.player.step(-Infinity) },
	{ keys: ['end'], shown: 'End', group: 'play', does: 'key.last', run: (w) => w.player.step(Infinity) },
	{ keys: ['shift+m'], shown: 'Shift M', group: 'play', does: 'key.mute', run: (w) => w.player.toggleMute() },
	{ keys: ['i'], shown: 'I', group: 'play', does: 'key.markIn', run: (w) => w.mark('in') },
	{ keys: ['o'], shown: 'O', group: 'play', does: 'key.markOut', run: (w) => w.mark('out') },
	{ keys: ['x'], shown: 'X', group: 'play', does: 'key.clearMarks', run: (w) => w.clearMarks() },
	{ keys: ['1'], shown: '1', group: 'view', does: 'key.source', run: (w) => w.player.setView({ mode: 'source' }) },
	{ keys: ['2'], shown: '2', group: 'view', does: 'key.wipe', run: (w) => w.player.setView({ mode: 'wipe' }) },
	{ keys: ['3'], shown: '3', group: 'view', does: 'key.result', run: (w) => w.player.setView({ mode: 'result' }) },
	{ keys: ['a'], shown: 'A', group: 'view', does: 'key.toggleAb', run: cycleMode },
	{ keys: ['['], shown: '[', group: 'view', does: 'key.wipeLeft', run: (w) => nudgeWipe(w, -0.02) },
	{ keys: [']'], shown: ']', group: 'view', does: 'key.wipeRight', run: (w) => nudgeWipe(w, 0.02) },
	{ keys: ['f'], shown: 'F', group: 'view', does: 'key.fit', run: (w) => w.player.setView({ zoom: 'fit' }) },
	{ keys: ['+', '='], shown: '+', group: 'view', does: 'key.zoomIn', run: (w) => zoomStep(w, 1) },
	{ keys: ['-'], shown: '−', group: 'view', does: 'key.zoomOut', run: (w) => zoomStep(w, -1) },
	{ keys: ['0'], shown: '0', group: 'view', does: 'key.pixels', run: (w) => w.player.setView({ zoom: 1 }) },
	{ keys: ['arrowup', 'pageup'], shown: '↑', group: 'shots', does: 'key.previousShot', run: (w) => nextShot(w, -1) },
	{ keys: ['arrowdown', 'pagedown'], shown: '↓', group: 'shots', does: 'key.nextShot', run: (w) => nextShot(w, 1) },
	{ keys: ['s'], shown: 'S', group: 'shots', does: 'key.split', run: splitHere },
	{ keys: ['m'], shown: 'M', group: 'shots', does: 'key.merge', run: mergeHere },
	{ keys: ['d'], shown: 'D', group: 'shots', does: 'key.dissolve', run: toggleDissolve },
	{ keys: ['r'], shown: 'R', group: 'project', does: 'key.restore', run: (w) => void w.render() },
	{ keys: ['e'], shown: 'E', group: 'project', does: 'key.export', run: (_w, shell) => shell.export() },
	{ keys: ['mod+o'], shown: 'Ctrl O', group: 'project', does: 'key.open', run: (_w, shell) => shell.open() },
	{ keys: ['mod+s'], shown: 'Ctrl S', group: 'project', does: 'key.save', run: (w) => w.saveProject() },
	{ keys: ['mod+z'], shown: 'Ctrl Z', group: 'project', does: 'key.undo', run: (w) => w.project.undo() },
	{
		keys: ['mod+shift+z', 'mod+y'],
		shown: 'Ctrl Shift Z',
		group: 'project',
		does: 'key.redo',
		run: (w) => w.project.redo(),
	},
	{ keys: ['?', 'shift+?', 'f1'], shown: '?', group: 'project', does: 'key.help', run: (_w, shell) => shell.help() },
];

function chord(event: KeyboardEvent): string {
	const key = event.key.toLowerCase();
	const symbol = key.length === 1 && !/[a-z]/.test(key);
	const shift = event.shiftKey && !symbol ? 'shift+' : '';
	return `${event.ctrlKey || event.metaKey ? 'mod+' : ''}${shift}${key}`;
}

/** True where the key belongs to what has the focus: text fields, sliders, lists, and Space or Enter on a button. */
function belongsToFocus(event: KeyboardEvent): boolean {
	const target = event.target as HTMLElement;
	if (event.ctrlKey || event.metaKey)
		return target.matches('input[type=text], input[type=url], textarea') && /^[zy]$/i.test(event.key);
	if (target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select')) return true;
	if (target.matches('input[type=radio]')) return event.key.startsWith('Arrow') || event.key === ' ';
	if (target.matches('button, input, a, summary, [role=slider], [role=separator]')) {
		return (
			event.key === ' ' ||
			event.key === 'Enter' ||
			(target.matches('[role=slider], [role=separator]') && /^Arrow|Home|End/.test(event.key))
		);
	}
	return false;
}

/**
 * What was used by the pointer does not keep the keyboard: the keys of the player go on working. Reached by Tab it does, and
 * text fields and lists always do. For handlers of `pointerdown` on what would take the focus, together with {@link keepFocus}.
 */
export function freeKeyboard(): void {
	if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/** For `mousedown` on what has a place in the Tab order: pressing it by the pointer does not focus it. */
export function keepFocus(event: MouseEvent): void {
	event.preventDefault();
}

/** For `click` on the window: a button that was pressed by the pointer gives the keyboard back; one pressed by a key keeps it. */
export function freeAfterClick(event: MouseEvent): void {
	const button = (event.target as Element).closest('button, [role=radio]');
	if (event.detail > 0 && button && !button.closest('dialog') && document.activeElement === button) freeKeyboard();
}

/** Runs the shortcut of a key press, unless a dialog is open or the key belongs to what has the focus. */
export function handleKey(event: KeyboardEvent, workspace: Workspace, shell: ShellActions): void {
	if (event.defaultPrevented || event.altKey || document.querySelector('dialog[open]') || belongsToFocus(event)) return;
	const pressed = chord(event);
	const shortcut = SHORTCUTS.find((s) => s.keys.includes(pressed));
	if (!shortcut) return;
	event.preventDefault();
	shortcut.run(workspace, shell);
}
