/** What this browser remembers for all projects. Restored values are validated; a browser that forbids storage loses nothing else. */

import { type Language, LANGUAGES } from './i18n/languages.ts';

const KEY = 'emulsion.preferences';

/** The keys marked `preferences` in `src/project/persistence.ts`. */
interface Stored {
	readonly language: Language;
	readonly sourcePanel: boolean;
	/** Playback without sound. */
	readonly muted: boolean;
	/** That the browser may evict its storage was said. */
	readonly toldPersistence: boolean;
}

function preferredLanguage(): Language {
	return navigator.languages.some((l) => l.toLowerCase().startsWith('zh')) ? 'zh-Hans' : 'en';
}

function load(): Stored {
	const defaults: Stored = { language: preferredLanguage(), sourcePanel: true, muted: false, toldPersistence: false };
	try {
		const json: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
		if (typeof json !== 'object' || json === null) return defaults;
		const { language, sourcePanel, muted, toldPersistence } = json as Record<string, unknown>;
		return {
			language: LANGUAGES.find((l) => l === language) ?? defaults.language,
			sourcePanel: typeof sourcePanel === 'boolean' ? sourcePanel : defaults.sourcePanel,
			muted: muted === true,
			toldPersistence: toldPersistence === true,
		};
	} catch {
		return defaults;
	}
}

/** See the file's comment. */
export class Preferences {
	#values = $state.raw(load());

	get language(): Language {
		return this.#values.language;
	}

	get sourcePanel(): boolean {
		return this.#values.sourcePanel;
	}

	get muted(): boolean {
		return this.#values.muted;
	}

	get toldPersistence(): boolean {
		return this.#values.toldPersistence;
	}

	set(change: Partial<Stored>): void {
		this.#values = { ...this.#values, ...change };
		try {
			localStorage.setItem(KEY, JSON.stringify(this.#values));
		} catch {
			// Private windows may refuse; the choice then holds until the tab closes.
		}
	}
}
