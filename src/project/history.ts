/**
 * Undo and redo over immutable documents: each entry is the document before a command. Documents share structure, so an
 * entry costs what the command changed. Commands with the same coalescing key that follow each other within a second are
 * one entry (dragging a slider is one step back).
 */

import { applyCommand, type Command, coalesceKey, type CommandContext } from './commands.ts';
import { carryOver } from './persistence.ts';
import type { Project } from './schema.ts';

/** Most steps back. */
export const MAX_HISTORY = 500;
/** Commands with equal keys closer than this many milliseconds are one step. */
export const COALESCE_MS = 1000;

/** One step: the document before the command, and what the command was. */
export interface HistoryEntry {
	readonly before: Project;
	readonly type: Command['type'];
}

/** The state of undo and redo. Immutable: every function returns a new one. */
export interface History {
	readonly present: Project;
	readonly past: readonly HistoryEntry[];
	readonly future: readonly HistoryEntry[];
	/** Key and time of the last command, for coalescing. */
	readonly last: { readonly key: string; readonly at: number } | null;
}

/** Commands that change only what undo does not cover. */
const STEPLESS: ReadonlySet<Command['type']> = new Set(['view', 'activate-reel', 'add-review', 'forget-review']);

/** A history that starts with a document. */
export function startHistory(present: Project): History {
	return { present, past: [], future: [], last: null };
}

/**
 * Runs a command. A command that changes nothing leaves the history as it is; a command that changes only what undo
 * does not cover changes the present without a step. `now` is in milliseconds, on any clock.
 */
export function execute(history: History, command: Command, context: CommandContext, now: number): History {
	const present = applyCommand(history.present, command, context);
	if (present === history.present) return history;
	if (STEPLESS.has(command.type)) return { ...history, present };
	const key = coalesceKey(command);
	const joins = key !== null && history.last?.key === key && now - history.last.at < COALESCE_MS;
	const past = joins
		? history.past
		: [...history.past, { before: history.present, type: command.type }].slice(-MAX_HISTORY);
	return { present, past, future: [], last: key === null ? null : { key, at: now } };
}

/** One step back; the same history where there is none. */
export function undo(history: History): History {
	const entry = history.past.at(-1);
	if (!entry) return history;
	return {
		present: carryOver(entry.before, history.present),
		past: history.past.slice(0, -1),
		future: [...history.future, { before: history.present, type: entry.type }],
		last: null,
	};
}

/** One step forward again; the same history where there is none. */
export function redo(history: History): History {
	const entry = history.future.at(-1);
	if (!entry) return history;
	return {
		present: carryOver(entry.before, history.present),
		past: [...history.past, { before: history.present, type: entry.type }],
		future: history.future.slice(0, -1),
		last: null,
	};
}
