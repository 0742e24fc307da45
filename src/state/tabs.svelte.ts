/**
 * One project, several tabs: the tab that holds a Web Lock keeps the autosave and may change the project; the others show it
 * read only until they take over (the holder saves first and lets go) or until the holder is closed.
 */

const LOCK = 'emulsion-project';
/** A holder that does not answer is frozen or gone: the lock is taken from it. */
const PATIENCE_MS = 2000;

/** What this tab is. `alone`: the browser has no locks. */
export type TabRole = 'asking' | 'holder' | 'guest' | 'alone';

/** What the workspace does when the role changes. */
export interface TabEvents {
	/** Saves everything; called before the lock is let go. */
	readonly yield: () => Promise<void>;
	/** The lock came to a tab that was a guest: reads what the last holder saved. The role changes after it. */
	readonly inherit: () => Promise<void>;
	/** The lock was given to, or taken by, another tab. */
	readonly lost: () => void;
}

/** See the file's comment. */
export class Tabs {
	readonly #events: TabEvents;
	#role = $state<TabRole>('asking');
	#channel: BroadcastChannel | undefined;
	#release: (() => void) | undefined;
	#waiting: AbortController | undefined;

	constructor(events: TabEvents) {
		this.#events = events;
	}

	get role(): TabRole {
		return this.#role;
	}

	/** True where this tab may keep the autosave. */
	get holds(): boolean {
		return this.#role === 'holder' || this.#role === 'alone';
	}

	/** Asks for the lock; resolves when the role is known. */
	async start(): Promise<void> {
		if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') {
			this.#role = 'alone';
			return;
		}
		this.#channel = new BroadcastChannel(LOCK);
		this.#channel.onmessage = ({ data }) => {
			if (data === 'take' && this.#role === 'holder') void this.#give();
		};
		await new Promise<void>((known) => {
			const asked = navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
				this.#role = lock ? 'holder' : 'guest';
				known();
				return lock ? this.#hold() : undefined;
			});
			asked.catch(() => this.#lose());
		});
		if (this.#role === 'guest') this.#wait();
	}

	/** Makes this tab the holder: asks the present one to save and let go, and takes the lock where it does not answer. */
	take(): void {
		if (this.#role !== 'guest') return;
		this.#channel?.postMessage('take');
		setTimeout(() => {
			if (this.#role !== 'guest') return;
			this.#waiting?.abort();
			navigator.locks.request(LOCK, { steal: true }, () => this.#own()).catch(() => this.#lose());
		}, PATIENCE_MS);
	}

	/** Lets go; the tab is closing. */
	close(): void {
		this.#waiting?.abort();
		this.#release?.();
		this.#channel?.close();
	}

	/** In line for the lock: it comes when the holder lets go or is closed. */
	#wait(): void {
		const waiting = (this.#waiting = new AbortController());
		navigator.locks
			.request(LOCK, { signal: waiting.signal }, () => this.#own())
			.catch(() => {
				if (!waiting.signal.aborted) this.#lose();
			});
	}

	async #own(): Promise<void> {
		await this.#events.inherit();
		this.#role = 'holder';
		await this.#hold();
	}

	#hold(): Promise<void> {
		return new Promise((release) => (this.#release = release));
	}

	async #give(): Promise<void> {
		await this.#events.yield();
		const release = this.#release;
		this.#lose();
		release?.();
	}

	#lose(): void {
		if (this.#role !== 'holder') return;
		this.#release = undefined;
		this.#role = 'guest';
		this.#events.lost();
		this.#wait();
	}
}
