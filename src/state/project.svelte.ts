/** The project on screen, with undo. Verbs in, immutable documents out. */

import type { StageMeta } from '../contracts/stage.ts';
import type { Command } from '../project/commands.ts';
import { execute, type History, redo, startHistory, undo } from '../project/history.ts';
import { emptyProject, type Project, type Reel, reelById } from '../project/schema.ts';
import type { Notices } from './notices.svelte.ts';

/** See the file's comment. */
export class ProjectState {
	readonly metas: readonly StageMeta[];
	readonly #notices: Notices;
	#history: History = $state.raw(startHistory(emptyProject('none', '')));
	readonly #project = $derived(this.#history.present);
	readonly #reel = $derived(reelById(this.#history.present, this.#history.present.activeReel));

	constructor(metas: readonly StageMeta[], notices: Notices) {
		this.metas = metas;
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

	/** Runs a command; a refusal is shown and changes nothing. True when it was accepted. */
	run(command: Command): boolean {
		try {
			this.#history = execute(this.#history, command, { metas: this.metas }, performance.now());
			return true;
		} catch (error) {
			this.#notices.report(error);
			return false;
		}
	}

	undo(): void {
		this.#history = undo(this.#history);
	}

	redo(): void {
		this.#history = redo(this.#history);
	}

	/** Another document; its history starts anew. */
	replace(project: Project): void {
		this.#history = startHistory(project);
	}
}
