/** The project on screen, with undo. Verbs in, immutable documents out. */

import type { StageMeta } from '../contracts/stage.ts';
import type { Command } from '../project/commands.ts';
import { execute, type History, redo, startHistory, undo } from '../project/history.ts';
import { emptyProject, type Project, type Reel, reelById } from '../project/schema.ts';
import type { Notices } from './notices.svelte.ts';

/** Commands that say what is looked at, not what is done to the film. */
const FREE: ReadonlySet<Command['type']> = new Set(['view', 'activate-reel']);

/** See the file's comment. */
export class ProjectState {
	readonly metas: readonly StageMeta[];
	readonly #notices: Notices;
	readonly #locked: () => boolean;
	#history: History = $state.raw(startHistory(emptyProject('none', '')));
	readonly #project = $derived(this.#history.present);
	readonly #reel = $derived(reelById(this.#history.present, this.#history.present.activeReel));

	/** While `locked`, only what undo does not cover may change: another tab holds the project. */
	constructor(metas: readonly StageMeta[], notices: Notices, locked: () => boolean) {
		this.metas = metas;
		this.#locked = locked;
		this.#notices = notices;
	}

	get project(): Project {
		return this.#project;
	}

	/** The reel on screen. */
	get reel(): Reel | undefined {
		return this.#reel;
	}

	/** What undo would take back; undefined where there is nothing. */
	get undoType(): Command['type'] | undefined {
		return this.#history.past.at(-1)?.type;
	}

	get redoType(): Command['type'] | undefined {
		return this.#history.future.at(-1)?.type;
	}

	/** True where the project holds the reel, or undo or redo would bring it back. */
	remembers(reel: string): boolean {
		const { present, past, future } = this.#history;
		return [present, ...past.map((e) => e.before), ...future.map((e) => e.before)].some((p) => reelById(p, reel));
	}

	/** Runs a command; a refusal is shown and changes nothing. True when it was accepted. */
	run(command: Command): boolean {
		if (!FREE.has(command.type) && this.#refused()) return false;
		try {
			this.#history = execute(this.#history, command, { metas: this.metas }, performance.now());
			return true;
		} catch (error) {
			this.#notices.report(error);
			return false;
		}
	}

	undo(): void {
		if (this.#refused()) return;
		this.#history = undo(this.#history);
	}

	redo(): void {
		if (this.#refused()) return;
		this.#history = redo(this.#history);
	}

	#refused(): boolean {
		if (!this.#locked()) return false;
		this.#notices.say('warning', 'tabs.refused');
		return true;
	}

	/** Another document; its history starts anew. */
	replace(project: Project): void {
		this.#history = startHistory(project);
	}
}
