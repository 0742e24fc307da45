/** What is wrong with a document, all of it: whoever mends it should not have to ask again after every line. */

import { EmulsionError, type ErrorCode } from '../core/errors.ts';
import { type Phrase, phrase } from '../core/phrases.ts';

/** Most that are told; the rest is counted. A hostile file may hold any number. */
export const MAX_TOLD = 20;

/** One thing that is wrong. */
export interface Issue {
	/** JSON path of the value. */
	readonly path: string;
	/** A sentence that names the path. */
	readonly said: Phrase;
	/** Id of the recipe entry it is about. */
	readonly stage?: string;
}

/** See the file's comment. */
export class Issues {
	readonly #told: Issue[] = [];
	#count = 0;

	/** Notes something; the first are kept. */
	add(issue: Issue): void {
		if (this.#count++ < MAX_TOLD) this.#told.push(issue);
	}

	/** Throws one error that tells of everything, with path and stage of the first; nothing where all is well. */
	throwAs(code: ErrorCode): void {
		const [first] = this.#told;
		if (!first) return;
		const rest = this.#count - this.#told.length;
		const lines = [
			...this.#told.map(({ said }) => said),
			...(rest > 0 ? [phrase('issues-more', { count: rest })] : []),
		];
		const said = this.#count === 1 ? first.said : phrase('issues', { count: this.#count, lines: { lines } });
		throw new EmulsionError(code, said, {
			path: first.path,
			...(first.stage === undefined ? {} : { stage: first.stage }),
		});
	}
}
