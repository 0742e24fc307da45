/**
 * Keeps the project in IndexedDB: half a second after each change, and at once when the tab is hidden. A browser that
 * refuses costs the autosave only, and says so; the project stays in the tab and can be saved to a file.
 */

import { createStore, get, set, type UseStore } from 'idb-keyval';
import type { StageMeta } from '../contracts/stage.ts';
import { EmulsionError, toEmulsionError } from '../core/errors.ts';
import { phrase } from '../core/phrases.ts';
import type { Project } from '../project/schema.ts';
import { parseProject, serializeProject } from '../project/validate.ts';
import type { Notices } from './notices.svelte.ts';
import type { Preferences } from './preferences.svelte.ts';

const DELAY_MS = 500;
const CURRENT = 'current';

/** What the autosave is doing. */
export type AutosaveStatus = 'idle' | 'pending' | 'saved' | 'off';

/** See the file's comment. */
export class Autosave {
	readonly #notices: Notices;
	readonly #preferences: Preferences;
	#status = $state<AutosaveStatus>('idle');
	#store: UseStore | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#pending: Project | undefined;
	#askedToPersist = false;

	constructor(notices: Notices, preferences: Preferences) {
		this.#notices = notices;
		this.#preferences = preferences;
	}

	get status(): AutosaveStatus {
		return this.#status;
	}

	/** The project of the last visit; undefined where there is none. A damaged one is shown as an error and kept aside. */
	async restore(metas: readonly StageMeta[]): Promise<Project | undefined> {
		let text: unknown;
		try {
			this.#store = createStore('emulsion-projects', 'projects');
			text = await get(CURRENT, this.#store);
		} catch (cause) {
			this.#off(cause);
			return undefined;
		}
		if (typeof text !== 'string') return undefined;
		try {
			return parseProject(text, metas);
		} catch (thrown) {
			this.#notices.report(thrown);
			await this.#write(`damaged-${crypto.randomUUID()}`, text);
			return undefined;
		}
	}

	/** Keeps a project whose place another one takes, under its own id. */
	async keepAside(project: Project): Promise<void> {
		await this.#write(`aside-${project.id}`, serializeProject(project));
	}

	/** Saves this document soon. */
	schedule(project: Project): void {
		if (this.#status === 'off') return;
		this.#pending = project;
		this.#status = 'pending';
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.flush(), DELAY_MS);
	}

	/** Saves what is pending now. */
	async flush(): Promise<void> {
		clearTimeout(this.#timer);
		const project = this.#pending;
		if (!project) return;
		this.#pending = undefined;
		if (!(await this.#write(CURRENT, serializeProject(project)))) return;
		if (!this.#pending) this.#status = 'saved';
		if (project.reels.length > 0) await this.#persist();
	}

	async #write(key: string, text: string): Promise<boolean> {
		if (!this.#store) return false;
		try {
			await set(key, text, this.#store);
			return true;
		} catch (cause) {
			this.#off(cause);
			return false;
		}
	}

	/** Asks the browser once not to evict this origin; a refusal is told, since eviction then takes the only autosave. */
	async #persist(): Promise<void> {
		if (this.#askedToPersist || this.#preferences.toldPersistence) return;
		this.#askedToPersist = true;
		try {
			const kept = (await navigator.storage.persisted()) || (await navigator.storage.persist());
			if (kept) return;
		} catch {
			// A browser without this question evicts as it likes.
		}
		this.#notices.say('info', 'storage.notPersistent');
		this.#preferences.set({ toldPersistence: true });
	}

	#off(cause: unknown): void {
		if (this.#status === 'off') return;
		this.#status = 'off';
		const why = toEmulsionError(cause).said;
		this.#notices.report(
			new EmulsionError('storage-unavailable', phrase('no-autosave', { why }), {
				cause,
			}),
		);
	}
}
