/**
 * Artifacts of `analyze`: plain data by key, in memory and in IndexedDB. A missing or unreadable one is analyzed again.
 */

import { createStore, del, get, set } from 'idb-keyval';

interface ArtifactRecord {
	readonly version: 1;
	readonly key: string;
	readonly value: unknown;
}

/** Artifacts by cache key. */
export class ArtifactStore {
	readonly #memory = new Map<string, unknown>();
	readonly #store: ReturnType<typeof createStore> | undefined;
	readonly #limit: number;

	/** `persist: false` keeps them in memory only. `limit` bounds how many memory holds. */
	constructor(persist: boolean, limit = 4096) {
		this.#store = persist ? createStore('emulsion-artifacts', 'artifacts') : undefined;
		this.#limit = limit;
	}

	/** The artifact in a box (its value may be undefined), or undefined when it has to be made. */
	async get(key: string): Promise<{ readonly value: unknown } | undefined> {
		if (this.#memory.has(key)) return { value: this.#memory.get(key) };
		if (!this.#store) return undefined;
		const record: unknown = await get(key, this.#store).catch(() => undefined);
		if (typeof record !== 'object' || record === null) return undefined;
		const { version, key: own, value } = record as Partial<ArtifactRecord>;
		if (version !== 1 || own !== key) {
			await del(key, this.#store).catch(() => undefined);
			return undefined;
		}
		this.#remember(key, value);
		return { value };
	}

	/** The artifact in a box, if memory holds it: nothing is read. */
	peek(key: string): { readonly value: unknown } | undefined {
		return this.#memory.has(key) ? { value: this.#memory.get(key) } : undefined;
	}

	/** Keeps an artifact; a full disk only means that it is analyzed again next time. */
	async put(key: string, value: unknown): Promise<void> {
		this.#remember(key, value);
		const record: ArtifactRecord = { version: 1, key, value };
		if (this.#store) await set(key, record, this.#store).catch(() => undefined);
	}

	#remember(key: string, value: unknown): void {
		if (this.#memory.size >= this.#limit) {
			const oldest = this.#memory.keys().next().value;
			if (oldest !== undefined) this.#memory.delete(oldest);
		}
		this.#memory.set(key, value);
	}
}
