/**
 * What a reviewer's device keeps, in IndexedDB under `emulsion-review`: the secret it votes by, what was voted and noted on
 * packages, votes and notes that wait for the service, the reviewer's name, and a curator's signing key, whose private half no script
 * can read. No link's secret is ever kept. Where the browser refuses storage, all of it lasts as long as the tab, and
 * `lasting` says so.
 */

import { createStore, del, entries, get, set, update, type UseStore } from 'idb-keyval';
import * as v from 'valibot';
import type { Bytes } from '../../share/bytes.ts';
import { newVoterSecret, type VoterSecrets } from '../../share/client.ts';
import { makeCuratorKey } from '../../share/notes.ts';
import type { ReturnStore } from '../../share/package-backend.ts';
import { Id, LIMITS, PutVote } from '../../share/protocol.ts';

/** A vote that the service has not acknowledged yet. */
const PendingVote = v.object({
	presentation: Id,
	vote: PutVote,
	/** Sent with every try: the vote counts once. */
	key: v.pipe(v.string(), v.maxLength(64)),
});
export type PendingVote = v.InferOutput<typeof PendingVote>;

/** A note, sealed as it will be sent, that the service has not acknowledged yet. */
const PendingNote = v.object({
	id: Id,
	body: v.pipe(v.string(), v.maxLength(LIMITS.noteBytes * 2)),
	revision: v.number(),
});
export type PendingNote = v.InferOutput<typeof PendingNote>;

/** See the file's comment. */
export class ReviewDevice {
	#store: UseStore | undefined;
	readonly #memory = new Map<string, unknown>();

	constructor() {
		try {
			this.#store = createStore('emulsion-review', 'device');
		} catch {
			this.#store = undefined;
		}
	}

	/** False where nothing outlives the tab. */
	get lasting(): boolean {
		return this.#store !== undefined;
	}

	/** Asks the browser once whether it stores at all. */
	async probe(): Promise<void> {
		await this.#get('probe');
	}

	/** Secrets by which this device votes on open links. */
	readonly voters: VoterSecrets = {
		of: (link) => this.#made(`voter/${link}`, newVoterSecret, (value) => value instanceof Uint8Array) as Promise<Bytes>,
	};

	/** Votes and notes on packages. */
	readonly returns: ReturnStore = {
		load: (review) => this.#get(`returns/${review}`),
		save: (review, kept) => this.#set(`returns/${review}`, kept),
	};

	/** The name under which this device's owner writes; empty where none was given. */
	async name(): Promise<string> {
		const name = await this.#get('name');
		return typeof name === 'string' ? name.slice(0, 60) : '';
	}

	setName(name: string): Promise<void> {
		return this.#set('name', name.slice(0, 60));
	}

	/** The key that approvals are signed by; made on first use. */
	curator(): Promise<CryptoKeyPair> {
		const isPair = (value: unknown): boolean =>
			typeof value === 'object' && value !== null && 'privateKey' in value && value.privateKey instanceof CryptoKey;
		return this.#made('curator', makeCuratorKey, isPair) as Promise<CryptoKeyPair>;
	}

	pendingVotes(link: string): Promise<PendingVote[]> {
		return this.#list(PendingVote, `vote/${link}/`);
	}

	keepVote(link: string, pending: PendingVote): Promise<void> {
		return this.#set(`vote/${link}/${pending.presentation}`, pending);
	}

	/** Forgets a vote that arrived, unless another one took its place meanwhile. */
	async dropVote(link: string, { presentation, key }: PendingVote): Promise<void> {
		const name = `vote/${link}/${presentation}`;
		const kept = v.safeParse(PendingVote, await this.#get(name));
		if (kept.success && kept.output.key === key) await this.#del(name);
	}

	pendingNotes(link: string): Promise<PendingNote[]> {
		return this.#list(PendingNote, `note/${link}/`);
	}

	keepNote(link: string, pending: PendingNote): Promise<void> {
		return this.#set(`note/${link}/${pending.id}`, pending);
	}

	dropNote(link: string, id: string): Promise<void> {
		return this.#del(`note/${link}/${id}`);
	}

	/** Text that was being written and is not sent; empty where there is none. */
	async draft(review: string): Promise<string> {
		const text = await this.#get(`draft/${review}`);
		return typeof text === 'string' ? text.slice(0, 4000) : '';
	}

	setDraft(review: string, text: string): Promise<void> {
		return text === '' ? this.#del(`draft/${review}`) : this.#set(`draft/${review}`, text);
	}

	/** Files of votes that the owner opened, as they were: plain data, validated by its reader. */
	imported(review: string): Promise<unknown> {
		return this.#get(`imported/${review}`);
	}

	setImported(review: string, files: unknown): Promise<void> {
		return this.#set(`imported/${review}`, files);
	}

	/**
	 * Works with the store; where it fails (a connection that the browser closed) once more with a new one, and then never again: what this tab
	 * has read or written stays in memory.
	 */
	async #with<T>(work: (store: UseStore) => Promise<T>): Promise<{ readonly result: T } | undefined> {
		for (let attempt = 0; this.#store && attempt < 2; attempt++) {
			const store = this.#store;
			try {
				return { result: await work(store) };
			} catch {
				this.#store = attempt === 0 ? createStore('emulsion-review', 'device') : undefined;
			}
		}
		return undefined;
	}

	async #get(name: string): Promise<unknown> {
		const found = await this.#with((store) => get<unknown>(name, store));
		if (!found) return this.#memory.get(name);
		// What waits for the service may be sent and dropped by another tab: it is never remembered here.
		if (found.result !== undefined && !/^(?:vote|note)\//.test(name)) this.#memory.set(name, found.result);
		return found.result;
	}

	async #set(name: string, value: unknown): Promise<void> {
		this.#memory.set(name, value);
		await this.#with((store) => set(name, value, store));
	}

	async #del(name: string): Promise<void> {
		this.#memory.delete(name);
		await this.#with((store) => del(name, store));
	}

	async #list<S extends v.GenericSchema>(schema: S, prefix: string): Promise<v.InferOutput<S>[]> {
		const all = new Map(this.#memory);
		const kept = await this.#with((store) => entries<string, unknown>(store));
		for (const [name, value] of kept?.result ?? []) all.set(name, value);
		return [...all].flatMap(([name, value]) => {
			const parsed = name.startsWith(prefix) ? v.safeParse(schema, value) : undefined;
			return parsed?.success ? [parsed.output] : [];
		});
	}

	/** A value that is made once, by whichever of two tabs comes first. */
	async #made(name: string, make: () => unknown, fits: (value: unknown) => boolean): Promise<unknown> {
		const found = await this.#get(name);
		if (fits(found)) return found;
		const made = await make();
		const kept = await this.#with(async (store) => {
			await update<unknown>(name, (old) => (fits(old) ? old : made), store);
			return get<unknown>(name, store);
		});
		if (kept && fits(kept.result)) {
			this.#memory.set(name, kept.result);
			return kept.result;
		}
		if (!fits(this.#memory.get(name))) this.#memory.set(name, made);
		return this.#memory.get(name);
	}
}
