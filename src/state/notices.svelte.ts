/** Messages to the restorer: what happened, what to do, and the details to copy. */

import type { EmulsionError } from '../core/errors.ts';
import { toEmulsionError } from '../core/errors.ts';
import type { MessageKey } from './i18n/messages.en.ts';

/** One message. Errors are shown by their code; texts by key. */
export interface Notice {
	readonly id: number;
	readonly severity: 'info' | 'warning' | 'error';
	readonly text?: { readonly key: MessageKey; readonly args?: Readonly<Record<string, string | number>> };
	readonly error?: EmulsionError;
	/** How often the same message came in a row. */
	readonly count: number;
}

const MAX_NOTICES = 50;

/** The list of messages; the newest last. */
export class Notices {
	#list = $state.raw<readonly Notice[]>([]);
	#next = 1;

	get list(): readonly Notice[] {
		return this.#list;
	}

	/** Shows an error, unless it is a cancellation that the restorer asked for. */
	report(thrown: unknown): void {
		const error = toEmulsionError(thrown);
		if (error.code === 'aborted') return;
		const same = this.#list.find((n) => n.error?.code === error.code && n.error.message === error.message);
		if (same) this.#replace(same, { ...same, error, count: same.count + 1 });
		else this.#add({ id: this.#next++, severity: 'error', error, count: 1 });
	}

	/** Shows a text; the same one again raises its count. */
	say(severity: Notice['severity'], key: MessageKey, args?: Readonly<Record<string, string | number>>): void {
		const same = this.#list.find((n) => n.text?.key === key);
		const text = { key, ...(args ? { args } : {}) };
		if (same) this.#replace(same, { ...same, text, count: same.count + 1 });
		else this.#add({ id: this.#next++, severity, text, count: 1 });
	}

	dismiss(id: number): void {
		this.#list = this.#list.filter((n) => n.id !== id);
	}

	/** Runs something; what it throws is shown. Gives its value, or undefined. */
	async guard<T>(work: () => Promise<T> | T): Promise<T | undefined> {
		try {
			return await work();
		} catch (thrown) {
			this.report(thrown);
			return undefined;
		}
	}

	#add(notice: Notice): void {
		this.#list = [...this.#list, notice].slice(-MAX_NOTICES);
	}

	#replace(old: Notice, notice: Notice): void {
		this.#list = this.#list.map((n) => (n === old ? notice : n));
	}
}
